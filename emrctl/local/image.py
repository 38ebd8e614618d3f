"""The hosts' system: a Debian folder, built once and shared read-only by every host as the lower layer of its overlay."""
from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from emrctl.local.settings import cache_dir
from emrctl.local.shell import DriverError, run

RECIPE = {
    "version": 1,
    "suite": "bookworm",
    # python3 in full, because PySpark needs more than Debian's minimal one.
    "packages": ["systemd", "systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "python3", "sudo", "iproute2",
                 "procps", "ca-certificates", "openjdk-17-jre-headless", "curl", "rsync", "nftables", "e2fsprogs",
                 "xfsprogs"],
    # Nothing of this helps in a host that lives for hours, and each of them costs time at every boot.
    "masked": ["apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
               "fstrim.timer", "e2scrub_reap.service", "getty.target", "console-getty.service", "systemd-update-utmp.service",
               "systemd-update-utmp-runlevel.service"],
    "files": {
        # Ansible opens many sessions at once; DNS cannot answer here.
        "etc/ssh/sshd_config.d/local.conf":
            "MaxStartups 200:30:400\nMaxSessions 200\nUseDNS no\nHostKey /etc/ssh/ssh_host_ed25519_key\n"
            "PasswordAuthentication no\n",
        "etc/resolv.conf": "",
        "etc/systemd/journald.conf.d/local.conf": "[Journal]\nStorage=persistent\nSystemMaxUse=64M\n",
        "etc/default/locale": "LANG=C.UTF-8\n",
    },
}
NEEDED_GIB = 3
# With its caller ends the whole build: all its processes (they live in a process namespace) and all its mounts.
CONFINED = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
            "--kill-child", "--mount-proc"]


def digest() -> str:
    """Name of the image that this recipe makes."""
    return hashlib.sha256(json.dumps(RECIPE, sort_keys=True).encode()).hexdigest()[:16]


def folder() -> Path:
    return cache_dir() / "image" / digest()


def ready() -> bool:
    return (folder() / "usr/sbin/sshd").exists()


def build(say: Callable[[str], None]) -> Path:
    """Folder of the image, built first where it is missing (about 40 s and 530 MB). Raises DriverError."""
    target = folder()
    if ready():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if ready():
            return target
        for stale in target.parent.glob("*.partial"):
            remove(stale)
        say("building the hosts' system (once, about a minute)")
        partial = target.with_suffix(".partial")
        try:
            _bootstrap(partial, lock.fileno())
            _customise(partial)
            partial.rename(target)
        finally:
            remove(partial)
    return target


def _bootstrap(partial: Path, lock: int) -> None:
    """Fill partial. The lock is held by the build's processes too, until the last of them has ended."""
    log = partial.with_suffix(".log")
    with log.open("wb") as output:
        done = subprocess.run(
            [*CONFINED, "mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(RECIPE['packages'])}",
             RECIPE["suite"], str(partial)], stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
            pass_fds=[lock])
    if done.returncode:
        errors = [line for line in log.read_text(errors="replace").splitlines() if line.startswith(("E:", "W:"))]
        raise DriverError(f"mmdebstrap ended with {done.returncode}: {' / '.join(errors[-3:])}. Is the Debian mirror "
                          f"reachable (set http_proxy if a proxy is needed)? Full log: {log}")
    log.unlink()


def _customise(root: Path) -> None:
    for name, text in RECIPE["files"].items():
        path = root / name
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for unit in RECIPE["masked"]:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    # Every host gets its own identity.
    for private in (*root.glob("etc/ssh/ssh_host_*"), root / "etc/machine-id", root / "var/lib/dbus/machine-id"):
        private.unlink(missing_ok=True)
    (root / "var/log/journal").mkdir(exist_ok=True)
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a half-built image. Raises DriverError while something is mounted below it and cannot be taken away."""
    if not path.exists():
        return
    below = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
             if line.split()[4].startswith(f"{path}/")]
    for point in reversed(below):
        run(["umount", point])
    shutil.rmtree(path)
