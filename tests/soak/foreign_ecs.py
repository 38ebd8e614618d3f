"""Alibaba Cloud's own classic SDK (aliyun-python-sdk-ecs, signatures of version 1) buys, finds and releases instances.

Runs in an environment of its own, see test_foreign_clients.py; prints what it saw as JSON.
"""
import json
import os
import time

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkecs.request.v20140526 import (
    CreateSecurityGroupRequest,
    DeleteInstancesRequest,
    DescribeAvailableResourceRequest,
    DescribeDisksRequest,
    DescribeInstancesRequest,
    DescribeInstanceStatusRequest,
    DescribeInstanceTypesRequest,
    ListTagResourcesRequest,
    RunInstancesRequest,
    StopInstancesRequest,
)

VALUE = "{{ hostile }}\n控制"
client = AcsClient(os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
                   "cn-hangzhou", auto_retry=False)


def call(module, **values):
    """Answer of an action; values go through the request's own setters."""
    request = getattr(module, module.__name__.rpartition(".")[2])()
    for name, value in values.items():
        getattr(request, f"set_{name}")(value)
    request.set_endpoint(os.environ["ALIBABA_CLOUD_ECS_ENDPOINT"].removeprefix("http://"))
    request.set_protocol_type("http")
    return json.loads(client.do_action_with_exception(request))


def until_running(count):
    """Instances by tag once all of them run, at most 30 seconds later."""
    end, rows = time.monotonic() + 30, []
    while time.monotonic() < end and [r["Status"] for r in rows] != ["Running"] * count:
        rows = call(DescribeInstancesRequest, MaxResults=100, Tags=[{"Key": "emr:cluster", "Value": VALUE}]
                    )["Instances"]["Instance"]
        time.sleep(0.05)
    return rows


def main():
    group = call(CreateSecurityGroupRequest, SecurityGroupName="classic")["SecurityGroupId"]
    wanted = {"InstanceType": "ecs.c6.large", "ImageId": os.environ["IMAGE"], "VSwitchId": os.environ["VSWITCH"],
              "SecurityGroupId": group, "Amount": 3, "InstanceName": "classic-[001,3]", "HostName": "classic-[001,3]",
              "DataDisks": [{"Size": 20, "Category": "cloud_essd"}], "Tags": [{"Key": "emr:cluster", "Value": VALUE}]}
    try:
        call(RunInstancesRequest, DryRun=True, **wanted)
        dry = "OK"
    except ServerException as error:
        dry = error.get_error_code()
    ids = call(RunInstancesRequest, ClientToken="classic", **wanted)["InstanceIdSets"]["InstanceIdSet"]
    again = call(RunInstancesRequest, ClientToken="classic", **wanted)["InstanceIdSets"]["InstanceIdSet"]
    rows = until_running(3)
    disks = call(DescribeDisksRequest, InstanceId=ids[0], DiskType="data")["Disks"]["Disk"]
    kinds = call(DescribeInstanceTypesRequest, InstanceTypess=["ecs.g6.large"])["InstanceTypes"]["InstanceType"]
    zones = call(DescribeAvailableResourceRequest, DestinationResource="InstanceType")["AvailableZones"]["AvailableZone"]
    tags = call(ListTagResourcesRequest, ResourceType="instance", ResourceIds=ids)["TagResources"]["TagResource"]
    stopped = call(StopInstancesRequest, InstanceIds=ids[:1])["InstanceResponses"]["InstanceResponse"]
    states = call(DescribeInstanceStatusRequest, InstanceIds=ids)["InstanceStatuses"]["InstanceStatus"]
    call(DeleteInstancesRequest, InstanceIds=ids, Force=True)
    print(json.dumps({
        "dry": dry, "same": ids == again, "names": [r["InstanceName"] for r in rows],
        "value": rows[0]["Tags"]["Tag"][0]["TagValue"], "disks": [d["Size"] for d in disks],
        "kinds": [(k["CpuCoreCount"], k["MemorySize"]) for k in kinds], "zones": len(zones), "tags": len(tags),
        "stopped": stopped[0]["Code"], "states": len(states)}))


main()
