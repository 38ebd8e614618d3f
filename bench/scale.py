"""What one more node costs, in one run: python bench/scale.py [--runs 3] [--json FILE].

Creates a cluster of 1+3, adds a node to 3, grows to 10, adds a node to 10; each measured in seconds of the command and in
tasks. Limits: 10 -> 11 at most 1.2 times 3 -> 4, and at most 0.6 times the create; at most two tasks on any old node.
Tasks are those that ansible-playbook began, on however many hosts each; the runs on all hosts are shown besides.
Needs root (a local ECS of its own, prefix bscale), the release's tarballs (emrctl dist build) and about 8 GiB of free memory.
"""
from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from tests.lab import EMRCTL, Lab, lab

NAME = "grow"
# The smallest type that carries a slave; twelve hosts are sold more memory together than they use.
TYPE, SOLD_MIB = "ecs.t6-c1m1.large", "32768"
LIMITS = {"10 -> 11 / 3 -> 4, seconds": 1.2, "10 -> 11 / 3 -> 4, tasks": 1.2, "10 -> 11 / create 1+3, seconds": 0.6}
MOST_ON_OLD = 2


@dataclass
class Cost:
    """One command: seconds, tasks begun, runs of tasks on all hosts, and the most on one node that was there before."""

    seconds: float
    tasks: int
    runs: int
    on_old: int


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def measure(bed: Lab, *words: str) -> Cost:
    """Run a command that must succeed."""
    old = {row["InstanceName"] for row in bed.instances(NAME)}
    start = time.monotonic()
    process = subprocess.Popen([*EMRCTL, *words, "-o", "json"], env=bed.env, cwd=bed.folder, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, said = process.communicate(timeout=1800)
    seconds = time.monotonic() - start
    if process.returncode != 0:
        raise RuntimeError(f"emrctl {' '.join(words)}: exit {process.returncode}\n{out}\n{said}")
    ran = {host: row["ok"] for host, row in json.loads(out)["stats"].items()}
    tasks = sum(len(re.findall(r"^TASK \[", path.read_text(errors="replace"), re.MULTILINE)) for path in logs(bed, process.pid))
    cost = Cost(seconds, tasks, sum(ran.values()), max((n for host, n in ran.items() if host in old), default=0))
    say(f"{' '.join(words[:3])}: {cost.seconds:.1f} s, {cost.tasks} tasks, {cost.runs} runs on hosts, "
        f"at most {cost.on_old} on a node that was there")
    return cost


def logs(bed: Lab, pid: int) -> list[Path]:
    """The logs of the playbooks that this emrctl ran; others on this machine have theirs in the same folder."""
    return list((Path(bed.env["EMR_CACHE"]) / "runs").glob(f"*-{pid}/artifacts/run/stdout"))


def again(bed: Lab, runs: int, low: int) -> list[Cost]:
    """Add one node to ``low`` ones, and take it away in between."""
    costs = []
    for number in range(runs):
        costs.append(measure(bed, "scale", NAME, f"slave={low + 1}", "--yes"))
        if number + 1 < runs:
            measure(bed, "scale", NAME, f"slave={low}", "--yes")
    return costs


def create(bed: Lab, spec: Path, runs: int) -> list[Cost]:
    costs = []
    for number in range(runs):
        costs.append(measure(bed, "create", str(spec), "--yes"))
        if number + 1 < runs:
            bed.emrctl("release", NAME, "--yes")
    return costs


def write_spec(bed: Lab) -> Path:
    """1+3 with two copies of each block, so that the figure does not move with the number of slaves."""
    import yaml

    path = bed.spec(NAME, config={"hdfs-site": {"dfs.replication": 2}})
    document = yaml.safe_load(path.read_text())
    document["node_groups"]["slave"]["instance_types"] = [TYPE]
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def ratios(made: list[Cost], small: list[Cost], large: list[Cost]) -> dict:
    """Ratios of medians."""
    def row(name: str, ours: list[Cost], base: list[Cost]) -> dict:
        one, two = (statistics.median(getattr(c, name) for c in costs) for costs in (ours, base))
        return {"ours": round(one, 2), "base": round(two, 2), "ratio": round(one / two, 2)}

    return {"10 -> 11 / 3 -> 4, seconds": row("seconds", large, small), "10 -> 11 / 3 -> 4, tasks": row("tasks", large, small),
            "10 -> 11 / create 1+3, seconds": row("seconds", large, made),
            "10 -> 11 / create 1+3, tasks": row("tasks", large, made), "10 -> 11 / create 1+3, runs": row("runs", large, made)}


def table(results: dict, on_old: int) -> str:
    lines = [f"{'MEASURED':<36} {'OURS':>8} {'BASE':>8} {'RATIO':>6}  LIMIT"]
    for name, found in results.items():
        limit = LIMITS.get(name)
        mark = "" if limit is None else f"{limit} {'ok' if found['ratio'] <= limit else 'MISSED'}"
        lines.append(f"{name:<36} {found['ours']:>8.2f} {found['base']:>8.2f} {found['ratio']:>6.2f}  {mark}")
    mark = "ok" if on_old <= MOST_ON_OLD else "MISSED"
    lines.append(f"{'most tasks on an old node':<36} {on_old:>8} {'':>8} {'':>6}  {MOST_ON_OLD} {mark}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="repetitions of each measurement (default 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="emr-bench-") as folder, \
            lab(Path(folder), "bscale", 147, 8047, "--memory-mib", SOLD_MIB) as bed:
        made = create(bed, write_spec(bed), options.runs)
        small = again(bed, options.runs, 3)
        measure(bed, "scale", NAME, "slave=10", "--yes")
        large = again(bed, options.runs, 10)
    results, on_old = ratios(made, small, large), max(c.on_old for c in small + large)
    print(table(results, on_old))
    if options.json:
        rows = {name: [vars(c) for c in costs] for name, costs in (("create", made), ("3 -> 4", small), ("10 -> 11", large))}
        options.json.write_text(json.dumps({"load": os.getloadavg(), "ratios": results, "on_old": on_old, "runs": rows},
                                           indent=2) + "\n")
    return 1 if on_old > MOST_ON_OLD or any(found["ratio"] > LIMITS.get(name, 9e9) for name, found in results.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
