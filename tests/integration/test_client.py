"""The ECS client: credentials, retries, paging, errors; and the lock."""
from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import lock as lock_module
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.lock import Lock, LockLost, is_dead, owner_name
from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import Credentials, find_credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import (
    NETWORK_ERROR,
    EcsClient,
    EcsError,
    flatten,
    split_endpoint,
)
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from emrctl.local.testing import api_only
from tests.integration.cloudbed import Owner
from tests.integration.ecs_calls import wait_for


@pytest.fixture
def ecs(monkeypatch, tmp_path):
    with api_only(tmp_path / "ecs") as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        yield local


def run_instances(ecs, amount):
    client = EcsClient(ecs.region)
    group = client.call("CreateSecurityGroup", SecurityGroupName="group")["SecurityGroupId"]
    for first in range(0, amount, 100):
        client.call("RunInstances", InstanceType="ecs.c6.large", ImageId=ecs.image, VSwitchId=ecs.vswitch,
                    SecurityGroupId=group, Amount=min(100, amount - first))


def test_flatten():
    assert flatten({"Tag": [{"Key": "a", "Value": "1"}, {"Key": "b"}], "Disk": {"Size": 40}, "Ids": ["x", "y"],
                    "DryRun": True, "Nothing": None}) == {
        "Tag.1.Key": "a", "Tag.1.Value": "1", "Tag.2.Key": "b", "Disk.Size": "40", "Ids.1": "x", "Ids.2": "y",
        "DryRun": "true"}


def test_pages_are_put_together(ecs):
    run_instances(ecs, 230)
    time.sleep(0.2)
    found = EcsClient(ecs.region).items("DescribeInstances")
    assert len({i["InstanceId"] for i in found}) == len(found) == 230


def test_throttled_calls_are_repeated(ecs):
    ecs.faults(throttle=0.5, seed=3)
    client = EcsClient(ecs.region)
    for _ in range(10):
        client.call("DescribeZones")
    assert client.retries["Throttling.User"] > 0


def test_repetition_is_bounded_and_says_what_it_saw_last(ecs):
    ecs.faults(region_failure=[ecs.region])
    start = time.monotonic()
    with pytest.raises(EcsError, match=r"DescribeZones: ServiceUnavailable: .*gave up after \d+ attempts"):
        EcsClient(ecs.region, patience=1).call("DescribeZones")
    assert time.monotonic() - start < 5


def test_network_error_names_endpoint_and_hides_the_signed_request(ecs):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EcsError) as failure:
        EcsClient(ecs.region, endpoint=f"http://127.0.0.1:{port}", patience=0.5).call("DescribeZones")
    text = str(failure.value)
    assert f"127.0.0.1:{port}" in text and "Connection refused" in text
    assert "Signature" not in text and ecs.access_key_id not in text and ecs.access_key_secret not in text


def test_an_endpoint_that_never_answered_is_given_up_earlier_than_one_that_has(ecs):
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    client = EcsClient(ecs.region, endpoint=f"http://127.0.0.1:{free.getsockname()[1]}", patience=3600, unheard=0.5)
    with pytest.raises(EcsError, match="127.0.0.1"):
        client.call("DescribeRegions")
    known = EcsClient(ecs.region, patience=3, unheard=0.5)
    known.call("DescribeRegions")
    known.endpoint = client.endpoint
    with pytest.raises(EcsError):
        known.call("DescribeRegions")
    assert known.retries[NETWORK_ERROR] > client.retries[NETWORK_ERROR], "it has answered before, so it is waited for"
    free.close()


def test_wrong_secret(ecs, capfd):
    bad = Credentials(ecs.access_key_id, "not-the-secret")
    with pytest.raises(EcsError) as failure:
        EcsClient(ecs.region, bad).call("DescribeZones")
    assert "access key" in failure.value.remedy
    assert ecs.access_key_id not in str(failure.value)
    assert "not-the-secret" not in repr(bad)
    captured = capfd.readouterr()
    assert not captured.err and not captured.out


