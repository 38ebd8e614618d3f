"""Buying: nothing twice and nothing missing, whatever happens in between."""
from __future__ import annotations

import threading

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.lock import Lock
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.operation import Unconfirmed
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient, EcsError
from ansible_collections.emr.cluster.plugins.module_utils.cloud.purchase import purchase
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from emrctl.local.testing import api_only
from tests.integration.cloudbed import (
    BrittleClient,
    Killed,
    Owner,
    changes_of,
    create,
    die_after_slaves,
    expected,
    left_over,
    living,
    operation,
    spec,
)
from tests.integration.ecs_calls import wait_for

DELAY = [0.3, 0.8]


pytestmark = pytest.mark.usefixtures("no_hosts")


@pytest.fixture
def ecs(monkeypatch, tmp_path):
    with api_only(tmp_path / "ecs", visibility_delay=DELAY) as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        yield local


def test_create_then_again(ecs, owner):
    wanted = spec(ecs)
    run, (found, plan, login, bought) = create(BrittleClient(ecs.region), wanted, owner)
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)
    assert [i["Status"] for i in found.instances] == ["Running"] * 4
    assert run.changed and len(bought) == 2 and plan.price["hourly"] > 0
    again = BrittleClient(ecs.region)
    run, (_, plan, same, bought) = create(again, wanted, owner)
    assert not run.changed and not bought and plan.empty and same.key_pair == login.key_pair
    # the lock, and intents whose end is not visible yet, are all that a second create touches
    assert set(changes_of(again)) <= {"ImportKeyPair", "DeleteKeyPairs", "TagResources", "UntagResources"}
    assert not found.anchor.intents


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_every_call(ecs, owner, moment, monkeypatch, tmp_path):
    """The rerun starts at once, while neither instances nor tags of the killed run need be visible."""
    for number in range(1, 100):
        name = f"k{number}-{moment}"
        wanted = spec(ecs, name)
        # a home of its own, so that the login key is made and imported too
        monkeypatch.setenv("HOME", str(tmp_path / name))
        with Owner() as first:
            try:
                create(BrittleClient(ecs.region, number, moment), wanted, first)
                break
            except Killed as death:
                killed = f"killed {moment} call {number}, {death}"
        create(BrittleClient(ecs.region), wanted, owner)
        assert living(ecs, name) == expected(name, master=1, slave=3), killed
        assert left_over(ecs, name) == [f"emr-{name}"], killed
    assert number > 12


def test_killed_again_and_again(ecs, owner):
    """Each rerun gets one call further than the one before."""
    wanted = spec(ecs)
    for number in range(1, 40):
        with Owner() as mine:
            try:
                create(BrittleClient(ecs.region, number, "after"), wanted, mine)
                break
            except Killed:
                continue
    create(BrittleClient(ecs.region), wanted, owner)
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)


def test_bad_day(ecs, owner):
    """30 % throttled, the first type out of stock, late visibility, lost answers: it succeeds and says so."""
    ecs.faults(throttle=0.3, seed=7, no_stock=["ecs.c6.large"], visibility_delay=[1.0, 2.0],
               errors=[{"action": "RunInstances", "code": "InternalError", "times": 2, "after": True}])
    wanted = spec(ecs, master="  master: {count: 1, instance_types: [ecs.c6.large, ecs.g6.large]}")
    client = BrittleClient(ecs.region)
    run, (found, _, _, bought) = create(client, wanted, owner)
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)
    assert {i["InstanceType"] for i in found.instances} == {"ecs.g6.large"}
    assert client.retries.get("Throttling.User", 0) > 0
    assert sum(b["count"] for b in bought) == 4
    assert "bought 3 x ecs.g6.large for group slave; ecs.c6.large out of stock, took ecs.g6.large" in run.events


def test_out_of_stock_at_the_moment_of_buying(ecs, owner):
    """The plan saw stock; it went before RunInstances."""
    wanted = spec(ecs)
    client = BrittleClient(ecs.region)
    run = operation(client, "demo", owner)
    send = client.send

    def sold_meanwhile(action, flat):
        if action == "RunInstances" and flat["InstanceType"] == "ecs.c6.large" and "slave" in flat["InstanceName"]:
            raise EcsError("OperationDenied.NoStock", "sold out", "", action)
        return send(action, flat)

    client.send = sold_meanwhile
    run.take_lock()
    run.present(wanted)
    run.unlock()
    assert "bought 3 x ecs.g6.large for group slave; ecs.c6.large out of stock, took ecs.g6.large" in run.events
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)


def test_nothing_in_stock_leaves_no_intent(ecs, owner):
    ecs.faults(no_stock=["ecs.c6.large", "ecs.g6.large"])
    run = operation(BrittleClient(ecs.region), "demo", owner)
    run.take_lock()
    with pytest.raises(EmrError, match="cannot be bought.*ecs.c6.large out of stock"):
        run.present(spec(ecs))
    assert living(ecs, "demo") == []
    group = next(g for g in ecs.cloud.store.all("securitygroup") if g["tags"].get("emr:cluster") == "demo")
    assert not [k for k in group["tags"] if k.startswith("emr:intent:")]


