"""The README's section on the cloud, run as a newcomer does: from the wheel alone, at a terminal, with an empty home."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect

from tests.lab import REPO, Lab

# What somebody answers who knows their work; the rest is left to the defaults.
ANSWERS = {"Name of the cluster": "sales", "Kind of work": "batch", "Data to keep now": "1GB"}
DIST = Path.home() / ".cache" / "emr" / "dist"


def commands() -> list[str]:
    """The lines of the first block of the section, word by word."""
    section = re.search(r"^## On the cloud\n(.*?)^## ", (REPO / "README.md").read_text(), re.DOTALL | re.MULTILINE)[1]
    return [line.strip() for line in section.split("\n\n")[0].splitlines() if line.startswith("    ")]


def arrive(bed: Lab) -> tuple:
    """A newcomer who has done the first two lines, and the lines that are left: build, init, plan, create."""
    pip, export, *rest = commands()
    newcomer = Newcomer(bed)
    newcomer.install(pip)
    newcomer.export(export)
    return newcomer, *rest


class Newcomer:
    """Somebody with a virtual environment, an empty home and an account of this local ECS."""

    def __init__(self, bed: Lab):
        self.bed, self.home, self.folder = bed, bed.folder / "newcomer", bed.folder / "work"
        self.home.mkdir()
        self.folder.mkdir()
        self.wheel = self._wheel()
        subprocess.run([sys.executable, "-m", "venv", str(bed.folder / "venv")], check=True, timeout=300)
        cloud = {k: v for k, v in bed.env.items() if k.startswith("ALIBABA_CLOUD_") and "ACCESS_KEY" not in k}
        self.env = {"HOME": str(self.home), "PATH": f"{bed.folder}/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
                    "TERM": "xterm", **cloud}
        self.output = ""

    def _wheel(self) -> Path:
        subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(self.bed.folder / "wheel"), str(REPO)],
                       check=True, capture_output=True, timeout=600)
        return next((self.bed.folder / "wheel").glob("*.whl"))

    def install(self, line: str) -> None:
        """The line that begins with pip: the wheel that was built here stands for the published one."""
        constraint = self.bed.folder / "constraint.txt"
        constraint.write_text(f"emrctl @ {self.wheel.as_uri()}\n")
        cache = subprocess.run([sys.executable, "-m", "pip", "cache", "dir"], check=True, capture_output=True, text=True).stdout.strip()
        pip = {k: v for k, v in os.environ.items() if k.startswith("PIP_")}
        self.run(line, timeout=900, **{"PIP_RETRIES": "10", **pip, "PIP_CONSTRAINT": str(constraint), "PIP_CACHE_DIR": cache})

    def export(self, line: str) -> None:
        """The line that exports the key, with the account's own in place of the dots."""
        words = line.partition("#")[0].split()
        assert words[0] == "export" and all(word.endswith("=…") for word in words[1:]), line
        self.env.update({word[:-2]: self.bed.env[word[:-2]] for word in words[1:]})

    def link_cache(self) -> None:
        """The tarballs that `make dist` made, so that the newcomer's build finds its work done."""
        (self.home / ".cache/emr").mkdir(parents=True, exist_ok=True)
        (self.home / ".cache/emr/dist").symlink_to(DIST)

    def start(self, line: str, timeout: float = 900, **extra: str) -> pexpect.spawn:
        """A command at a terminal."""
        return pexpect.spawn("/bin/bash", ["-c", line], cwd=str(self.folder), env={**self.env, **extra}, encoding="utf-8",
                             timeout=timeout, dimensions=(40, 300))

    def run(self, line: str, expect: int = 0, timeout: float = 900, **extra: str) -> str:
        """Run a command to its end, answering what it asks. Returns what it printed."""
        child, said = self.start(line, timeout, **extra), ""
        while child.expect([r"([^\r\n]*)(?:: |\[y/N\] )$", pexpect.EOF]) == 0:
            said += child.before + child.after
            question = child.match.group(1)
            child.sendline("y" if child.after.endswith("[y/N] ") else next((a for q, a in ANSWERS.items() if q in question), ""))
        said += child.before
        child.close()
        assert child.exitstatus == expect, f"{line}: exit {child.exitstatus}, expected {expect}\n{said[-6000:]}"
        return said

    def interrupt(self, line: str, moment: str, timeout: float = 900) -> str:
        """Run a command, say yes, and press Ctrl-C when it has printed this. Returns what it printed."""
        child = self.start(line, timeout)
        child.expect_exact("[y/N] ")
        said = child.before
        child.sendline("y")
        child.expect(moment)
        said += child.before
        child.sendintr()
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 130, f"{line}: exit {child.exitstatus}\n{(said + child.before)[-6000:]}"
        return said + child.before

    def uses_and_releases(self) -> None:
        """The cluster runs as the README says, and nothing is left to pay for when it is given back."""
        assert self.run("emrctl status sales").count("running") >= 9, "three daemons on the master, two on each of the slaves"
        self.run("emrctl release sales")
        assert self.bed.instances("sales") == []
