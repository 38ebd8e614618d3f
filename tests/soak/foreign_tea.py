"""Alibaba Cloud's own new SDK (alibabacloud_ecs20140526, signatures of version 3) buys, finds and releases instances.

Runs in an environment of its own, see test_foreign_clients.py; prints what it saw as JSON.
"""
import json
import os
import time

from alibabacloud_ecs20140526 import models as m
from alibabacloud_ecs20140526.client import Client
from alibabacloud_sts20150401 import models as sts
from alibabacloud_sts20150401.client import Client as Sts
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config

REGION = "cn-hangzhou"
VALUE = "{{ hostile }}\n控制"
OWN = {"access_key_id": os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
       "access_key_secret": os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]}


def config(**key):
    endpoint = os.environ["ALIBABA_CLOUD_ECS_ENDPOINT"].removeprefix("http://")
    return Config(endpoint=endpoint, protocol="http", region_id=REGION, **key)


def buy(ecs):
    group = ecs.create_security_group(m.CreateSecurityGroupRequest(
        region_id=REGION, security_group_name="tea")).body.security_group_id
    rule = m.AuthorizeSecurityGroupRequestPermissions(ip_protocol="TCP", port_range="22/22", source_cidr_ip="10.0.0.0/8")
    ecs.authorize_security_group(m.AuthorizeSecurityGroupRequest(
        region_id=REGION, security_group_id=group, permissions=[rule]))
    answer = ecs.run_instances(m.RunInstancesRequest(
        region_id=REGION, instance_type="ecs.c6.large", image_id=os.environ["IMAGE"], v_switch_id=os.environ["VSWITCH"],
        security_group_id=group, amount=3, instance_name="tea-[001,3]", host_name="tea-[001,3]", ram_role_name="node",
        system_disk=m.RunInstancesRequestSystemDisk(category="cloud_essd", size="40"),
        data_disk=[m.RunInstancesRequestDataDisk(size=20, category="cloud_essd")],
        tag=[m.RunInstancesRequestTag(key="emr:cluster", value=VALUE)]))
    return answer.body.instance_id_sets.instance_id_set


def find(ecs):
    """Pages by token until all three run, at most 30 seconds."""
    end, rows = time.monotonic() + 30, []
    while time.monotonic() < end and [r.status for r in rows] != ["Running"] * 3:
        rows = ecs.describe_instances(m.DescribeInstancesRequest(
            region_id=REGION, max_results=100, tag=[m.DescribeInstancesRequestTag(key="emr:cluster", value=VALUE)],
        )).body.instances.instance
        time.sleep(0.05)
    return rows


def code_of(call, *args):
    """Error code of a call that fails."""
    try:
        call(*args)
    except ClientException as error:
        return error.code
    return "OK"


def as_role(ecs_config):
    """Caller's name and number of instances with temporary credentials."""
    key = Sts(ecs_config).assume_role(sts.AssumeRoleRequest(
        role_arn="acs:ram::1000000000000001:role/reader", role_session_name="tea")).body.credentials
    temporary = config(access_key_id=key.access_key_id, access_key_secret=key.access_key_secret,
                       security_token=key.security_token, type="sts")
    rows = Client(temporary).describe_instances(m.DescribeInstancesRequest(region_id=REGION)).body.instances.instance
    return Sts(temporary).get_caller_identity().body.arn, len(rows)


def main():
    ecs = Client(config(**OWN))
    ids = buy(ecs)
    rows = find(ecs)
    disks = ecs.describe_disks(m.DescribeDisksRequest(region_id=REGION, instance_id=ids[0])).body.disks.disk
    price = ecs.describe_price(m.DescribePriceRequest(
        region_id=REGION, instance_type="ecs.c6.large",
        system_disk=m.DescribePriceRequestSystemDisk(category="cloud_essd", size=40),
        data_disk=[m.DescribePriceRequestDataDisk(category="cloud_essd", size=100)])).body.price_info.price
    arn, seen = as_role(config(**OWN))
    ecs.tag_resources(m.TagResourcesRequest(region_id=REGION, resource_type="instance", resource_id=ids,
                                            tag=[m.TagResourcesRequestTag(key="more", value="")]))
    wrong = code_of(ecs.describe_instances, m.DescribeInstancesRequest(region_id="mars-1"))
    ecs.delete_instances(m.DeleteInstancesRequest(region_id=REGION, instance_id=ids, force=True))
    print(json.dumps({
        "regions": len(ecs.describe_regions(m.DescribeRegionsRequest()).body.regions.region),
        "names": [r.instance_name for r in rows], "value": rows[0].tags.tag[0].tag_value, "memory": rows[0].memory,
        "serials": len({d.serial_number for d in disks}), "price": price.trade_price > 0, "arn": arn, "seen": seen,
        "wrong": wrong}))


main()
