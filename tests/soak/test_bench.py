"""Benchmarks on real hosts: data, answers, results, comparisons, and what is refused; then the same queries in native code."""
from __future__ import annotations

import json

import pytest

from tests.lab import lab

NAME, MASTER = "bench", "bench-master-001"
SCALE = "0.1"


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("bench"), "soakbn", 168, 8068) as it:
        it.emrctl("dist", "build", "bench", "native", timeout=1800)
        types = ["ecs.c6.large"]
        spec = it.spec(NAME, services=["hadoop", "spark"], node_groups={
            "master": {"count": 1, "instance_types": types}, "slave": {"count": 2, "instance_types": types}})
        it.emrctl("create", str(spec), "--yes", timeout=1800)
        yield it


@pytest.fixture(scope="module")
def first(bed):
    return bed.json("bench", NAME, "tpch", "--scale", SCALE, "--label", "first", timeout=3600)


def test_all_22_answers_are_those_of_duckdb(first):
    assert len(first["steps"]) == 22 and {row["answer"] for row in first["steps"].values()} == {"same"}, first["steps"]
    assert first["summary"]["answers"] == {"judged": 22, "same": 22} and first["summary"]["geometric_mean_s"] > 0
    assert first["made_s"] > 0 and first["summary"]["cost"]["amount"] > 0 and first["summary"]["cost"]["currency"] == "CNY"


def test_it_is_a_job_like_others_and_its_result_outlives_the_record(bed, first):
    job = bed.json("jobs", "show", NAME, first["id"])
    assert job["state"] == "SUCCEEDED" and job["type"] == "PYSPARK" and job["applications"] and job["usage"]["applications"]
    bed.emrctl("jobs", "prune", NAME, "--keep", "0", "--yes")
    assert bed.json("bench", NAME, "show", first["id"])["steps"] == first["steps"]


def test_the_data_and_the_answers_are_made_once(bed, first):
    listing = "hdfs dfs -ls -R /user/emr/.emr/bench/tpch | sort"
    before = bed.ssh(NAME, MASTER, listing)
    assert f"/{SCALE}/lineitem/00001.parquet" in before and f"/{SCALE}/_answers.json" in before
    second = bed.json("bench", NAME, "tpch", "--scale", SCALE, "--streams", "2", "--label", "{{ second }}", timeout=3600)
    assert bed.ssh(NAME, MASTER, listing) == before
    assert all(len(row["seconds"]) == 2 and row["answer"] == "same" for row in second["steps"].values())
    compared = bed.json("bench", NAME, "compare", first["id"], second["id"])
    assert len(compared["rows"]) == 22 and compared["after"]["label"] == "{{ second }}"
    (bed.folder / "first.json").write_text(json.dumps(first))
    text = bed.emrctl("bench", NAME, "compare", "first.json", second["id"]).stdout
    assert "geometric mean" in text and "█" in text
    assert [row["id"] for row in bed.json("bench", NAME, "list")] == [second["id"], first["id"]]


def test_an_answer_that_is_wrong_is_a_failure(bed, first):
    """Somebody has changed what the judge said: the run is shown, and fails."""
    place = f"/user/emr/.emr/bench/tpch/{SCALE}/_answers.json"
    bed.ssh(NAME, MASTER, f"hdfs dfs -get {place} /tmp/a.json && cp /tmp/a.json /tmp/right.json && "
                          "sed -i 's/\"q6\": \\[\\[[0-9.]*/\"q6\": [[1.5/' /tmp/a.json && chmod 644 /tmp/*.json && hdfs dfs -put -f /tmp/a.json " + place)
    done = bed.emrctl("bench", NAME, "tpch", "--scale", SCALE, "-o", "json", expect=5, timeout=3600)
    wrong = {name: row["answer"] for name, row in json.loads(done.stdout)["steps"].items() if row["answer"] != "same"}
    assert list(wrong) == ["q6"] and "expected 1.5" in wrong["q6"]
    bed.ssh(NAME, MASTER, f"hdfs dfs -put -f /tmp/right.json {place}")


@pytest.mark.parametrize(("kind", "steps"), [("terasort", ["teragen", "terasort", "teravalidate"]), ("dfsio", ["write", "read"])])
def test_sorting_and_files(bed, kind, steps):
    found = bed.json("bench", NAME, kind, "--scale", SCALE, timeout=3600)
    assert list(found["steps"]) == steps and all(row["seconds"][0] > 0 for row in found["steps"].values())
    assert {row["answer"] for row in found["steps"].values() if row["answer"]} == {"same"}
    assert found["id"] not in bed.ssh(NAME, MASTER, "hdfs dfs -ls /user/emr/.emr/bench"), "its data is gone"


def test_what_has_no_room_or_is_not_there_is_refused(bed, first):
    done = bed.emrctl("bench", NAME, "tpch", "--scale", "5000", expect=3)
    assert "GB of HDFS" in done.stderr and "free" in done.stderr
    done = bed.emrctl("bench", NAME, "show", "j-20200101-000000-0000", expect=3)
    assert "no result of a run" in done.stderr
    done = bed.emrctl("bench", NAME, "tpch", "--user", "nobody-here", expect=3)
    assert "not a user of the cluster" in done.stderr


def test_native_code_gives_the_same_answers_and_yarn_kills_nobody(bed, first):
    spec = bed.folder / f"{NAME}.yml"
    spec.write_text(spec.read_text() + "spark: {engine: native}\n")
    bed.emrctl("apply", str(spec), "--yes", timeout=1800)
    native = bed.json("bench", NAME, "tpch", "--scale", SCALE, "--rounds", "3", "--label", "native", timeout=3600)
    assert {row["answer"] for row in native["steps"].values()} == {"same"}
    shares = {name: row["native"] for name, row in native["steps"].items()}
    assert all(ran and ran >= 0.8 * all_ for ran, all_ in shares.values()), shares
    logs = bed.emrctl("jobs", "logs", NAME, native["id"], "--yarn", timeout=600).stdout
    assert "beyond physical memory" not in logs and "Killing container" not in logs
    assert all(not ran for ran, _all in (row["native"] for row in first["steps"].values()))
