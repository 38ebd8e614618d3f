"""Releasing the nodes that left, and nothing else, whatever happens in between."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from emrctl.local.testing import api_only
from tests.integration.cloudbed import BrittleClient, Killed, Owner, create, expected, living, operation, spec

GOING = ["demo-slave-002"]
STAY = ["demo-master-001", "demo-slave-001", "demo-slave-003"]


pytestmark = pytest.mark.usefixtures("no_hosts")


@pytest.fixture
def ecs(monkeypatch, tmp_path):
    with api_only(tmp_path / "ecs", visibility_delay=[0.3, 0.8]) as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        yield local


def release_nodes(client, names=GOING, drained=GOING):
    with Owner() as owner:
        run = operation(client, "demo", owner)
        run.take_lock()
        try:
            return run.release_nodes(names, drained)
        finally:
            if not isinstance(client, BrittleClient):
                run.unlock()


def test_a_release_that_dies_anywhere_is_finished_and_touches_no_other_node(ecs):
    with Owner() as owner:
        create(EcsClient(ecs.region), spec(ecs, network=f"network: {{vswitch_id: {ecs.vswitch}, ssh_from: 10.0.0.1/32}}\n"
                                           "deletion_protection: true"), owner)
    with pytest.raises(EmrError, match="not drained"):
        release_nodes(EcsClient(ecs.region), drained=[])
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)
    for number, moment in ((2, "before"), (2, "after"), (3, "before"), (3, "after")):
        try:
            release_nodes(BrittleClient(ecs.region, number, moment))
        except Killed:
            pass
        assert set(STAY) <= set(living(ecs, "demo"))
    assert release_nodes(EcsClient(ecs.region)) in ([], GOING)
    assert living(ecs, "demo") == STAY
    assert release_nodes(EcsClient(ecs.region)) == [], "a second time there is nothing to do"
    described = EcsClient(ecs.region).items("DescribeInstances")
    assert {i["InstanceName"]: i["DeletionProtection"] for i in described} == dict.fromkeys(STAY, True)
