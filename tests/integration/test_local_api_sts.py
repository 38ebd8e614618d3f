"""Temporary credentials and the metadata service of the local ECS."""
from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from aliyunsdkcore.acs_exception.exceptions import ServerException

from emrctl.local.testing import api_only

from .ecs_calls import PUBLIC_KEY, Ecs, wait_for

ROLE = "acs:ram::1000000000000001:role/reader"
TTL, TOKEN = "X-aliyun-ecs-metadata-token-ttl-seconds", "X-aliyun-ecs-metadata-token"


@pytest.fixture
def local(tmp_path):
    with api_only(tmp_path) as server:
        yield server


def assume(ecs, **params):
    wanted = {"RoleArn": ROLE, "RoleSessionName": "nightly", **params}
    return ecs.call("AssumeRole", **wanted)


def test_assumed_role_works_until_it_expires(local):
    ecs = Ecs(local)
    local.faults(token_seconds=2)
    answer = assume(ecs, DurationSeconds=900)
    assert answer["AssumedRoleUser"]["Arn"] == "acs:ram::1000000000000001:assumed-role/reader/nightly"
    role = Ecs(local, temporary=answer["Credentials"])
    assert role.call("DescribeRegions")["Regions"]
    assert role.call("GetCallerIdentity")["IdentityType"] == "AssumedRoleUser"
    assert ecs.call("GetCallerIdentity")["IdentityType"] == "RAMUser"
    wait_for(lambda: role.code("DescribeRegions") == "InvalidSecurityToken.Expired")


def test_temporary_keys_need_their_own_token(local):
    one, two = local.temporary(), local.temporary()
    assert Ecs(local, temporary=one).code("DescribeRegions") == "OK"
    assert Ecs(local, temporary={**one, "SecurityToken": two["SecurityToken"]}).code("DescribeRegions") \
        == "InvalidSecurityToken.MismatchWithAccessKey"
    assert Ecs(local, temporary={**one, "AccessKeySecret": "x"}).code("DescribeRegions") == "SignatureDoesNotMatch"
    own = {"AccessKeyId": local.access_key_id, "AccessKeySecret": local.access_key_secret, "SecurityToken": "x"}
    assert Ecs(local, temporary=own).code("DescribeRegions") == "InvalidSecurityToken.MismatchWithAccessKey"


def test_sessions_survive_a_restart(tmp_path):
    with api_only(tmp_path) as local:
        key = local.temporary("reader")
    with api_only(tmp_path) as local:
        assert Ecs(local, temporary=key).call("GetCallerIdentity")["Arn"].endswith("assumed-role/reader/test")


@pytest.mark.parametrize("params, code", [
    ({"RoleArn": "reader"}, "InvalidParameter.RoleArn"), ({"RoleArn": ROLE.replace("0001:", "0002:")}, "NoPermission"),
    ({"RoleSessionName": "x y"}, "InvalidParameter.RoleSessionName"), ({"DurationSeconds": 60}, "InvalidParameter.DurationSeconds"),
    ({"RoleArn": ""}, "MissingRoleArn"), ({"Policy": "{}"}, "OperationDenied.LocalNotSupported"),
])
def test_refused_roles(local, params, code):
    with pytest.raises(ServerException) as error:
        assume(Ecs(local), **params)
    assert error.value.get_error_code() == code


def test_denied_actions_name_what_a_policy_must_allow(local):
    local.faults(role_denied={"reader": ["ecs:Run*", "Describe*"]}, denied=["sts:AssumeRole"])
    reader, owner = Ecs(local, temporary=local.temporary("reader")), Ecs(local)
    with pytest.raises(ServerException) as error:
        reader.run("sg-1")
    assert error.value.get_error_code() == "Forbidden.RAM" and "ecs:RunInstances" in error.value.get_error_msg()
    assert reader.instances() == []
    assert owner.code("RunInstances", ImageId=local.image) != "Forbidden.RAM"
    with pytest.raises(ServerException) as error:
        assume(owner)
    assert error.value.get_error_code() == "NoPermission"


def web_token(seconds):
    body = base64.urlsafe_b64encode(json.dumps({"sub": "pod", "exp": time.time() + seconds}).encode()).decode()
    return f"e30.{body.rstrip('=')}.c2ln"


