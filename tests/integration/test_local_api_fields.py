"""Every field that the API's reference shows in an answer is in the local ECS's answer too (ecs_fields.json)."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from emrctl.local.testing import api_only

from .ecs_calls import PUBLIC_KEY, Ecs, wait_for

FIELDS = json.loads(Path(__file__).with_name("ecs_fields.json").read_text())


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """One answer of every action, with something in it."""
    with api_only(tmp_path_factory.mktemp("ecs")) as local:
        ecs = Ecs(local)
        key = ecs.call("ImportKeyPair", KeyPairName="login", PublicKeyBody=PUBLIC_KEY)
        group = ecs.group(Tag_1_Key="k", Tag_1_Value="v")
        (one,) = ecs.run(group, Tag_1_Key="k", Tag_1_Value="v")
        wait_for(lambda: ecs.instances(Status="Running"))
        rule = ecs.call("AuthorizeSecurityGroup", SecurityGroupId=group, IpProtocol="tcp", PortRange="22/22",
                        SourceCidrIp="10.0.0.0/8")
        tags = {"ResourceType": "instance", "ResourceId_1": one}
        found = {"ImportKeyPair": key, "AuthorizeSecurityGroup": rule,
                 "TagResources": ecs.call("TagResources", Tag_1_Key="b", Tag_1_Value="", **tags),
                 "UntagResources": ecs.call("UntagResources", TagKey_1="b", **tags),
                 "ListTagResources": ecs.call("ListTagResources", **tags),
                 "StartInstances": ecs.call("StartInstances", InstanceId_1=one),
                 "DescribePrice": ecs.call("DescribePrice", InstanceType="ecs.c6.large"),
                 "DescribeSpotPriceHistory": ecs.call("DescribeSpotPriceHistory", InstanceType="ecs.c6.large",
                                                      NetworkType="vpc")}
        yield {**found, **{a: ecs.call(a) for a in FIELDS if a not in found}}


def holds(value, path):
    """Whether the path leads somewhere; an empty list cannot say no."""
    for name in path.split("."):
        if isinstance(value, list):
            if not value:
                return True
            value = value[0]
        if name not in value:
            return False
        value = value[name]
    return True


@pytest.mark.parametrize("action", sorted(FIELDS))
def test_fields(answers, action):
    assert [path for path in FIELDS[action] if not holds(answers[action], path)] == []
