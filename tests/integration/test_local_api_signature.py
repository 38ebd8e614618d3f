"""Signatures, parameters and error bodies of the local ECS, seen from the wire."""
from __future__ import annotations

import hashlib
import http.client
import json
import time
import uuid
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException

from emrctl.local import signature
from emrctl.local.api.errors import ApiError
from emrctl.local.api.params import known_actions
from emrctl.local.testing import api_only

from .ecs_calls import PUBLIC_KEY, Ecs

ODD = "a b+c*d~e/f=g&h%i'\"ä号\t(x)"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with api_only(tmp_path_factory.mktemp("ecs")) as running:
        yield running


@pytest.fixture
def ecs(local):
    return Ecs(local)


def exchange(local, method, path, body=b"", headers=None):
    """(status, answer) of one raw request."""
    connection = http.client.HTTPConnection(local.endpoint.removeprefix("http://"), timeout=10)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, json.loads(data)


def v1(local, action="DescribeRegions", secret=None, **changes):
    """Query of a version 1 request; ``changes`` replace or, with None, drop parameters before signing."""
    params = {"Action": action, "Version": "2014-05-26", "Format": "JSON", "AccessKeyId": local.access_key_id,
              "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": str(uuid.uuid4()),
              "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "RegionId": local.region, **changes}
    params = {k: v for k, v in params.items() if v is not None}
    text = signature.string_to_sign_v1("GET", params)
    params["Signature"] = signature.sign_v1(secret or local.access_key_secret, text)
    return "/?" + urlencode(params)


def v3(local, action="DescribeRegions", secret=None, body=b"", query=None, **changes):
    """(path, headers) of a version 3 request; ``changes`` replace headers after signing."""
    query = query or {}
    headers = {"host": local.endpoint.removeprefix("http://"), "x-acs-action": action, "x-acs-version": "2014-05-26",
               "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
               "x-acs-signature-nonce": uuid.uuid4().hex, "x-acs-content-sha256": hashlib.sha256(body).hexdigest()}
    signed = ";".join(sorted(headers))
    text = signature.string_to_sign_v3("POST", "/", query, headers, signed, headers["x-acs-content-sha256"])
    sign = signature.sign_v3(secret or local.access_key_secret, text)
    headers["Authorization"] = (f"ACS3-HMAC-SHA256 Credential={local.access_key_id},SignedHeaders={signed},"
                                f"Signature={sign}")
    return "/?" + urlencode(query), {**headers, **changes}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_sdk_signs_query(ecs, method):
    group = ecs.call("CreateSecurityGroup", method=method, SecurityGroupName="odd", Description=ODD)
    row = ecs.call("DescribeSecurityGroups", method=method, SecurityGroupId=group["SecurityGroupId"])
    assert row["SecurityGroups"]["SecurityGroup"][0]["Description"] == ODD


def test_sdk_signs_body(ecs):
    group = ecs.call("CreateSecurityGroup", body={"Description": ODD}, SecurityGroupName="odd")
    row = ecs.call("DescribeSecurityGroups", SecurityGroupId=group["SecurityGroupId"])
    assert row["SecurityGroups"]["SecurityGroup"][0]["Description"] == ODD


def test_wrong_secret(local):
    with pytest.raises(ServerException) as error:
        Ecs(local, secret="wrong").call("DescribeRegions")
    # the SDK recognises the sentence and says InvalidAccessKeySecret when its own text to sign is the same
    assert error.value.get_error_code() in ("SignatureDoesNotMatch", "InvalidAccessKeySecret")


@pytest.mark.parametrize(("changes", "code"), [
    ({"AccessKeyId": "LTAInobody"}, "InvalidAccessKeyId.NotFound"),
    ({"AccessKeyId": None}, "MissingAccessKeyId"),
    ({"secret": "wrong"}, "SignatureDoesNotMatch"),
    ({"SignatureMethod": "HMAC-SHA256"}, "IncompleteSignature"),
    ({"SignatureVersion": "2.0"}, "IncompleteSignature"),
    ({"SignatureNonce": None}, "MissingSignatureNonce"),
    ({"Timestamp": "2020-01-01T00:00:00Z"}, "InvalidTimeStamp.Expired"),
    ({"Timestamp": "yesterday"}, "InvalidTimeStamp.Format"),
    ({"Version": "2015-01-01"}, "InvalidVersion"),
    ({"Version": None}, "MissingVersion"),
    ({"Action": None}, "MissingAction"),
    ({"Action": "LaunchRockets"}, "InvalidAction.NotFound"),
    ({"RegionId": "mars-1"}, "InvalidRegionId.NotFound"),
    ({"Colour": "blue"}, "InvalidParameter"),
    ({"action": "DescribeZones", "RegionId": None}, "MissingRegionId"),
    ({"action": "DescribeInstances", "PageSize": "many"}, "InvalidPageSize"),
    ({"action": "DescribeInstances", "PageSize": "101"}, "InvalidPageSize"),
    ({"action": "DescribeInstances", "NextToken": "nonsense"}, "InvalidNextToken"),
    ({"action": "DescribeInstances", "InstanceIds": "i-1"}, "InvalidInstanceIds.Malformed"),
    ({"action": "DescribeInstances", "Tag.1.Colour": "blue"}, "InvalidParameter"),
    ({"action": "DescribeInstances", "Filter.1.Key": "x"}, "InvalidFilter"),
    ({"action": "DescribeDisks", "Filter.1.Key": "x"}, "OperationDenied.LocalNotSupported"),
    ({"action": "DeleteInstances", "InstanceId.1": "i-1", "Force": "perhaps"}, "InvalidForce"),
])
def test_refusals_have_the_body_of_the_api(local, changes, code):
    status, answer = exchange(local, "GET", v1(local, **changes))
    assert answer["Code"] == code, answer
    assert 400 <= status < 500
    assert set(answer) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert local.access_key_secret not in json.dumps(answer)


def test_nonce_is_good_once(local):
    path = v1(local)
    assert exchange(local, "GET", path)[0] == 200
    assert exchange(local, "GET", path)[1]["Code"] == "SignatureNonceUsed"


def test_other_methods_are_refused(local):
    assert exchange(local, "PUT", "/")[1]["Code"] == "UnsupportedHTTPMethod"


def test_v3_is_accepted(local):
    path, headers = v3(local, "CreateSecurityGroup", query={"RegionId": local.region, "Description": ODD})
    status, answer = exchange(local, "POST", path, b"", headers)
    assert status == 200, answer
    body = urlencode({"RegionId": local.region, "Description": ODD}).encode()
    path, headers = v3(local, "CreateSecurityGroup", body=body)
    status, answer = exchange(local, "POST", path, body,
                              {**headers, "Content-Type": "application/x-www-form-urlencoded"})
    assert status == 200, answer


@pytest.mark.parametrize(("changes", "code"), [
    ({"secret": "wrong"}, "SignatureDoesNotMatch"),
    ({"x-acs-action": "DescribeZones"}, "SignatureDoesNotMatch"),
    ({"x-acs-content-sha256": "0" * 64}, "SignatureDoesNotMatch"),
    ({"x-acs-date": "2020-01-01T00:00:00Z"}, "InvalidTimeStamp.Expired"),
    ({"Authorization": "ACS3-HMAC-SHA256 Credential=x"}, "IncompleteSignature"),
])
def test_v3_refusals(local, changes, code):
    path, headers = v3(local, **changes)
    assert exchange(local, "POST", path, b"", headers)[1]["Code"] == code


def test_v3_body_must_be_what_was_signed(local):
    path, headers = v3(local, body=b"a=1")
    assert exchange(local, "POST", path, b"a=2", headers)[1]["Code"] == "SignatureDoesNotMatch"


def test_every_known_action_is_answered(ecs):
    values = {"RegionId": ecs.local.region, "InstanceType": "ecs.c6.large", "ResourceType": "instance",
              "DestinationResource": "InstanceType", "NetworkType": "vpc", "KeyPairName": "known",
              "PublicKeyBody": PUBLIC_KEY, "KeyPairNames": '["known"]'}
    for action, params in sorted(known_actions().items()):
        if action == "AssumeRoleWithOIDC":  # this client signs everything, and that action is not signed
            continue
        wanted = {name: values.get(name, "i-unknown") for name, kind in params.items()
                  if (kind if isinstance(kind, str) else kind[0]) in ("s!", "r!")}
        if "Tag" in params and not isinstance(params["Tag"], str) and params["Tag"][0] == "r!":
            wanted = {**wanted, "Tag_1_Key": "k", "Tag_1_Value": "v"}
            wanted.pop("Tag", None)
        code = ecs.code(action, **wanted)
        assert code not in ("InvalidAction.NotFound", "InternalError", "InvalidParameter"), (action, code)


def test_xml_on_request(local):
    connection = http.client.HTTPConnection(local.endpoint.removeprefix("http://"), timeout=10)
    connection.request("GET", v1(local, "DescribeRegions", Format="XML"))
    text = connection.getresponse().read().decode()
    root = ElementTree.fromstring(text)
    assert root.tag == "DescribeRegionsResponse"
    assert next(r.findtext("RegionId") for r in root.findall("Regions/Region")) == "cn-hangzhou"
    connection.request("GET", v1(local, "DescribeZones", Format="XML", RegionId=None))
    assert ElementTree.fromstring(connection.getresponse().read()).findtext("Code") == "MissingRegionId"
    connection.close()


def test_disconnect_loses_the_answer_but_not_the_purchase(local, ecs):
    group = ecs.group()
    wanted = {"ClientToken": "lost", "Amount": 1}
    local.faults(errors=[{"action": "RunInstances", "code": "Disconnect", "after": True}])
    with pytest.raises(ClientException):
        ecs.run(group, **wanted)
    (bought,) = ecs.run(group, **wanted)
    assert [i["id"] for i in local.cloud.store.all("instance") if group in i["groups"]] == [bought]


@pytest.mark.parametrize(("changes", "code"), [
    ({"Amount": 0}, "InvalidAmount"),
    ({"Amount": 101}, "InvalidAmount"),
    ({"Amount": 2, "MinAmount": 3}, "InvalidMinAmount"),
    ({"ClientToken": "x" * 65}, "InvalidClientToken"),
    ({"InstanceType": "ecs.unknown.large"}, "InvalidInstanceType.ValueNotSupported"),
    ({"ImageId": "m-unknown"}, "InvalidImageId.NotFound"),
    ({"VSwitchId": "vsw-unknown"}, "InvalidVSwitchId.NotFound"),
    ({"SecurityGroupId": "sg-unknown"}, "InvalidSecurityGroupId.NotFound"),
    ({"KeyPairName": "unknown"}, "InvalidKeyPairName.NotFound"),
    ({"ZoneId": "cn-hangzhou-i"}, "InvalidParameter.Conflict"),
    ({"HostName": "a_b"}, "InvalidHostName.Malformed"),
    ({"InstanceName": "1"}, "InvalidInstanceName.Malformed"),
    ({"UserData": "not base64!"}, "InvalidUserData.Base64FormatInvalid"),
    ({"SystemDisk_Size": 10}, "InvalidSystemDiskSize.LessThanMinSize"),
    ({"SystemDisk_Category": "floppy"}, "InvalidSystemDiskCategory.ValueNotSupported"),
    ({"DataDisk_1_Size": 10, "DataDisk_1_Category": "cloud_ssd"}, "InvalidDataDiskSize.ValueNotSupported"),
    ({"DataDisk_1_Size": 10, "DataDisk_1_Category": "floppy"}, "InvalidDataDiskCategory.ValueNotSupported"),
    ({f"DataDisk_{i}_Size": 20 for i in range(1, 18)}, "InstanceDiskNumLimitExceed"),
    ({"Tag_1_Key": "aliyun-x", "Tag_1_Value": "v"}, "InvalidTagKey.Malformed"),
    ({"Tag_1_Key": "a", "Tag_1_Value": "1", "Tag_2_Key": "a", "Tag_2_Value": "2"}, "Duplicate.TagKey"),
    ({f"Tag_{i}_Key": f"k{i}" for i in range(1, 22)}, "NumberExceed.Tags"),
    ({"SpotStrategy": "SpotAsPriceGo", "DeletionProtection": "true"}, "InvalidChargeType.ValueNotSupported"),
    ({"SpotStrategy": "SpotWithPriceLimit", "SpotPriceLimit": 0.001}, "InvalidSpotPriceLimit.LowerThanPublicPrice"),
    ({"InstanceChargeType": "PrePaid"}, "OperationDenied.PrepayNotAvailable"),
    ({"InternetMaxBandwidthOut": 500}, "InvalidInternetMaxBandwidthOut.Malformed"),
    ({"PrivateIpAddress": "192.0.2.1"}, "InvalidPrivateIpAddress.Malformed"),
    ({"LaunchTemplateId": "lt-1"}, "OperationDenied.LocalNotSupported"),
])
def test_purchases_that_are_refused(local, ecs, changes, code):
    wanted = {"InstanceType": "ecs.c6.large", "ImageId": local.image, "VSwitchId": local.vswitch,
              "SecurityGroupId": ecs.group(), **changes}
    before = len(local.cloud.store.all("instance"))
    assert ecs.code("RunInstances", **wanted) == code
    assert len(local.cloud.store.all("instance")) == before


def recorded():
    """A request as alibabacloud_ecs20140526 7.11 sent it, with an example key: (query, headers)."""
    query = {"RegionId": "cn-hangzhou", "SecurityGroupName": "sales", "Tag.1.Key": "emr:id",
             "Tag.1.Value": "a b+c*d~e/ü"}
    headers = {
        "accept-encoding": "identity", "host": "127.0.0.1:18099", "x-acs-version": "2014-05-26",
        "x-acs-action": "CreateSecurityGroup", "x-acs-date": "2026-11-24T15:19:05Z", "accept": "application/json",
        "user-agent": "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2",
        "x-acs-signature-nonce": "0aaf22368fdace2001933204b93524ae", "x-acs-credentials-provider": "static_ak",
        "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "authorization": (
            "ACS3-HMAC-SHA256 Credential=LTAIexample,SignedHeaders=accept;host;user-agent;x-acs-action;"
            "x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version,"
            "Signature=ab5e56b7033f765fd7251d77ef398bea3ffa669bfdc7b35206c69a48a69b3227"),
        "content-length": "0"}
    return query, headers


def test_v3_of_the_official_sdk():
    def verifier():
        return signature.Verifier({"LTAIexample": "example-secret"}, now=lambda: 1795533600)
    query, headers = recorded()
    assert verifier().check_v3("POST", "/", query, headers, b"") == "LTAIexample"
    for name in ("host", "user-agent", "x-acs-signature-nonce", "x-acs-action"):
        changed = {**headers, name: headers[name].replace("1", "2").replace("C", "D")}
        with pytest.raises(ApiError) as error:
            verifier().check_v3("POST", "/", query, changed, b"")
        assert error.value.code == "SignatureDoesNotMatch", name
    with pytest.raises(ApiError):
        verifier().check_v3("POST", "/", {**query, "Tag.1.Value": "other"}, headers, b"")
