"""VPCs and vSwitches of the local ECS: made, waited for, used by instances, and deleted in the only order that works."""
from __future__ import annotations

import pytest

from emrctl.local.testing import api_only

from .ecs_calls import Ecs, wait_for


@pytest.fixture
def ecs(tmp_path):
    with api_only(tmp_path, visibility_delay=0.1) as local:
        yield Ecs(local)


def tagged(**more):
    return {"Tag_1_Key": "emr:cluster", "Tag_1_Value": "demo", **more}


def available(ecs, action, outer, inner, **wanted):
    """The one item of a listing, once it is Available."""
    rows = []

    def there():
        rows[:] = ecs.call(action, **wanted)[outer][inner]
        return [r["Status"] for r in rows] == ["Available"]

    wait_for(there)
    return rows[0]


def made(ecs, cidr="192.168.0.0/16"):
    vpc = ecs.call("CreateVpc", CidrBlock=cidr, VpcName="emr-demo", **tagged())["VpcId"]
    available(ecs, "DescribeVpcs", "Vpcs", "Vpc", VpcId=vpc)
    switch = ecs.call("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-i", CidrBlock="192.168.0.0/20", **tagged())["VSwitchId"]
    available(ecs, "DescribeVSwitches", "VSwitches", "VSwitch", VSwitchId=switch)
    return vpc, switch


def test_life_of_a_network(ecs):
    vpc, switch = made(ecs)
    row = available(ecs, "DescribeVSwitches", "VSwitches", "VSwitch", **tagged())
    assert (row["VSwitchId"], row["VpcId"], row["ZoneId"], row["AvailableIpAddressCount"]) == (switch, vpc, "cn-hangzhou-i", 4092)
    assert row["Tags"]["Tag"] == [{"Key": "emr:cluster", "Value": "demo"}]
    row = available(ecs, "DescribeVpcs", "Vpcs", "Vpc", **tagged())
    assert row["VpcId"] == vpc and row["VSwitchIds"]["VSwitchId"] == [switch] and not row["IsDefault"]
    group = ecs.call("CreateSecurityGroup", SecurityGroupName="mine", VpcId=vpc)["SecurityGroupId"]
    elsewhere = ecs.group()
    wanted = {"InstanceType": "ecs.c6.large", "ImageId": ecs.local.image, "VSwitchId": switch}
    assert ecs.code("RunInstances", SecurityGroupId=elsewhere, **wanted) == "InvalidSecurityGroupId.VPCMismatch"
    (one,) = ecs.call("RunInstances", SecurityGroupId=group, **wanted)["InstanceIdSets"]["InstanceIdSet"]
    wait_for(lambda: ecs.instances(Status="Running"))
    instance = ecs.instances()[0]
    assert instance["ZoneId"] == "cn-hangzhou-i" and instance["VpcAttributes"]["VpcId"] == vpc
    assert instance["VpcAttributes"]["VSwitchId"] == switch and [i["InstanceId"] for i in ecs.instances(VpcId=vpc)] == [one]
    assert ecs.code("DeleteVSwitch", VSwitchId=switch) == "DependencyViolation"
    ecs.call("DeleteInstances", InstanceId_1=one, Force="true")
    wait_for(lambda: not ecs.instances())
    assert ecs.code("DeleteVpc", VpcId=vpc) == "DependencyViolation.VSwitch"
    ecs.call("DeleteVSwitch", VSwitchId=switch)
    assert ecs.code("DeleteVpc", VpcId=vpc) == "DependencyViolation.SecurityGroup"
    ecs.call("DeleteSecurityGroup", SecurityGroupId=group)
    ecs.call("DeleteVpc", VpcId=vpc)
    assert ecs.code("DeleteVpc", VpcId=vpc) == "InvalidVpcId.NotFound" and ecs.code("DeleteVSwitch", VSwitchId=switch) == "InvalidVSwitchId.NotFound"


def test_what_is_refused(ecs):
    vpc, _ = made(ecs)
    first = ecs.call("CreateVpc", CidrBlock="10.0.0.0/8", ClientToken="a")["VpcId"]
    assert ecs.code("CreateVSwitch", VpcId=first, ZoneId="cn-hangzhou-h", CidrBlock="10.0.0.0/24") == "IncorrectVpcStatus"
    assert ecs.call("CreateVpc", CidrBlock="10.0.0.0/8", ClientToken="a")["VpcId"] == first
    assert ecs.code("CreateVpc", CidrBlock="10.0.0.0/16", ClientToken="a") == "IdempotentParameterMismatch"
    for cidr in ("8.8.8.0/24", "10.0.0.0/29", "10.0.0.1/8", "x"):
        assert ecs.code("CreateVpc", CidrBlock=cidr).startswith("InvalidCidrBlock"), cidr
    assert ecs.code("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-h", CidrBlock="192.168.8.0/24") == "InvalidCidrBlock.Overlapped"
    assert ecs.code("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-h", CidrBlock="10.8.0.0/24").startswith("InvalidCidrBlock")
    assert ecs.code("CreateVSwitch", VpcId=vpc, ZoneId="cn-hangzhou-x", CidrBlock="192.168.16.0/24") == "InvalidZoneId.NotFound"
    assert ecs.code("CreateSecurityGroup", VpcId="vpc-none") == "InvalidVpcId.NotFound"
    for number in range(8):
        ecs.call("CreateVpc", VpcName=f"other-{number}")
    assert ecs.code("CreateVpc") == "QuotaExceeded.Vpc"
    assert ecs.code("DeleteVpc", VpcId="vpc-local-cn-hangzhou") == "DependencyViolation.VSwitch"


def test_the_default_network_can_be_missing(ecs):
    assert len(ecs.call("DescribeVSwitches")["VSwitches"]["VSwitch"]) == 3
    ecs.local.faults(no_default_vpc=["cn-hangzhou"])
    assert ecs.call("DescribeVSwitches")["VSwitches"]["VSwitch"] == [] == ecs.call("DescribeVpcs")["Vpcs"]["Vpc"]
    assert ecs.code("CreateSecurityGroup", VpcId="vpc-local-cn-hangzhou") == "InvalidVpcId.NotFound"
