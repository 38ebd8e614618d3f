"""Hostile texts through `repair` and `run-flow`, of a person and of what nodes answer, on each ansible-core."""
from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.flows.definition import parse_flow
from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import RELEASES
from ansible_collections.emr.cluster.plugins.module_utils.domain.install.systems import MARK
from ansible_collections.emr.cluster.plugins.module_utils.domain.paths import ARTIFACT_MARK
from ansible_collections.emr.cluster.plugins.module_utils.node.oss.client import Oss
from tests.cores import CORES

from .test_inventory import KEY, client
from .test_text_doors import NAMES, NASTY, SPEC, WANTED, Bed, bed_of, lines, named, rows

FAILED = re.compile(r"^fatal: \[localhost\]: FAILED! => (\{.*\})$", re.MULTILINE)
SUMS = " ".join(artifact.sha512 for release in RELEASES.values() for artifact in release.artifacts.values())
# What a host says on the way to a cluster: it has a Python and the software, its disks are empty.
FRESH = {ARTIFACT_MARK: SUMS, "sha512sum": SUMS, "best=": f"{MARK}python /usr/bin/python3 3 11", "configure": {"emr_storage": {"datanode": []}}}


@pytest.fixture(scope="module", params=CORES)
def bed(request, tmp_path_factory):
    """One bed for each core."""
    with bed_of(request.param, tmp_path_factory.mktemp("runs")) as it:
        yield it


def failure(run) -> dict:
    """The result of the task that ended this run on the controller."""
    done, _ = run
    found = FAILED.findall(done.stdout)
    assert done.returncode and found, done.stdout[-3000:] + done.stderr[-1000:]
    return json.loads(found[-1])


@pytest.fixture
def repaired(bed: Bed):
    """``repaired(answers, **variables)``: how a repair of the cluster fails whose nodes answer so."""
    text = yaml.safe_dump(SPEC)

    def run(answers, **variables):
        bed.env.update(NODES_ANSWER="", KEPT_SPEC="", ANSWERS=json.dumps({"status": {"components": [], "spec_text": text}, **answers}))
        return failure(bed.run("repair", **variables))
    return run


def test_names_of_nodes_to_repair(repaired):
    for name in ("{{ 7*7 }}${#a[@]}{% raw %}$(id)'\"\\\t#--=数据", "['a', 1]"):
        assert repaired({}, emr_repair_node=name, emr_plan_only=True)["msg"].startswith(f"cluster 'demo' has no node {name} and lacks none")
    down = {"status": {"components": [{"component": NASTY, "state": "stopped"}], "spec_text": yaml.safe_dump(SPEC)}}
    assert "The repair is not confirmed; nothing was changed" in repaired(down, emr_confirm=NASTY)["msg"]


def test_files_whose_only_copies_are_on_a_dead_node(bed, repaired):
    instance = next(i for i in client(bed.ecs, bed.ecs.region).items("DescribeInstances") if i["InstanceName"] == "demo-slave-002")
    (address,) = instance["VpcAttributes"]["PrivateIpAddress"]["IpAddress"]
    files = [NASTY, "'\"\\", "{% raw %}{{ 1 }}{#", "['a', 1]", "two\nlines"]
    found = repaired({f"status of {address}": {"failed": True, "msg": NASTY}, "copies": {"copies": {"blocks": 9, "files": files, "datanodes": []}}},
                     emr_confirm="yes", emr_patience=1)
    assert f"have their only copy on demo-slave-002, for example of {', '.join(files)}. Their" in found["msg"]


@pytest.fixture
def flown(bed: Bed, made_software):
    """``flown(flow, answers, **variables)``: a run of a cluster for this flow alone, whose nodes answer so."""
    cache, programs = bed.folder / "cache", bed.folder / "programs"
    if not programs.exists():
        cache.mkdir(exist_ok=True)
        (cache / "dist").symlink_to(made_software / "dist")
        programs.mkdir()
        (programs / "ssh-keyscan").write_text(f"#!/bin/sh\nshift 4\nfor host; do echo \"$host {KEY}\"; done\n")
        (programs / "ssh-keyscan").chmod(0o755)
    groups = {role: {"count": 1, "instance_types": ["ecs.c6.large"]} for role in ("master", "slave")}
    spec = dict(SPEC, name="one-flow", image=bed.ecs.image, node_groups=groups, network={"vswitch_id": bed.ecs.vswitch, "ssh_from": "10.0.0.1/32"})
    bed.env.update(NODES_ANSWER="1", PATH=f"{programs}:{os.environ['PATH']}", KEPT_SPEC="")
    if "near_end" not in bed.env["PYTHONPATH"]:
        bed.env["PYTHONPATH"] += f":{Path(__file__).parent / 'near_end'}"

    def run(flow, answers, **variables):
        bed.env["ANSWERS"] = json.dumps({**FRESH, **answers})
        return bed.run("run_flow", emr_spec=yaml.safe_dump(spec), emr_confirm="yes", emr_flow=yaml.safe_dump(flow, allow_unicode=True), **variables)
    return run


