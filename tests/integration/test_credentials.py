"""Every way to credentials, against a metadata service and an STS that check what they are asked."""
from __future__ import annotations

import base64
import calendar
import hashlib
import hmac
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import find_credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.key import MARGIN, Renewal
from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.sources import Key
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient, EcsError
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from emrctl.local.testing import api_only
from tests.integration.inventory_bed import buy

ARN = "acs:ram::1:role/emr"
OFF = {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}


def stamp(seconds: float) -> str:
    """UTC time so many seconds from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class Services(ThreadingHTTPServer):
    """STS at ``/``, the metadata service at ``/latest``, a credentials URI at ``/key``."""

    daemon_threads = True

    def __init__(self):
        self.calls: list = []
        self.lifetime, self.fail, self.plain_metadata = 3600, [], False
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def key(self) -> dict:
        """The next temporary key."""
        number = len(self.calls)
        return {"AccessKeyId": f"STS.{number}", "AccessKeySecret": "geheim", "SecurityToken": f"token{number}",
                "Expiration": stamp(self.lifetime)}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_PUT(self):
        """A token of the metadata service."""
        ttl = self.headers.get("X-aliyun-ecs-metadata-token-ttl-seconds", "")
        good = self.path == "/latest/api/token" and ttl.isdigit() and not self.server.plain_metadata
        self.reply(200 if good else 404, b"metatoken")

    def do_GET(self):
        """Metadata, or the key of a credentials URI."""
        if self.path == "/key":
            return self.reply(200, json.dumps({"Code": "Success", **self.server.key()}).encode())
        if self.headers.get("X-aliyun-ecs-metadata-token") != "metatoken" and not self.server.plain_metadata:
            return self.reply(403, b"")
        self.server.calls.append(self.path)
        base = "/latest/meta-data/ram/security-credentials/"
        pages = {base: b"node-role", base + "node-role": json.dumps({"Code": "Success", **self.server.key()}).encode(),
                 "/latest/meta-data/region-id": b"cn-meta"}
        return self.reply(200 if self.path in pages else 404, pages.get(self.path, b""))

    def do_POST(self):
        """STS."""
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True))
        self.server.calls.append(form)
        if self.server.fail:
            status, code = self.server.fail.pop(0)
            return self.reply(status, json.dumps({"Code": code, "Message": "secret geheim", "RequestId": "R1"}).encode())
        if form["Action"] == "AssumeRole" and form["Signature"] != signature(form, "sk"):
            return self.reply(400, json.dumps({"Code": "SignatureDoesNotMatch"}).encode())
        return self.reply(200, json.dumps({"Credentials": self.server.key()}).encode())

    def reply(self, status: int, body: bytes):
        """Send it."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Quiet."""


def signature(form: dict, secret: str) -> str:
    """What the RPC style signs."""
    def encode(text):
        return quote(text, safe="-_.~")
    text = "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(form.items()) if k != "Signature")
    return base64.b64encode(hmac.new(f"{secret}&".encode(), f"POST&%2F&{encode(text)}".encode(), hashlib.sha1).digest()).decode()


@pytest.fixture
def services():
    """Running services."""
    server = Services()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(tmp_path, services):
    """Environment of somebody whose services are the local ones; ``home(profile, …)`` writes the file."""
    def make(*profiles, **more):
        (tmp_path / ".aliyun").mkdir(exist_ok=True)
        (tmp_path / ".aliyun" / "config.json").write_text(json.dumps({"current": "p", "profiles": [
            {"name": "p", "region_id": "cn-p", **p} for p in profiles]}))
        return {"HOME": str(tmp_path), "ALIBABA_CLOUD_STS_ENDPOINT": services.address,
                "ALIBABA_CLOUD_ECS_METADATA_ENDPOINT": services.address, **more}
    return make


AK = {"mode": "AK", "access_key_id": "ak", "access_key_secret": "sk"}


