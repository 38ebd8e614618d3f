"""What a stopped instance costs and keeps: StoppedMode of the local ECS."""
from __future__ import annotations

from emrctl.local.testing import api_only

from .ecs_calls import Ecs, wait_for
from .test_local_api_life import Recorder


def in_state(ecs, status, count=1):
    rows = ecs.instances()
    return rows if len(rows) == count and all(r["Status"] == status for r in rows) else None


def stopped(ecs, **params):
    ids = [r["InstanceId"] for r in ecs.instances()]
    ecs.call("StopInstances", **{f"InstanceId_{n}": i for n, i in enumerate(ids, 1)}, **params)
    return wait_for(lambda: in_state(ecs, "Stopped", len(ids)))[0]


def address(row):
    return (row["PublicIpAddress"]["IpAddress"] or [""])[0]


def test_one_that_stops_charging_gives_its_public_address_back_and_keeps_the_private_one(tmp_path):
    driver = Recorder(tmp_path)
    with api_only(tmp_path, driver=driver) as local:
        ecs = Ecs(local)
        (one,) = ecs.run(ecs.group(), InternetMaxBandwidthOut=5)
        before = wait_for(lambda: in_state(ecs, "Running"))[0]
        assert before["StoppedMode"] == "KeepCharging" and address(before)
        down = stopped(ecs, StoppedMode="StopCharging")
        assert down["StoppedMode"] == "StopCharging" and address(down) == ""
        ecs.call("StartInstances", InstanceId_1=one)
        after = wait_for(lambda: in_state(ecs, "Running"))[0]
        assert address(after) not in ("", address(before)) and after["StoppedMode"] == "KeepCharging"
        assert after["VpcAttributes"] == before["VpcAttributes"] and after["InstanceId"] == one
        assert driver.created[one]["public_ip"] == address(after)
        # Without that mode the address stays.
        assert address(stopped(ecs)) == address(after)


def test_local_disks_cannot_stop_charging(tmp_path):
    with api_only(tmp_path) as local:
        ecs = Ecs(local)
        ecs.run(ecs.group(), InstanceType="ecs.d2s.5xlarge", InternetMaxBandwidthOut=5)
        before = wait_for(lambda: in_state(ecs, "Running"))[0]
        down = stopped(ecs, StoppedMode="StopCharging")
        assert down["StoppedMode"] == "Not-applicable" and address(down) == address(before)


def test_another_mode_is_refused(tmp_path):
    with api_only(tmp_path) as local:
        ecs = Ecs(local)
        (one,) = ecs.run(ecs.group())
        wait_for(lambda: in_state(ecs, "Running"))
        assert ecs.code("StopInstances", InstanceId_1=one, StoppedMode="Free") == "InvalidStoppedMode"
        assert ecs.instances()[0]["Status"] == "Running"