def taken(text: str) -> bool:
    """Whether a flow takes it in its places."""
    try:
        parse_flow(yaml.safe_dump(flow_with([text])))
        return True
    except SpecError:
        return False


def flow_with(wanted) -> dict:
    """A flow with a text in each place."""
    return {"name": "f", "parameters": rows("p", wanted), "jobs": {
        "a": {"type": "SHELL", "args": [*named("p", wanted), *wanted], "properties": rows("x.y", lines(wanted)), "environment": rows("E", wanted)}}}


def test_everything_of_a_cluster_for_one_flow(bed, flown):
    good = [text for text in WANTED if taken(text)][:150]
    names = [name for name in NAMES if not name.isspace() and not set(name) & set("\r\n\x7f\\\u2028")][:20]
    folder, into = bed.folder / "{{ 7*7 }} $(id) 'a'", bed.folder / "{% raw %} 数据 #"
    folder.mkdir()
    for name in names:
        (folder / name).write_text(name)
    bucket = f"flows-{bed.python.split('/')[-3].replace('.', '-')}"
    Oss(bed.ecs.endpoint, bed.ecs.region, {"access_key_id": bed.ecs.access_key_id, "access_key_secret": bed.ecs.access_key_secret}).call("PUT", bucket)
    top = f"oss://{bucket}/{{{{ 7*7 }}}} $(id) 'a' 数据"
    done, seen = flown(
        flow_with(good), {"emr-flow": {"flow": {"id": NASTY, "state": "SUCCEEDED", "jobs": []}}}, emr_flow_parameters=rows("p", good[::-1]),
        emr_flow_time="{{ 1 }}", emr_flow_zone="'\"", emr_flow_into=str(into), emr_flow_put=[{"from": str(folder / name), "to": f"{top}/{name}"} for name in names],
        emr_flow_get=[{"from": f"{top}/{name}", "to": name} for name in names])
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    asked = [json.loads(row["stdin"].split("\n", 1)[0]) for row in seen if "emr-flow" in row["command"]]
    job, wanted = asked[0]["flow"]["jobs"]["a"], flow_with(good)["jobs"]["a"]
    assert {key: job[key] for key in ("args", "properties", "environment")} == {key: wanted[key] for key in ("args", "properties", "environment")}
    assert asked[0]["flow"]["parameters"] == rows("p", good[::-1]) and (asked[0]["time"], asked[0]["zone"]) == ("{{ 1 }}", "'\"")
    assert asked[-1]["id"] == NASTY
    assert {name: (into / name).read_text() for name in names} == {name: name for name in names}


def test_why_a_flow_of_a_cluster_of_its_own_failed(bed, flown):
    flow, into = flow_with(["x"]), str(bed.folder / "out")
    reasons = [text for text in WANTED if text.strip() == text and text and "\nNext:" not in text]
    jobs = [{"name": f"j{at}", "job": text, "state": "FAILED", "exit_code": None, "reason": text} for at, text in enumerate(reasons)]
    found = failure(flown(flow, {"emr-flow": {"flow": {"id": NASTY, "state": "FAILED", "jobs": jobs}}}, emr_flow_into=into))
    assert found["msg"].startswith("\n".join([f"flow {NASTY} FAILED", *(f"{row['name']} ({row['job']}) FAILED {row['reason']}" for row in jobs)]))
    found = failure(flown(flow, {"verify": {"failed": True, "msg": f"{NASTY}\n'\"\\"}}, emr_flow_into=into))
    assert found["emr_result"]["run"]["troubles"] == [f"one-flow-master-001: {NASTY}\n'\"\\"] and found["msg"].endswith("the cluster is released")
