"""The local ECS answers the official core SDK as the cloud does."""
from __future__ import annotations

import json

import pytest

from emrctl.local.testing import api_only

from .ecs_calls import PUBLIC_KEY, Ecs, wait_for


@pytest.fixture
def ecs(tmp_path):
    with api_only(tmp_path) as local:
        yield Ecs(local)


def running(ecs, ids):
    rows = ecs.instances(InstanceIds=json.dumps(ids))
    return rows if len(rows) == len(ids) and all(r["Status"] == "Running" for r in rows) else None


def test_run_and_describe(ecs):
    ecs.call("ImportKeyPair", KeyPairName="emr-login-1", PublicKeyBody=PUBLIC_KEY)
    group = ecs.group()
    ids = ecs.run(group, Amount=3, InstanceName="sales-slave-[001,3]", HostName="sales-slave-[001,3]",
                  KeyPairName="emr-login-1", Tag_1_Key="emr:cluster", Tag_1_Value="sales", DataDisk_1_Size=100,
                  DataDisk_1_Category="cloud_essd", DataDisk_2_Size=100, DataDisk_2_Category="cloud_essd")
    assert len(set(ids)) == 3 and all(i.startswith("i-") and len(i) == 22 for i in ids)
    rows = wait_for(lambda: running(ecs, ids))
    assert [r["InstanceName"] for r in rows] == ["sales-slave-001", "sales-slave-002", "sales-slave-003"]
    first = rows[0]
    assert first["HostName"] == "sales-slave-001" and first["Memory"] == 4096 and first["Cpu"] == 2
    assert first["Tags"]["Tag"] == [{"TagKey": "emr:cluster", "TagValue": "sales"}]
    assert first["SecurityGroupIds"]["SecurityGroupId"] == [group]
    assert len({r["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0] for r in rows}) == 3
    disks = ecs.call("DescribeDisks", InstanceId=ids[0])["Disks"]["Disk"]
    assert [d["Type"] for d in disks] == ["system", "data", "data"]
    assert len({d["SerialNumber"] for d in disks}) == 3


def test_new_instances_are_seen_late(tmp_path):
    with api_only(tmp_path, visibility_delay=600) as local:
        ecs = Ecs(local)
        group = ecs.group()
        late = ecs.run(group)
        local.faults(visibility_delay=0.1)
        soon = ecs.run(group)
        assert wait_for(lambda: ecs.instances(InstanceIds=json.dumps(soon)))
        assert [i["InstanceId"] for i in ecs.instances()] == soon
        assert ecs.code("DeleteInstances", InstanceId_1=late[0]) == "InvalidInstanceId.NotFound"


def test_client_token_buys_once(ecs):
    group = ecs.group()
    first = ecs.run(group, ClientToken="t1", Amount=2)
    assert ecs.run(group, ClientToken="t1", Amount=2) == first
    assert ecs.code("RunInstances", InstanceType="ecs.c6.large", ImageId=ecs.local.image, Amount=3,
                    VSwitchId=ecs.local.vswitch, SecurityGroupId=group, ClientToken="t1") \
        == "IdempotentParameterMismatch"
    wait_for(lambda: len(ecs.instances()) == 2)


def test_state_survives_a_restart(tmp_path):
    with api_only(tmp_path) as local:
        ecs = Ecs(local)
        group = ecs.group()
        ids = ecs.run(group, ClientToken="t1")
        wait_for(lambda: running(ecs, ids))
    with api_only(tmp_path) as local:
        ecs = Ecs(local)
        assert running(ecs, ids)
        assert ecs.run(group, ClientToken="t1") == ids


def test_power_and_release(ecs):
    group = ecs.group()
    ids = ecs.run(group, Amount=2)
    wait_for(lambda: running(ecs, ids))
    assert ecs.code("DeleteInstances", InstanceId_1=ids[0]) == "IncorrectInstanceStatus"
    rows = ecs.call("StopInstances", InstanceId_1=ids[0], InstanceId_2="i-unknown")
    codes = [r["Code"] for r in rows["InstanceResponses"]["InstanceResponse"]]
    assert codes == ["200", "InvalidInstanceId.NotFound"]
    wait_for(lambda: ecs.instances(Status="Stopped"))
    ecs.call("StartInstance", InstanceId=ids[0])
    wait_for(lambda: running(ecs, ids))
    ecs.call("ModifyInstanceAttribute", InstanceId=ids[0], DeletionProtection="true")
    assert ecs.code("DeleteInstances", InstanceId_1=ids[0], InstanceId_2=ids[1], Force="true") \
        == "InvalidOperation.DeletionProtection"
    assert ecs.code("DeleteSecurityGroup", SecurityGroupId=group) == "DependencyViolation"
    ecs.call("ModifyInstanceAttribute", InstanceId=ids[0], DeletionProtection="false")
    ecs.call("DeleteInstances", InstanceId_1=ids[0], InstanceId_2=ids[1], Force="true")
    wait_for(lambda: ecs.instances() == [])
    ecs.call("DeleteSecurityGroup", SecurityGroupId=group)


def test_key_pairs_are_unique_by_name(ecs):
    ecs.call("ImportKeyPair", KeyPairName="emr-lock-sales", PublicKeyBody=PUBLIC_KEY, Tag_1_Key="emr:owner",
             Tag_1_Value="me")
    assert ecs.code("ImportKeyPair", KeyPairName="emr-lock-sales", PublicKeyBody=PUBLIC_KEY) \
        == "KeyPair.AlreadyExist"
    ecs.call("TagResources", ResourceType="keypair", ResourceId_1="emr-lock-sales", Tag_1_Key="emr:owner",
             Tag_1_Value="you")
    found = wait_for(lambda: ecs.call("DescribeKeyPairs", Tag_1_Key="emr:owner",
                                      Tag_1_Value="you")["KeyPairs"]["KeyPair"])
    assert found[0]["KeyPairName"] == "emr-lock-sales"
    ecs.call("DeleteKeyPairs", KeyPairNames='["emr-lock-sales"]')
    assert ecs.call("DescribeKeyPairs")["KeyPairs"]["KeyPair"] == []


def test_prices_and_types(ecs):
    price = ecs.call("DescribePrice", InstanceType="ecs.c6.large", SystemDisk_Size=40,
                     DataDisk_1_Size=100, DataDisk_1_Category="cloud_essd", Amount=4)["PriceInfo"]["Price"]
    assert price["Currency"] == "CNY" and price["TradePrice"] > 1
    types = ecs.call("DescribeInstanceTypes", InstanceTypes_1="ecs.g6.large")["InstanceTypes"]["InstanceType"]
    assert [(t["CpuCoreCount"], t["MemorySize"]) for t in types] == [(2, 8)]
