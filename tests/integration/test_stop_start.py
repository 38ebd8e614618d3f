"""Stopping and starting the instances of a cluster against the API: what they cost then, and what is refused."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs import power
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from emrctl.local.testing import api_only
from tests.integration.cloudbed import Owner, create, operation, spec

pytestmark = pytest.mark.usefixtures("no_hosts")


@pytest.fixture
def ecs(monkeypatch, tmp_path):
    with api_only(tmp_path / "ecs") as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        yield local


def held(ecs, owner, name):
    run = operation(EcsClient(ecs.region), name, owner)
    run.take_lock()
    return run


def test_a_stopped_cluster_costs_its_disks_and_a_started_one_is_whole(ecs):
    with Owner() as owner:
        create(EcsClient(ecs.region), spec(ecs), owner)
        run = held(ecs, owner, "demo")
        before = power.standing_price(run.client, run.found().instances)
        found, charged = run.stop()
        assert charged == [] and {i["StoppedMode"] for i in found.instances} == {"StopCharging"} and run.changed
        after = power.standing_price(run.client, found.instances)
        # Four system disks of 40 GiB by the local price list, and nothing else.
        assert 0 < after["hourly"] < before["hourly"] / 4 and after["currency"] == "CNY"
        again = held(ecs, owner, "demo")
        assert again.stop()[1] == [] and not again.changed
        ips = {i["InstanceName"]: i["VpcAttributes"] for i in found.instances}
        started = run.start()
        assert {i["Status"] for i in started.instances} == {"Running"}
        assert {i["InstanceName"]: i["VpcAttributes"] for i in started.instances} == ips
        assert power.standing_price(run.client, started.instances) == before


def test_local_disks_go_on_costing_and_are_refused_when_paying_has_to_stop(ecs):
    wanted = spec(ecs, slave="  slave: {count: 1, instance_types: [ecs.d2s.5xlarge]}")
    with Owner() as owner:
        create(EcsClient(ecs.region), wanted, owner)
        run = held(ecs, owner, "demo")
        with pytest.raises(Refused, match="1 of 2 instances cannot stop charging .demo-slave-001: ecs.d2s.5xlarge has local disks"):
            run.require_saving(run.found())
        assert {i["Status"] for i in run.found().instances} == {"Running"}
        assert run.stop()[1] == ["demo-slave-001"]
