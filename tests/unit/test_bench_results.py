"""Benchmarks: what may be asked for, the queries, how answers are judged, and what two runs say beside each other."""
from __future__ import annotations

import json
import re

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.bench import request, results
from ansible_collections.emr.cluster.plugins.module_utils.domain.bench.queries import TABLES, queries
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.request import DEFAULTS, problems
from ansible_collections.emr.cluster.plugins.module_utils.node.bench import maker, mapreduce, tpch
from emrctl import main as cli, views_bench


def run(steps, **more) -> dict:
    rows = {name: {"seconds": seconds, "answer": "same"} for name, seconds in steps.items()}
    return {"id": "j-20261130-101500-1a2b", "kind": "tpch", "scale": 1.0, "streams": 1, "rounds": 1, "label": "", "started": "2026-11-30T10:15:00Z",
            "seconds": 36.0, "steps": rows, "hourly": 2.0, "currency": "CNY", "nodes": "1 x ecs.c6.large (master)", **more}


@pytest.mark.parametrize(("kind", "options", "said"), [
    ("tpcc", {}, "there is no benchmark 'tpcc'"), ("tpch", {"scale": 0}, "scale 0"), ("tpch", {"scale": -1}, "scale -1"),
    ("tpch", {"scale": "much"}, "scale much"), ("tpch", {"scale": float("nan")}, "scale nan"), ("tpch", {"scale": 1e9}, "from 0.01 to 10,000"),
    ("tpch", {"streams": 0}, "streams 0"), ("tpch", {"streams": 21}, "1 to 20"), ("terasort", {"streams": 2}, "terasort runs alone"),
    ("tpch", {"rounds": "x"}, "rounds x")])
def test_what_is_no_benchmark_is_refused(kind, options, said):
    with pytest.raises(Refused, match=re.escape(said)):
        request.checked(kind, options)


@pytest.mark.parametrize("text", ["", "1", "j-20261130-101500-XXXX", "../j-20261130-101500-1a2b", "j-20261130-101500-1a2b/.."])
def test_what_is_no_run_is_refused(text):
    with pytest.raises(Refused, match="not the id of a run"):
        request.run_id(text)


@pytest.mark.parametrize("kind", request.KINDS)
def test_a_benchmark_is_a_job_like_others(kind):
    job = request.job(request.checked(kind, {"scale": "0.5"}), {"spark.sql.shuffle.partitions": "8"})
    assert set(job) <= set(DEFAULTS) and problems({**DEFAULTS, **job}) == []
    assert paths.BENCH in job["args"] and job["name"] == f"bench {kind} 0.5" and job["properties"] == {"spark.sql.shuffle.partitions": "8"}


def test_streams_share_the_executors():
    assert "spark.scheduler.mode=FAIR" in request.job(request.checked("tpch", {"streams": 2}), {})["args"]


def test_there_are_22_queries_over_the_8_tables():
    found = queries(10)
    assert list(found) == [f"q{number}" for number in range(1, 23)]
    text = " ".join(found.values())
    assert all(re.search(rf"\b{table}\b", text) for table in TABLES) and set(maker.SIZES) == set(TABLES)
    assert "0.0000100000" in found["q11"] and not re.search(r"[{};]", text)


@pytest.mark.parametrize(("scale", "slots"), [(0.01, 2), (1, 6), (100, 40)])
def test_each_table_is_made_of_all_its_parts_once(scale, slots):
    found = maker.pieces(scale, slots)
    for table in TABLES:
        parts = [(part, of) for name, part, of in found if name == table]
        assert parts == [(number, len(parts)) for number in range(1, len(parts) + 1)]
    biggest = max(maker.SIZES[name] * scale / of for name, _part, of in found)
    assert biggest <= maker.MOST_MB


def test_answers_are_the_same_up_to_the_last_digits_and_ties():
    assert results.same([["A", 1.0000001, None], ["B", 2, "x"]], [["A", 1, None], ["B", 2.0, "x"]]) == results.SAME
    assert results.same([["A", 5.0], ["B", 5.0]], [["B", 5.0], ["A", 5.0]]) == results.SAME
    assert results.same([], []) == results.SAME


@pytest.mark.parametrize(("expected", "found", "said"), [
    ([[1]], [], "0 rows, expected 1"), ([[1.0]], [[1.00001]], "1.00001, expected 1.0"), ([["A"]], [["a"]], "expected 'A'"),
    ([[1, 2]], [[1]], "1 columns, expected 2"), ([[None]], [[0]], "0, expected None"), ([["1"]], [[1]], "1, expected '1'"),
    ([[1e12]], [[1e12 + 2e6]], "expected 1000000000000.0")])
