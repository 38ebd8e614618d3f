"""One host: a systemd-nspawn machine on an overlay over the image, in its own network namespace and control group.

The overlay is mounted in a mount namespace that only the host's processes have, so it cannot outlive them. What a host is
made of lies below DIR/hosts/ID: host.json (what it should be), upper (its file system's changes), disks, console.log.
"""
from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

from emrctl.local import cgroups, disks, internet, network
from emrctl.local.settings import Settings
from emrctl.local.shell import DriverError, run

BOOT_LIMIT = 20.0      # seconds until the host's own init must run
HALT_LIMIT = 30.0      # seconds that an orderly stop may take before it becomes a forced one
NSPAWN = "systemd-nspawn"
# Arguments: control groups, overlay options, mount point, command. setsid --fork lets init reap the host, so that it
# outlives the server. The keeper stays in a group below (cgroup v2 wants no process beside groups) and repeats the
# command when it ends with 133, which is how systemd-nspawn says that the host rebooted. mkdir makes no parents: a group
# that was removed meanwhile belongs to a host that was deleted, and this launch has to end.
LAUNCH = """\
for group in $1; do mkdir "$group/keeper" && echo $$ > "$group/keeper/cgroup.procs" || exit 1; done
exec setsid --fork unshare --mount --propagation slave sh -c '
  groups=$1; mount -t overlay emr-local -o "$2" "$3" || exit 1
  shift 3
  while :; do
    sh -c "for group in \\$0; do echo \\$\\$ > \\$group/cgroup.procs || exit 1; done; exec \\"\\$@\\"" "$groups" "$@"
    [ $? -eq 133 ] || exit
  done' keeper "$@"
"""
# What udev and systemd's reading of fstab do on a machine; in a container there is no udev, and fstab's devices are ignored.
DISKS_UNIT = """\
[Unit]
Description=Names of the data disks, and fstab
DefaultDependencies=no
After=systemd-remount-fs.service
Before=local-fs.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /etc/emr-local/disks
[Install]
WantedBy=local-fs.target
"""
DISKS_SCRIPT = """\
mkdir -p /dev/disk/by-id /dev/disk/by-uuid
name() {{
  ln -sfn "../../$1" "/dev/disk/by-id/virtio-$2"
  uuid=$(blkid -p -s UUID -o value "/dev/$1") && ln -sfn "../../$1" "/dev/disk/by-uuid/$uuid"
}}
{names}
[ ! -e /etc/fstab ] || mount -a
"""


