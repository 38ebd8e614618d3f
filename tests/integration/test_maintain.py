"""Maintain without hosts: the end of a cluster's life, spot nodes that went, and the notice as a node hears of it."""
from __future__ import annotations

import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.finder import find_cluster, list_clusters
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.cloud.maintain.maintenance import Maintenance, check
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.node.scale.reclaim_program import Metadata
from emrctl.listing import state_of
from emrctl.local.testing import api_only
from tests.integration.cloudbed import BrittleClient, Owner, create, expected, left_over, living, operation, spec
from tests.integration.ecs_calls import wait_for

HOUR = 3600
SPOT = "  night: {role: task, count: 2, instance_types: [ecs.c6.large], spot: {}}"


pytestmark = pytest.mark.usefixtures("no_hosts")


@pytest.fixture
def ecs(monkeypatch, tmp_path):
    with api_only(tmp_path / "ecs", visibility_delay=0.0) as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        yield local


def maintain(ecs, wanted, owner, client=None, **fields):
    """One run as the playbook does it, up to the converge; returns its data."""
    run = operation(client or EcsClient(ecs.region), "demo", owner, confirm="")
    if fields.get("act", True):
        run.take_lock()
    try:
        return Maintenance(run, wanted, **{"activity": {"active": time.time(), "why": "a job ran"}, **fields}).run()
    finally:
        run.unlock()


def bought(ecs, wanted, owner):
    """A cluster that was created to its end."""
    run, _ = create(EcsClient(ecs.region), wanted, owner)
    run.settle(wanted)
    return run


def idle_for(seconds):
    return {"active": time.time() - seconds, "why": "j-1 ended", "unknown": []}



def warned(ecs):
    return find_cluster(EcsClient(ecs.region), "demo").anchor.warned


def test_a_quiet_cluster_with_nothing_to_do_is_left_alone(ecs, owner):
    wanted = spec(ecs, groups=SPOT)
    bought(ecs, wanted, owner)
    client = BrittleClient(ecs.region)
    data = maintain(ecs, wanted, owner, client, activity=idle_for(99 * HOUR))
    assert (data["verdict"], data["converge"], data["done"], data["problems"]) == ("keep", False, [], [])
    # The lock, and nothing else.
    assert client.log == ["ImportKeyPair", "DeleteKeyPairs"]


def test_idle_warns_once_then_waits_then_releases(ecs, owner):
    wanted = spec(ecs, idle="idle_release: 2h")
    bought(ecs, wanted, owner)
    first = maintain(ecs, wanted, owner, activity=idle_for(3 * HOUR))
    assert first["verdict"] == "warn" and "idle for 3h, idle_release is 2h" in first["done"][0]
    tag = warned(ecs)
    assert tag.endswith(" idle") and abs(int(tag.split()[0]) - time.time()) < 60
    [listed] = list_clusters(EcsClient(ecs.region))["clusters"]
    assert "warned of its release at" in state_of(listed) and state_of(listed).endswith("idle)")
    again = maintain(ecs, wanted, owner, activity=idle_for(3 * HOUR))
    assert again["verdict"] == "wait" and warned(ecs) == tag
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)
    last = maintain(ecs, wanted, owner, activity=idle_for(4 * HOUR), grace=HOUR, now=time.time() + HOUR)
    assert last["released"] and not last["converge"]
    assert living(ecs, "demo") == [] and left_over(ecs, "demo") == []


def test_work_after_the_warning_takes_it_back(ecs, owner):
    wanted = spec(ecs, idle="idle_release: 2h")
    bought(ecs, wanted, owner)
    maintain(ecs, wanted, owner, activity=idle_for(3 * HOUR))
    data = maintain(ecs, wanted, owner, activity=idle_for(60), now=time.time() + HOUR)
    assert data["verdict"] == "keep" and "withdrawn" in data["done"][0]
    assert warned(ecs) == ""
    # A later idle time begins with a warning again, however old the first one was.
    assert maintain(ecs, wanted, owner, activity=idle_for(5 * HOUR), now=time.time() + 4 * HOUR)["verdict"] == "warn"


def test_daemons_that_do_not_answer_never_release(ecs, owner):
    wanted = spec(ecs, idle="idle_release: 2h")
    bought(ecs, wanted, owner)
    unknown = {**idle_for(9 * HOUR), "unknown": ["the ResourceManager does not answer"]}
    assert maintain(ecs, wanted, owner, activity=unknown)["verdict"] == "keep"
    assert maintain(ecs, wanted, owner, activity=None)["verdict"] == "keep"


