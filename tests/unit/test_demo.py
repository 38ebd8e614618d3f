"""The demo's own computation, and its MapReduce programs run as plain pipes, on a handful of flights."""
import subprocess
import sys
from pathlib import Path

from emrctl.local.demo import answers, report

JOBS = Path(answers.__file__).parent / "jobs"
HEADER = ("year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,"
          "dest,air_time,distance,hour,minute,time_hour")


def flight(month, day, dep_delay, arr_delay, carrier="UA", origin="EWR", dest="IAH"):
    return f"2013,{month},{day},517,515,{dep_delay},830,819,{arr_delay},{carrier},1,N1,{origin},{dest},227,1400,5,15,2013"


def write(tmp_path):
    path = tmp_path / "flights.csv"
    path.write_text("\n".join([HEADER, flight(1, 1, 2, 11), flight(1, 1, -4, "NA"), flight(1, 1, "NA", "NA", "AA"),
                               flight(12, 31, "NA", "NA"), flight(2, 3, 40, 50, "AA")]) + "\n")
    return path


def test_the_plain_computation(tmp_path):
    found = answers.compute(write(tmp_path))
    assert found.daily == {"2013-01-01": [3, 1, 2, -2, 2], "2013-12-31": [1, 1, 0, 0, None],
                           "2013-02-03": [1, 0, 1, 40, 40]}
    assert found.airlines == {"UA": [1, 11], "AA": [1, 50]} and answers.ranking(found.airlines) == ["AA", "UA"]
    assert found.months == {1: 3, 12: 1, 2: 1} and found.routes == {}


def test_mapper_and_reducer_give_the_same(tmp_path):
    path = write(tmp_path)
    mapped = subprocess.run([sys.executable, JOBS / "daily_mapper.py"], stdin=path.open(), capture_output=True,
                            text=True, check=True).stdout
    lines = sorted(mapped.splitlines())
    for _ in range(2):  # as combiner, then as reducer
        out = subprocess.run([sys.executable, JOBS / "daily_reducer.py"], input="\n".join(lines) + "\n",
                             capture_output=True, text=True, check=True).stdout
        lines = out.splitlines()
    (tmp_path / "part-00000").write_text(out)
    assert answers.read_daily(tmp_path) == answers.compute(path).daily


def test_results_of_spark_are_read(tmp_path):
    (tmp_path / "part-1.csv").write_text('2,UA,"United, Inc.",1,11\n1,AA,American,1,50\n')
    assert answers.read_ranking(tmp_path, 2) == [(1, "AA", "American", 1, 50), (2, "UA", "United, Inc.", 1, 11)]
    for number, text in ((0, "1,3\n"), (1, "1,3\n2,1\n")):
        (tmp_path / f"batch={number:03d}").mkdir()
        (tmp_path / f"batch={number:03d}" / "part-0.txt").write_text(text)
    assert answers.read_batches(tmp_path) == [{1: 3}, {1: 3, 2: 1}]


def test_the_worst_day_comes_first(tmp_path):
    text = report.days(answers.compute(write(tmp_path)).daily)
    assert text.splitlines()[3].split()[0] == "2013-02-03"
