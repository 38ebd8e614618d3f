"""The local ECS's hosts for real: boot, ssh, memory limit, firewall, disks, restarts, and taking all of it down."""
from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from emrctl.local import cgroups, checks, disks, lifecycle, process, settings, teardown
from emrctl.local.driver import DriverError, NspawnDriver
from emrctl.local.shell import Refused
from tests.killed_boot import killed_boot
from tests.lab import REPO, claim, lab

PREFIX, SUBNET, PORT = "e2eh", "10.77.171.0/24", 7971
GATEWAY, PROBE, NET = "10.77.171.1", "10.77.171.250", "10.77.171."
A, B = "i-aaaa", "i-bbbb"
IPS = {A: f"{NET}11", B: f"{NET}12"}
SSH_ONLY = {"members": list(IPS.values()), "ingress": [{"protocol": "tcp", "port_range": "22/22", "cidr": f"{GATEWAY}/32"}]}


class Bed:
    """A local ECS, its driver, and a key to its hosts."""

    def __init__(self, folder: Path):
        self.claim = claim(PREFIX)
        self.state = folder / "state"
        self.key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)

    def up(self) -> None:
        self.settings = lifecycle.up(PREFIX, SUBNET, PORT, self.state, False, print)
        self.driver = NspawnDriver(self.state)

    def instance(self, host_id: str, memory_mib: int = 512, **more) -> dict:
        return {"id": host_id, "hostname": f"host-{host_id[2:]}", "private_ip": IPS[host_id], "memory_mib": memory_mib,
                "public_keys": [self.key.with_suffix(".pub").read_text()], "disks": [], "user_data": "", **more}

    def ssh(self, host_id: str, command: str, check: bool = True) -> str:
        done = subprocess.run(
            ["ssh", "-i", str(self.key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
             "LogLevel=ERROR", "-o", "ConnectTimeout=5", f"root@{IPS[host_id]}", command],
            text=True, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0 or not check, f"{command}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def wait_ssh(self, host_id: str, limit: float = 20.0) -> float:
        """Seconds until the host takes connections on port 22."""
        start = time.monotonic()
        while time.monotonic() - start < limit:
            try:
                socket.create_connection((IPS[host_id], 22), timeout=1).close()
                return time.monotonic() - start
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"{host_id}: no sshd within {limit} s: {self.console(host_id)}")

    def console(self, host_id: str) -> str:
        return (self.settings.hosts / host_id / "console.log").read_text(errors="replace")[-2000:]


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    it = Bed(tmp_path_factory.mktemp("hosts"))
    try:
        it.up()
        it.driver.create(it.instance(A, disks=[{"id": "d-1", "size_gib": 2, "serial": "serial1"},
                                               {"id": "d-2", "size_gib": 3, "serial": "serial2"}]))
        it.driver.create(it.instance(B, user_data="#!/bin/sh\necho once >> /root/user-data-ran\n"))
        for host_id in (A, B):
            it.driver.set_firewall(host_id, SSH_ONLY)
            it.driver.start(host_id)
        yield it
    finally:
        lifecycle.down(PREFIX, it.state, keep=False)


@pytest.fixture
def outsider(bed):
    """A namespace on the same network that belongs to no security group."""
    name, cable = "e2ehprobe", "e2ehprobe"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for line in (f"link add {cable} type veth peer name eth0 netns {name}",
                     f"link set {cable} master {bed.settings.bridge} up"):
            subprocess.run(["ip", *line.split()], check=True)
        for line in (f"addr add {PROBE}/24 dev eth0", "link set eth0 up"):
            subprocess.run(["ip", "-n", name, *line.split()], check=True)
        yield name
    finally:
        subprocess.run(["ip", "link", "del", cable], check=False)
        subprocess.run(["ip", "netns", "del", name], check=False)


def reachable(ip: str, port: int, netns: str | None = None) -> bool:
    code = f"import socket; socket.create_connection(({ip!r}, {port}), timeout=1)"
    inside = ["ip", "netns", "exec", netns] if netns else []
    return subprocess.run([*inside, "/usr/bin/python3", "-c", code], capture_output=True, check=False).returncode == 0


def test_hosts_boot_within_seconds_and_are_complete(bed):
    for host_id in (A, B):
        bed.wait_ssh(host_id)
        assert bed.driver.state(host_id) == "running"
        assert bed.ssh(host_id, "hostname") == f"host-{host_id[2:]}"
        assert bed.ssh(host_id, "systemctl is-system-running --wait") == "running"
    assert "17." in bed.ssh(A, "java -version 2>&1")
    bed.ssh(A, "python3 -c 'import ctypes, ssl, sqlite3, multiprocessing, venv'")


def test_each_host_has_an_identity_of_its_own(bed):
    for path in ("/etc/ssh/ssh_host_ed25519_key.pub", "/etc/machine-id"):
        assert bed.ssh(A, f"cat {path}") != bed.ssh(B, f"cat {path}")
    assert bed.ssh(A, "ls /etc/ssh/ssh_host_*_key") == "/etc/ssh/ssh_host_ed25519_key"


def test_names_resolve_without_waiting_for_dns(bed):
    took = bed.ssh(A, "python3 -c 'import socket, time; t = time.time(); socket.getfqdn(); print(time.time() - t)'")
    assert float(took) < 1


def test_memory_is_limited_to_the_types(bed):
    grab = "python3 -c 'x = bytearray({} << 20); x[::4096] = b\"1\" * len(x[::4096]); print(len(x) >> 20)'"
    assert bed.ssh(B, grab.format(200)) == "200"
    assert bed.ssh(B, f"{grab.format(700)}; echo exit $?", check=False).endswith("exit 137")
    assert bed.driver.state(B) == "running"


def test_firewall_lets_in_only_what_the_group_says(bed, outsider):
    bed.ssh(A, "systemd-run --unit web --collect python3 -m http.server 8042")
    probe = "python3 -c 'import socket; socket.create_connection((\"{}\", 8042), timeout=2)'"
    time.sleep(1)
    bed.ssh(A, probe.format("127.0.0.1"))
    bed.ssh(A, probe.format(IPS[A]))
    bed.ssh(B, probe.format(IPS[A]))
    assert reachable(IPS[A], 22) and not reachable(IPS[A], 8042)
    assert not reachable(IPS[A], 22, outsider) and not reachable(IPS[A], 8042, outsider)
    opened = {"members": [], "ingress": [*SSH_ONLY["ingress"], {"protocol": "tcp", "port_range": "8000/8100",
                                                               "cidr": f"{PROBE}/32"}]}
    bed.driver.set_firewall(A, opened)
    assert reachable(IPS[A], 8042, outsider) and not reachable(IPS[A], 22, outsider)
    assert "timed out" in bed.ssh(B, f"{probe.format(IPS[A])} 2>&1", check=False)
    bed.driver.set_firewall(A, SSH_ONLY)
    assert not reachable(IPS[A], 8042, outsider)
    bed.ssh(A, "systemctl stop web")


def test_wrong_firewall_rules_change_nothing(bed):
    with pytest.raises(DriverError, match="firewall rule"):
        bed.driver.set_firewall(A, {"members": ["1.2.3.4; drop"], "ingress": []})
    assert reachable(IPS[A], 22)


def test_disks_and_files_survive_a_stop(bed):
    disk = "/dev/disk/by-id/virtio-serial"
    assert bed.ssh(A, f"blockdev --getsize64 {disk}1 {disk}2").split() == [str(2 * 2**30), str(3 * 2**30)]
    bed.ssh(A, f"mkfs.ext4 -q {disk}1 && mkdir -p /data/1 && echo '{disk}1 /data/1 ext4 noatime 0 0' >> /etc/fstab && "
               "mount /data/1 && echo kept > /data/1/file && echo kept > /root/file && sync")
    key = bed.ssh(A, "cat /etc/ssh/ssh_host_ed25519_key.pub")
    bed.driver.stop(A)
    assert bed.driver.state(A) == "stopped"
    assert not [name for name in teardown.leftovers(PREFIX) if A in name]
    bed.driver.create(bed.instance(A, disks=[{"id": "d-1", "size_gib": 2, "serial": "serial1"},
                                             {"id": "d-2", "size_gib": 3, "serial": "serial2"}]))
    bed.driver.start(A)
    bed.driver.start(A)
    bed.wait_ssh(A)
    assert bed.ssh(A, "systemctl is-system-running --wait; cat /data/1/file /root/file").split() == ["running", "kept", "kept"]
    assert bed.ssh(A, "cat /etc/ssh/ssh_host_ed25519_key.pub") == key
    assert not reachable(IPS[A], 8042)


def test_user_data_runs_once_and_a_reboot_from_inside_works(bed):
    assert bed.ssh(B, "cat /root/user-data-ran") == "once"
    bed.driver.stop(B, force=True)
    bed.driver.start(B)
    bed.wait_ssh(B)
    assert bed.ssh(B, "systemctl is-system-running --wait; cat /root/user-data-ran").split() == ["running", "once"]
    boot = "systemctl show --property=UserspaceTimestampMonotonic --value"
    before = bed.ssh(B, boot)
    bed.ssh(B, "systemctl reboot", check=False)
    end = time.monotonic() + 20
    while (now := bed.ssh(B, boot, check=False)) in ("", before) and time.monotonic() < end:
        time.sleep(0.2)
    assert now not in ("", before) and bed.driver.state(B) == "running"
    assert not reachable(IPS[B], 8042)
    bed.ssh(B, "systemctl poweroff", check=False)
    end = time.monotonic() + 15
    while bed.driver.state(B) == "running" and time.monotonic() < end:
        time.sleep(0.1)
    assert bed.driver.state(B) == "stopped"
    bed.driver.start(B)
    bed.wait_ssh(B)


def test_deleting_is_final_and_repeatable(bed):
    before = bed.instance(B)
    bed.driver.delete(B)
    bed.driver.delete(B)
    assert bed.driver.state(B) == "missing"
    with pytest.raises(DriverError, match="no such host"):
        bed.driver.start(B)
    bed.driver.create(before)
    bed.driver.set_firewall(B, SSH_ONLY)
    bed.driver.start(B)
    bed.wait_ssh(B)
    assert bed.ssh(B, "ls /root") == ""


def test_hosts_outlive_the_server_and_up_completes_what_is_missing(bed):
    uptime = bed.ssh(A, "systemctl show --property=UserspaceTimestampMonotonic --value")
    os.kill(process.find(bed.settings), signal.SIGKILL)
    assert bed.driver.state(A) == "running"
    bed.up()
    assert process.answers(PORT)
    assert bed.ssh(A, "systemctl show --property=UserspaceTimestampMonotonic --value") == uptime
    shown = lifecycle.status(bed.settings)
    assert shown["server"] == "answers" and {row["state"] for row in shown["hosts"]} == {"running"}


def test_up_refuses_other_settings_and_a_taken_network(bed, tmp_path):
    with pytest.raises(Refused, match="has port 7971, not 7972"):
        lifecycle.up(PREFIX, SUBNET, 7972, bed.state, False, print)
    with pytest.raises(Refused, match=f"prefix {PREFIX} is in use by the local ECS in {bed.state}"):
        lifecycle.up(PREFIX, None, 7972, tmp_path / "other", False, print)
    assert bed.driver.state(A) == "running"
    try:
        with pytest.raises(Refused, match="overlaps"):
            lifecycle.up("e2ei", SUBNET, 7972, tmp_path / "other", False, print)
        with pytest.raises(Refused, match="port 7971 is in use"):
            lifecycle.up("e2ei", "10.77.172.0/24", PORT, tmp_path / "other", False, print)
    except BaseException:
        # One that came up all the same must not stand in the way of the tests after this one.
        lifecycle.down("e2ei", tmp_path / "other", keep=False)
        raise
    assert teardown.leftovers("e2ei") == [] and not (tmp_path / "other").exists()


def test_without_root_up_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Refused, match="need root.*--api-only"):
        lifecycle.up("e2ei", "10.77.172.0/24", 7972, tmp_path / "state", False, print)