def test_role_is_assumed_with_the_profiles_key(home, services):
    found = find_credentials(home({**AK, "mode": "RamRoleArn", "ram_role_arn": ARN, "ram_session_name": "me",
                                   "expired_seconds": 900, "external_id": "x"}))
    assert found.region == "cn-p" and found.identity == f"ak>{ARN}" and not services.calls, "nothing is asked before the use"
    key = found.current()
    assert (key.access_key_id, key.security_token, key.region) == ("STS.1", "token1", "cn-p")
    sent = services.calls[0]
    assert (sent["RoleArn"], sent["RoleSessionName"], sent["DurationSeconds"], sent["ExternalId"]) == (ARN, "me", "900", "x")
    assert key.identity == found.identity and abs(key.expires - time.time() - 3600) < 30


def test_role_of_a_source_profile_and_of_the_instance(home, services):
    chain = {"name": "c", "mode": "ChainableRamRoleArn", "source_profile": "p", "ram_role_arn": ARN}
    assert find_credentials(home(AK, chain), profile="c").current().access_key_id == "STS.1"
    circle = {"mode": "ChainableRamRoleArn", "source_profile": "p", "ram_role_arn": ARN}
    with pytest.raises(Refused, match="circle"):
        find_credentials(home(circle))
    environ = home({"mode": "EcsRamRole", "ram_role_name": "node-role"})
    assert find_credentials(environ).current().security_token.startswith("token")
    assert find_credentials(home({"mode": "EcsRamRole", "ram_role_name": ""})).current().access_key_id.startswith("STS.")
    with pytest.raises(Refused, match="role nobody"):
        find_credentials(home({"mode": "EcsRamRole", "ram_role_name": "nobody"})).current()


def test_instance_without_any_setting(tmp_path, services):
    environ = {"HOME": str(tmp_path), "ALIBABA_CLOUD_ECS_METADATA_ENDPOINT": services.address}
    found = find_credentials(environ)
    assert found.region == "cn-meta" and found.current().access_key_id.startswith("STS.")
    with pytest.raises(Refused, match="No Alibaba Cloud credentials"):
        find_credentials({**environ, **OFF})
    services.plain_metadata = True
    assert find_credentials(environ).current().access_key_id
    with pytest.raises(Refused, match="metadata service"):
        find_credentials({**environ, "ALIBABA_CLOUD_IMDSV1_DISABLED": "true"}).current()
    with pytest.raises(Refused, match="No Alibaba Cloud credentials"):
        find_credentials({"HOME": str(tmp_path), "ALIBABA_CLOUD_ECS_METADATA_ENDPOINT": "http://127.0.0.1:9"})


