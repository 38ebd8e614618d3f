"""A cluster with a VPC and a vSwitch of its own: planned, made once whatever is interrupted, and released with it."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.finder import list_clusters
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.operation import Unconfirmed
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs import vpc
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient, EcsError
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from emrctl.local.testing import api_only
from tests.integration.cloudbed import (
    BrittleClient,
    Killed,
    Owner,
    create,
    expected,
    left_over,
    living,
    networks,
    operation,
    release,
    release_killed_at_every_call,
    spec,
)

pytestmark = pytest.mark.usefixtures("no_hosts")
OWN = "network: {create: true, ssh_from: 10.0.0.1/32}"


@pytest.fixture
def ecs(monkeypatch, tmp_path):
    with api_only(tmp_path / "ecs", visibility_delay=[0.05, 0.2]) as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        yield local


def wanted(ecs, **changes):
    return spec(ecs, **{"network": OWN, "slave": "  slave: {count: 2, instance_types: [ecs.c6.large]}", **changes})


def test_it_is_planned_made_and_released(ecs, owner):
    client = EcsClient(ecs.region)
    plan, _ = operation(client, "demo", owner).plan(wanted(ecs))
    assert plan.changes == [f"make VPC 192.168.0.0/16 with vSwitch 192.168.0.0/20 in {ecs.zone}, for this cluster alone"]
    assert plan.to_dict()["network"] == {"vpc_id": "", "vpc_cidr": "192.168.0.0/16", "vswitch_id": "", "vswitch_cidr": "192.168.0.0/20"}
    assert networks(ecs) == [[], []] and not plan.empty
    run, (found, _, _, _) = create(client, wanted(ecs), owner)
    assert living(ecs, "demo") == expected("demo", master=1, slave=2)
    (vpc_id,), (switch,) = networks(ecs)
    assert {(i["VpcAttributes"]["VpcId"], i["VpcAttributes"]["VSwitchId"]) for i in found.instances} == {(vpc_id, switch)}
    assert found.anchor.vpc_id == vpc_id and found.anchor.own_network
    assert any(f"made VPC {vpc_id}" in e for e in run.events) and any(f"made vSwitch {switch}" in e for e in run.events)
    for kind in ("vpc", "vswitch"):
        assert ecs.cloud.store.all(kind)[0]["tags"] == {"emr:cluster": "demo", "emr:network": "created"}
    again, _ = operation(client, "demo", owner).plan(wanted(ecs))
    assert again.empty and not again.network
    more, _ = operation(client, "demo", owner).plan(wanted(ecs, slave="  slave: {count: 3, instance_types: [ecs.c6.large]}"))
    assert more.network["vswitch_id"] == switch and more.changes == []
    create(client, wanted(ecs, slave="  slave: {count: 3, instance_types: [ecs.c6.large]}"), owner)
    assert len(living(ecs, "demo")) == 4 and networks(ecs) == [[vpc_id], [switch]]
    with pytest.raises(Unconfirmed) as asked:
        release(client, "demo", owner, confirm="")
    assert asked.value.plan["networks"] == [vpc_id, switch]
    operation(client, "demo", owner).unlock()
    run, (_, counts) = release(client, "demo", owner)
    assert counts == {"instances": 4, "key_pair": True, "security_group": True, "network": True}
    assert networks(ecs) == [[], []] and left_over(ecs, "demo") == [] and list_clusters(client)["clusters"] == []
    run, (plan, _) = release(client, "demo", owner)
    assert plan["empty"] and not run.changed


@pytest.mark.parametrize("moment", ["before", "after"])
def test_create_killed_at_every_call_makes_no_second_network(ecs, moment):
    """Up to the security group; what comes after is the same with any vSwitch (test_purchase)."""
    with Owner() as owner:
        for number in range(2, 8):
            with Owner() as first:
                try:
                    create(client := BrittleClient(ecs.region, number, moment), wanted(ecs), first)
                    raise AssertionError("not killed")
                except Killed as death:
                    killed = f"killed {moment} call {number}, {death}"
            _, (found, _, _, _) = create(EcsClient(ecs.region), wanted(ecs), owner)
            vpcs, switches = networks(ecs)
            assert (len(vpcs), len(switches)) == (1, 1), killed
            assert living(ecs, "demo") == expected("demo", master=1, slave=2), killed
            assert {i["VpcAttributes"]["VSwitchId"] for i in found.instances} == set(switches), killed
            release(EcsClient(ecs.region), "demo", owner)
            assert networks(ecs) == [[], []] and left_over(ecs, "demo") == [], killed
    assert {"CreateVpc", "CreateVSwitch", "CreateSecurityGroup"} <= set(client.log), client.log


@pytest.mark.parametrize("moment", ["before", "after"])
def test_release_killed_at_every_call_can_be_rerun(ecs, owner, moment):
    assert release_killed_at_every_call(ecs, owner, wanted(ecs), moment, first=4) > 5


@pytest.mark.parametrize("calls", [["CreateVpc"], ["CreateVpc", "CreateVSwitch"]], ids=len)
def test_what_an_interrupted_create_left_is_listed_and_released(ecs, owner, calls):
    client = BrittleClient(ecs.region)
    send = client.send

    def dies(action, flat):
        answer = send(action, flat)
        if action == calls[-1]:
            raise Killed
        return answer

    client.send = dies
    with Owner() as first, pytest.raises(Killed):
        create(client, wanted(ecs), first)
    assert [len(found) for found in networks(ecs)] == [1, len(calls) - 1]
    client = EcsClient(ecs.region)
    while not vpc.find_made(client, "demo"):
        pass
    (row,) = list_clusters(client)["clusters"]
    assert (row["name"], row["nodes"], row["complete"]) == ("demo", 0, False)
    release(client, "demo", owner)
    assert networks(ecs) == [[], []] and list_clusters(client)["clusters"] == []


def test_of_two_that_nobody_could_see_one_stays(ecs, owner):
    """A VPC that a killed run made shows only after the next run has made another."""
    with Owner() as first, pytest.raises(Killed):
        create(BrittleClient(ecs.region, 3, "after"), wanted(ecs), first)
    ((hidden,), _) = networks(ecs)
    client = EcsClient(ecs.region)
    send = client.send

    def seen_at(moment):
        with ecs.cloud.store.transaction() as tx:
            tx.edit("vpc", hidden)["visible_at"] = moment

    def shows_after_the_second(action, flat):
        answer = send(action, flat)
        if action == "CreateVpc":
            seen_at(0)
        return answer

    seen_at(1e12)
    client.send = shows_after_the_second
    run = operation(client, "demo", owner)
    run.take_lock()
    run.present(wanted(ecs))
    run.unlock()
    vpcs, switches = networks(ecs)
    assert (len(vpcs), len(switches)) == (1, 1) and len(living(ecs, "demo")) == 3


def test_what_is_not_the_clusters_is_never_deleted(ecs, owner):
    client = EcsClient(ecs.region)
    create(client, wanted(ecs), owner)
    (mine,), _ = networks(ecs)
    other = client.call("CreateVSwitch", VpcId=mine, ZoneId=ecs.zone, CidrBlock="192.168.64.0/24")["VSwitchId"]
    while other not in [v["VSwitchId"] for v in client.items("DescribeVSwitches", VpcId=mine) if v["Status"] == "Available"]:
        pass
    foreign = client.call("CreateVpc", CidrBlock="10.0.0.0/8", Tag=[{"Key": "emr:cluster", "Value": "demo"}])["VpcId"]
    with pytest.raises(EmrError, match=f"{mine} was made for cluster 'demo' and stays.*{other}"):
        release(client, "demo", owner)
    operation(client, "demo", owner).unlock()
    assert living(ecs, "demo") == [] and left_over(ecs, "demo") == []
    client.call("DeleteVSwitch", VSwitchId=other)
    release(client, "demo", owner)
    assert networks(ecs) == [[foreign], []]


def test_dependencies_that_vanish_late_are_waited_for(ecs, owner):
    client = EcsClient(ecs.region)
    create(client, wanted(ecs), owner)
    ecs.faults(errors=[{"action": "DeleteVSwitch", "code": "DependencyViolation", "times": 2},
                       {"action": "DeleteVpc", "code": "DependencyViolation.SecurityGroup", "times": 1}])
    release(client, "demo", owner)
    assert networks(ecs) == [[], []]


def test_something_else_in_the_way_is_named(ecs, owner, monkeypatch):
    monkeypatch.setattr(vpc, "GONE_LIMIT", 0.5)
    client = EcsClient(ecs.region)
    create(client, wanted(ecs), owner)
    (mine,), _ = networks(ecs)
    group = client.call("CreateSecurityGroup", VpcId=mine, SecurityGroupName="theirs")["SecurityGroupId"]
    with pytest.raises(EmrError, match=f"{mine} cannot be deleted") as caught:
        release(client, "demo", owner)
    assert "run release again" in caught.value.remedy
    operation(client, "demo", owner).unlock()
    client.call("DeleteSecurityGroup", SecurityGroupId=group)
    release(client, "demo", owner)
    assert networks(ecs) == [[], []]


def test_refusals(ecs, owner):
    client = EcsClient(ecs.region)
    for number in range(10):
        client.call("CreateVpc", VpcName=f"other-{number}")
    with pytest.raises(EmrError, match="A VPC cannot be made.*quota") as caught:
        create(client, wanted(ecs), owner)
    assert "vswitch_id" in caught.value.remedy and living(ecs, "demo") == [] == left_over(ecs, "demo")[:-1]
    operation(client, "demo", owner).unlock()
    for row in ecs.cloud.store.all("vpc"):
        client.call("DeleteVpc", VpcId=row["id"])
    create(client, spec(ecs, name="given", network=f"network: {{vswitch_id: {ecs.vswitch}, access: bastion, ssh_from: 10.0.0.1/32}}"), owner)
    with pytest.raises(Refused, match="is in vpc-local-cn-hangzhou, which was not made for it"):
        operation(client, "given", owner).plan(wanted(ecs, name="given", slave="  slave: {count: 9, instance_types: [ecs.c6.large]}"))
    create(client, wanted(ecs, name="own"), owner)
    with pytest.raises(Refused, match="Cluster 'own' is in"):
        operation(client, "own", owner).plan(spec(ecs, name="own", network=f"network: {{vswitch_id: {ecs.vswitch}, access: bastion, ssh_from: 10.0.0.1/32}}", slave="  slave: {count: 9, instance_types: [ecs.c6.large]}"))
    tiny = OWN.replace("create: true", "create: true, vpc_cidr: 10.0.0.0/28")
    create(client, wanted(ecs, name="tiny", network=tiny), owner)
    with pytest.raises(Refused, match="has 9 free addresses, 10 are needed"):
        operation(client, "tiny", owner).plan(wanted(ecs, name="tiny", network=OWN, slave="  slave: {count: 12, instance_types: [ecs.c6.large]}"))


def test_without_the_permission_for_vpcs(ecs, owner):
    """A key of before there were such networks goes on as it did; one that may not make them is told the line."""
    client = EcsClient(ecs.region)
    create(client, spec(ecs, name="given"), owner)
    ecs.faults(denied=["DescribeVpcs", "CreateVpc", "DeleteVpc"])
    assert [c["name"] for c in list_clusters(client)["clusters"]] == ["given"]
    release(client, "given", owner)
    with pytest.raises(EcsError, match='Add "vpc:DescribeVpcs"'):
        operation(client, "demo", owner).plan(wanted(ecs))
    ecs.faults(denied=[])
    create(client, wanted(ecs), owner)
    ecs.faults(denied=["DescribeVpcs"])
    with pytest.raises(EcsError, match="DescribeVpcs"):
        release(client, "demo", owner)
    assert len(living(ecs, "demo")) == 3, "nothing is deleted when the rest could not be found any more"


@pytest.mark.parametrize("endpoint, expected_host", [
    ("ecs.cn-hangzhou.aliyuncs.com", "vpc.cn-hangzhou.aliyuncs.com"), ("https://ecs-vpc.cn-hangzhou.aliyuncs.com", "vpc-vpc.cn-hangzhou.aliyuncs.com"),
    ("ecs-cn-hangzhou.aliyuncs.com", "vpc.cn-hangzhou.aliyuncs.com"), ("http://127.0.0.1:7788", "http://127.0.0.1:7788"),
    ("gateway.example.com:8443", "gateway.example.com:8443")])
def test_where_the_vpc_api_answers(monkeypatch, endpoint, expected_host):
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import Credentials

    monkeypatch.delenv("ALIBABA_CLOUD_VPC_ENDPOINT", raising=False)
    assert EcsClient("cn-hangzhou", Credentials("a", "b"), endpoint).vpc_endpoint == expected_host
    monkeypatch.setenv("ALIBABA_CLOUD_VPC_ENDPOINT", "vpc.example.com")
    assert EcsClient("cn-hangzhou", Credentials("a", "b"), endpoint).vpc_endpoint == "vpc.example.com"
