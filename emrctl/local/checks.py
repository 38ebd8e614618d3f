"""What this machine must be and have before hosts can live on it. Each check raises Refused with a remedy."""
from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from emrctl.local import cgroups, image
from emrctl.local.settings import UNSAFE_PATH, Settings, cache_dir
from emrctl.local.shell import Refused

# Command -> Debian package that has it.
TOOLS = {"systemd-nspawn": "systemd-container", "mmdebstrap": "mmdebstrap", "nft": "nftables", "ip": "iproute2",
         "losetup": "mount", "ssh-keygen": "openssh-client", "unshare": "util-linux"}
LEAST_LIMITS = {"fs.inotify.max_user_instances": 8192, "fs.inotify.max_user_watches": 65536}
LEAST_MEMORY_GIB = 4
LEAST_STATE_GIB = 5


def machine(settings: Settings) -> None:
    """Root on Linux, enough memory and disk, and the kernel's parts that hosts need."""
    if sys.platform != "linux":
        raise Refused(f"hosts need Linux, this is {sys.platform}", "use a Linux machine, or --api-only for the API alone")
    if os.geteuid() != 0:
        raise Refused("hosts need root", "run it as root (sudo), or with --api-only for the API alone")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    if memory < LEAST_MEMORY_GIB - 0.5:
        raise Refused(f"this machine has {memory:.1f} GiB of memory, hosts need at least {LEAST_MEMORY_GIB}",
                      "use a larger machine (16 GiB for one master and three slaves), or --api-only")
    if "memory" not in cgroups.hierarchies():
        raise Refused("the memory control group is not mounted, so hosts could not be limited to their type's memory",
                      "mount it (cgroup v2 at /sys/fs/cgroup, or v1 at /sys/fs/cgroup/memory), or use --api-only")
    if "overlay" not in Path("/proc/filesystems").read_text():
        subprocess.run(["modprobe", "overlay"], check=False, capture_output=True)
        if "overlay" not in Path("/proc/filesystems").read_text():
            raise Refused("the kernel has no overlay file system", "load the module overlay, or use --api-only")
    _space(settings.folder, LEAST_STATE_GIB, "--state")
    if not image.ready():
        _space(cache_dir(), image.NEEDED_GIB, "EMR_CACHE")
    _not_overlay(settings.folder)
    if UNSAFE_PATH.search(str(cache_dir())):
        raise Refused(f"the cache folder {cache_dir()}: its path may hold only letters, digits and . _ / @ + -",
                      "set EMR_CACHE to another folder")


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _space(path: Path, least_gib: int, setting: str) -> None:
    free = shutil.disk_usage(_existing(path)).free / 2**30
    if free < least_gib:
        raise Refused(f"{path} has {free:.1f} GiB free, {least_gib} are needed",
                      f"free some space, or put it elsewhere with {setting}")


def _not_overlay(path: Path) -> None:
    """The kernel accepts no overlay's upper folder on an overlay, which is where containers have their root."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", str(_existing(path))], capture_output=True, text=True, check=False)
    if kind.stdout.strip() == "overlayfs":
        raise Refused(f"the state folder {path} lies on an overlay file system, which cannot carry hosts",
                      "put it on a volume or a tmpfs with --state")


def tools(say: Callable[[str], None]) -> None:
    """Install what is missing of TOOLS where there is apt-get, else name the packages."""
    missing = sorted({package for command, package in TOOLS.items() if not shutil.which(command)})
    if not missing:
        return
    if shutil.which("apt-get"):
        say(f"installing {', '.join(missing)}")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        # A fresh Debian often updates itself in its first minutes: then apt-get waits for the other one to end.
        for argv in (["update", "-q"], ["install", "-y", "-q", *missing]):
            subprocess.run(["apt-get", "-o", "DPkg::Lock::Timeout=300", *argv], check=False, capture_output=True, env=environment)
        missing = sorted({package for command, package in TOOLS.items() if not shutil.which(command)})
    if missing:
        raise Refused(f"these packages (by their Debian names) are missing: {', '.join(missing)}",
                      f"install them: apt-get install {' '.join(missing)}")


def raise_limits(say: Callable[[str], None]) -> None:
    """Raise kernel limits that all hosts share, because root of every host is the same user to the kernel.

    Each host needs about a dozen inotify instances; when they run out, its systemd waits at boot for ever.
    """
    for name, least in LEAST_LIMITS.items():
        path = Path("/proc/sys", name.replace(".", "/"))
        now = int(path.read_text())
        if now < least:
            say(f"raising {name} from {now} to {least}")
            path.write_text(str(least))


def port_free(port: int, prefix: str) -> None:
    """Nobody else listens on the server's port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Refused(f"port {port} is in use ({error.strerror})",
                          f"choose another --port, or look whose it is: ss -ltnp 'sport = :{port}'; a local ECS of another "
                          f"prefix than {prefix} may be up") from error