def test_oidc_of_environment_and_profile(home, services, tmp_path):
    (tmp_path / "token").write_text("jwt1\n")
    values = {"ALIBABA_CLOUD_ROLE_ARN": ARN, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "provider",
              "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(tmp_path / "token"), "ALIBABA_CLOUD_REGION_ID": "cn-o"}
    found = find_credentials(home(AK, **values))
    first = found.current()
    assert first.region == "cn-o" and first.access_key_id == "STS.1"
    assert services.calls[0]["OIDCToken"] == "jwt1" and "AccessKeyId" not in services.calls[0]
    (tmp_path / "token").write_text("jwt2")
    first.current(force=True)
    assert services.calls[-1]["OIDCToken"] == "jwt2", "the file is read anew"
    profile = {"mode": "OIDC", "ram_role_arn": ARN, "oidc_provider_arn": "provider", "oidc_token_file": str(tmp_path / "no")}
    with pytest.raises(Refused, match="OIDC token"):
        find_credentials(home(profile)).current()
    with pytest.raises(Refused, match="oidc_token_file is empty"):
        find_credentials(home({**profile, "oidc_token_file": ""}))


def test_uri_and_process(home, services, tmp_path):
    assert find_credentials(home({"mode": "CredentialsURI", "credentials_uri": services.address + "/key"})).current().expires
    environ = {"HOME": str(tmp_path / "none"), "ALIBABA_CLOUD_CREDENTIALS_URI": services.address + "/key"}
    assert find_credentials(environ).current().access_key_id == "STS.0"
    with pytest.raises(Refused, match="not a credentials URI"):
        find_credentials({**environ, "ALIBABA_CLOUD_CREDENTIALS_URI": "file:///etc/passwd"}).current()
    program = tmp_path / "my program.py"
    answer = {"mode": "StsToken", "access_key_id": "i", "access_key_secret": "geheim", "sts_token": "t",
              "expiration": stamp(900)}
    program.write_text(f"import json; print(json.dumps({answer!r}))")
    found = find_credentials(home({"mode": "External", "process_command": f"'{sys.executable}' '{program}'"}))
    first = found.current()
    assert first.security_token == "t"
    for text, message in (("print(1)", "did not print"), ("print('geheim')", "did not print"), ("raise SystemExit(3)", "with 3"),
                          ("print('{\"mode\": \"StsToken\", \"access_key_id\": \"geheim\"}')", "without sts_token")):
        program.write_text(text)
        with pytest.raises(Refused, match=message) as caught:
            first.current(force=True)
        assert "geheim" not in str(caught.value)
    with pytest.raises(Refused, match="does not run"):
        find_credentials(home({"mode": "External", "process_command": "/no/such/program"})).current()


def test_a_key_is_renewed_before_it_ends_and_shared_by_threads(services, home):
    found = find_credentials(home({**AK, "mode": "RamRoleArn", "ram_role_arn": ARN}))
    seen: list = []
    threads = [threading.Thread(target=lambda: seen.append(found.current().access_key_id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["STS.1"] * 8 and len(services.calls) == 1
    first = found.current()
    assert first.current() is first and len(services.calls) == 1
    later = first.current(now=lambda: first.expires - MARGIN + 1)
    assert later.access_key_id == "STS.1", "another thread renewed it already" if later is not first else ""
    assert first.current(force=True).access_key_id == "STS.2", "what the API refused is not used again"
    services.lifetime = -5
    with pytest.raises(Refused, match="ended already"):
        first.current(force=True).current(force=True)


def test_renewal_by_time():
    clock, made = [1000.0], []
    renewal = Renewal(lambda: made.append(Key("i", "s", f"t{len(made)}", clock[0] + 1000)) or made[-1], lambda: clock[0])
    assert renewal().security_token == renewal().security_token == "t0"
    clock[0] += 1000 - MARGIN + 1
    assert renewal().security_token == "t1" and len(made) == 2


def test_an_ended_token_that_nothing_renews(home):
    past = calendar.timegm(time.gmtime()) - 10
    found = find_credentials(home({**AK, "mode": "CloudSSO", "sts_token": "t", "sts_expiration": past}))
    with pytest.raises(Refused, match="profile p .* has ended"):
        found.current()


def test_sts_troubles(home, services):
    found = find_credentials(home({**AK, "mode": "RamRoleArn", "ram_role_arn": ARN}))
    services.fail = [(503, "ServiceUnavailable")]
    first = found.current()
    assert first.access_key_id == "STS.2", "tried again"
    services.fail = [(403, "NoPermission")]
    with pytest.raises(Refused, match=r"NoPermission \(request R1\)") as caught:
        first.current(force=True)
    assert "geheim" not in str(caught.value) and ARN in str(caught.value)
    wrong = find_credentials(home({**AK, "access_key_secret": "no", "mode": "RamRoleArn", "ram_role_arn": ARN}))
    with pytest.raises(Refused, match="SignatureDoesNotMatch"):
        wrong.current()


def test_nothing_shows_a_secret(home):
    found = find_credentials(home({**AK, "mode": "RamRoleArn", "ram_role_arn": ARN})).current()
    assert "geheim" not in repr(found) and "token1" not in repr(found) and "STS." not in repr(found)


@pytest.mark.parametrize("profile, message", [
    ({"mode": "OAuth"}, "mode OAuth, which is not supported"), ({**AK, "mode": "RamRoleArn"}, "ram_role_arn is empty"),
    ({"mode": "External"}, "process_command is empty"), ({"mode": "CredentialsURI"}, "credentials_uri")])
def test_wrong_profiles(home, profile, message):
    with pytest.raises(Refused, match=message):
        find_credentials(home(profile))


# The same against the local ECS, with its own STS and metadata service.

@pytest.fixture
def cloud(tmp_path):
    """A local ECS."""
    with api_only(tmp_path / "ecs", visibility_delay=0) as ecs:
        yield ecs


def local_environment(ecs, tmp_path, profile: dict | None, **more) -> dict:
    """Somebody with this profile whose services are the local ones."""
    (tmp_path / ".aliyun").mkdir(exist_ok=True)
    if profile:
        (tmp_path / ".aliyun" / "config.json").write_text(json.dumps({"current": "p", "profiles": [
            {"name": "p", "region_id": ecs.region, **profile}]}))
    return {"HOME": str(tmp_path), "ALIBABA_CLOUD_STS_ENDPOINT": ecs.endpoint, **OFF, **more}


def owner_key(ecs) -> dict:
    """Fields of a profile that hold the account's own key."""
    return {"access_key_id": ecs.access_key_id, "access_key_secret": ecs.access_key_secret}


LOCAL_ARN = "acs:ram::1000000000000001:role/emr"


def jwt() -> str:
    """A token as an identity provider makes one; the local STS looks at its claims alone."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return ".".join((part({"alg": "RS256"}), part({"sub": "me", "iss": "https://idp.example", "aud": "emr",
                                                   "exp": time.time() + 600}), "c2ln"))


def test_each_mode_reaches_the_local_ecs(cloud, tmp_path):
    (tmp_path / "token").write_text(jwt())
    temporary = cloud.temporary()
    program = tmp_path / "program.py"
    program.write_text(f"import json; print(json.dumps({ {'mode': 'AK', **owner_key(cloud)}!r}))")
    instance = buy(cloud, cloud.region, "n-[1,3]", 1, RamRoleName="node-role")[0]
    metadata = {"ALIBABA_CLOUD_ECS_METADATA_ENDPOINT": cloud.metadata(instance)}
    modes = [
        ({"mode": "AK", **owner_key(cloud)}, {}),
        ({"mode": "StsToken", "access_key_id": temporary["AccessKeyId"], "access_key_secret": temporary["AccessKeySecret"],
          "sts_token": temporary["SecurityToken"]}, {}),
        ({"mode": "RamRoleArn", **owner_key(cloud), "ram_role_arn": LOCAL_ARN}, {}),
        ({"mode": "External", "process_command": f"{sys.executable} {program}"}, {}),
        ({"mode": "OIDC", "ram_role_arn": LOCAL_ARN, "oidc_token_file": str(tmp_path / "token"),
          "oidc_provider_arn": "acs:ram::1000000000000001:oidc-provider/idp"}, {}),
        ({"mode": "EcsRamRole", "ram_role_name": "node-role"}, metadata),
        ({"mode": "RamRoleArnWithRoleName", "ram_role_name": "node-role", "ram_role_arn": LOCAL_ARN}, metadata),
        (None, {**metadata, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "", "ALIBABA_CLOUD_CONFIG_FILE": str(tmp_path / "none")}),
    ]
    for profile, more in modes:
        found = find_credentials(local_environment(cloud, tmp_path, profile, **more))
        assert len(EcsClient(cloud.region, found, cloud.endpoint).items("DescribeInstances")) == 1, (profile, more)
        assert found.region == cloud.region


def test_a_token_that_ends_during_a_run_is_renewed(cloud, tmp_path):
    """The client's clock and the server's disagree, so the token is refused before the client would renew it."""
    found = find_credentials(local_environment(cloud, tmp_path, {"mode": "RamRoleArn", **owner_key(cloud),
                                                                 "ram_role_arn": LOCAL_ARN}))
    client = EcsClient(cloud.region, found, cloud.endpoint)
    client.items("DescribeInstances")
    first = client.credentials
    with cloud.cloud.store.transaction() as tx:
        tx.edit("session", first.access_key_id)["expires"] = time.time() - 1
    client.items("DescribeInstances")
    assert client.credentials.access_key_id != first.access_key_id and client.credentials.identity == first.identity


def test_an_expired_token_of_the_environment_is_refused_in_words(cloud):
    key = cloud.temporary(seconds=-10)
    found = find_credentials({"ALIBABA_CLOUD_ACCESS_KEY_ID": key["AccessKeyId"],
                              "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key["AccessKeySecret"],
                              "ALIBABA_CLOUD_SECURITY_TOKEN": key["SecurityToken"]})
    with pytest.raises(EcsError, match="The security token has ended") as caught:
        EcsClient(cloud.region, found, cloud.endpoint).items("DescribeInstances")
    assert key["SecurityToken"] not in str(caught.value) and caught.value.attempts == 1
