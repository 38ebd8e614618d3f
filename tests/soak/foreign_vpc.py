"""Alibaba Cloud's own classic SDK for VPC (aliyun-python-sdk-vpc) makes, finds and deletes a network.

Runs in an environment of its own, see test_foreign_clients.py; prints what it saw as JSON.
"""
import json
import os
import time

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkvpc.request.v20160428 import (
    CreateVpcRequest,
    CreateVSwitchRequest,
    DeleteVpcRequest,
    DeleteVSwitchRequest,
    DescribeVpcsRequest,
    DescribeVSwitchesRequest,
)

TAGS = [{"Key": "emr:cluster", "Value": "{{ hostile }}\n控制"}]
client = AcsClient(os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"], "cn-hangzhou", auto_retry=False)


def call(module, **values):
    """Answer of an action; values go through the request's own setters."""
    request = getattr(module, module.__name__.rpartition(".")[2])()
    for name, value in values.items():
        getattr(request, f"set_{name}")(value)
    request.set_endpoint(os.environ["ALIBABA_CLOUD_ECS_ENDPOINT"].removeprefix("http://"))
    request.set_protocol_type("http")
    return json.loads(client.do_action_with_exception(request))


def available(module, outer, inner, **wanted):
    """The rows of a listing once all of them, at least one, are Available; at most 30 seconds later."""
    end, rows = time.monotonic() + 30, []
    while time.monotonic() < end and {r["Status"] for r in rows} != {"Available"}:
        rows = call(module, **wanted)[outer][inner]
        time.sleep(0.05)
    return rows


def main():
    vpc = call(CreateVpcRequest, CidrBlock="10.8.0.0/16", VpcName="classic", ClientToken="v", Tags=TAGS)["VpcId"]
    same = call(CreateVpcRequest, CidrBlock="10.8.0.0/16", VpcName="classic", ClientToken="v", Tags=TAGS)["VpcId"] == vpc
    found = available(DescribeVpcsRequest, "Vpcs", "Vpc", Tags=TAGS)
    switch = call(CreateVSwitchRequest, VpcId=vpc, ZoneId="cn-hangzhou-h", CidrBlock="10.8.0.0/20", Tags=TAGS)["VSwitchId"]
    rows = available(DescribeVSwitchesRequest, "VSwitches", "VSwitch", VpcId=vpc)
    try:
        call(DeleteVpcRequest, VpcId=vpc)
        early = "OK"
    except ServerException as error:
        early = error.get_error_code()
    call(DeleteVSwitchRequest, VSwitchId=switch)
    call(DeleteVpcRequest, VpcId=vpc)
    print(json.dumps({
        "same": same, "value": found[0]["Tags"]["Tag"][0]["Value"], "cidr": [found[0]["CidrBlock"], rows[0]["CidrBlock"]],
        "free": rows[0]["AvailableIpAddressCount"], "early": early, "left": len(call(DescribeVpcsRequest, Tags=TAGS)["Vpcs"]["Vpc"])}))


main()
