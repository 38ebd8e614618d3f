"""Class-data archives: the JVM's parsed classes of Hadoop, made once for an image so that its hosts start faster.

The list of classes (files/hadoop/libexec/hadoop.classlist) is recorded by running a whole cluster (``record``, for
maintainers, after a change of version) and lies in the tarball; the archive is made from it by the tarball's own
libexec/class-data, in the image, at the very paths that the hosts use. It is a layer for the hosts' file system.
"""
from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import DEFAULT, Artifact, release

from .build import built, lock_file
from .paths import FILES, cache_root, dist_dir

PREFIX = "/opt/emr"
TIMEOUT = 900  # seconds
CLASS_LIST = FILES / "hadoop/libexec/hadoop.classlist"
CLASS_DATA = FILES / "hadoop/libexec/class-data"


def layer(image: Path, say, artifact: Artifact | None = None) -> Path | None:
    """Folder to lay over the image ``image`` (it holds opt/emr/cds); made first where it is missing (20 s, 150 MB).

    None when the tarball is not on this machine, or the image has no Java. Needs root. Raises EmrError.
    """
    artifact = artifact or release(DEFAULT).artifacts["hadoop"]
    jvm = _jvm(image)
    if not jvm or not built(artifact):
        return None
    target = cache_root() / "cds" / _key(jvm, artifact)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for stale in target.parent.glob("partial-*"):
            shutil.rmtree(stale, ignore_errors=True)
        if not target.exists():
            say("making the class-data archive for the hosts' JVM (once, about 20 s)")
            _make(image, artifact, target)
    return target


def _key(jvm: str, artifact: Artifact) -> str:
    """Name of the layer: by all that the archive depends on, so that a new launcher alone makes no new one."""
    parts = (jvm, artifact.top, lock_file(artifact).read_text(), CLASS_LIST.read_text(), CLASS_DATA.read_text())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _jvm(image: Path) -> str:
    """What identifies the image's JVM build."""
    releases = sorted(image.glob("usr/lib/jvm/*/release"))
    return "\n".join(path.read_text() for path in releases)


def _make(image: Path, artifact: Artifact, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="partial-", dir=target.parent) as work:
        with tarfile.open(dist_dir() / artifact.file) as tar:
            tar.extractall(work, filter="tar")
        out = Path(work) / "layer"
        archives = out / "opt/emr/cds"
        archives.mkdir(parents=True)
        home = f"{PREFIX}/{artifact.top}"
        # A namespace of its own for processes and network; the image itself stays untouched.
        # Killed with its caller, so a second try meets no first one.
        command = ["setpriv", "--pdeathsig", "KILL", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--resolv-conf=off",
                   "--timezone=off", "--volatile=overlay", "--console=pipe", "--as-pid2", f"--directory={image}",
                   f"--bind-ro={work}/{artifact.top}:{home}", f"--bind={archives}:{PREFIX}/cds",
                   f"{home}/libexec/class-data", f"{PREFIX}/cds/{artifact.top}.jsa"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT,
                              check=False)
        if done.returncode or not (archives / f"{artifact.top}.jsa").exists():
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
            raise EmrError(f"the class-data archive could not be made (exit {done.returncode}):\n{tail}")
        out.chmod(0o755)
        out.rename(target)


def record(artifact: Artifact, say) -> int:
    """Run a cluster of this distribution here and write the list of the classes that it loads. Returns their number.

    Takes some minutes and 3 GB of memory; everything runs in namespaces that end with it. Needs root.
    """
    with tempfile.TemporaryDirectory(prefix="emr-record-") as work:
        with tarfile.open(dist_dir() / artifact.file) as tar:
            tar.extractall(work, filter="tar")
        say("recording the classes of daemons, jobs and commands (some minutes)")
        script = Path(__file__).with_name("profile.sh")
        subprocess.run(["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", str(script),
                        f"{work}/{artifact.top}", f"{work}/run"], check=True, timeout=1800)
        names = merge(path.read_text() for path in sorted(Path(work, "run/lists").iterdir()))
    CLASS_LIST.write_text("".join(f"{name}\n" for name in names))
    return len(names)


def merge(lists) -> list[str]:
    """The union of class lists, sorted. Classes of loaders other than the JVM's own three cannot be archived."""
    found = set()
    for text in lists:
        for line in text.splitlines():
            if line and not line.startswith("#") and " source: " not in line:
                found.add(line.split(" id: ")[0])
    return sorted(found)
