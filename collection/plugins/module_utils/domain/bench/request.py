"""What may be asked of a benchmark, the job that runs it, and where its data and results lie.

A benchmark is an ordinary job: it goes through the same queue, is killed and looked at in the same way, and counts in reports. Its result
is a file in HDFS, named by the job, so that runs can be compared after the job's record is gone.
"""
from __future__ import annotations

import re

from .. import paths
from ..errors import Refused

KINDS = ("tpch", "terasort", "dfsio")
# The artifact of the release that they run with.
ARTIFACT = "bench"
REQUEST = "bench.json"
MOST_SCALE, MOST_STREAMS, MOST_ROUNDS = 10000, 20, 20
# Bytes of one unit of scale, one copy: Parquet of TPC-H's 1 GB; input and output of a sort; files of a test of input and output.
BYTES = {"tpch": 360e6, "terasort": 2e9, "dfsio": 1e9}
# Where the answers are made, a copy of the data lies on the control node's disk, with room to sort.
LOCAL_SHARE = 2.5
ID = re.compile(r"^j-\d{8}-\d{6}-[0-9a-f]{4}$")
# Java's own name of a class, for jobs that run one.
DFSIO = "org.apache.hadoop.fs.TestDFSIO"


def checked(kind: str, options: dict) -> dict:
    """{kind, scale, streams, rounds, label} as numbers. Raises Refused for what is no benchmark."""
    if kind not in KINDS:
        raise Refused(f"there is no benchmark {kind!r}", f"Choose from {', '.join(KINDS)}")
    scale = _scale(options.get("scale", 1))
    streams = _number("streams", options.get("streams", 1), MOST_STREAMS)
    if streams > 1 and kind != "tpch":
        raise Refused(f"streams {streams}: {kind} runs alone", "Leave --streams out, or run tpch")
    return {"kind": kind, "scale": scale, "streams": streams, "rounds": _number("rounds", options.get("rounds", 1), MOST_ROUNDS),
            "label": str(options.get("label") or "")}


def _scale(value) -> float:
    try:
        scale = float(value)
    except (TypeError, ValueError):
        scale = 0.0
    if not 0.01 <= scale <= MOST_SCALE:
        raise Refused(f"scale {value}: expected a number from 0.01 to {MOST_SCALE:,}", "1 is about 1 GB of data; give such as --scale 0.1")
    return scale


def _number(name: str, value, most: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if not 1 <= number <= most:
        raise Refused(f"{name} {value}: expected a whole number from 1 to {most}", f"Leave --{name} out for 1")
    return number


def run_id(text: str) -> str:
    """The id of a run, which is that of its job. Raises Refused."""
    if not ID.match(str(text)):
        raise Refused(f"{text!r} is not the id of a run", "Give one such as j-20261130-101500-1a2b; emrctl bench NAME list shows them")
    return str(text)


def folder(user: str) -> str:
    """Where the data and results of a user's benchmarks lie in HDFS."""
    return f"/user/{user}/.emr/bench"


def data_folder(user: str, scale: float) -> str:
    """The tables of TPC-H of this scale."""
    return f"{folder(user)}/tpch/{scale:g}"


def results_folder(user: str) -> str:
    return f"{folder(user)}/runs"


def job(wanted: dict, properties: dict) -> dict:
    """What ``job.submit`` on the node takes, but for the files. ``properties``: of the job, so that settings can be tried."""
    kit = f"{paths.ROOT}/{ARTIFACT}"
    base = {"name": f"bench {wanted['kind']} {wanted['scale']:g}", "properties": dict(properties), "files": [], "retries": 0}
    if wanted["kind"] == "tpch":
        fair = ["--conf", "spark.scheduler.mode=FAIR"] if wanted["streams"] > 1 else []
        # The driver makes the answers in its own process; cluster mode would do that in a container.
        return {**base, "type": "PYSPARK", "files": [f"{kit}/bin/tpchgen-cli"],
                "args": ["--deploy-mode", "client", "--driver-class-path", f"{kit}/duckdb.jar", *fair, paths.BENCH, REQUEST]}
    return {**base, "type": "SHELL", "args": [paths.PYTHON, paths.BENCH, REQUEST]}


def bytes_needed(kind: str, scale: float, replication: int) -> int:
    """Bytes of HDFS, all copies, that a run's data takes."""
    return int(BYTES[kind] * scale * replication)