def test_what_differs_is_told(expected, found, said):
    assert said in results.same(expected, found)


def test_the_best_of_the_rounds_counts_and_the_price_is_that_of_all_that_was_measured():
    found = results.summary(run({"q1": [4.0, 2.0], "q2": [8.0]}))
    assert found["steps"] == {"q1": 2.0, "q2": 8.0} and found["total_s"] == 10.0 and found["geometric_mean_s"] == 4.0
    assert found["cost"] == {"amount": 0.02, "currency": "CNY"} and found["answers"] == {"judged": 2, "same": 2}
    assert results.summary(run({"q1": [1.0]}, hourly=None))["cost"] is None


def test_a_run_in_which_every_query_failed_can_be_shown():
    failed = {**run({}), "steps": {"q1": {"seconds": [], "answer": "failed: no such table"}}}
    assert results.summary(failed)["geometric_mean_s"] is None
    text = views_bench.result("sales", failed)
    assert "failed: no such table" in text and "0 of 1" in text


def test_two_runs_beside_each_other():
    found = results.comparison(run({"q1": [4.0], "q2": [9.0]}), run({"q1": [2.0], "q2": [1.0], "q3": [1.0]}, label="native"))
    assert [(row["step"], row["ratio"]) for row in found["rows"]] == [("q1", 2.0), ("q2", 9.0)]
    text = views_bench.comparison(found)
    assert "native" in text and "░" in text and "█" in text and "9.0" in text


def test_runs_of_different_benchmarks_are_not_compared():
    with pytest.raises(Refused, match="at scale 2"):
        results.comparison(run({"q1": [1.0]}), run({"q1": [1.0]}, scale=2.0))


def test_what_the_sort_says_of_its_result_is_judged():
    assert mapreduce._judged("checksum\t1f\n", "1f\n") == results.SAME
    assert "expected ['2f']" in mapreduce._judged("checksum\t1f\n", "2f\n")
    assert "not sorted" in mapreduce._judged("error\tbad key\nchecksum\t1f\n", "1f\n")
    assert mapreduce._judged("", "") != results.SAME


PLAN = """AdaptiveSparkPlan isFinalPlan=true
+- == Final Plan ==
   ResultQueryStage 1
   +- *(1) CometColumnarToRow
      +- CometSort [a#1], [a#1 ASC]
         +- AQEShuffleRead coalesced
            +- ShuffleQueryStage 0
               +- *(2) HashAggregate(keys=[a#1])
                  :- CometNativeScan parquet [a#1] Batched: true
                  +- Scan ExistingRDD
+- == Initial Plan ==
   CometSort [a#1]
"""


def test_operators_of_the_last_plan_are_counted_once():
    assert tpch.native_share(PLAN) == [3, 5]
    assert tpch.native_share("*(1) Project [1 AS x#1]\n+- *(1) Scan OneRowRelation[]\n") == [0, 2]


@pytest.mark.parametrize(("words", "code", "said"), [
    (["x", "tpch", "--scale", "0"], 3, "scale 0"), (["x", "tpcc"], 3, "no benchmark"), (["x", "show", "nope"], 3, "not the id of a run"),
    (["x", "compare", "a"], 2, "takes two runs"), (["x", "list", "--scale", "1"], 2, "measures nothing"), (["x", "list", "y"], 2, "takes no runs"),
    (["x", "tpch", "y"], 2, "takes no runs"), (["x", "tpch", "--property", "y"], 2, "KEY=VALUE")])
def test_the_command_refuses_before_it_looks_for_a_cluster(words, code, said, capsys):
    with pytest.raises(SystemExit) as left:
        cli.build(["bench"])(["bench", *words])
    assert left.value.code == code and said in capsys.readouterr().err


def test_results_in_files_are_compared_without_a_cluster(tmp_path, capsys):
    for name, seconds in (("a.json", 4.0), ("b.json", 2.0)):
        (tmp_path / name).write_text(json.dumps(run({"q1": [seconds]})))
    with pytest.raises(SystemExit) as left:
        cli.build(["bench"])(["bench", "x", "compare", str(tmp_path / "a.json"), str(tmp_path / "b.json"), "-o", "json"])
    assert left.value.code == 0 and json.loads(capsys.readouterr().out)["total_ratio"] == 2.0
    (tmp_path / "a.json").write_text("[1]")
    with pytest.raises(SystemExit) as left:
        cli.build(["bench"])(["bench", "x", "show", str(tmp_path / "a.json")])
    assert left.value.code == 3 and "not the result of a run" in capsys.readouterr().err
