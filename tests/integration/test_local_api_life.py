"""Life of instances in the local ECS: drivers, firewalls, faults, stock, and being killed at any moment."""
from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException

from emrctl.local import keys, offers
from emrctl.local.nulldriver import DriverError, NullDriver
from emrctl.local.testing import api_only

from .ecs_calls import PUBLIC_KEY, Ecs, wait_for


class Recorder(NullDriver):
    """A driver that counts as one with hosts and writes down what it is told."""

    real_hosts = True

    def __init__(self, state):
        super().__init__(state)
        self.created: dict = {}
        self.rules: dict = {}
        self.broken = False

    def create(self, instance):
        if self.broken:
            raise DriverError("no room")
        super().create(instance)
        self.created[instance["id"]] = instance

    def set_firewall(self, instance_id, rules):
        assert self.state(instance_id) != "missing"
        self.rules[instance_id] = rules


def all_running(ecs, count):
    rows = ecs.instances()
    return rows if len(rows) == count and all(r["Status"] == "Running" for r in rows) else None


def test_driver_gets_what_a_host_needs(tmp_path):
    driver = Recorder(tmp_path)
    with api_only(tmp_path, driver=driver) as local:
        ecs = Ecs(local)
        ecs.call("ImportKeyPair", KeyPairName="login", PublicKeyBody=PUBLIC_KEY)
        ids = ecs.run(ecs.group(), KeyPairName="login", HostName="sales-master-[001,3]", DataDisk_1_Size=20,
                      DataDisk_1_Category="cloud_essd", UserData="IyEvYmluL3No")
        row = wait_for(lambda: all_running(ecs, 1))[0]
        made = driver.created[ids[0]]
        disk = ecs.call("DescribeDisks", DiskType="data")["Disks"]["Disk"][0]
        assert made == {"id": ids[0], "hostname": "sales-master-001", "memory_mib": 4096, "public_keys": [PUBLIC_KEY],
                        "private_ip": row["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0],
                        "disks": [{"id": disk["DiskId"], "size_gib": 20, "serial": disk["SerialNumber"]}],
                        "user_data": "IyEvYmluL3No", "public_ip": "", "system": "debian-12"}
        assert ecs.code("DeleteKeyPairs", KeyPairNames='["login"]') == "InvalidParameter.KeypairAlreadyAttachedInstance"


def test_firewalls_follow_groups(tmp_path):
    driver = Recorder(tmp_path)
    with api_only(tmp_path, driver=driver) as local:
        ecs = Ecs(local)
        one, two = ecs.group("one"), ecs.group("two")
        ecs.call("AuthorizeSecurityGroup", SecurityGroupId=one, IpProtocol="tcp", PortRange="22/22",
                 SourceCidrIp="10.77.0.1/32")
        a, b = ecs.run(one, Amount=2)
        (c,) = ecs.run(two)
        address = {r["InstanceId"]: r["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0]
                   for r in wait_for(lambda: all_running(ecs, 3))}
        ssh = {"protocol": "tcp", "port_range": "22/22", "cidr": "10.77.0.1/32"}
        assert driver.rules[a] == {"members": [address[b]], "ingress": [ssh]}
        assert driver.rules[c] == {"members": [], "ingress": []}
        ecs.call("AuthorizeSecurityGroup", SecurityGroupId=two, IpProtocol="all", PortRange="-1/-1", SourceGroupId=one)
        wait_for(lambda: driver.rules[c]["members"] == sorted([address[a], address[b]]))
        assert ecs.code("DeleteSecurityGroup", SecurityGroupId=one) == "DependencyViolation"
        ecs.call("RevokeSecurityGroup", SecurityGroupId=one, Permissions_1_IpProtocol="TCP",
                 Permissions_1_PortRange="22/22", Permissions_1_SourceCidrIp="10.77.0.1/32")
        wait_for(lambda: driver.rules[a]["ingress"] == [])
        ecs.call("DeleteInstances", InstanceId_1=b, Force="true")
        wait_for(lambda: driver.rules[a]["members"] == [] and driver.rules[c]["members"] == [address[a]])
        ecs.call("ModifyInstanceAttribute", InstanceId=a, SecurityGroupIds_1=two)
        wait_for(lambda: driver.rules[a]["members"] == [address[c]])


def test_host_that_cannot_be_made_is_stopped_and_can_be_started_later(tmp_path):
    driver = Recorder(tmp_path)
    driver.broken = True
    with api_only(tmp_path, driver=driver) as local:
        ecs = Ecs(local)
        ids = ecs.run(ecs.group())
        wait_for(lambda: ecs.instances(Status="Stopped"))
        assert local.cloud.store.get("instance", ids[0])["failure"] == "no room"
        driver.broken = False
        ecs.call("StartInstances", InstanceId_1=ids[0])
        wait_for(lambda: all_running(ecs, 1))


def test_stock_is_the_memory_of_the_machine(tmp_path):
    with api_only(tmp_path, memory_mib=10000) as local:
        ecs = Ecs(local)
        group = ecs.group()
        wanted = {"InstanceType": "ecs.c6.large", "ImageId": local.image, "VSwitchId": local.vswitch,
                  "SecurityGroupId": group}
        assert ecs.code("RunInstances", Amount=3, **wanted) == "OperationDenied.NoStock"
        assert len(ecs.run(group, Amount=3, MinAmount=1)) == 2
        assert ecs.code("RunInstances", **wanted) == "OperationDenied.NoStock"
        zone = ecs.call("DescribeAvailableResource", DestinationResource="InstanceType", ZoneId=local.zone,
                        InstanceType="ecs.c6.large")["AvailableZones"]["AvailableZone"][0]
        assert zone["Status"] == "SoldOut"


def test_dry_run_and_lack_of_permission(tmp_path):
    with api_only(tmp_path) as local:
        ecs = Ecs(local)
        group = ecs.group()
        wanted = {"InstanceType": "ecs.c6.large", "ImageId": local.image, "VSwitchId": local.vswitch,
                  "SecurityGroupId": group}
        assert ecs.code("RunInstances", DryRun="true", ClientToken="t", **wanted) == "DryRunOperation"
        ecs.run(group)
        wait_for(lambda: all_running(ecs, 1))
        assert ecs.code("DescribeInstances", DryRun="true") == "DryRunOperation"
        local.faults(denied=["Describe*", "Delete*"])
        answer = ecs.call("DescribeInstances")
        assert answer["Instances"]["Instance"] == [] and answer["TotalCount"] == 0
        assert ecs.code("DescribeInstances", DryRun="true") == "Forbidden.RAM"
        assert ecs.code("DeleteSecurityGroup", SecurityGroupId=group) == "Forbidden.RAM"


def test_faults(tmp_path):
    with api_only(tmp_path, throttle=0.3, seed=7) as local:
        ecs = Ecs(local)
        codes = [ecs.code("DescribeRegions") for _ in range(100)]
        assert set(codes) == {"OK", "Throttling.User"} and 15 <= codes.count("Throttling.User") <= 45
        local.faults(throttle=0, no_stock=["ecs.c6.large"], region_failure=["cn-beijing"])
        group = ecs.group()
        wanted = {"ImageId": local.image, "VSwitchId": local.vswitch, "SecurityGroupId": group}
        assert ecs.code("RunInstances", InstanceType="ecs.c6.large", **wanted) == "OperationDenied.NoStock"
        assert ecs.code("DescribeInstances", RegionId="cn-beijing") == "ServiceUnavailable"
        local.faults(errors=[{"action": "RunInstances", "code": "InternalError", "status": 500, "after": True}])
        bought = {"InstanceType": "ecs.g6.large", "ClientToken": "t", **wanted}
        assert ecs.code("RunInstances", **bought) == "InternalError"
        assert ecs.code("RunInstances", **bought) == "OK"
        wait_for(lambda: all_running(ecs, 1))


def test_faults_over_http_and_only_from_here(tmp_path):
    with api_only(tmp_path) as local:
        def ask(method, body=None, **headers):
            request = urllib.request.Request(local.endpoint + "/_local/faults", method=method, headers=headers,
                                             data=json.dumps(body).encode() if body is not None else None)
            with urllib.request.urlopen(request, timeout=5) as response:
                return json.load(response)
        assert ask("POST", {"throttle": 0.5})["throttle"] == 0.5
        assert ask("GET")["throttle"] == 0.5
        assert ask("DELETE")["throttle"] == 0
        for body, headers in (({"thorttle": 1}, {}), ({"throttle": 2}, {}), ({"throttle": 1}, {"Origin": "http://x"}),
                              ({"throttle": 1}, {"Host": "evil.example"})):
            with pytest.raises(urllib.error.HTTPError):
                ask("POST", body, **headers)
        assert ask("GET")["throttle"] == 0


def test_tags_are_seen_late_but_kept_at_once(tmp_path):
    with api_only(tmp_path, visibility_delay=600) as local:
        ecs = Ecs(local)
        group = ecs.group(Tag_1_Key="emr:id", Tag_1_Value="emr-1")
        ecs.call("TagResources", ResourceType="securitygroup", ResourceId_1=group, Tag_1_Key="emr:spec",
                 Tag_1_Value="abc")

        def tags():
            rows = ecs.call("ListTagResources", ResourceType="securitygroup", ResourceId_1=group)
            return {r["TagKey"]: r["TagValue"] for r in rows["TagResources"]["TagResource"]}
        assert tags() == {"emr:id": "emr-1"}
        assert local.cloud.store.get("securitygroup", group)["tags"] == {"emr:id": "emr-1", "emr:spec": "abc"}
        local.faults(visibility_delay=0.1)
        ecs.call("TagResources", ResourceType="securitygroup", ResourceId_1=group, Tag_1_Key="emr:spec",
                 Tag_1_Value="abd")
        wait_for(lambda: tags() == {"emr:id": "emr-1", "emr:spec": "abd"})
        ecs.call("UntagResources", ResourceType="securitygroup", ResourceId_1=group, TagKey_1="emr:id")
        wait_for(lambda: tags() == {"emr:spec": "abd"})
        many = {f"Tag_{i}_Key": f"k{i}" for i in range(1, 21)} | {f"Tag_{i}_Value": "v" for i in range(1, 21)}
        assert ecs.code("TagResources", ResourceType="securitygroup", ResourceId_1=group, **many) \
            == "QuotaExceed.TagsPerResource"
        assert ecs.code("TagResources", ResourceType="securitygroup", ResourceId_1=group, Tag_1_Key="acs:x",
                        Tag_1_Value="v") == "InvalidTagKey.Malformed"


def test_pages_by_token_and_by_number(tmp_path):
    with api_only(tmp_path) as local:
        ecs = Ecs(local)
        group = ecs.group()
        ids = ecs.run(group, Amount=25)
        wait_for(lambda: len(ecs.instances()) == 25)
        seen, token = [], ""
        while True:
            answer = ecs.call("DescribeInstances", MaxResults=5, **({"NextToken": token} if token else {}))
            seen.append([i["InstanceId"] for i in answer["Instances"]["Instance"]])
            token = answer["NextToken"]
            if not token:
                break
        assert [len(s) for s in seen] == [10, 10, 5] and [i for s in seen for i in s] == ids
        second = ecs.call("DescribeInstances", PageSize=10, PageNumber=2)
        assert [i["InstanceId"] for i in second["Instances"]["Instance"]] == ids[10:20]
        assert second["TotalCount"] == 25


def at_once(count, work):
    """Results of ``work(number)`` done by so many threads at the same time."""
    results, barrier = [], threading.Barrier(count)

    def one(number):
        barrier.wait()
        results.append(work(number))
    threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_of_many_that_take_a_name_or_a_token_one_wins(tmp_path):
    with api_only(tmp_path) as local:
        group = Ecs(local).group()
        codes = at_once(12, lambda _: Ecs(local).code("ImportKeyPair", KeyPairName="emr-lock-x",
                                                      PublicKeyBody=PUBLIC_KEY))
        assert sorted(codes) == ["KeyPair.AlreadyExist"] * 11 + ["OK"]
        bought = at_once(12, lambda _: tuple(Ecs(local).run(group, Amount=2, ClientToken="same")))
        assert len(set(bought)) == 1 and len(local.cloud.store.all("instance")) == 2


class Process:
    """The server as a process of its own."""

    def __init__(self, state, *options):
        self.state = state
        self.options = options
        self.start()

    def start(self):
        """Start and wait until it answers."""
        (self.state / "server.json").unlink(missing_ok=True)
        self.process = subprocess.Popen([sys.executable, "-m", "emrctl.local.server", "--state", str(self.state),
                                         "--port", "0", "--api-only", *self.options], stderr=subprocess.DEVNULL)
        wait_for((self.state / "server.json").exists, 60)
        port = json.loads((self.state / "server.json").read_text())["port"]
        key_id, secret = keys.ensure(self.state)
        self.local = SimpleNamespace(
            endpoint=f"http://127.0.0.1:{port}", access_key_id=key_id, access_key_secret=secret,
            region=offers.DEFAULT_REGION, zone=offers.DEFAULT_ZONE, image=offers.IMAGE_ID,
            vswitch=offers.vswitch_id(offers.DEFAULT_ZONE))
        return Ecs(self.local)

    def end(self, number=signal.SIGKILL):
        """Signal the process and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(10)


def test_server_is_one_per_state_and_ends_orderly(tmp_path):
    server = Process(tmp_path)
    second = subprocess.run([sys.executable, "-m", "emrctl.local.server", "--state", str(tmp_path), "--port", "0",
                             "--api-only"], stderr=subprocess.PIPE, timeout=20, check=False)
    assert second.returncode == 1 and b"another server" in second.stderr
    assert os.stat(tmp_path / "credentials").st_mode & 0o777 == 0o600
    assert server.end(signal.SIGTERM) == 0
    assert not (tmp_path / "server.json").exists()


def test_killed_at_any_moment_it_never_buys_twice_nor_loses(tmp_path):
    """Buys under tokens while the server is killed again and again; at the end every token has bought once."""
    draw = random.Random(3)
    server = Process(tmp_path, "--boot-seconds", "0.05")
    ecs = Ecs(server.local)
    group = ecs.group()
    answers: dict = {}
    ended = threading.Event()

    def buy():
        for number in range(12):
            while not ended.is_set():
                try:
                    ids = Ecs(server.local).run(group, Amount=3, ClientToken=f"t{number}")
                except (ServerException, ClientException):  # down, or killed before it answered: ask again
                    time.sleep(0.02)
                    continue
                answers.setdefault(number, set()).add(tuple(ids))
                break
    buyer = threading.Thread(target=buy)
    buyer.start()
    for _ in range(5):
        time.sleep(draw.uniform(0.02, 0.25))
        server.end()
        ecs = server.start()
    buyer.join(60)
    ended.set()
    assert sorted(answers) == list(range(12))
    rows = wait_for(lambda: all_running(ecs, 36), 60)
    for number, seen in answers.items():
        again = tuple(ecs.run(group, Amount=3, ClientToken=f"t{number}"))
        assert seen == {again}
    assert len({r["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0] for r in rows}) == 36
    server.end(signal.SIGTERM)


def test_dist_serves_plain_files_only(tmp_path):
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "hadoop-3.4.2.tar.gz").write_bytes(b"x" * 100000)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "dist" / ".hidden").write_text("secret")
    with api_only(tmp_path) as local:
        with urllib.request.urlopen(local.endpoint + "/dist/hadoop-3.4.2.tar.gz", timeout=5) as response:
            assert response.read() == b"x" * 100000
        for name in ("../secret", "..%2fsecret", ".hidden", "", "nothing", "a/../hadoop-3.4.2.tar.gz"):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"{local.endpoint}/dist/{name}", timeout=5)
