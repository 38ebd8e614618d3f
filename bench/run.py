"""One command that prints ratios: python bench/run.py [--runs 5] [--json FILE] [--only PART].

create    create-to-ready against floor.sh, from the same four booted hosts, in turn; both end when three DataNodes and
          three NodeManagers are live and safe mode is off; the same configuration and JVM flags on both sides.
second    a create of a cluster that is complete, against `ansible -m ping` of the same hosts.
imports   `emrctl --help` against `import typer`, `emrctl list` against `import aliyunsdkcore.client`.
Needs root (a local ECS of its own, prefix bench) and the release's tarballs (emrctl dist build).
"""
from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from bench import floorconf
from tests.lab import EMRCTL, Lab, lab, tarball

NAME = "bench"
SLAVES = 3
LIMITS = {"create to ready / floor": 1.8, "emrctl --help / import typer": 1.5}
# The same questions as floor.sh asks, in one shell on the master instead of a connection for each.
READY = """m=%s; n=%d; while :; do
nn=$(curl -s -m 3 "http://$m:9870/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
     curl -s -m 3 "http://$m:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo")
rm=$(curl -s -m 3 "http://$m:8088/ws/v1/cluster/metrics")
echo "$nn" | grep -qE "\\"NumLiveDataNodes\\" *: *$n\\b" && echo "$nn" | grep -qE '"Safemode" *: *""' &&
  echo "$rm" | grep -qE "\\"activeNodes\\" *: *$n\\b" && exit 0
sleep .3; done"""


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Hosts:
    """The four hosts of the cluster: how to reach them and how to make them as new."""

    def __init__(self, bed: Lab):
        from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh.login import DEFAULT_KEY
        from emrctl.local.driver import NspawnDriver

        self.bed, self.driver = bed, NspawnDriver(bed.state)
        rows = sorted(bed.instances(NAME), key=lambda i: i["InstanceName"])
        self.ids = [row["InstanceId"] for row in rows]
        self.addresses = {row["InstanceName"]: row["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0] for row in rows}
        key = str(DEFAULT_KEY).replace("~", str(bed.home), 1)
        self.control = bed.folder / "control"
        self.ssh = ["ssh", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
                    "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]
        self.quick = [*self.ssh, "-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o",
                      f"ControlPath={self.control}/%h"]

    @property
    def master(self) -> str:
        return self.addresses[f"{NAME}-master-001"]

    @property
    def slaves(self) -> list[str]:
        return [address for name, address in self.addresses.items() if "-slave-" in name]

    def run(self, address: str, command: str, timeout: float = 120) -> bytes:
        return subprocess.run([*self.ssh, f"root@{address}", command], check=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=timeout).stdout

    def reset(self) -> None:
        """Pull the plugs, wipe the disks, keep the identities, boot, wait for sshd and quiet."""
        for path in (self.control, self.bed.home / ".ansible/cp"):
            for socket in path.glob("*") if path.exists() else ():
                subprocess.run(["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "x"], capture_output=True, check=False)
                socket.unlink(missing_ok=True)
        self.control.mkdir(exist_ok=True)
        for host in self.ids:
            self.driver.stop(host, force=True)
        for host in self.ids:
            self._wipe(self.bed.state / "hosts" / host)
            self.driver.start(host)
        for address in self.addresses.values():
            deadline = time.monotonic() + 60
            while True:
                try:
                    self.run(address, "systemctl is-system-running --wait >/dev/null; test ! -e /opt/emr/hadoop", 30)
                    break
                except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.3)
        time.sleep(2)

    @staticmethod
    def _wipe(folder: Path) -> None:
        kept = {p.name: (p.read_bytes(), p.stat().st_mode) for p in (folder / "upper/etc/ssh").glob("ssh_host_*")}
        for name in ("upper", "work"):
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).mkdir(mode=0o755)
        target = folder / "upper/etc/ssh"
        target.mkdir(parents=True)
        for name, (data, mode) in kept.items():
            (target / name).write_bytes(data)
            (target / name).chmod(mode & 0o777)

    def wait_ready(self) -> subprocess.Popen:
        """A process that ends when the cluster is ready."""
        return subprocess.Popen([*self.ssh, f"root@{self.master}", READY % (self.master, SLAVES)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def floor_conf(self, folder: Path) -> dict[str, str]:
        """Write the configuration for floor.sh into ``folder``; returns its files."""
        texts = [floorconf.read_conf(self.run(a, f"tar c -C {floorconf.CONF} .")) for a in (self.master, self.slaves[0])]
        conf = floorconf.merge(texts[0], texts[1], self.addresses)
        folder.mkdir(exist_ok=True)
        for name, text in conf.items():
            (folder / name).write_text(text)
        return conf


def once_floor(hosts: Hosts, conf_folder: Path, opts: str, archive: Path) -> float:
    """Seconds until ready, as floor.sh prints them."""
    env = {**os.environ, "SSH": shlex.join(hosts.quick), "TARBALL": str(archive), "CONF": str(conf_folder),
           "DAEMON_OPTS": opts}
    done = subprocess.run(["bash", str(REPO / "bench/floor.sh"), hosts.master, *hosts.slaves], env=env, text=True,
                          capture_output=True, timeout=400, check=False)
    if done.returncode:
        raise RuntimeError(f"floor.sh failed:\n{done.stdout}\n{done.stderr}")
    say("  " + " ".join(done.stdout.split()))
    return float(done.stdout.split()[-1])


def once_create(hosts: Hosts, spec: Path) -> tuple[float, float]:
    """(seconds until ready, seconds until emrctl has verified and returned)."""
    probe = hosts.wait_ready()
    start = time.monotonic()
    process = hosts.bed.start("create", str(spec), "--yes")
    try:
        probe.wait(timeout=400)
        ready = time.monotonic() - start
        output, _ = process.communicate(timeout=400)
    finally:
        probe.kill()
        process.kill()
    if process.returncode or probe.returncode:
        raise RuntimeError(f"create failed ({process.returncode}):\n{output}")
    return ready, time.monotonic() - start


def bench_create(hosts: Hosts, spec: Path, runs: int) -> dict:
    """Alternating runs from the same booted hosts. Medians in seconds."""
    folder = hosts.bed.folder / "floor-conf"
    opts = floorconf.daemon_opts(hosts.floor_conf(folder))
    floors, readies, totals = [], [], []
    for number in range(1, runs + 1):
        hosts.reset()
        floors.append(once_floor(hosts, folder, opts, tarball("hadoop")))
        hosts.reset()
        ready, total = once_create(hosts, spec)
        readies.append(ready)
        totals.append(total)
        say(f"run {number}: floor {floors[-1]:.1f} s, create ready {ready:.1f} s, create verified {total:.1f} s")
    return {"create to ready / floor": row(readies, floors), "create verified / floor": row(totals, floors)}


def bench_second(hosts: Hosts, spec: Path, runs: int) -> dict:
    """A create with nothing to do against a ping of the same hosts, in turn."""
    inventory = hosts.bed.folder / "hosts.ini"
    arguments = shlex.join(hosts.ssh[3:])
    inventory.write_text("".join(f"{n} ansible_host={a} ansible_user=root ansible_ssh_private_key_file={hosts.ssh[2]} "
                                 f"ansible_ssh_common_args='{arguments}'\n" for n, a in hosts.addresses.items()))
    ping = [str(Path(sys.executable).with_name("ansible")), "-i", str(inventory), "-m", "ping", "all"]
    creates, pings = [], []
    for _ in range(runs):
        pings.append(timed(ping, {**hosts.bed.env, "ANSIBLE_CONFIG": str(REPO / "ansible.cfg")}))
        creates.append(timed([*EMRCTL, "create", str(spec), "--yes"], hosts.bed.env))
    return {"second create / ansible -m ping": row(creates, pings)}


def bench_imports(bed: Lab, runs: int) -> dict:
    """The wrapper's start against the imports that it cannot do without."""
    program = str(Path(sys.executable).with_name("emrctl"))
    pairs = {"emrctl --help / import typer": ([program, "--help"], "import typer"),
             "emrctl list / import aliyunsdkcore.client": ([program, "list"], "import aliyunsdkcore.client")}
    found = {}
    for name, (command, statement) in pairs.items():
        ours, theirs = [], []
        for _ in range(runs):
            theirs.append(timed([sys.executable, "-c", statement], bed.env))
            ours.append(timed(command, bed.env))
        found[name] = row(ours, theirs)
    return found


def timed(command: list[str], env: dict) -> float:
    """Seconds of wall time of a command that must succeed."""
    start = time.monotonic()
    done = subprocess.run(command, env=env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return time.monotonic() - start


def row(ours: list[float], base: list[float]) -> dict:
    """Medians in seconds, their ratio, and all runs."""
    first, second = statistics.median(ours), statistics.median(base)
    return {"seconds": round(first, 3), "base_seconds": round(second, 3), "ratio": round(first / second, 2),
            "runs": [round(x, 3) for x in ours], "base_runs": [round(x, 3) for x in base]}


def table(results: dict) -> str:
    lines = [f"{'MEASURED':<44} {'SECONDS':>8} {'BASE':>8} {'RATIO':>6}  LIMIT"]
    for name, found in results.items():
        limit = LIMITS.get(name)
        mark = "" if limit is None else f"{limit} {'ok' if found['ratio'] <= limit else 'MISSED'}"
        lines.append(f"{name:<44} {found['seconds']:>8.2f} {found['base_seconds']:>8.2f} {found['ratio']:>6.2f}  {mark}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="alternating runs of create and floor (default 5)")
    parser.add_argument("--only", choices=["create", "second", "imports"], action="append", help="repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there too")
    options = parser.parse_args()
    parts = options.only or ["imports", "create", "second"]
    results: dict = {}
    with tempfile.TemporaryDirectory(prefix="emr-bench-") as folder, lab(Path(folder), "bench", 97, 7997) as bed:
        if "imports" in parts:
            results |= bench_imports(bed, 11)
        if {"create", "second"} & set(parts):
            spec = bed.spec(NAME)
            say("first create: buys the hosts and renders the configuration that both sides use")
            bed.emrctl("create", str(spec), "--yes")
            hosts = Hosts(bed)
            if "create" in parts:
                results |= bench_create(hosts, spec, options.runs)
            if "second" in parts:
                results |= bench_second(hosts, spec, 3)
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps({"load": os.getloadavg(), "results": results}, indent=2) + "\n")
    return 1 if any(found["ratio"] > LIMITS.get(name, 9e9) for name, found in results.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