def with_oidc(local, token):
    query = {"Action": "AssumeRoleWithOIDC", "Version": "2015-04-01", "Format": "JSON", "RoleArn": ROLE,
             "RoleSessionName": "pod", "OIDCProviderArn": "acs:ram::1000000000000001:oidc-provider/k8s", "OIDCToken": token}
    try:
        with urllib.request.urlopen(local.endpoint, urllib.parse.urlencode(query).encode(), timeout=5) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def test_oidc_needs_no_signature_but_a_good_token(local):
    key = with_oidc(local, web_token(60))["Credentials"]
    assert Ecs(local, temporary=key).code("DescribeRegions") == "OK"
    assert with_oidc(local, web_token(-60))["Code"] == "AuthenticationFail.OIDCToken.Expired"
    assert with_oidc(local, "nonsense")["Code"] == "AuthenticationFail.OIDCToken.Invalid"


def ask(url, method="GET", **headers):
    """(status, text) of a request."""
    request = urllib.request.Request(url, method=method, headers={n.replace("_", "-"): v for n, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def node(local):
    """A running spot instance with a role: its client, id and metadata address."""
    ecs = Ecs(local)
    ecs.call("ImportKeyPair", KeyPairName="login", PublicKeyBody=PUBLIC_KEY)
    (one,) = ecs.run(ecs.group(), RamRoleName="node", InstanceName="sales-night-001", HostName="sales-night-001",
                     KeyPairName="login", SpotStrategy="SpotAsPriceGo", UserData=base64.b64encode(b"#!/bin/sh\n").decode())
    wait_for(lambda: ecs.instances(Status="Running"))
    return ecs, one, local.metadata(one)


def test_metadata_of_an_instance(local, node):
    ecs, one, url = node
    row = ecs.instances()[0]
    for path, value in {"instance-id": one, "region-id": "cn-hangzhou", "zone-id": row["ZoneId"],
                        "private-ipv4": row["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0],
                        "hostname": "sales-night-001", "instance/instance-type": "ecs.c6.large",
                        "public-keys/0/openssh-key": PUBLIC_KEY, "ram/security-credentials/": "node"}.items():
        assert ask(f"{url}/latest/meta-data/{path}") == (200, value), path
    assert ask(f"{url}/latest/user-data") == (200, "#!/bin/sh\n")
    assert "instance/" in ask(f"{url}/latest/meta-data/")[1].splitlines()
    for path in ("instance/spot/termination-time", "ram/security-credentials/other", "nothing", "instance-id/x"):
        assert ask(f"{url}/latest/meta-data/{path}")[0] == 404, path
    key = json.loads(ask(f"{url}/latest/meta-data/ram/security-credentials/node")[1])
    assert key["Code"] == "Success" and Ecs(local, temporary=key).code("DescribeRegions") == "OK"
    assert json.loads(ask(f"{url}/latest/meta-data/ram/security-credentials/node")[1]) == key


def test_metadata_with_tokens(local, node):
    ecs, one, url = node
    status, token = ask(f"{url}/latest/api/token", "PUT", **{TTL: "60"})
    assert status == 200 and ask(f"{url}/latest/meta-data/instance-id", **{TOKEN: token}) == (200, one)
    assert ask(f"{url}/latest/meta-data/instance-id", **{TOKEN: token[:-4] + "AAAA"})[0] == 403
    for ttl in ("0", "21601", "x"):
        assert ask(f"{url}/latest/api/token", "PUT", **{TTL: ttl})[0] == 400
    assert ask(f"{url}/latest/api/token", **{TTL: "60"})[0] == 405
    (strict,) = ecs.run(ecs.group(), HttpTokens="required")
    other = local.metadata(strict)
    assert ask(f"{other}/latest/meta-data/instance-id")[0] == 403
    assert ask(f"{other}/latest/meta-data/instance-id", **{TOKEN: token})[0] == 403
    own = ask(f"{other}/latest/api/token", "PUT", **{TTL: "3"})[1]
    assert ask(f"{other}/latest/meta-data/instance-id", **{TOKEN: own}) == (200, strict)
    wait_for(lambda: ask(f"{other}/latest/meta-data/instance-id", **{TOKEN: own})[0] == 403)


def test_metadata_is_only_for_instances(local, node):
    _, one, url = node
    assert ask(f"{local.endpoint}/latest/meta-data/instance-id")[0] == 404
    assert ask(f"{url}/")[0] == 404 and ask(f"{url}/_local/faults")[0] == 404
    body = json.dumps({"instance": one}).encode()
    with urllib.request.urlopen(local.endpoint + "/_local/metadata", body, timeout=5) as answer:
        assert json.load(answer)["url"] == url


def test_spot_notice_then_release(local, node):
    ecs, _, url = node
    local.faults(spot_notice=["sales-*"], spot_notice_seconds=2)
    _, moment = wait_for(lambda: (found := ask(f"{url}/latest/meta-data/instance/spot/termination-time"))[0] == 200
                              and found)
    assert moment.endswith("Z")
    assert [r["InstanceName"] for r in ecs.instances(LockReason="Recycling")] == ["sales-night-001"]
    assert local.cloud.faults.value("spot_notice") == []
    wait_for(lambda: ecs.instances() == [])


def test_instances_that_die(local):
    ecs = Ecs(local)
    group = ecs.group()
    local.faults(die=["sales-slave-002", {"instance": "sales-slave-003", "released": True}])
    ecs.run(group, Amount=3, InstanceName="sales-slave-[001,3]")
    wait_for(lambda: [(r["InstanceName"], r["Status"]) for r in ecs.instances()]
             == [("sales-slave-001", "Running"), ("sales-slave-002", "Stopped")])
    stopped = ecs.instances(Status="Stopped")[0]["InstanceId"]
    ecs.call("StartInstances", InstanceId_1=stopped)
    wait_for(lambda: len(ecs.instances(Status="Running")) == 2)


def test_time_of_release_and_interruption_behaviour(local):
    ecs = Ecs(local)
    group = ecs.group()
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    ecs.run(group, AutoReleaseTime=soon, InstanceName="short")
    ecs.run(group, SpotStrategy="SpotAsPriceGo", SpotInterruptionBehavior="Stop", InstanceName="spot")
    assert ecs.code("RunInstances", AutoReleaseTime="2020-01-01T00:00:00Z", InstanceType="ecs.c6.large",
                    ImageId=local.image, VSwitchId=local.vswitch, SecurityGroupId=group) == "InvalidAutoReleaseTime.Malformed"
    local.faults(spot_notice=["spot"], spot_notice_seconds=0)
    wait_for(lambda: [(r["InstanceName"], r["Status"]) for r in ecs.instances()] == [("spot", "Stopped")])


def test_attributes_that_can_be_changed(local, node):
    ecs, one, url = node
    ecs.call("ModifyInstanceMetadataOptions", InstanceId=one, HttpEndpoint="disabled")
    assert ask(f"{url}/latest/meta-data/instance-id")[0] == 403
    ecs.call("ModifyInstanceMetadataOptions", InstanceId=one, HttpEndpoint="enabled", HttpTokens="required")
    assert ask(f"{url}/latest/meta-data/instance-id")[0] == 403
    ecs.call("ModifyInstanceMetadataOptions", InstanceId=one, HttpEndpoint="enabled", HttpTokens="optional")
    taken = ecs.call("AttachInstanceRamRole", InstanceIds=json.dumps([one, "i-x"]), RamRoleName="other")
    assert [r["Code"] for r in taken["AttachInstanceRamRoleResults"]["AttachInstanceRamRoleResult"]] \
        == ["InvalidOperation.RamRoleAttached", "InvalidInstanceId.NotFound"]
    ecs.call("DetachInstanceRamRole", InstanceIds=json.dumps([one]))
    assert ask(f"{url}/latest/meta-data/ram/security-credentials/")[0] == 404
    assert ecs.call("AttachInstanceRamRole", InstanceIds=json.dumps([one]), RamRoleName="other")["FailCount"] == 0
    assert ask(f"{url}/latest/meta-data/ram/security-credentials/") == (200, "other")
    assert ecs.call("DescribeInstanceRamRole", RamRoleName="other")["InstanceRamRoleSets"]["InstanceRamRoleSet"] \
        == [{"InstanceId": one, "RamRoleName": "other"}]
    disk = ecs.call("DescribeDisks", InstanceId=one)["Disks"]["Disk"][0]["DiskId"]
    ecs.call("ModifyDiskAttribute", DiskId=disk, DiskName="root", DeleteWithInstance="false")
    assert ecs.call("DescribeDisks", DiskName="root", DeleteWithInstance="false")["Disks"]["Disk"][0]["DiskId"] == disk
    assert ecs.code("ModifyDiskAttribute", DiskId="d-x", DiskName="y") == "InvalidDiskId.NotFound"
    group = ecs.instances()[0]["SecurityGroupIds"]["SecurityGroupId"][0]
    ecs.call("ModifySecurityGroupAttribute", SecurityGroupId=group, SecurityGroupName="renamed")
    assert ecs.call("DescribeSecurityGroups", SecurityGroupName="renamed")["SecurityGroups"]["SecurityGroup"]
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
    ecs.call("ModifyInstanceAutoReleaseTime", InstanceId=one, AutoReleaseTime=soon)
    assert ecs.instances()[0]["AutoReleaseTime"] == soon
    ecs.call("ModifyInstanceAutoReleaseTime", InstanceId=one)
    assert ecs.instances()[0]["AutoReleaseTime"] == ""