def test_proxy_variables_do_not_hide_a_local_endpoint(ecs, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert EcsClient(ecs.region, patience=1).items("DescribeZones")


def test_permission_is_told_apart_from_nothing(ecs):
    client = EcsClient(ecs.region)
    assert client.allowed("DescribeInstances")
    ecs.faults(denied=["Describe*"])
    assert client.items("DescribeInstances") == []
    assert not client.allowed("DescribeInstances")


@pytest.mark.parametrize(("text", "expected"), [
    ("http://127.0.0.1:7788", ("http", "127.0.0.1:7788")), ("ecs.example.com", ("https", "ecs.example.com")),
    ("https://ecs.example.com/", ("https", "ecs.example.com"))])
def test_endpoint(text, expected):
    assert split_endpoint(text) == expected


def test_endpoint_that_is_none():
    with pytest.raises(Refused):
        split_endpoint("http://host/path")


@pytest.mark.parametrize("prefix", ["ALIBABA_CLOUD", "ALIBABACLOUD", "ALICLOUD"])
def test_credentials_of_the_environment(prefix):
    found = find_credentials({f"{prefix}_ACCESS_KEY_ID": "id", f"{prefix}_ACCESS_KEY_SECRET": "se",
                              f"{prefix}_SECURITY_TOKEN": "to", f"{prefix}_REGION_ID": "cn-x"})
    assert (found.access_key_id, found.access_key_secret, found.security_token, found.region) == ("id", "se", "to", "cn-x")


def test_credentials_of_profiles(tmp_path):
    folder = tmp_path / ".aliyun"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"current": "a", "profiles": [
        {"name": "a", "mode": "AK", "access_key_id": "ia", "access_key_secret": "sa", "region_id": "cn-a"},
        {"name": "s", "mode": "StsToken", "access_key_id": "is", "access_key_secret": "ss", "sts_token": "ts"},
        {"name": "r", "mode": "RamRoleArn"}, {"name": "h", "mode": "AK", "access_key_id": "x"}]}))
    home = {"HOME": str(tmp_path)}
    assert find_credentials(home).access_key_id == "ia" and find_credentials(home).region == "cn-a"
    assert find_credentials(home, profile="s").security_token == "ts"
    assert find_credentials({**home, "ALIBABA_CLOUD_ACCESS_KEY_ID": "e", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "f"}
                            ).access_key_id == "e"
    for profile, message in (("r", "RamRoleArn"), ("h", "incomplete"), ("z", "no profile 'z'")):
        with pytest.raises(Refused, match=message):
            find_credentials(home, profile=profile)
    with pytest.raises(Refused, match="No Alibaba Cloud credentials"):
        find_credentials({"HOME": str(tmp_path / "nowhere"), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"})
    with pytest.raises(Refused, match="half of an access key"):
        find_credentials({"ALIBABA_CLOUD_ACCESS_KEY_ID": "x"})


def test_lock_excludes_and_is_reentrant(ecs):
    with Owner() as one, Owner() as two:
        mine, theirs = Lock(EcsClient(ecs.region), "demo", one.pid), Lock(EcsClient(ecs.region), "demo", two.pid)
        assert mine.acquire() and not mine.acquire()
        with pytest.raises(Refused, match=f"pid {one.pid} "):
            theirs.acquire()
        assert not theirs.release() and mine.release()
        assert theirs.acquire()
        with pytest.raises(LockLost):
            mine.check()


def test_lock_of_a_dead_process_of_this_machine_is_taken_over_at_once(ecs):
    one = Owner()
    Lock(EcsClient(ecs.region), "demo", one.pid).acquire()
    one.kill()
    with Owner() as two:
        start = time.monotonic()
        assert Lock(EcsClient(ecs.region), "demo", two.pid).acquire()
        assert time.monotonic() - start < 3


def test_exactly_one_takes_over(ecs):
    """Twelve see the same dead lock."""
    one = Owner()
    Lock(EcsClient(ecs.region), "demo", one.pid).acquire()
    one.kill()
    owners = [Owner() for _ in range(12)]
    won, refused = [], []

    def attempt(process):
        lock = Lock(EcsClient(ecs.region), "demo", process.pid)
        try:
            lock.acquire()
            won.append(lock)
        except Refused:
            refused.append(lock)

    threads = [threading.Thread(target=attempt, args=(o,)) for o in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(refused)) == (1, 11)
    won[0].check()
    for process in owners:
        process.kill()


def test_lock_of_another_machine_ends_by_its_expiry(ecs, monkeypatch):
    monkeypatch.setattr(lock_module, "TTL", 5)
    with Owner() as one, Owner() as two:
        away = Lock(EcsClient(ecs.region), "demo", one.pid)
        away.owner = "root@away pid 1 start 1 on 0123456789ab"
        away.acquire()
        here = Lock(EcsClient(ecs.region), "demo", two.pid)
        with pytest.raises(Refused, match="ends by itself in"):
            here.acquire(watch=1)
        time.sleep(5.2)
        assert here.acquire(watch=1)


def test_lock_that_is_renewed_is_not_taken_over(ecs, monkeypatch):
    """Its expiry is past by this machine's clock, but it moves: the clocks differ."""
    monkeypatch.setattr(lock_module, "TTL", -5)
    stop = threading.Event()
    with Owner() as one, Owner() as two:
        away = Lock(EcsClient(ecs.region), "demo", one.pid)
        away.owner = "root@away pid 1 start 1 on 0123456789ab"
        away.acquire()

        def keep():
            while not stop.wait(1.0):
                away.renew()

        keeper = threading.Thread(target=keep)
        keeper.start()
        with pytest.raises(Refused):
            Lock(EcsClient(ecs.region), "demo", two.pid).acquire(watch=2.5)
        stop.set()
        keeper.join()


def test_keeper_gives_the_lock_back_when_its_owner_dies(ecs):
    one = Owner()
    lock = Lock(EcsClient(ecs.region), "demo", one.pid)
    lock.acquire()
    keeper = lock.start_keeper()
    assert lock.holder()
    one.kill()
    wait_for(lambda: lock.holder() is None, 15)
    wait_for(lambda: gone(keeper), 15)


def test_keeper_renews(ecs):
    """A keeper whose interval is shortened through its own code, as it runs in a process of its own."""
    with Owner() as one:
        lock = Lock(EcsClient(ecs.region), "demo", one.pid)
        lock.acquire()
        before = lock.holder().expiry
        time.sleep(1.1)
        pid = os.fork()
        if pid == 0:
            lock_module.RENEW = 0.5
            lock_module.keep({"region": ecs.region, "cluster": "demo", "pid": one.pid, "owner": lock.owner})
            os._exit(0)
        wait_for(lambda: lock.holder().expiry > before, 15)
    wait_for(lambda: lock.holder() is None, 15)
    os.waitpid(pid, 0)


def test_keeper_ends_an_owner_that_lost_its_lock(ecs):
    """A laptop that slept: meanwhile somebody else works on the cluster."""
    with Owner() as one, Owner() as two:
        lock = Lock(EcsClient(ecs.region), "demo", one.pid)
        lock.acquire()
        owner = lock.owner
        rival = Lock(EcsClient(ecs.region), "demo", two.pid)
        rival._delete(rival.name)
        rival.acquire()
        pid = os.fork()
        if pid == 0:
            lock_module.RENEW = 0.2
            lock_module.keep({"region": ecs.region, "cluster": "demo", "pid": one.pid, "owner": owner})
            os._exit(0)
        assert one.process.wait(10) == -signal.SIGTERM
        os.waitpid(pid, 0)
        rival.check()


def test_orphan_of_a_killed_owner_stops(ecs):
    """Until the keeper gives the lock back it is still in the dead owner's name: that is not enough to go on."""
    one = Owner()
    lock = Lock(EcsClient(ecs.region), "demo", one.pid)
    lock.acquire()
    one.kill()
    with pytest.raises(LockLost, match="has ended"):
        lock.check()


def test_names_of_owners():
    name = owner_name(os.getpid())
    assert len(name) <= 128 and not is_dead(name)
    assert not is_dead("somebody else's text")


def gone(pid: int) -> bool:
    """Whether a child has ended (it is reaped)."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True

