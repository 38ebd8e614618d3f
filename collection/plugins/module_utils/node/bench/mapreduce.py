"""Sorting with MapReduce, and reading and writing HDFS: Hadoop's own benchmarks, with what they say about the result."""
from __future__ import annotations

import glob
import io
import os
import re
import time

from ...domain import paths
from ...domain.bench.request import ARTIFACT, DFSIO, folder
from ...domain.bench.results import SAME
from .. import hadoop_cli
from ..common import NodeError, read_text
from ..hdfs.client import forget

ROW_BYTES = 100
# Seconds that one step may take.
LIMIT_S = 6 * 3600


def measure(request, client, say):
    """{steps, seconds, engine}."""
    place = f"{folder(request['user'])}/{request['kind']}-{os.environ['EMR_JOB_ID']}"
    kinds = {"terasort": _terasort, "dfsio": _dfsio}
    begun, steps = time.monotonic(), {}
    try:
        for number in range(request["rounds"]):
            say(f"round {number + 1} of {request['rounds']}")
            for name, row in kinds[request["kind"]](request, client, f"{place}/{number}", say):
                step = steps.setdefault(name, {"seconds": [], "answer": ""})
                step["seconds"].append(row["seconds"])
                step.update({key: value for key, value in row.items() if key != "seconds"})
            forget(client, f"{place}/{number}")
    finally:
        forget(client, place)
    return {"steps": steps, "seconds": round(time.monotonic() - begun, 3), "engine": "mapreduce", "settings": {}}


def _timed(program, words, say, more=None):
    """Seconds of a program. Raises NodeError with its last words."""
    begun = time.monotonic()
    hadoop_cli.run(program, words, more=more, limit_s=LIMIT_S)
    seconds = round(time.monotonic() - begun, 3)
    say(f"{' '.join(map(str, words[:6]))}: {seconds:.1f} s")
    return seconds


def _terasort(request, client, place, say):
    examples = glob.glob(f"{paths.HADOOP_HOME}/share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar")
    if not examples:
        raise NodeError("Hadoop's examples are not on this node")
    client.make(place, "755")
    slots, rows = max(2, request["slots"]), int(request["scale"] * 1e9 / ROW_BYTES)

    def example(name, *words):
        return _timed("yarn", ["jar", examples[0], name, *words], say)

    yield "teragen", {"seconds": example("teragen", "-D", f"mapreduce.job.maps={slots}", rows, f"{place}/in")}
    yield "terasort", {"seconds": example("terasort", "-D", f"mapreduce.job.reduces={slots}", f"{place}/in", f"{place}/out")}
    seconds = example("teravalidate", f"{place}/out", f"{place}/report")
    # Not measured: the sum over all rows before the sort, which has to be that of the sorted ones.
    example("terachecksum", f"{place}/in", f"{place}/sum")
    yield "teravalidate", {"seconds": seconds, "answer": _judged(_content(client, f"{place}/report"), _content(client, f"{place}/sum"))}


def _judged(report, checksum):
    """Of teravalidate's report, which has a line for each row out of order, and the sum of the rows before the sort."""
    wrong = [line for line in report.splitlines() if not line.startswith("checksum")]
    if wrong:
        return f"not sorted: {wrong[0]}"
    found, expected = report.split()[-1:], checksum.split()[-1:]
    return SAME if found and found == expected else f"checksum {found}, expected {expected}"


def _content(client, path):
    out = io.BytesIO()
    for row in client.listing(path):
        if row["pathSuffix"].startswith("part-"):
            client.read_to(f"{path}/{row['pathSuffix']}", out)
    return out.getvalue().decode()


def _dfsio(request, _client, place, say):
    files = max(2, request["slots"])
    each = max(1, int(request["scale"] * 1000 / files))
    log = os.path.abspath("dfsio.txt")
    more = {"HADOOP_CLASSPATH": f"{paths.ROOT}/{ARTIFACT}/dfsio.jar"}
    for name in ("write", "read"):
        if os.path.exists(log):
            os.unlink(log)
        words = [DFSIO, f"-Dtest.build.data={place}", f"-{name}", "-nrFiles", files, "-size", f"{each}MB", "-resFile", log]
        seconds = _timed("hadoop", words, say, more)
        said = read_text(log) or ""
        figures = {key: float(value) for key, value in re.findall(r"([A-Z][^:\n]*): +([\d.]+) *$", said, re.MULTILINE)}
        megabytes = figures.get("Total MBytes processed")
        yield name, {"seconds": figures.get("Test exec time sec", seconds), "mb_s": figures.get("Throughput mb/sec"),
                     "answer": SAME if megabytes == files * each else f"{megabytes} MB, expected {files * each}"}
