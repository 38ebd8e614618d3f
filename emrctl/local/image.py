"""The hosts' systems: Debian folders, each built when it is first asked for and shared read-only by its hosts as the lower
layer of their overlays."""
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

# Nothing of this helps in a host that lives for hours, and each of them costs time at every boot.
_MASKED = ["apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
           "fstrim.timer", "e2scrub_reap.service", "getty.target", "console-getty.service", "systemd-update-utmp.service",
           "systemd-update-utmp-runlevel.service"]
_FILES = {
    # Ansible opens many sessions at once; DNS cannot answer here.
    "etc/ssh/sshd_config.d/local.conf":
        "MaxStartups 200:30:400\nMaxSessions 200\nUseDNS no\nHostKey /etc/ssh/ssh_host_ed25519_key\n"
        "PasswordAuthentication no\n",
    "etc/resolv.conf": "",
    "etc/systemd/journald.conf.d/local.conf": "[Journal]\nStorage=persistent\nSystemMaxUse=64M\n",
    "etc/default/locale": "LANG=C.UTF-8\n",
}
# python3 in full, because PySpark needs more than Debian's minimal one.
_PYTHON, _JAVA_17, _JAVA_21 = "python3", "openjdk-17-jre-headless", "openjdk-21-jre-headless"
_SYSTEM = ["systemd", "systemd-sysv", "dbus", "libpam-systemd", "openssh-server", _PYTHON, "sudo", "iproute2",
           "procps", "ca-certificates", _JAVA_17, "curl", "rsync", "nftables", "e2fsprogs",
           "xfsprogs"]
# Hosts do not reach Debian's archive: what an image carries is installed by its own apt from this folder.
CARRIED = "srv/packages"
# What security guides ask for: whatever root or a login makes is nobody else's to read.
_HARDENED = {
    "etc/profile.d/umask.sh": "umask 077\n",
    "root/.bashrc": "umask 077\n",
    "root/.profile": "umask 077\n",
    "etc/systemd/system/ssh.service.d/umask.conf": "[Service]\nUMask=0077\n",
    "etc/systemd/system/ssh@.service.d/umask.conf": "[Service]\nUMask=0077\n",
}


def _recipe(suite: str, without: tuple = (), carried: tuple = (), java: str = _JAVA_17) -> dict:
    """What a system is made of; ``carried`` packages are not installed but lie in it."""
    packages = [java if name == _JAVA_17 else name for name in _SYSTEM if name not in without]
    recipe = {"version": 1, "suite": suite, "packages": packages, "masked": _MASKED, "files": _FILES}
    return {**recipe, "carried": carried} if carried else recipe


DEFAULT = "debian-12"
RECIPES = {
    DEFAULT: _recipe("bookworm"),
    "debian-11": _recipe("bullseye"),
    "debian-13": _recipe("trixie", java=_JAVA_21),
    "debian-12-nojava": _recipe("bookworm", (_JAVA_17,), (_JAVA_17,)),
    "debian-12-nopython": _recipe("bookworm", (_JAVA_17, _PYTHON, "xfsprogs"), (_PYTHON, _JAVA_17)),  # xfsprogs needs Python
    # No system of its own: some files over another one. ``append`` holds what is added to files of that one.
    "debian-12-hardened": {"version": 1, "over": DEFAULT, "files": _HARDENED,
                           "append": {"etc/pam.d/common-session": "session optional pam_umask.so umask=0077\n"}},
}
NEEDED_GIB = 3
# With its caller ends the whole build: all its processes (they live in a process namespace) and all its mounts.
CONFINED = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
            "--kill-child", "--mount-proc"]


def digest(name: str = DEFAULT) -> str:
    """Name of the image that a recipe makes."""
    return hashlib.sha256(json.dumps(RECIPES[name], sort_keys=True).encode()).hexdigest()[:16]


def folder(name: str = DEFAULT) -> Path:
    return cache_dir() / "image" / digest(name)


def ready(name: str = DEFAULT) -> bool:
    return folder(name).exists()


def layers(say: Callable[[str], None], name: str = DEFAULT) -> list[Path]:
    """The folders that make up an image, the uppermost first; built first where they are missing. Raises DriverError."""
    below = RECIPES[name].get("over")
    lower = layers(say, below) if below else []
    return [build(say, name), *lower]


