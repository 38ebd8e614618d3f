"""Where the control plane and the components of a running cluster are: kept, read again, and implied for clusters of before."""
from __future__ import annotations

import json

import pytest

from tests.lab import lab

pytestmark = pytest.mark.soak
NAME = "places"
MASTER = f"{NAME}-master-001"
PLACES = {"control": [MASTER], "historyserver": [MASTER]}
# What a cluster has that was made before placements were kept.
FORGET = """
import glob, json, subprocess
for path in [*glob.glob('/var/lib/emr/cluster/spec/*.json'), '/etc/emr/nodes.json']:
    with open(path) as stream:
        found = json.load(stream)
    del found['placement']
    with open(path, 'w') as stream:
        stream.write(json.dumps(found) + chr(10))
"""


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("places"), "e2epl", 65, 8365) as it:
        it.emrctl("create", str(it.spec(NAME)), "--yes")
        yield it


def kept(bed) -> tuple:
    """(placement of the newest revision, placement in the record of a slave)."""
    revision = bed.ssh(NAME, MASTER, "cat $(ls /var/lib/emr/cluster/spec/*.json | tail -n 1)")
    record = bed.ssh(NAME, f"{NAME}-slave-001", "cat /etc/emr/nodes.json")
    return json.loads(revision).get("placement"), json.loads(record).get("placement")


def tagged(bed) -> list:
    return [i["InstanceName"] for i in bed.instances(NAME) if {"emr:control"} & {t["TagKey"] for t in i["Tags"]["Tag"]}]


def test_where_things_are_is_kept_with_the_revision_on_each_node_and_as_a_tag(bed):
    assert kept(bed) == (PLACES, PLACES) and tagged(bed) == [MASTER]
    assert bed.json("submit", NAME, "--type", "SHELL", "--wait", "--", "hdfs", "dfs", "-ls", "/")["state"] == "SUCCEEDED"


def test_a_cluster_of_before_has_the_placement_that_it_has_in_fact(bed):
    for node in (MASTER, f"{NAME}-slave-001", f"{NAME}-slave-002", f"{NAME}-slave-003"):
        bed.ssh(NAME, node, f"test -e /etc/emr/nodes.json && /opt/emr/bin/python3 -c \"{FORGET}\"")
    master = next(i["InstanceId"] for i in bed.instances(NAME) if i["InstanceName"] == MASTER)
    bed.ecs("UntagResources", ResourceType="instance", **{"ResourceId.1": master, "TagKey.1": "emr:control"})
    assert kept(bed) == (None, None) and tagged(bed) == []
    before = bed.ssh(NAME, MASTER, "systemctl show -p ActiveEnterTimestampMonotonic emr-namenode emr-historyserver")
    assert bed.json("status", NAME)["hdfs"]["live"] == 3 and bed.json("jobs", "list", NAME)
    bed.emrctl("scale", NAME, "slave=2", "--yes")
    assert kept(bed) == (PLACES, PLACES) and tagged(bed) == [MASTER]
    assert bed.ssh(NAME, MASTER, "systemctl show -p ActiveEnterTimestampMonotonic emr-namenode emr-historyserver") == before
    assert bed.json("status", NAME)["hdfs"]["live"] == 2
    assert bed.json("check", NAME)["counts"]["fail"] == 0
