"""Flow files: what is read, what is refused and how it is told; and what a flow does next."""
from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.flows import plan as flow_plan
from ansible_collections.emr.cluster.plugins.module_utils.domain.flows.definition import (
    flow_of_job,
    json_schema,
    load_flow,
    parse_flow,
)

GOOD = """\
name: daily
parameters: {day: "${yyyyMMdd-1}"}
parallel: 2
jobs:
  load: {type: SHELL, args: "hdfs dfs -mkdir -p /user/emr/${day}"}
  count:
    type: PYSPARK
    files: [count.py]
    after: load
    on_failure: continue
    retries: 2
    retry_interval: 10s
    timeout: 2h
    properties: {spark.sql.shuffle.partitions: 8, spark.ui.enabled: false}
  tell:
    type: SHELL
    after: [load, count]
    args:
      - |
        echo "{{ braces }}"
        echo done
put: [{from: flights.csv, to: /user/emr/flights.csv}]
"""


def test_a_flow_is_read_with_all_its_keys():
    flow = parse_flow(GOOD)
    assert list(flow["jobs"]) == ["load", "count", "tell"]
    assert flow["jobs"]["load"]["args"] == ["hdfs dfs -mkdir -p /user/emr/${day}"]
    count = flow["jobs"]["count"]
    assert (count["after"], count["on_failure"], count["retries"], count["timeout"]) == (["load"], "continue", 2, "2h")
    assert count["properties"] == {"spark.sql.shuffle.partitions": "8", "spark.ui.enabled": "false"}
    assert flow["jobs"]["tell"]["args"] == ['echo "{{ braces }}"\necho done\n']
    assert flow["parallel"] == 2 and flow["put"] == [{"from": "flights.csv", "to": "/user/emr/flights.csv"}]
    assert "user" not in count and flow["jobs"]["load"]["on_failure"] == "stop"


def wrong(text: str) -> list:
    with pytest.raises(SpecError) as refused:
        parse_flow(text, "flow.yml")
    assert refused.value.exit_code == 3
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize("line, where, told", [
    ("a: {type: SHEL, args: x}", "flow.yml:3: jobs.a.type", "Did you mean SHELL?"),
    ("a: {type: SHELL, args: x, afte: b}", "flow.yml:3: jobs.a.afte: unknown key", "Did you mean after?"),
    ("a: {type: SHELL, args: x, depends_on: b}", "flow.yml:3: jobs.a.depends_on: unknown key", "Did you mean after?"),
    ("a: {type: SHELL, args: x, after: lod}", 'flow.yml:3: jobs.a.after[0]: there is no job "lod"', "Did you mean load?"),
    ("a: {type: SHELL, args: x, after: a}", "flow.yml:3: jobs.a.after[0]: the job a waits for itself", "Remove it"),
    ("load: {type: SHELL, args: x}", "flow.yml:3: jobs.load: the key occurs twice (first in line 4", ""),
    ("a: {type: SHELL}", "flow.yml:3: jobs.a: a job needs args or files", "args:"),
    ("a: {args: x}", "flow.yml:3: jobs.a.type: missing", "type: SHELL"),
    ("a b: {type: SHELL, args: x}", 'flow.yml:3: jobs.a b: "a b" is not a name for a job', "such as load"),
    ("a: {type: SHELL, args: x, timeout: 5 minutes}", "flow.yml:3: jobs.a.timeout", "timeout: 2h"),
    ("a: {type: SHELL, args: x, on_failure: ignore}", "flow.yml:3: jobs.a.on_failure", "stop or continue"),
    ("a: {type: SHELL, args: x, environment: {DB_PASSWORD: x}}", "flow.yml:3: jobs.a.environment.DB_PASSWORD", "only the job's user"),
    ("a: {type: SHELL, args: [[x]]}", "flow.yml:3: jobs.a.args[0]: found a list", "one value"),
])
def test_each_mistake_is_told_with_its_place_and_the_remedy(line, where, told):
    text = f"name: daily\njobs:\n  {line}\n  load: {{type: SHELL, args: x}}\n"
    problems = wrong(text)
    mark = where.replace("line 4", "line 3").replace("flow.yml:3", "flow.yml:4") if "twice" in where else where
    assert any(mark in problem and told in problem for problem in problems), problems


def test_all_mistakes_are_told_at_once_and_a_circle_is_named():
    problems = wrong("name: daily\njobs:\n  a: {type: SHELL, args: x, after: c}\n  b: {type: SHELL, args: x, after: a}\n"
                     "  c: {type: SHELL, args: x, after: b}\nparalel: 2\n")
    assert any("paralel: unknown key" in problem and "Did you mean parallel?" in problem for problem in problems)
    problems = wrong("name: daily\njobs:\n  a: {type: SHELL, args: x, after: c}\n  b: {type: SHELL, args: x, after: a}\n"
                     "  c: {type: SHELL, args: x, after: b}\n")
    assert len(problems) == 1 and problems[0].startswith(
        "flow.yml:3: jobs.a.after: jobs wait for each other in a circle: a after c after b after a. Take one of them")


