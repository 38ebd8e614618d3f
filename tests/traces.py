"""Where a secret could show: command lines while something runs, files and journals of the nodes, and what emrctl keeps here."""
from __future__ import annotations

import shlex
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

from tests.lab import EMRCTL

# All that is written on a node, but for the programs that it was installed with.
FOLDERS = "/etc /var /tmp /run /home /root /srv /data /dev/shm /opt/emr/lib /opt/emr/libexec /usr/local"
# The patterns come on standard input and stay in the shell: a command line or a file of patterns would be such a trace itself.
SEARCH = f"""p=$(cat)
grep -rlsaF -f <(printf '%s' "$p") {FOLDERS} 2>/dev/null
grep -lsaF -f <(printf '%s' "$p") /proc/[0-9]*/cmdline /proc/[0-9]*/environ
journalctl --no-pager -q -a | grep -aF -f <(printf '%s' "$p") | head -c 1000
printf '\\nsearched\\n'"""


class Looker(threading.Thread):
    """Calls ``look()``, which gives what it has found, again and again until it is over; every ``pause`` seconds."""

    def __init__(self, look, pause: float):
        super().__init__(daemon=True)
        self.look, self.pause, self.looks, self.found, self.over = look, pause, 0, set(), threading.Event()
        self.error: Exception | None = None

    def run(self):
        try:
            while not self.over.wait(self.pause):
                self.found.update(self.look())
                self.looks += 1
        except Exception as error:  # noqa: BLE001  (the test that waits for this thread raises it)
            self.error = error


@contextmanager
def watched(bed, cluster: str, nodes, secrets, allowed=()):
    """While this lasts, the secrets are on no command line of this machine, hosts included, and in no file of the nodes but below ``allowed``."""
    lookers = [Looker(lambda: command_lines(secrets), 0.05), Looker(lambda: on_nodes(bed, cluster, nodes, secrets), 15)]
    for looker in lookers:
        looker.start()
    try:
        yield
    finally:
        for looker in lookers:
            looker.over.set()
        for looker in lookers:
            looker.join(300)
    for looker in lookers:
        if looker.error:
            raise looker.error
        assert looker.looks, "nobody has looked"
        found = [row for row in looker.found if not any(f" {folder}" in f" {row.split(': ', 1)[-1]}" for folder in allowed)]
        assert not found, found


def command_lines(secrets) -> set:
    """Command lines with one of the secrets, of all processes that this machine sees."""
    wanted, found = [secret.encode() for secret in secrets], set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if any(secret in text for secret in wanted):
            found.add(text[:200].decode(errors="replace"))
    return found


def on_nodes(bed, cluster: str, nodes, secrets) -> list:
    """What on these nodes holds one of the secrets, each with the node's name before it."""
    found = []
    for node in nodes:
        done = subprocess.run([*EMRCTL, "ssh", cluster, node, "--", f"bash -c {shlex.quote(SEARCH)}"], input="\n".join(secrets), env=bed.env,
                              text=True, errors="replace", capture_output=True, cwd=bed.folder, timeout=900, check=False)
        lines = done.stdout.splitlines()
        assert lines and lines[-1] == "searched", f"{done.stdout}\n{done.stderr}"
        found += [f"{node}: {line}" for line in lines[:-1] if line]
    return found


def kept_here(bed, secrets) -> list:
    """Files with one of the secrets that emrctl has left on this machine; the credentials of people are theirs."""
    found = []
    for top in (bed.home, Path(bed.env["EMR_CACHE"]) / "runs", bed.state / "server.log"):
        done = subprocess.run(["grep", "-rlsaF", "-f", "-", str(top)], input="\n".join(secrets), text=True, capture_output=True, check=False)
        found += [line for line in done.stdout.splitlines() if "/.aliyun/" not in line]
    return found