def test_age_ends_a_stopped_cluster_too(ecs, owner):
    wanted = spec(ecs, age="max_age: 1d")
    run = bought(ecs, wanted, owner)
    born = time.time()
    assert maintain(ecs, wanted, owner)["verdict"] == "keep"
    run.take_lock()
    run.stop()
    run.unlock()
    early = maintain(ecs, None, owner, activity=None)
    assert early["verdict"] == "keep" and "stopped" in early["done"][0]
    later = born + 25 * HOUR
    assert maintain(ecs, None, owner, activity=None, now=later)["verdict"] == "warn"
    assert maintain(ecs, None, owner, activity=None, now=later + 2 * HOUR)["released"]
    assert living(ecs, "demo") == []


def test_a_protected_cluster_is_only_reported(ecs, owner):
    wanted = spec(ecs, age="max_age: 1d", protection="deletion_protection: true")
    bought(ecs, wanted, owner)
    for _ in range(2):
        data = maintain(ecs, wanted, owner, now=time.time() + 99 * 24 * HOUR)
        assert data["verdict"] == "protected" and "protected against deletion: kept" in data["done"][0]
    assert living(ecs, "demo") == expected("demo", master=1, slave=3) and warned(ecs) == ""


def test_protection_leaves_spot_nodes_out(ecs, owner):
    """ECS offers none for them, and refuses a purchase that asks for it."""
    wanted = spec(ecs, protection="deletion_protection: true", groups=SPOT)
    run = bought(ecs, wanted, owner)
    assert sorted(i["name"] for i in ecs.cloud.store.all("instance") if not i["protected"]) == expected("demo", night=2)
    assert run.plan(wanted)[0].changes == []


def test_a_dry_run_changes_nothing(ecs, owner):
    wanted = spec(ecs, age="max_age: 1d", groups=SPOT)
    bought(ecs, wanted, owner)
    ecs.faults(die=["demo-night-001"])
    wait_for(lambda: "Stopped" in [i["status"] for i in ecs.cloud.store.all("instance")], 20)
    client = BrittleClient(ecs.region)
    data = maintain(ecs, wanted, owner, client, act=False, now=time.time() + 25 * HOUR)
    assert data["verdict"] == "warn" and data["converge"]
    assert any("would release stopped spot nodes: demo-night-001" in text for text in data["done"])
    assert any("would replace spot nodes: demo-night-001" in text for text in data["done"])
    assert client.log == [] and warned(ecs) == ""


def test_a_dead_spot_node_is_released_and_one_that_went_is_missed(ecs, owner):
    wanted = spec(ecs, groups=SPOT)
    bought(ecs, wanted, owner)
    ecs.faults(die=["demo-night-002", {"instance": "demo-night-001", "released": True}])
    wait_for(lambda: [i["status"] for i in ecs.cloud.store.all("instance") if "night" in i["name"]] == ["Stopped"], 20)
    data = maintain(ecs, wanted, owner)
    assert data["converge"] and not data["problems"]
    assert data["done"] == ["released stopped spot nodes: demo-night-002",
                            "replace spot nodes: demo-night-001, demo-night-002"]
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)


def test_a_lost_slave_is_a_matter_for_people(ecs, owner):
    wanted = spec(ecs, groups=SPOT)
    bought(ecs, wanted, owner)
    ecs.faults(die=[{"instance": name, "released": True} for name in ("demo-slave-002", "demo-night-001")])
    wait_for(lambda: len(living(ecs, "demo")) == 4, 20)
    data = maintain(ecs, wanted, owner)
    assert not data["converge"]
    assert "demo-slave-002" in data["problems"][0] and "emrctl repair demo" in data["problems"][0]
    with pytest.raises(EmrError, match="demo-slave-002"):
        check(data)


def test_an_interrupted_replacement_is_finished(ecs, owner):
    wanted = spec(ecs, groups=SPOT)
    bought(ecs, wanted, owner)
    ecs.faults(die=[{"instance": "demo-night-001", "released": True}])
    wait_for(lambda: len(living(ecs, "demo")) == 5, 20)
    create(EcsClient(ecs.region), wanted, owner)
    assert len(living(ecs, "demo")) == 6
    data = maintain(ecs, wanted, owner)
    assert data["converge"] and data["done"] == ["replace spot nodes: demo-night-001"]