def test_a_machine_that_cannot_have_hosts_is_told_why(monkeypatch, tmp_path):
    at = settings.make("e2ei", "10.77.172.0/24", 7972, tmp_path / "state", False)
    with monkeypatch.context() as patch:
        patch.setattr(checks.shutil, "which", lambda name: None if name in ("systemd-nspawn", "apt-get") else f"/bin/{name}")
        with pytest.raises(Refused, match="apt-get install systemd-container"):
            checks.tools(print)
    with monkeypatch.context() as patch:
        patch.setattr(checks.shutil, "disk_usage", lambda path: SimpleNamespace(free=2**30))
        with pytest.raises(Refused, match="1.0 GiB free, 5 are needed.*--state"):
            checks.machine(at)
    with monkeypatch.context() as patch:
        patch.setattr(checks.os, "sysconf", lambda name: 4096 if name == "SC_PAGE_SIZE" else 500_000)
        with pytest.raises(Refused, match="1.9 GiB of memory.*--api-only"):
            checks.machine(at)
    with monkeypatch.context() as patch:
        patch.setattr(checks.cgroups, "hierarchies", dict)
        with pytest.raises(Refused, match="memory control group"):
            checks.machine(at)
    checks.machine(at)
    assert not (tmp_path / "state").exists()


def test_a_failed_up_leaves_nothing(monkeypatch, tmp_path):
    def fail(*_):
        raise DriverError("no")

    monkeypatch.setattr(process, "start", fail)
    with pytest.raises(DriverError):
        lifecycle.up("e2ei", "10.77.172.0/24", 7972, tmp_path / "state", False, print)
    assert teardown.leftovers("e2ei") == [] and not (tmp_path / "state").exists()


