"""A rolling restart that is killed at seeded moments: the rerun finishes it, no restart is forgotten, no byte lost."""
from __future__ import annotations

import hashlib
import signal
import time
from datetime import UTC, datetime

import pytest

from tests.lab import kill_when, lab, line_matches, seeded

NAME = "roll"
ROUNDS = 10
# The job squares these numbers, slowly, and adds the squares up.
NUMBERS = range(1, 241)
SLOW = ("import sys, time\nfor line in sys.stdin:\n    time.sleep(2)\n"
        "    n = int(line.split()[-1])\n    print(f'sum\\t{n * n}')\n")
ADD = "import sys\nprint('sum', sum(int(line.split('\\t')[1]) for line in sys.stdin))\n"


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("roll"), "soakroll", 133, 8033) as it:
        it.emrctl("create", str(it.spec(NAME)), "--yes", timeout=1800)
        (it.folder / "slow.py").write_text(SLOW)
        (it.folder / "add.py").write_text(ADD)
        (it.folder / "numbers.txt").write_text("".join(f"{n}\n" for n in NUMBERS))
        (it.folder / "data.bin").write_bytes(seeded(7).randbytes(64 << 20))
        for file in ("numbers.txt", "data.bin"):
            it.emrctl("put", NAME, str(it.folder / file), f"/user/emr/{file}")
        yield it


def started(bed) -> dict:
    """{(node, component): when its daemon was started}."""
    rows = bed.json("status", NAME)["components"]
    assert {row["state"] for row in rows} == {"running"} and not [row for row in rows if row.get("stale")], rows
    return {(row["node"], row["component"]): datetime.strptime(row["since"], "%a %Y-%m-%d %H:%M:%S %Z").replace(
        tzinfo=UTC).timestamp() for row in rows}


def digest(bed, target: str) -> str:
    """SHA-256 of the file in HDFS."""
    bed.emrctl("get", NAME, "/user/emr/data.bin", str(bed.folder / target))
    return hashlib.sha256((bed.folder / target).read_bytes()).hexdigest()


def submit(bed, output: str) -> dict:
    return bed.json("submit", NAME, "--type", "HADOOP_STREAMING", "--file", "slow.py", "--file", "add.py", "--",
                    "-D", "mapreduce.input.lineinputformat.linespermap=40",
                    "-inputformat", "org.apache.hadoop.mapred.lib.NLineInputFormat", "-input", "/user/emr/numbers.txt",
                    "-output", output, "-mapper", "python3 slow.py", "-reducer", "python3 add.py")


def ended(bed, job: dict, limit: float = 1800) -> dict:
    """The job when it has ended."""
    end = time.monotonic() + limit
    while True:
        found = next(row for row in bed.json("jobs", "list", NAME) if row["id"] == job["id"])
        if found["state"] not in ("SUBMITTED", "RUNNING"):
            return found
        assert time.monotonic() < end, f"still {found['state']} after {limit:.0f} s"
        time.sleep(3)


def test_a_job_runs_through_a_rolling_restart_of_everything(bed):
    job = submit(bed, "/user/emr/squares")
    before, begun = started(bed), time.time()
    bed.emrctl("restart", NAME, timeout=3600)
    after = started(bed)
    assert set(after) == set(before) and min(after.values()) >= int(begun), after
    assert ended(bed, job)["state"] == "SUCCEEDED"
    bed.emrctl("get", NAME, "/user/emr/squares", str(bed.folder / "squares"))
    text = "".join(part.read_text() for part in sorted((bed.folder / "squares").glob("part-*")))
    assert text.split() == ["sum", str(sum(n * n for n in NUMBERS))]


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_killed_restart_is_finished_by_the_next_command(bed, turn):
    random = seeded(5103 + turn)
    wanted = hashlib.sha256((bed.folder / "data.bin").read_bytes()).hexdigest()
    begun = time.time()
    how = random.choice((signal.SIGINT, signal.SIGKILL))
    marking = turn % 5 == 0
    phase = "Ask for the restarts: started" if marking else "Restart: started"
    kill_when(bed, ["restart", NAME], how, line_matches(phase), random.uniform(0, 1 if marking else 25), 1800)
    # Once everything is marked any of these finishes it; before that, the same command does.
    again = ["restart", NAME] if marking else random.choice((["restart", NAME], ["restart", NAME, "--continue"], ["start", NAME]))
    bed.emrctl(*again, timeout=3600)
    after = started(bed)
    assert min(after.values()) >= int(begun), (again, begun, after)
    assert digest(bed, "back.bin") == wanted
    hdfs = bed.json("status", NAME)["hdfs"]
    assert (hdfs["live"], hdfs["missing_blocks"], hdfs["corrupt_blocks"]) == (3, 0, 0), hdfs
