"""Killing create at seeded moments: the same command ends with exactly four instances and a healthy cluster."""
from __future__ import annotations

import signal

import pytest

from tests.lab import api_log_matches, host_runs, kill_when, lab, seeded

NAME = "killed"
INT, KILL = signal.SIGINT, signal.SIGKILL


def unpacking(it, _lines) -> bool:
    """A host has begun to unpack Hadoop and has not finished."""
    return any(it.state.glob("hosts/*/upper/opt/emr/*.unpacking"))


# name, signal, moment, faults while it runs
MOMENTS = [
    ("before RunInstances, anchor being made", KILL, api_log_matches("CreateSecurityGroup received"), {}),
    ("before RunInstances, intent written", INT, api_log_matches("TagResources OK"), {}),
    ("during RunInstances, call in flight", KILL, api_log_matches("RunInstances received"), {"latency": 1.5}),
    ("during RunInstances, call in flight", INT, api_log_matches("RunInstances received"), {"latency": 1.5}),
    ("after RunInstances, nothing visible yet", KILL, api_log_matches("RunInstances OK"), {"visibility_delay": 6}),
    ("unpacking", KILL, unpacking, {}),
    ("format", KILL, host_runs(r"namenode\b.*-format|NameNode\b.*-format"), {}),
    ("first start", INT, host_runs(r"ResourceManager"), {}),
    ("first start", KILL, host_runs(r"NodeManager"), {}),
    ("verify", KILL, host_runs(r"hadoop-mapreduce-examples"), {}),
]


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("killed"), "soakk", 83, 7983) as it:
        it.spec(NAME)
        yield it


@pytest.mark.parametrize("number", range(len(MOMENTS)), ids=[f"{m[0]} ({m[1].name})" for m in MOMENTS])
def test_killed(bed, number):
    _name, how, moment, faults = MOMENTS[number]
    create = ["create", str(bed.folder / f"{NAME}.yml"), "--yes"]
    if faults:
        bed.local("fault", *(f"{key}={value}" for key, value in faults.items()))
    try:
        kill_when(bed, create, how, moment, seeded(31 * number + 7).uniform(0, 0.4))
    finally:
        bed.local("fault", "--clear")
    try:
        bed.emrctl(*create)
        names = sorted(i["InstanceName"] for i in bed.instances(NAME))
        assert names == [f"{NAME}-master-001", *(f"{NAME}-slave-00{n}" for n in (1, 2, 3))]
        status = bed.json("status", NAME)
        assert status["hdfs"]["live"] == 3 and status["yarn"]["active"] == 3
        assert {c["state"] for c in status["components"]} == {"running"}
        cluster_id = bed.instances(NAME)[0]["Tags"]["Tag"]
        cluster_id = next(t["TagValue"] for t in cluster_id if t["TagKey"] == "emr:id")
        ids = bed.ssh(NAME, f"{NAME}-slave-001", "cat /var/lib/emr/hdfs/data/current/VERSION")
        assert f"clusterID={cluster_id}" in ids
    finally:
        bed.emrctl("release", NAME, "--yes")
    assert bed.instances(NAME) == []
