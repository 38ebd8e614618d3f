"""Calls to the local ECS with the official core SDK, for the tests."""
from __future__ import annotations

import json
import time

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmK7ytbY2vqSZ6mu7EA4vEhbOUMU6LqZGKk3u6iy3Fq test"


class Ecs:
    """A client of one local ECS: ``ecs.call("DescribeRegions")``."""

    def __init__(self, local, secret: str | None = None, temporary: dict | None = None):
        self.local = local
        key_id, secret = local.access_key_id, secret or local.access_key_secret
        if temporary:
            key = StsTokenCredential(temporary["AccessKeyId"], temporary["AccessKeySecret"], temporary["SecurityToken"])
            self.client = AcsClient(region_id=local.region, credential=key, auto_retry=False)
        else:
            self.client = AcsClient(key_id, secret, local.region, auto_retry=False)
        self.domain = local.endpoint.removeprefix("http://")

    def call(self, action: str, method: str = "POST", body: dict | None = None, **params) -> dict:
        """The answer. ``_`` in names stands for ``.``. Raises ServerException."""
        version = "2015-04-01" if action in ("AssumeRole", "GetCallerIdentity") else "2014-05-26"
        request = CommonRequest(domain=self.domain, version=version, action_name=action)
        request.set_protocol_type("http")
        request.set_method(method)
        for name, value in params.items():
            request.add_query_param(name.replace("_", "."), value)
        for name, value in (body or {}).items():
            request.add_body_params(name.replace("_", "."), value)
        return json.loads(self.client.do_action_with_exception(request))

    def code(self, action: str, **params) -> str:
        """The error code, or OK."""
        try:
            self.call(action, **params)
        except ServerException as error:
            return error.get_error_code()
        return "OK"

    def group(self, name: str = "emr-test", **params) -> str:
        """Id of a new security group."""
        return self.call("CreateSecurityGroup", SecurityGroupName=name, **params)["SecurityGroupId"]

    def run(self, group: str, **params) -> list:
        """Ids of new instances."""
        wanted = {"InstanceType": "ecs.c6.large", "ImageId": self.local.image, "VSwitchId": self.local.vswitch,
                  "SecurityGroupId": group, **params}
        return self.call("RunInstances", **wanted)["InstanceIdSets"]["InstanceIdSet"]

    def instances(self, **params) -> list:
        """Instances as DescribeInstances gives them."""
        return self.call("DescribeInstances", **{"PageSize": 100, **params})["Instances"]["Instance"]


def wait_for(condition, seconds: float = 30.0):
    """The first true value of ``condition()``. Raises AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("waited in vain")
