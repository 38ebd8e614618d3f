"""What monitoring costs its nodes: python bench/monitoring_cost.py [--minutes 10] [--json FILE].

A cluster of one master and two slaves on the local ECS (needs root) runs small jobs meanwhile. CPU is what the kernel has counted for each of monitoring's
processes, in percent of one node's CPUs; the program that writes a node's own figures lives for a moment every 20 seconds, so its runs are measured one by one.
Memory is what is resident, the largest that was seen. Both against the limits: 2 % CPU and 200 MB on a master, 25 MB on a slave.
"""
from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from tests.lab import lab

NAME = "cost"
CPU_PERCENT, MASTER_MIB, SLAVE_MIB = 2.0, 200, 25
FIGURES = "emr-figures.service"
RUNS = 10
# Run on a node. {unit: [jiffies of CPU, KiB resident]} of the daemons, and the node's CPUs and jiffies a second.
LOOK = r"""
import json, os, subprocess
def shown(unit, key): return subprocess.check_output(["systemctl", "show", "-p", key, "--value", unit], text=True).strip()
found = {}
for unit in ("emr-prometheus", "emr-alertmanager", "emr-node-exporter", "emr-cluster-page"):
    pid = shown(unit, "MainPID")
    if pid and pid != "0":
        words = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
        found[unit] = [int(words[11]) + int(words[12]), int(next(l for l in open(f"/proc/{pid}/status") if l.startswith("VmRSS")).split()[1])]
print(json.dumps({"units": found, "cpus": len(os.sched_getaffinity(0)), "hz": os.sysconf("SC_CLK_TCK")}))
"""
# Run on a node: seconds of CPU and KiB of one run of the unit's own program, with its children.
ONCE = r"""
import json, resource, shlex, subprocess
line = next(l for l in subprocess.check_output(["systemctl", "cat", "UNIT"], text=True).splitlines() if l.startswith("ExecStart="))
for _ in range(RUNS): subprocess.run(shlex.split(line[10:].lstrip("-+!@:")), check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([(used.ru_utime + used.ru_stime) / RUNS, used.ru_maxrss]))
""".replace("UNIT", FIGURES).replace("RUNS", str(RUNS))
EVERY = "systemctl cat emr-figures.timer | grep -oE 'OnUnitActiveSec=[0-9]+' | cut -d= -f2"
WORK = ["--type", "SHELL", "--wait", "--", "sh", "-c", "seq 1 200000 | hdfs dfs -put -f - /user/emr/x && hdfs dfs -cat /user/emr/x | tail -1"]


def look(bed, node: str) -> dict:
    return json.loads(bed.ssh(NAME, node, f"/opt/emr/bin/python3 - <<'E'\n{LOOK}\nE"))


def measured(bed, nodes: list, minutes: float) -> dict:
    """{node: {unit: {cpu_percent, mib}}} over a time of work."""
    first, since = {node: look(bed, node) for node in nodes}, {node: time.monotonic() for node in nodes}
    most: dict = {node: {} for node in nodes}
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        bed.emrctl("submit", NAME, *WORK)
        time.sleep(20)
        for node in nodes:
            for unit, (_cpu, kib) in look(bed, node)["units"].items():
                most[node][unit] = max(kib, most[node].get(unit, 0))
    found: dict = {}
    for node in nodes:
        now, passed = look(bed, node), time.monotonic() - since[node]
        found[node] = {unit: {"cpu_percent": 100 * (cpu - first[node]["units"][unit][0]) / now["hz"] / passed / now["cpus"], "mib": most[node][unit] / 1024}
                       for unit, (cpu, _kib) in now["units"].items()}
        seconds, kib = json.loads(bed.ssh(NAME, node, f"/opt/emr/bin/python3 - <<'E'\n{ONCE}\nE"))
        # It is there for a moment only; what it holds then is told and not counted.
        found[node][FIGURES] = {"cpu_percent": 100 * seconds / int(bed.ssh(NAME, node, EVERY)) / now["cpus"], "mib": 0, "moment_mib": kib / 1024}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder), "bcost", 183, 8183) as bed:
        types = ["ecs.c6.large"]
        bed.emrctl("create", str(bed.spec(NAME, services=["hadoop", "spark", "monitoring"], node_groups={
            "master": {"count": 1, "instance_types": types}, "slave": {"count": 2, "instance_types": types}})), "--yes", timeout=1800)
        found = measured(bed, [f"{NAME}-master-001", f"{NAME}-slave-001"], arguments.minutes)
    return told(found, arguments.json)


def told(found: dict, file: Path | None) -> int:
    """Print the table and the verdict. Returns the exit code."""
    good = True
    for node, units in found.items():
        limit = MASTER_MIB if "master" in node else SLAVE_MIB
        for unit, row in units.items():
            print(f"{node:<20} {unit:<22} {row['cpu_percent']:6.2f} % CPU {row['mib']:7.1f} MiB" + (
                f"  ({row['moment_mib']:.0f} MiB for a moment)" if "moment_mib" in row else ""))
        cpu, mib = (sum(row[key] for row in units.values()) for key in ("cpu_percent", "mib"))
        fine = cpu <= CPU_PERCENT and mib <= limit
        good = good and fine
        print(f"{node:<20} {'in all':<22} {cpu:6.2f} % CPU {mib:7.1f} MiB  {'within' if fine else 'BEYOND'} {CPU_PERCENT} % and {limit} MiB")
    if file:
        file.write_text(json.dumps(found, indent=1))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
