"""Every filter of DescribeInstances, alone and under changes, in small and large accounts."""
from __future__ import annotations

import json
import threading
import time

import pytest

from emrctl.local.seed import HOSTILE
from emrctl.local.testing import api_only

from .ecs_calls import PUBLIC_KEY, Ecs, wait_for


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    """Two instances that differ in everything that a filter asks for."""
    with api_only(tmp_path_factory.mktemp("ecs")) as local:
        ecs = Ecs(local)
        ecs.call("ImportKeyPair", KeyPairName="login", PublicKeyBody=PUBLIC_KEY)
        one, two = ecs.group("one"), ecs.group("two")
        ecs.run(one, InstanceName="plain")
        ecs.run(two, InstanceName="special-1", InstanceType="ecs.g6.large", KeyPairName="login", HttpTokens="required",
                HttpEndpoint="disabled", ResourceGroupId="rg-1", InternetMaxBandwidthOut=5, Tag_1_Key="a", Tag_1_Value="1",
                Tag_2_Key="b", Tag_2_Value="", SpotStrategy="SpotAsPriceGo")
        rows = wait_for(lambda: running(ecs, 2))
        ecs.call("StopInstances", InstanceId_1=rows[1]["InstanceId"])
        wait_for(lambda: ecs.instances(Status="Stopped"))
        yield ecs, {row["InstanceName"]: row for row in ecs.instances()}


def running(ecs, count):
    rows = ecs.instances(Status="Running")
    return rows if len(rows) == count else None


@pytest.mark.parametrize("filters, found", [
    ({}, 2), ({"InstanceName": "special-1"}, 1), ({"InstanceName": "spec*"}, 1), ({"InstanceName": "spec"}, 0),
    ({"InstanceType": "ecs.g6.large"}, 1), ({"InstanceTypeFamily": "ecs.g6"}, 1), ({"KeyPairName": "login"}, 1),
    ({"Status": "Stopped"}, 1), ({"Status": "Pending"}, 0), ({"HttpTokens": "required"}, 1),
    ({"HttpEndpoint": "disabled"}, 1), ({"ResourceGroupId": "rg-1"}, 1), ({"ZoneId": "cn-hangzhou-h"}, 2),
    ({"ZoneId": "cn-hangzhou-i"}, 0), ({"VpcId": "vpc-local-cn-hangzhou"}, 2), ({"VpcId": "vpc-x"}, 0),
    ({"InstanceChargeType": "PrePaid"}, 0), ({"InstanceChargeType": "PostPaid"}, 2), ({"IoOptimized": "true"}, 2),
    ({"InstanceNetworkType": "classic"}, 0), ({"InstanceNetworkType": "vpc"}, 2), ({"DeviceAvailable": "false"}, 0),
    ({"InternetChargeType": "PayByTraffic"}, 2), ({"EipAddresses": '["1.2.3.4"]'}, 0), ({"LockReason": "Recycling"}, 0),
    ({"RdmaIpAddresses": '["1.2.3.4"]'}, 0), ({"InnerIpAddresses": '["1.2.3.4"]'}, 0), ({"HpcClusterId": "hpc-1"}, 0),
    ({"Tag_1_Key": "a"}, 1), ({"Tag_1_Key": "a", "Tag_1_Value": "2"}, 0), ({"Tag_1_Key": "b", "Tag_2_Key": "a"}, 1),
    ({"Filter_1_Key": "CreationStartTime", "Filter_1_Value": "2020-01-01T00:00Z"}, 2),
    ({"Filter_2_Key": "CreationEndTime", "Filter_2_Value": "2020-01-01T00:00Z"}, 0),
    ({"Filter_3_Key": "ExpiredStartTime", "Filter_3_Value": "2099-01-01T00:00:00Z"}, 2),
    ({"Filter_4_Key": "ExpiredEndTime", "Filter_4_Value": "2099-01-01T00:00:00Z"}, 0),
])
def test_filter(account, filters, found):
    ecs, _ = account
    assert len(ecs.instances(**filters)) == found


def test_filters_by_what_an_instance_has(account):
    ecs, rows = account
    row = rows["special-1"]
    for name, value in (("InstanceIds", [row["InstanceId"]]),
                        ("PrivateIpAddresses", row["VpcAttributes"]["PrivateIpAddress"]["IpAddress"]),
                        ("PublicIpAddresses", row["PublicIpAddress"]["IpAddress"])):
        assert [r["InstanceName"] for r in ecs.instances(**{name: json.dumps(value)})] == ["special-1"], name
    group = row["SecurityGroupIds"]["SecurityGroupId"][0]
    assert [r["InstanceName"] for r in ecs.instances(SecurityGroupId=group)] == ["special-1"]


@pytest.mark.parametrize("filters, code", [
    ({"Status": "running"}, "InvalidStatus.ValueNotSupported"), ({"HttpTokens": "x"}, "InvalidHttpTokens.ValueNotSupported"),
    ({"Filter_1_Key": "Colour", "Filter_1_Value": "x"}, "InvalidFilter"), ({"DeviceAvailable": "maybe"}, "InvalidDeviceAvailable"),
    ({"Filter_1_Key": "CreationStartTime", "Filter_1_Value": "yesterday"}, "InvalidFilter"),
    ({"PrivateIpAddresses": "10.0.0.1"}, "InvalidParameter"), ({"MaxResults": 101}, "InvalidMaxResults"),
    ({"Filter_5_Key": "CreationStartTime"}, "InvalidParameter"),
])
def test_wrong_filter(account, filters, code):
    assert account[0].code("DescribeInstances", **filters) == code