def class_data(image: Path, say: Callable[[str], None]) -> str:
    """Folder with the class-data archives for this image; empty when there are none. Hosts work without, only slower."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
    from emrctl.dist import cds

    try:
        return str(cds.layer(image, say) or "")
    except (EmrError, OSError, subprocess.SubprocessError) as error:
        say(f"no class-data archive: {error}")
        return ""


def build(say: Callable[[str], None], name: str = DEFAULT) -> Path:
    """Folder of the image, built first where it is missing (about 40 s and 530 MB). Raises DriverError."""
    target, recipe = folder(name), RECIPES[name]
    if ready(name):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if ready(name):
            return target
        partial = target.with_suffix(".partial")
        remove(partial)
        try:
            if "over" in recipe:
                _cover(partial, recipe)
            else:
                say(f"building the hosts' system {name} (once, about a minute)")
                _bootstrap(partial, recipe, lock.fileno())
                _customise(partial, recipe)
            partial.rename(target)
        finally:
            remove(partial)
    return target


def _bootstrap(partial: Path, recipe: dict, lock: int) -> None:
    """Fill partial. The lock is held by the build's processes too, until the last of them has ended."""
    log = partial.with_suffix(".log")
    carried = [f"--customize-hook={_CARRY.format(packages=' '.join(recipe['carried']))}"] if "carried" in recipe else []
    with log.open("wb") as output:
        done = subprocess.run(
            ["sh", "-c", 'umask 022; exec "$@"', "build", *CONFINED, "mmdebstrap", "--mode=root", "--variant=minbase",
             f"--include={','.join(recipe['packages'])}", *carried, recipe["suite"], str(partial)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, pass_fds=[lock])
    if done.returncode:
        errors = [line for line in log.read_text(errors="replace").splitlines() if line.startswith(("E:", "W:"))]
        raise DriverError(f"mmdebstrap ended with {done.returncode}: {' / '.join(errors[-3:])}. Is the Debian mirror "
                          f"reachable (set http_proxy if a proxy is needed)? Full log: {log}")
    log.unlink()


# Runs outside of the new system, with the settings of the apt that fills it.
_CARRY = (
    'set -e; export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"; rm -f "$1"/var/cache/apt/archives/*.deb; '
    'apt-get -qq -y --no-install-recommends --download-only install {packages}; '
    'mkdir -p "$1/' + CARRIED + '"; mv "$1"/var/cache/apt/archives/*.deb "$1/' + CARRIED + '"')


def _cover(root: Path, recipe: dict) -> None:
    """Fill root with the files that lie over another image's; its folders hide the modes of that one's, so they have them."""
    below = folder(recipe["over"])
    root.mkdir(mode=0o755)
    appended = {name: (below / name).read_text() + text for name, text in recipe["append"].items()}
    for name, text in {**recipe["files"], **appended}.items():
        path = root / name
        for parent in reversed(Path(name).parents[:-1]):
            (root / parent).mkdir(exist_ok=True)
            (root / parent).chmod((below / parent).stat().st_mode & 0o7777 if (below / parent).exists() else 0o755)
        path.write_text(text)
        path.chmod(0o644)
    root.chmod(0o755)


def _customise(root: Path, recipe: dict) -> None:
    for name, text in recipe["files"].items():
        path = root / name
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for unit in recipe["masked"]:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    if "carried" in recipe:
        _offer_carried(root)
    # Every host gets its own identity.
    for private in (*root.glob("etc/ssh/ssh_host_*"), root / "etc/machine-id", root / "var/lib/dbus/machine-id"):
        private.unlink(missing_ok=True)
    (root / "var/log/journal").mkdir(exist_ok=True)
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)


def _offer_carried(root: Path) -> None:
    """Make the carried packages the only source of the image's apt, as one that hosts reach."""
    rows = []
    for package in sorted((root / CARRIED).glob("*.deb")):
        control = run(["dpkg-deb", "--field", str(package)]).strip()
        rows.append(f"{control}\nFilename: ./{package.name}\nSize: {package.stat().st_size}\n"
                    f"SHA256: {hashlib.sha256(package.read_bytes()).hexdigest()}\n")
    (root / CARRIED / "Packages").write_text("\n".join(rows))
    for old in (*root.glob("etc/apt/sources.list.d/*"), *root.glob("var/lib/apt/lists/*Packages*")):
        old.unlink()
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:/{CARRIED} ./\n")


def remove(path: Path) -> None:
    """Remove a half-built image. Raises DriverError while something is mounted below it and cannot be taken away."""
    if not path.exists():
        return
    below = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
             if line.split()[4].startswith(f"{path}/")]
    for point in reversed(below):
        run(["umount", point])
    shutil.rmtree(path)