def test_down_keep_brings_the_same_hosts_back(bed):
    bed.ssh(A, "echo still > /root/kept")
    assert lifecycle.down(PREFIX, bed.state, keep=True) == 2
    assert teardown.leftovers(PREFIX) == []
    bed.up()
    assert bed.driver.state(A) == "stopped"
    bed.driver.start(A)
    bed.wait_ssh(A)
    assert bed.ssh(A, "cat /root/kept") == "still"


def test_down_after_a_kill_in_the_middle_of_a_boot(tmp_path):
    killed_boot(tmp_path / "state", 0.2)


def test_a_lab_starts_empty_after_a_run_that_was_killed(tmp_path):
    code = ("import os, sys, pathlib, signal, tests.lab as t\n"
            "it = t.Lab(pathlib.Path(sys.argv[1]), 'e2ek', 174, 7974); it.up()\n"
            "it.ecs('CreateSecurityGroup', SecurityGroupName='of-the-killed-run')\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n")
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "killed")], cwd=REPO, stdin=subprocess.DEVNULL, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert "e2ek0" in " ".join(teardown.leftovers("e2ek"))
    with lab(tmp_path / "next", "e2ek", 174, 7974) as it:
        groups = it.ecs("DescribeSecurityGroups")["SecurityGroups"]["SecurityGroup"]
        assert "of-the-killed-run" not in [group["SecurityGroupName"] for group in groups]
    assert teardown.leftovers("e2ek") == []


def test_down_leaves_nothing_even_when_every_record_is_lost(bed):
    os.kill(process.find(bed.settings), signal.SIGKILL)
    bed.driver.start(B)
    assert cgroups.processes(PREFIX, A) and cgroups.processes(PREFIX, B)
    (bed.settings.hosts / A / "host.json").unlink()
    (bed.state / settings.FILE).unlink()
    done = subprocess.run([sys.executable, "-m", "emrctl", "local", "down", "--prefix", PREFIX, "--state", str(bed.state)],
                          text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert teardown.leftovers(PREFIX) == []
    assert process.find(bed.settings) is None
    assert disks.attached_below(bed.state) == []
    assert str(bed.state) not in Path("/proc/self/mountinfo").read_text()
    assert not bed.state.exists()
    assert lifecycle.down(PREFIX, bed.state, keep=False) == 0