def pages(ecs, **params):
    """All instances by token, with the number of calls."""
    rows, token, calls = [], "", 0
    while calls == 0 or token:
        answer = ecs.call("DescribeInstances", MaxResults=100, **params, **({"NextToken": token} if token else {}))
        rows += answer["Instances"]["Instance"]
        token, calls = answer["NextToken"], calls + 1
    return rows, calls


def test_remembered_results_follow_every_change(tmp_path):
    with api_only(tmp_path, visibility_delay=0) as local:
        ecs = Ecs(local)
        group = ecs.group()
        (one,) = ecs.run(group, Tag_1_Key="k", Tag_1_Value="v")
        wait_for(lambda: running(ecs, 1))

        def found(value):
            return [r["InstanceId"] for r in ecs.instances(Tag_1_Key="k", Tag_1_Value=value)]
        assert found("v") == [one] and found("w") == []
        ecs.call("TagResources", ResourceType="instance", ResourceId_1=one, Tag_1_Key="k", Tag_1_Value="w")
        assert found("v") == [] and found("w") == [one]
        local.faults(visibility_delay=3)  # longer than two calls take on a busy machine
        ecs.call("TagResources", ResourceType="instance", ResourceId_1=one, Tag_1_Key="k", Tag_1_Value="v")
        assert found("w") == [one] and found("v") == []
        wait_for(lambda: found("v") == [one] and found("w") == [])
        ecs.call("DeleteInstances", InstanceId_1=one, Force="true")
        wait_for(lambda: ecs.instances() == [])


def test_seeded_account_with_hostile_tags(tmp_path):
    with api_only(tmp_path) as local:
        assert local.seed(300, regions=2, foreign=40, claims=3)["nodes"] == 300
        ecs = Ecs(local)
        rows, calls = pages(ecs, Tag_1_Key="emr:cluster")
        # 150 of 300 nodes, and two of the three that claim to be nodes
        assert (len(rows), calls) == (152, 2)
        masters = ecs.instances(Tag_1_Key="emr:role", Tag_1_Value="master")
        assert [m["InstanceName"] for m in masters] == ["bench-10001-master-001", "bench-10002-master-001"]
        tags = {(t["TagKey"], t["TagValue"]) for r in pages(ecs)[0] for t in r["Tags"]["Tag"]}
        assert set(HOSTILE) <= tags
    with api_only(tmp_path) as local:  # what was seeded is running after a restart as well
        assert {r["Status"] for r in pages(Ecs(local))[0]} == {"Running"}


def test_calls_wait_at_the_same_time(tmp_path):
    with api_only(tmp_path, latency=0.5) as local:
        threads = [threading.Thread(target=Ecs(local).call, args=("DescribeInstances",)) for _ in range(16)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 0.5 * 16 / 2


def test_spot_price_history(account):
    ecs, _ = account

    def history(**params):
        return ecs.call("DescribeSpotPriceHistory", InstanceType="ecs.g7.xlarge", NetworkType="vpc", **params)
    rows = history(ZoneId="cn-hangzhou-i")["SpotPrices"]["SpotPriceType"]
    assert len(rows) == 3 and rows == history(ZoneId="cn-hangzhou-i")["SpotPrices"]["SpotPriceType"]
    price = ecs.call("DescribePrice", InstanceType="ecs.g7.xlarge", ZoneId="cn-hangzhou-i", SpotStrategy="SpotAsPriceGo",
                     SystemDisk_Size=40)["PriceInfo"]["Price"]["DetailInfos"]["DetailInfo"][0]["TradePrice"]
    assert price == pytest.approx(rows[-1]["SpotPrice"]) and price < rows[-1]["OriginPrice"]
    ask = {"StartTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 29 * 86400)), "NetworkType": "vpc"}
    first = history(StartTime=ask["StartTime"])
    rest = history(StartTime=ask["StartTime"], Offset=first["NextOffset"])
    assert len(first["SpotPrices"]["SpotPriceType"]) == first["NextOffset"] == 1000
    more = history(StartTime=ask["StartTime"], Offset=rest["NextOffset"])
    rows = [r for answer in (first, rest, more) for r in answer["SpotPrices"]["SpotPriceType"]]
    assert more["NextOffset"] == 0 and len({(r["ZoneId"], r["Timestamp"]) for r in rows}) == 3 * 29 * 24
    assert len({r["SpotPrice"] for r in rows}) > 500 and all(0 < r["SpotPrice"] < r["OriginPrice"] for r in rows)
    assert ecs.code("DescribeSpotPriceHistory", InstanceType="ecs.g7.xlarge", NetworkType="vpc",
                    StartTime="2020-01-01T00:00:00Z") == "InvalidStartTime"


@pytest.mark.parametrize("filters, found", [
    ({}, 2), ({"DiskType": "data"}, 0), ({"DiskType": "system"}, 2), ({"Category": "cloud_essd"}, 0), ({"Status": "In_use"}, 2),
    ({"Status": "Available"}, 0), ({"Encrypted": "true"}, 0), ({"Portable": "true"}, 0), ({"Portable": "false"}, 2),
    ({"DeleteWithInstance": "true"}, 2), ({"DiskChargeType": "PrePaid"}, 0), ({"DiskName": "x*"}, 0), ({"DiskName": "*"}, 2),
    ({"InstanceId": "i-unknown"}, 0), ({"MaxResults": 10}, 2),
])
def test_disk_filter(account, filters, found):
    ecs, rows = account
    assert len(ecs.call("DescribeDisks", **filters)["Disks"]["Disk"]) == found
    one = rows["plain"]["InstanceId"]
    assert len(ecs.call("DescribeDisks", InstanceId=one, **{k: v for k, v in filters.items() if k != "InstanceId"})
               ["Disks"]["Disk"]) == (found or 2 * (filters == {"InstanceId": "i-unknown"})) // 2