def test_an_interrupted_create_is_a_matter_for_people(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs), owner)
    data = maintain(ecs, spec(ecs), owner)
    assert not data["converge"] and "demo-slave-001" in data["problems"][0] and "create" in data["problems"][0]


def test_a_node_with_notice_is_waited_for(ecs, owner):
    wanted = spec(ecs, groups=SPOT)
    bought(ecs, wanted, owner)
    ecs.faults(die=[{"instance": "demo-night-002", "released": True}], spot_notice=["demo-night-001"],
               spot_notice_seconds=8)
    wait_for(lambda: len(living(ecs, "demo")) == 5 and not ecs.cloud.faults.value("spot_notice"), 20)
    data = maintain(ecs, wanted, owner)
    assert not data["converge"] and "demo-night-001 will be gone within minutes" in data["done"][0]
    wait_for(lambda: len(living(ecs, "demo")) == 4, 20)
    data = maintain(ecs, wanted, owner, excluded=["demo-night-001"])
    assert data["converge"] and data["done"] == ["replace spot nodes: demo-night-001, demo-night-002",
                                                 "remove the records of nodes that are gone: demo-night-001"]


def test_names_left_on_the_lists_are_forgotten(ecs, owner):
    wanted = spec(ecs)
    bought(ecs, wanted, owner)
    assert maintain(ecs, wanted, owner, excluded=["demo-slave-001"])["converge"] is False
    assert maintain(ecs, wanted, owner, excluded=["demo-slave-001", "demo-night-009"])["converge"] is True


def test_refused_while_somebody_else_works(ecs, owner):
    bought(ecs, spec(ecs), owner)
    with Owner() as other:
        operation(EcsClient(ecs.region), "demo", other).take_lock()
        with pytest.raises(Refused, match="Another operation"):
            maintain(ecs, spec(ecs), owner)


def test_a_node_hears_of_its_end_from_the_metadata_service(ecs, owner):
    create(EcsClient(ecs.region), spec(ecs, groups=SPOT), owner)
    ids = {i["name"]: i["id"] for i in ecs.cloud.store.all("instance")}
    first, second = (Metadata(ecs.metadata(ids[f"demo-night-00{n}"]) + "/latest") for n in (1, 2))
    assert first.notice() is None and second.notice() is None
    ecs.faults(spot_notice=["demo-night-001"], spot_notice_seconds=100)
    until = wait_for(first.notice, 20)
    assert 80 < until - time.time() < 101
    assert second.notice() is None


def budget(beyond, **more):
    return {"active": time.time(), "why": "a job ran", "budget": {
        "monthly": 100, "spent": 120.5, "share": 1.205, "warns": True, "refuses": False, "releases": beyond, "currency": "CNY", "until": 1796083200, **more}}


def test_a_spent_budget_ends_task_groups_and_nothing_else(ecs, owner):
    wanted = spec(ecs, groups=SPOT)
    bought(ecs, wanted, owner)
    assert not maintain(ecs, wanted, owner, activity=budget(False))["converge"]
    dry = maintain(ecs, wanted, owner, activity=budget(True), act=False)
    data = maintain(ecs, wanted, owner, activity=budget(True))
    assert data["converge"] and data["edit"] == dry["edit"] == {"groups": {"master": 1, "slave": 3, "night": 0}}
    [told] = data["done"]
    assert told.startswith("release the task groups night: the cluster has cost 120.50 CNY this month, and its budget is 100.00")
    assert "from 2026-12-01 on" in told and told.endswith("emrctl scale demo night=2") and dry["done"] == [f"would {told}"]
    # Maintain itself deletes none of them: they are drained first.
    assert living(ecs, "demo") == expected("demo", master=1, slave=3, night=2)


def test_a_spent_budget_buys_no_spot_nodes(ecs, owner):
    wanted = spec(ecs, groups=SPOT)
    run = bought(ecs, wanted, owner)
    run.take_lock()
    run.release_nodes(["demo-night-001", "demo-night-002"], ["demo-night-001", "demo-night-002"])
    run.unlock()
    data = maintain(ecs, wanted, owner, activity=budget(True))
    assert data["converge"] and data["edit"]["groups"]["night"] == 0 and "replace" not in " ".join(data["done"])
    # The spec without them, as converge keeps it: nothing is left to do.
    after = spec(ecs, groups=SPOT.replace("count: 2", "count: 0"))
    assert not maintain(ecs, after, owner, activity=budget(True))["converge"]
