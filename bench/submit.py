"""What submitting through emrctl costs, in one run: python bench/submit.py [--runs 5] [--cluster NAME] [--json FILE].

Both sides start the same PySpark program. By hand is `spark-submit` on the master, begun by a shell that is there already;
the other is `emrctl submit` on this machine, from the start of the command. Each is measured until YARN has accepted the
application, by the ResourceManager's own record of when it came in (its startedTime, the moment it goes from submitted to
accepted is within milliseconds of it), against the moment of the start on the same clock: hosts of the local ECS share it.
They are run in turns, so that a busy machine hits both. Goal: at most 1.5 s more.
Needs root (a local ECS of its own, prefix bsubmit, unless --cluster names one that stands), and the release's tarballs.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from tests.lab import EMRCTL, Lab, lab

LIMIT_S = 1.5
PROGRAM = "from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().stop()\n"
BY_HAND = ("runuser -u emr -- env HADOOP_CONF_DIR=/etc/emr/hadoop SPARK_CONF_DIR=/etc/emr/spark PYSPARK_PYTHON=python3 "
           "/opt/emr/spark/bin/spark-submit --conf spark.yarn.tags={tag} /tmp/bench.py")


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Cluster:
    """A cluster, the environment of its local ECS, and what its ResourceManager says."""

    def __init__(self, env: dict, folder: Path, name: str):
        self.env, self.folder, self.name = env, folder, name
        (folder / "bench.py").write_text(PROGRAM)

    def emrctl(self, *words: str) -> str:
        done = subprocess.run([*EMRCTL, *words], env=self.env, cwd=self.folder, text=True, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=1800, check=False)
        if done.returncode:
            raise RuntimeError(f"emrctl {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def master(self, command: str) -> str:
        return self.emrctl("ssh", self.name, f"{self.name}-master-001", "--", command)

    def accepted(self, tag: str) -> float:
        """When the application with this tag came in, in seconds of the epoch. It has ended by then."""
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            answer = json.loads(self.master(f"curl -s 'localhost:8088/ws/v1/cluster/apps?applicationTags={tag}&deSelects=resourceRequests'"))
            apps = (answer.get("apps") or {}).get("app") or []
            if apps and apps[0]["state"] in ("FINISHED", "FAILED", "KILLED"):
                return apps[0]["startedTime"] / 1000.0
            time.sleep(2)
        raise RuntimeError(f"no application with the tag {tag} has ended within 600 s")

    def by_hand(self, number: int) -> float:
        tag = f"hand-{os.getpid()}-{number}"
        # The shell that is there already tells when it starts.
        out = self.master(f"date +%s.%N; {BY_HAND.format(tag=tag)} >/tmp/bench.out 2>&1")
        return self.accepted(tag) - float(out.split()[0])

    def by_emrctl(self) -> float:
        begun = time.time()
        made = json.loads(self.emrctl("submit", self.name, "-q", "--type", "PYSPARK", "--file", "bench.py", "-o", "json"))
        found = self.accepted(f"emr-{made['id']}") - begun
        # As long as its program runs, a small master may have no room for the next one.
        self.emrctl("jobs", "wait", self.name, made["id"], "-q")
        return found


def measure(cluster: Cluster, runs: int) -> dict:
    """Seconds of both sides, in turns; the first turn warms up and counts for nothing."""
    cluster.master(f"cat >/tmp/bench.py <<'END'\n{PROGRAM}END\nchmod 644 /tmp/bench.py")
    rows: dict = {"spark-submit by hand": [], "emrctl submit": []}
    for number in range(runs + 1):
        hand, ours = cluster.by_hand(number), cluster.by_emrctl()
        say(f"{'warm-up' if not number else f'run {number}'}: by hand {hand:.2f} s, emrctl {ours:.2f} s")
        if number:
            rows["spark-submit by hand"].append(hand)
            rows["emrctl submit"].append(ours)
    return rows


def report(rows: dict) -> dict:
    """Medians, their difference and ratio. The difference is the median of the turns' own, since a turn is one moment's load."""
    hand, ours = (statistics.median(rows[key]) for key in ("spark-submit by hand", "emrctl submit"))
    more = statistics.median(b - a for a, b in zip(rows["spark-submit by hand"], rows["emrctl submit"], strict=True))
    return {"by_hand_s": round(hand, 2), "emrctl_s": round(ours, 2), "more_s": round(more, 2), "ratio": round(ours / hand, 2),
            "goal_s": LIMIT_S, "met": more <= LIMIT_S}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cluster", help="a cluster that stands, with Spark; the environment says where")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="emr-bench-"))
    if options.cluster:
        rows = measure(Cluster(dict(os.environ), folder, options.cluster), options.runs)
    else:
        with lab(folder, "bsubmit", 148, 8048) as bed:
            rows = measure(_made(bed), options.runs)
    found = report(rows)
    print(f"submit to ACCEPTED: by hand {found['by_hand_s']} s, emrctl {found['emrctl_s']} s: {found['more_s']} s more "
          f"(ratio {found['ratio']}; goal: at most {LIMIT_S} s more)")
    if options.json:
        options.json.write_text(json.dumps({"runs": rows, **found}, indent=1) + "\n")
    return 0 if found["met"] else 1


def _made(bed: Lab) -> Cluster:
    types = ["ecs.c6.large"]
    spec = bed.spec("bsubmit", services=["hadoop", "spark"], node_groups={
        "master": {"count": 1, "instance_types": types}, "slave": {"count": 1, "instance_types": types}})
    bed.emrctl("create", str(spec), "--yes", timeout=1800)
    return Cluster(bed.env, bed.folder, "bsubmit")


if __name__ == "__main__":
    sys.exit(main())