class Host:
    """The host of one instance id. Methods block, may be repeated, and raise DriverError."""

    def __init__(self, settings: Settings, host_id: str):
        self.settings = settings
        self.id = host_id
        self.folder = settings.hosts / host_id

    @property
    def record(self) -> Path:
        return self.folder / "host.json"

    def load(self) -> dict:
        """What create() and set_firewall() stored."""
        try:
            return json.loads(self.record.read_text())
        except FileNotFoundError as error:
            raise DriverError(f"{self.id}: there is no such host") from error

    def save(self, record: dict) -> None:
        fresh = self.record.with_suffix(".new")
        fresh.write_text(json.dumps(record, indent=2) + "\n")
        fresh.rename(self.record)

    @contextmanager
    def locked(self):
        """One operation on a host at a time, across threads and processes."""
        self.settings.hosts.mkdir(parents=True, exist_ok=True)
        with (self.settings.hosts / f".{self.id}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # State

    def running(self) -> bool:
        return bool(cgroups.processes(self.settings.prefix, self.id))

    def init_pid(self) -> int | None:
        """Process id, as seen from outside, of the host's own PID 1."""
        for pid in cgroups.processes(self.settings.prefix, self.id):
            if cgroups.command(pid) == NSPAWN:
                for child in cgroups.children(pid):
                    if cgroups.command(child) in ("systemd", "init"):
                        return child
        return None

    def state(self) -> str:
        if not self.record.exists():
            return "missing"
        return "running" if self.running() else "stopped"

    # Create and start

    def define(self, instance: dict, layers: list) -> None:
        """Store what the host should be and make its file system and disks; existing data stays, on the layers that it has."""
        for disk in instance.get("disks", []):
            if not disks.SERIAL.fullmatch(disk["serial"]):
                raise DriverError(f"{self.id}: disk serial {disk['serial']!r} is not one")
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        # A folder of the upper layer hides the mode of the image's folder of that name; this one is the host's "/".
        (self.folder / "upper").chmod(0o755)
        old = self.load() if self.record.exists() else {}
        for disk in instance.get("disks", []):
            disks.make(self.disk_file(disk), int(disk["size_gib"]))
        self.save({**instance, "rules": old.get("rules", {}), "layers": old.get("layers") or layers})

    def disk_file(self, disk: dict) -> Path:
        return self.folder / "disks" / f"{disk['serial']}.img"

    def start(self) -> None:
        """Boot the host, unless it runs. Returns when its init runs; sshd follows 2 to 3 seconds later."""
        if self.running():
            return
        instance = self.load()
        self.clear()
        try:
            seed(self.folder / "upper", instance)
            self._launch(instance)
        except BaseException:
            self.clear()
            raise

    def _launch(self, instance: dict) -> None:
        settings = self.settings
        groups = cgroups.make(settings.prefix, self.id, int(instance["memory_mib"]))
        namespace = network.make_namespace(settings, self.id, instance["private_ip"])
        network.apply_firewall(settings, self.id, instance["rules"])
        if instance.get("public_ip"):
            internet.publish(settings, instance["private_ip"], instance["public_ip"])
        root = self.folder / "root"
        nspawn = [NSPAWN, "--register=no", "--keep-unit", "--boot", "--resolv-conf=off", "--link-journal=no",
                  "--console=pipe", f"--network-namespace-path={namespace}", f"--directory={root}",
                  f"--machine={settings.netns(self.id)}", f"--hostname={instance['hostname']}"]
        for letter, disk in zip("bcdefghijklmnopqrstuvwxyz", instance.get("disks", []), strict=False):
            nspawn.append(f"--bind={disks.attach(self.disk_file(disk))}:/dev/vd{letter}")
        # Hosts of earlier versions have the image of their local ECS; what is missing by now may be the archives of classes.
        layers = [layer for layer in instance.get("layers") or (settings.class_data, settings.image) if layer and Path(layer).exists()]
        overlay = f"lowerdir={':'.join(layers)},upperdir={self.folder}/upper,workdir={self.folder}/work"
        with (self.folder / "console.log").open("wb") as console:
            subprocess.run(["sh", "-c", LAUNCH, "launch", " ".join(map(str, groups)), overlay, str(root), *nspawn],
                           stdin=subprocess.DEVNULL, stdout=console, stderr=console, check=False, timeout=30)
        end = time.monotonic() + BOOT_LIMIT
        while not self.init_pid():
            if time.monotonic() > end or not cgroups.processes(settings.prefix, self.id):
                lines = (self.folder / "console.log").read_text(errors="replace").strip().splitlines()[-3:]
                raise DriverError(f"{self.id}: does not start: {' / '.join(lines) or 'no message'}")
            time.sleep(0.02)

    # Stop and delete

    def stop(self, force: bool = False) -> None:
        """Halt the host in order, or pull its plug. Its file system and disks stay."""
        if not force:
            for pid in cgroups.processes(self.settings.prefix, self.id):
                if cgroups.command(pid) == NSPAWN:
                    os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + HALT_LIMIT
            while self.running() and time.monotonic() < end:
                time.sleep(0.05)
        self.clear()

    def clear(self) -> None:
        """Remove everything that a running host has, whatever state it was left in. The order matters: processes first."""
        prefix = self.settings.prefix
        if self.record.exists() and self.load().get("public_ip"):
            internet.withdraw(self.settings, self.load()["public_ip"])
        cgroups.kill(prefix, self.id)
        disks.detach_below(self.folder)
        network.remove_namespace(self.settings, self.id)
        cgroups.remove(prefix, self.id)
        self._forget_nspawn()

    def _forget_nspawn(self) -> None:
        """systemd-nspawn leaves two small things in /run: a folder by machine name and a lock by the root's inode."""
        run_folder = Path("/run/systemd/nspawn")
        shutil.rmtree(run_folder / "propagate" / self.settings.netns(self.id), ignore_errors=True)
        upper = self.folder / "upper"
        if upper.exists():
            for lock in run_folder.glob(f"locks/inode-*:{upper.stat().st_ino}"):
                lock.unlink(missing_ok=True)

    def delete(self) -> None:
        """Stop the host at once and forget it with all its data."""
        self.clear()
        self.record.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.exists():
            raise DriverError(f"{self.id}: {self.folder} cannot be removed")

    def firewall(self, rules: dict) -> None:
        """Store the rules, and enforce them at once where the host runs. Rules that are no rules change nothing."""
        record = self.load()
        try:
            network.firewall_text(rules)
        except ValueError as error:
            raise DriverError(f"{self.id}: firewall rule: {error}") from error
        self.save({**record, "rules": rules})
        if self.running():
            network.apply_firewall(self.settings, self.id, rules)


def _put(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def seed(upper: Path, instance: dict) -> None:
    """Write what makes this host itself into its (unmounted) file system; what exists already stays."""
    etc = upper / "etc"
    if (etc / "machine-id").exists():
        return
    ssh = upper / "root" / ".ssh"
    ssh.mkdir(parents=True, exist_ok=True)
    for private in (upper / "root", ssh):
        private.chmod(0o700)
    _put(ssh / "authorized_keys", "".join(f"{key.strip()}\n" for key in instance.get("public_keys", [])), 0o600)
    name, ip = instance["hostname"], instance["private_ip"]
    _put(etc / "hostname", f"{name}\n")
    _put(etc / "hosts", f"127.0.0.1 localhost\n{ip} {name}\n")
    key = etc / "ssh" / "ssh_host_ed25519_key"
    key.parent.mkdir(exist_ok=True)
    if not key.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"root@{name}", "-f", str(key)])
    _seed_disks(etc, instance)
    _seed_user_data(upper, instance)
    _put(etc / "machine-id", f"{uuid.uuid4().hex}\n", 0o444)