def test_scale_out_and_gaps(ecs, owner):
    client = BrittleClient(ecs.region)
    create(client, spec(ecs), owner)
    gone = [i["id"] for i in ecs.cloud.store.all("instance") if i["name"] == "demo-slave-002"]
    client.call("DeleteInstances", InstanceId=gone, Force=True)
    wait_for(lambda: living(ecs, "demo") == ["demo-master-001", "demo-slave-001", "demo-slave-003"], 20)
    bigger = spec(ecs, slave="  slave: {count: 5, instance_types: [ecs.c6.large]}")
    _, (_, plan, _, _) = create(BrittleClient(ecs.region), bigger, owner)
    assert [p.runs() for p in plan.purchases] == [[(2, 2), (4, 5)]]
    assert living(ecs, "demo") == expected("demo", master=1, slave=5)


def test_released_node_is_bought_anew(ecs, owner):
    """The same ordinals, type and cluster within the life of a ClientToken: a new instance, not the old one."""
    client = BrittleClient(ecs.region)
    wanted = spec(ecs, slave="  slave: {count: 1, instance_types: [ecs.c6.large]}")
    create(client, wanted, owner)
    old = next(i["id"] for i in ecs.cloud.store.all("instance") if i["name"] == "demo-slave-001")
    client.call("DeleteInstances", InstanceId=[old], Force=True)
    wait_for(lambda: living(ecs, "demo") == ["demo-master-001"], 20)
    create(client, wanted, owner)
    new = next(i["id"] for i in ecs.cloud.store.all("instance") if i["name"] == "demo-slave-001" and not i["released"])
    assert new != old


def test_batches_of_a_hundred(ecs, owner):
    wanted = spec(ecs, slave="  slave: {count: 230, instance_types: [ecs.c6.large]}")
    client = BrittleClient(ecs.region)
    create(client, wanted, owner)
    assert changes_of(client)["RunInstances"] == 4
    assert living(ecs, "demo") == expected("demo", master=1, slave=230)


def test_spec_changed_after_a_kill(ecs, owner):
    """The token was used with other parameters: what it bought is found, not bought again."""
    ecs.faults(visibility_delay=6)  # not listed yet when the second run begins, however slow this machine is
    with Owner() as first:
        die_after_slaves(ecs, first)
    run, _ = create(BrittleClient(ecs.region), spec(ecs, tags="tags: {team: data}"), owner)
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)
    assert any("interrupted purchase" in e for e in run.events)


def test_type_removed_from_spec_after_a_kill(ecs, owner, monkeypatch):
    """An intent that the spec no longer allows to repeat is judged by what is listed, after a while."""
    monkeypatch.setattr(purchase, "SETTLED", 4.0)
    with Owner() as first:
        die_after_slaves(ecs, first)
    create(BrittleClient(ecs.region), spec(ecs, slave="  slave: {count: 3, instance_types: [ecs.g6.large]}"), owner)
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)


def test_two_creates_at_once(ecs):
    outcomes = []

    def attempt(process):
        try:
            create(EcsClient(ecs.region), spec(ecs), process)
            outcomes.append("made")
        except Refused as error:
            outcomes.append("refused" if "Another operation" in error.message else str(error))

    with Owner() as one, Owner() as two:
        threads = [threading.Thread(target=attempt, args=(p,)) for p in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcomes) == ["made", "refused"]
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)


def test_lock_lost_before_buying(ecs, owner):
    """Somebody took over while this run was suspended: it must not buy."""
    run = operation(BrittleClient(ecs.region), "demo", owner)
    run.take_lock()
    with Owner() as other:
        rival = Lock(EcsClient(ecs.region), "demo", other.pid)
        rival._delete(rival.name)
        rival.acquire()
        with pytest.raises(EmrError, match="lock of cluster 'demo' is held by"):
            run.present(spec(ecs))
    assert living(ecs, "demo") == []


def test_unconfirmed_and_stale_confirmation(ecs, owner):
    for confirm in ("", "0123456789ab"):
        run = operation(BrittleClient(ecs.region), "demo", owner, confirm=confirm)
        with pytest.raises(Unconfirmed) as refusal:
            run.present(spec(ecs))
        assert refusal.value.plan["digest"] and not run.changed
    assert not ecs.cloud.store.all("instance") and not ecs.cloud.store.all("securitygroup")
    run = operation(BrittleClient(ecs.region), "demo", owner, confirm=refusal.value.plan["digest"])
    run.take_lock()
    run.present(spec(ecs))
    assert living(ecs, "demo") == expected("demo", master=1, slave=3)


def test_security_group_admits_only_what_the_spec_says(ecs, owner):
    client = BrittleClient(ecs.region)
    _, (found, _, _, _) = create(client, spec(ecs), owner)
    client.call("AuthorizeSecurityGroup", SecurityGroupId=found.anchor.group_id, IpProtocol="tcp", PortRange="8088/8088",
                SourceCidrIp="0.0.0.0/0")
    create(client, spec(ecs, network=f"network: {{vswitch_id: {ecs.vswitch}, ssh_from: 10.0.0.2/32}}"), owner)
    rules = next(g for g in ecs.cloud.store.all("securitygroup"))["rules"]
    assert sorted((r["protocol"], r["ports"], r["cidr"] or r["source_group"]) for r in rules) == [
        ("ALL", "-1/-1", found.anchor.group_id), ("TCP", "22/22", "10.0.0.2/32")]
    assert all(not i["public_ip"] for i in ecs.cloud.store.all("instance"))

