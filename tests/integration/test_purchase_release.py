"""Giving a cluster back, and looking at clusters that are not as they should be."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.finder import list_clusters
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.operation import Unconfirmed
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from emrctl.local.testing import api_only
from tests.integration.cloudbed import (
    BrittleClient,
    Killed,
    Owner,
    create,
    die_after_slaves,
    expected,
    left_over,
    living,
    operation,
    release,
    release_killed_at_every_call,
    spec,
)

pytestmark = pytest.mark.usefixtures("no_hosts")


@pytest.fixture
def ecs(monkeypatch, tmp_path):
    with api_only(tmp_path / "ecs", visibility_delay=[0.2, 0.5]) as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        yield local


def test_release_leaves_nothing(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs), owner)
    run, (plan, counts) = release(EcsClient(ecs.region), "demo", owner)
    assert plan["release"] == expected("demo", master=1, slave=3)
    assert counts == {"instances": 4, "key_pair": True, "security_group": True} and run.changed
    assert living(ecs, "demo") == [] and not ecs.cloud.store.all("securitygroup") and not ecs.cloud.store.all("keypair")
    run, (plan, _) = release(EcsClient(ecs.region), "demo", owner)
    assert plan["empty"] and not run.changed


def test_reborn_cluster_has_a_new_id(ecs, owner):
    ids = set()
    for _ in range(2):
        _, (found, _, _, _) = create(EcsClient(ecs.region), spec(ecs), owner)
        ids.add(found.anchor.cluster_id)
        release(EcsClient(ecs.region), "demo", owner)
    assert len(ids) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_release_killed_at_every_call(ecs, owner, moment):
    assert release_killed_at_every_call(ecs, owner, spec(ecs), moment) > 3


def test_release_right_after_a_killed_purchase(ecs, owner):
    """What was bought a moment ago is not visible yet, but must not stay behind."""
    with Owner() as first:
        die_after_slaves(ecs, first)
    release(EcsClient(ecs.region), "demo", owner)
    assert living(ecs, "demo") == [] and left_over(ecs, "demo") == []


def test_protected_cluster_is_not_released(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs, protection="deletion_protection: true"), owner)
    with pytest.raises(Refused, match="protected against deletion"):
        release(EcsClient(ecs.region), "demo", owner)
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)
    create(EcsClient(ecs.region), spec(ecs), owner)
    release(EcsClient(ecs.region), "demo", owner)
    assert living(ecs, "demo") == []


def test_release_wants_confirmation(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs), owner)
    with pytest.raises(Unconfirmed) as refusal:
        release(EcsClient(ecs.region), "demo", owner, confirm="")
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)
    release(EcsClient(ecs.region), "demo", owner, confirm=refusal.value.plan["digest"])
    assert living(ecs, "demo") == []


def test_login_key_of_two_clusters_stays_until_the_second_goes(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs, "one"), owner)
    create(EcsClient(ecs.region), spec(ecs, "two"), owner)
    _, (_, counts) = release(EcsClient(ecs.region), "one", owner)
    assert not counts["key_pair"]
    _, (_, counts) = release(EcsClient(ecs.region), "two", owner)
    assert counts["key_pair"]


def test_stop_and_start(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs), owner)
    run = operation(EcsClient(ecs.region), "demo", owner)
    assert {i["Status"] for i in run.stop()[0].instances} == {"Stopped"}
    with pytest.raises(Refused, match="is stopped"):
        run.running()
    assert {i["Status"] for i in run.start().instances} == {"Running"}
    run, (_, plan, _, _) = create(EcsClient(ecs.region), spec(ecs), owner)
    assert plan.empty


def tag(ecs, names, **tags):
    """Give instances of these names tags, as somebody with a console could."""
    client = EcsClient(ecs.region)
    ids = [i["id"] for i in ecs.cloud.store.all("instance") if i["name"] in names]
    client.call("TagResources", ResourceType="instance", ResourceId=ids,
                Tag=[{"Key": k.replace("_", ":"), "Value": v} for k, v in tags.items()])


def wait_until_refused(ecs, owner, wanted):
    """Tags become visible late; until then everything looks well."""
    for _ in range(40):
        try:
            operation(EcsClient(ecs.region), "demo", owner).present(wanted)
        except Refused as error:
            return str(error)
    raise AssertionError("never refused")


def test_foreign_instances_are_refused(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs), owner)
    create(EcsClient(ecs.region), spec(ecs, "other"), owner)
    tag(ecs, ["other-slave-001"], emr_cluster="demo")
    assert "do not belong to it" in wait_until_refused(ecs, owner, spec(ecs))


def test_duplicate_names_are_refused(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs), owner)
    twin = next(i["id"] for i in ecs.cloud.store.all("instance") if i["name"] == "demo-slave-002")
    EcsClient(ecs.region).call("ModifyInstanceAttribute", InstanceId=twin, InstanceName="demo-slave-001")
    assert "several instances of the same name" in wait_until_refused(ecs, owner, spec(ecs))


def test_blind_key_does_not_buy_again(ecs, owner):
    """Without permission the API lists nothing, which must not be taken for an empty cloud."""
    ecs.faults(denied=["DescribeInstances"])
    with pytest.raises(Refused, match="may not use DescribeInstances"):
        create(EcsClient(ecs.region), spec(ecs), owner)
    assert not ecs.cloud.store.all("instance")


@pytest.mark.parametrize(("change", "message"), [
    ({"zone": "zone: cn-hangzhou-z"}, "zone: cn-hangzhou-z is not a zone of cn-hangzhou.*cn-hangzhou-h"),
    ({"network": "network: {vswitch_id: vsw-nowhere, ssh_from: 10.0.0.1/32}"}, "vsw-nowhere does not exist.*vsw-local"),
    ({"network": "network: {vswitch_id: vsw-local-cn-hangzhou-i, ssh_from: 10.0.0.1/32}"}, "is in cn-hangzhou-i"),
    ({"image": "image: m-nothing"}, "image: m-nothing does not exist"),
    ({"slave": "  slave: {count: 1, instance_types: [ecs.g99.large]}"}, "slave.instance_types: ecs.g99.large does not"),
    ({"slave": "  slave: {count: 1, instance_types: [ecs.t6-c4m1.large]}"}, "has 0.5 GiB of memory, a slave needs"),
    ({"login": "login: {key_pair: nobodys}"}, "key pair 'nobodys' does not exist"),
])
def test_what_the_api_cannot_give_is_refused_before_buying(ecs, owner, change, message):
    with pytest.raises(Refused, match=f"(?s){message}"):
        operation(EcsClient(ecs.region), "demo", owner).plan(spec(ecs, **change))
    with pytest.raises(Refused, match=f"(?s){message}"):
        create(EcsClient(ecs.region), spec(ecs, **change), owner)
    assert not ecs.cloud.store.all("instance") and not ecs.cloud.store.all("securitygroup")


def test_list(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs, "one"), owner)
    create(EcsClient(ecs.region), spec(ecs, "two"), owner)
    ecs.faults(region_failure=["cn-beijing"])
    found = list_clusters([EcsClient(ecs.region), EcsClient("cn-beijing", patience=1)])
    assert [(c["name"], c["nodes"], c["roles"]) for c in found["clusters"]] == [
        ("one", 4, {"master": 1, "slave": 3}), ("two", 4, {"master": 1, "slave": 3})]
    assert [e["region"] for e in found["errors"]] == ["cn-beijing"]
    with pytest.raises(EmrError):
        list_clusters(EcsClient("cn-beijing", patience=1))


def test_a_cluster_for_one_flow_takes_and_releases_only_what_was_made_so(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs, "plain"), owner)
    for attempt in (lambda: create(EcsClient(ecs.region), spec(ecs, "plain"), owner, transient=True),
                    lambda: release(EcsClient(ecs.region), "plain", owner, transient=True)):
        with pytest.raises(Refused, match="was not made for a flow alone"):
            attempt()
        operation(EcsClient(ecs.region), "plain", owner).unlock()
    assert living(ecs, "plain") == expected("plain", master=1, slave=3)
    with pytest.raises(Refused, match="deletion_protection"):
        create(EcsClient(ecs.region), spec(ecs, "once", more="deletion_protection: true"), owner, transient=True)
    operation(EcsClient(ecs.region), "once", owner).unlock()
    assert living(ecs, "once") == []


def test_a_cluster_for_one_flow_that_was_interrupted_is_taken_up_and_released(ecs, owner):
    with pytest.raises(Killed), Owner() as first:
        create(BrittleClient(ecs.region, 5, "after"), spec(ecs, "once"), first, transient=True)
    with Owner() as second:
        create(EcsClient(ecs.region), spec(ecs, "once"), second, transient=True)
    assert living(ecs, "once") == expected("once", master=1, slave=3)
    release(EcsClient(ecs.region), "once", owner, transient=True)
    assert living(ecs, "once") == [] and left_over(ecs, "once") == []
