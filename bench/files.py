"""What many small files cost, in one run: python bench/files.py [--files 2000] [--cluster NAME] [--json FILE].

Both sides bring the same folder into HDFS, one after the other: `hdfs dfs -put` on the master, from the master's own disk, begun by a
shell that is there already; and `emrctl put` on this machine, from the start of the command. Then `emrctl get` against `hdfs dfs -get`.
What emrctl costs before the first byte (Ansible, finding the nodes) is measured with a file alone and told beside.
Goal: a put no slower than Hadoop's own, for each file.
Needs root (a local ECS of its own, prefix bfiles, unless --cluster names one that stands), and the release's tarballs.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from bench.submit import Cluster, say
from tests.lab import EMRCTL, lab

HDFS = "runuser -u emr -- /opt/emr/hadoop/bin/hdfs dfs"


def measure(cluster: Cluster, count: int) -> dict:
    """Seconds of each side for so many files."""
    folder = cluster.folder / "many"
    folder.mkdir()
    for number in range(count):
        (folder / f"part {number:05}.csv").write_text(f"row {number}\n")
    tar = subprocess.run(["tar", "cf", "-", "-C", str(cluster.folder), "many"], capture_output=True, check=True).stdout
    subprocess.run([*EMRCTL, "ssh", cluster.name, f"{cluster.name}-master-001", "--", "rm -rf /tmp/many && tar xf - -C /tmp"], input=tar, env=cluster.env,
                   cwd=cluster.folder, check=True, capture_output=True, timeout=600)
    cluster.master(f"{HDFS} -rm -r -f -skipTrash bench; {HDFS} -mkdir bench")
    rows = {"one file": seconds(lambda: cluster.emrctl("put", cluster.name, str(folder / "part 00000.csv"), "bench/one/", "-q"))}
    rows["hdfs dfs -put"] = by_hand(cluster, "-put /tmp/many bench/by-hand")
    rows["emrctl put"] = seconds(lambda: cluster.emrctl("put", cluster.name, str(folder), "bench/ours", "-q"))
    rows["hdfs dfs -get"] = by_hand(cluster, "-get bench/by-hand /tmp/many-back-$$")
    rows["emrctl get"] = seconds(lambda: cluster.emrctl("get", cluster.name, "bench/ours", "back", "-q"))
    subprocess.run(["diff", "-r", str(folder), str(cluster.folder / "back")], check=True)
    cluster.master(f"rm -rf /tmp/many /tmp/many-back-*; {HDFS} -rm -r -f -skipTrash bench")
    return rows


def seconds(step) -> float:
    begun = time.monotonic()
    step()
    return time.monotonic() - begun


def by_hand(cluster: Cluster, words: str) -> float:
    """By the master's own clock, so that the way there does not count."""
    out = cluster.master(f"chmod 755 /tmp/many; cd /tmp; a=$(date +%s.%N); {HDFS} {words} >/tmp/bench.out 2>&1 || exit 1; b=$(date +%s.%N); echo $a $b")
    begun, ended = map(float, out.split()[-2:])
    say(f"hdfs dfs {words}: {ended - begun:.1f} s")
    return ended - begun


def report(rows: dict, count: int) -> dict:
    """Seconds, and the ratios of a put and a get to Hadoop's own."""
    return {"files": count, **{f"{key} (s)": round(value, 1) for key, value in rows.items()},
            "emrctl put / hdfs dfs -put": round(rows["emrctl put"] / rows["hdfs dfs -put"], 2),
            "emrctl get / hdfs dfs -get": round(rows["emrctl get"] / rows["hdfs dfs -get"], 2),
            "seconds a file (put)": round((rows["emrctl put"] - rows["one file"]) / count, 4),
            "met": rows["emrctl put"] <= rows["hdfs dfs -put"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--cluster", help="a cluster that stands; the environment says where")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="emr-bench-"))
    if options.cluster:
        found = report(measure(Cluster(dict(os.environ), folder, options.cluster), options.files), options.files)
    else:
        with lab(folder, "bfiles", 161, 7961) as bed:
            types = ["ecs.c6.large"]
            spec = bed.spec("bfiles", node_groups={"master": {"count": 1, "instance_types": types}, "slave": {"count": 1, "instance_types": types}})
            bed.emrctl("create", str(spec), "--yes", timeout=1800)
            found = report(measure(Cluster(bed.env, bed.folder, "bfiles"), options.files), options.files)
    print("\n".join(f"{key:30} {value}" for key, value in found.items()))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if found["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
