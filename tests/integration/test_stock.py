"""What stock cannot carry is said before the first group is bought."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import operation as operation_module
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.cloud.purchase.plan_details import plan_details
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from emrctl.local.testing import api_only
from tests.integration.cloudbed import create, expected, living, operation, spec
from tests.integration.inventory_bed import watched

pytestmark = pytest.mark.usefixtures("no_hosts")
C6 = 4096


@pytest.fixture
def ecs(monkeypatch, tmp_path):
    """A zone with memory for three of the smallest nodes."""
    with api_only(tmp_path / "ecs", memory_mib=3 * C6) as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        yield local


def slaves(count, types="ecs.c6.large"):
    return {"slave": f"  slave: {{count: {count}, instance_types: [{types}]}}"}


def warnings(wanted):
    client = EcsClient(wanted.region)
    plan, found = operation_module.Operation(client, wanted.name, 1).plan(wanted)
    return plan_details(client, wanted, found, plan)["warnings"]


def test_groups_that_share_a_type_are_counted_together(ecs, owner):
    """Each alone would fit, and DescribeAvailableResource calls the type available."""
    said = "Group slave: 3 nodes cannot be bought, beside what master takes: ecs.c6.large"
    EcsClient(ecs.region).call("CreateSecurityGroup", SecurityGroupName="any")
    assert any(said in w and "create would buy nothing" in w for w in warnings(spec(ecs, **slaves(3))))
    run = operation(EcsClient(ecs.region), "demo", owner)
    run.take_lock()
    with watched(ecs) as calls, pytest.raises(Refused, match="Nothing was bought") as caught:
        run.present(spec(ecs, **slaves(3)))
    assert said in str(caught.value) and "node_groups.slave.instance_types" in caught.value.remedy
    assert living(ecs, "demo") == [] and ("DeleteInstances", ecs.region) not in calls
    assert not [k for g in ecs.cloud.store.all("securitygroup") for k in g["tags"] if k.startswith("emr:intent:")]
    run.unlock()
    create(EcsClient(ecs.region), spec(ecs, **slaves(2)), owner)
    assert living(ecs, "demo") == expected("demo", master=1, slave=2)


def test_the_next_type_counts(ecs, owner):
    small = slaves(3, "ecs.c6.large, ecs.t6-c1m1.large")
    EcsClient(ecs.region).call("CreateSecurityGroup", SecurityGroupName="any")
    assert not any("cannot be bought" in w for w in warnings(spec(ecs, **small)))
    # The master leaves 8 GiB: three of 4 do not fit, three of 2 do.
    _, (_, _, _, bought) = create(EcsClient(ecs.region), spec(ecs, **small), owner)
    assert [(b["group"], b["instance_type"]) for b in bought] == [("master", "ecs.c6.large"), ("slave", "ecs.t6-c1m1.large")]


def test_a_cluster_that_works_gets_what_there_is(ecs, owner):
    """Of three groups that lost nodes, those that can be had are replaced; only the birth of a cluster needs all."""
    run, _ = create(EcsClient(ecs.region), spec(ecs, **slaves(1)), owner)
    run.settle(spec(ecs, **slaves(1)))
    task = "  task: {count: 1, instance_types: [ecs.c6.large]}\n  late: {role: task, count: 1, instance_types: [ecs.g6.large]}"
    with pytest.raises(Exception, match="Group late: 1 nodes cannot be bought in"):
        create(EcsClient(ecs.region), spec(ecs, groups=task, **slaves(1)), owner)
    assert living(ecs, "demo") == expected("demo", master=1, slave=1, task=1)