def _enable(etc: Path, unit: str, text: str, target: str) -> None:
    _put(etc / "systemd" / "system" / unit, text)
    link = etc / "systemd" / "system" / f"{target}.wants" / unit
    link.parent.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(f"/etc/systemd/system/{unit}")


def _seed_disks(etc: Path, instance: dict) -> None:
    """Let a unit of the host make the links by serial that ECS has, and mount what fstab names."""
    if not instance.get("disks"):
        return
    names = "\n".join(f"name vd{letter} {disk['serial']}"
                      for letter, disk in zip("bcdefghijklmnopqrstuvwxyz", instance["disks"], strict=False))
    _put(etc / "emr-local" / "disks", DISKS_SCRIPT.format(names=names))
    _enable(etc, "emr-local-disks.service", DISKS_UNIT, "local-fs.target")


def _seed_user_data(upper: Path, instance: dict) -> None:
    """User data that is a script runs once, at the first boot, as on ECS."""
    script = instance.get("user_data") or ""
    if not script.startswith("#!"):
        return
    _put(upper / "var" / "lib" / "emr-local" / "user-data", script, 0o700)
    _enable(upper / "etc", "emr-local-user-data.service", (
        "[Unit]\nDescription=User data\nAfter=network.target\n"
        "ConditionPathExists=!/var/lib/emr-local/user-data.done\n"
        "[Service]\nType=oneshot\nExecStartPre=/bin/touch /var/lib/emr-local/user-data.done\n"
        "ExecStart=/var/lib/emr-local/user-data\n[Install]\nWantedBy=multi-user.target\n"), "multi-user.target")