def test_an_empty_file_and_one_that_is_not_there_are_refused_as_flows(tmp_path):
    assert "expected a flow. Start from the example in docs/flows.md" in wrong("")[0]
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        load_flow(tmp_path / "none.yml")


def test_the_json_schema_is_current_and_agrees_with_the_parser():
    jsonschema = pytest.importorskip("jsonschema")
    docs = Path(__file__).resolve().parents[2] / "docs" / "flow.schema.json"
    assert json.loads(docs.read_text(encoding="utf-8")) == json_schema(), "run: python -m emrctl.docs"
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    good = yaml.safe_load(GOOD)
    assert not list(validator.iter_errors(good))
    for job, key, value in (("load", "type", "SHEL"), ("count", "retries", -1), ("count", "aftr", "load"), ("tell", "after", "no name")):
        wrong_one = yaml.safe_load(GOOD)
        wrong_one["jobs"][job][key] = value
        assert list(validator.iter_errors(wrong_one)), (job, key)


def test_a_single_job_becomes_a_flow():
    flow = flow_of_job("nightly", {"type": "SHELL", "args": ["echo", "hi"], "retries": 1})
    assert flow["jobs"]["nightly"]["retries"] == 1 and flow["jobs"]["nightly"]["after"] == []
    with pytest.raises(SpecError, match="expected one of"):
        flow_of_job("nightly", {"type": "NOTHING", "args": ["x"]})


def jobs(**after) -> dict:
    return {name: {"after": names, "on_failure": "continue" if name.startswith("soft") else "stop"} for name, names in after.items()}


def test_what_is_ready_starts_within_the_bound():
    flow = jobs(a=[], b=[], c=[], d=["a", "b"])
    assert flow_plan.decide(flow, {}, 2) == (["a", "b"], [], "")
    assert flow_plan.decide(flow, {"a": "RUNNING", "b": "SUBMITTED"}, 2) == ([], [], "")
    assert flow_plan.decide(flow, {"a": "SUCCEEDED", "b": "RUNNING"}, 2) == (["c"], [], "")
    assert flow_plan.decide(flow, dict.fromkeys("abc", "SUCCEEDED"), 2) == (["d"], [], "")
    assert flow_plan.decide(flow, dict.fromkeys("abcd", "SUCCEEDED"), 2) == ([], [], "SUCCEEDED")


def test_a_failure_that_stops_leaves_the_rest_out_and_waits_for_what_runs():
    flow = jobs(a=[], b=[], c=["a"], d=["b"])
    assert flow_plan.decide(flow, {"a": "FAILED", "b": "RUNNING"}, 4) == ([], ["c", "d"], "")
    assert flow_plan.decide(flow, {"a": "FAILED", "b": "SUCCEEDED", "c": "SKIPPED", "d": "SKIPPED"}, 4) == ([], [], "FAILED")


def test_a_failure_that_continues_lets_the_others_run():
    flow = jobs(soft=[], after=["soft"])
    assert flow_plan.decide(flow, {"soft": "FAILED"}, 4) == (["after"], [], "")
    assert flow_plan.decide(flow, {"soft": "LOST", "after": "SUCCEEDED"}, 4) == ([], [], "SUCCEEDED")


def test_a_killed_flow_starts_nothing_more():
    flow = jobs(a=[], b=["a"])
    assert flow_plan.decide(flow, {"a": "RUNNING"}, 4, killed=True) == ([], ["b"], "")
    assert flow_plan.decide(flow, {"a": "KILLED", "b": "SKIPPED"}, 4, killed=True) == ([], [], "KILLED")


def test_a_retry_runs_what_did_not_succeed():
    flow = jobs(a=[], soft=[], b=["a"], c=["b"])
    assert flow_plan.again(flow, {"a": "SUCCEEDED", "soft": "FAILED", "b": "FAILED", "c": "SKIPPED"}) == ["soft", "b", "c"]


def test_random_flows_run_every_job_once_in_order_and_never_more_than_allowed():
    chance = random.Random(7)
    for size, parallel in itertools.product((1, 5, 30), (1, 3)):
        names = [f"j{n}" for n in range(size)]
        flow = jobs(**{name: chance.sample(names[:n], min(n, chance.randint(0, 3))) for n, name in enumerate(names)})
        states, order = {}, []
        for _step in range(10 * size + 10):
            start, skip, end = flow_plan.decide(flow, states, parallel)
            assert not skip
            if end:
                break
            for name in start:
                assert name not in order and all(states[before] == "SUCCEEDED" for before in flow[name]["after"])
                order.append(name)
                states[name] = "RUNNING"
            running = [name for name, state in states.items() if state == "RUNNING"]
            assert 0 < len(running) <= parallel
            states[chance.choice(running)] = "SUCCEEDED"
        assert end == "SUCCEEDED" and sorted(order) == sorted(names)


def test_a_deep_chain_is_no_trouble_for_the_search_of_circles():
    chain = {f"j{n}": [f"j{n - 1}"] if n else [] for n in range(200)}
    assert flow_plan.cycle(chain) == []
    assert len(flow_plan.cycle(dict(chain, j0=["j199"]))) == 201
