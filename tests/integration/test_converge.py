"""Converging on a spec, as far as it happens in the cloud: what is bought, who is new or leaves, what a digest stands for."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.operation import Unconfirmed
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.cloud.purchase.plan_details import plan_details
from ansible_collections.emr.cluster.plugins.module_utils.cloud.scale import convergence
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh import contact
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.plugin_utils import bootstrap_scripts, purchasing, secrets_given
from tests.integration import cloudbed

GIB = 1 << 30


pytestmark = pytest.mark.usefixtures("door")


def slaves(count: int) -> dict:
    return {"slave": f"  slave: {{count: {count}, instance_types: [ecs.c6.large, ecs.g6.large]}}"}


def made(ecs, name):
    """A cluster of one master and three slaves that was deployed to its end."""
    wanted = cloudbed.spec(ecs, name)
    with cloudbed.Owner() as owner:
        run, _ = cloudbed.create(EcsClient(ecs.region), wanted, owner)
        run.settle(wanted)
    return wanted


def converge(ecs, wanted, before, confirm="yes", client=None, **more):
    """What the action does: lock, prepare, buy. Returns (operation, plan, the groups that each node joins)."""
    with cloudbed.Owner() as owner:
        run = cloudbed.operation(client or EcsClient(ecs.region), wanted.name, owner, confirm=confirm)
        run.take_lock()
        try:
            prepared = convergence.prepare(run, wanted, before, **more)
            found, plan, _login, _bought = run.present(wanted, prepared)
            return run, plan, convergence.joined(run.nodes(found, None), plan, wanted, more.get("excluded", ()))
        finally:
            run.unlock()


def loads(name, *slaves_there):
    """What the control node says: equal nodes, of which the first holds least."""
    nodes = {f"{name}-slave-{n:03d}": {"alive": True, "bytes": n * GIB, "free": 20 * GIB, "capacity": 30 * GIB}
             for n in slaves_there}
    return {"hdfs": {"nodes": nodes, "replication": {"most": 2, "files": 1, "example": "/a"}, "missing_blocks": 0}}


def test_only_the_bought_node_is_new_and_it_answers_for_the_cluster(ecs):
    before = made(ecs, "cgrow")
    _, plan, groups = converge(ecs, cloudbed.spec(ecs, "cgrow", **slaves(4)), before)
    assert groups.pop("cgrow-slave-004") == ["emr_target", "emr_new", "emr_verify"]
    assert set(map(tuple, groups.values())) == {("emr_target",)} and len(groups) == 4 and plan.to_release == []


def test_one_master_becomes_three_and_an_interrupted_run_goes_on(ecs):
    before = made(ecs, "cseveral")
    wanted = cloudbed.spec(ecs, "cseveral", master="  master: {count: 3, instance_types: [ecs.c6.large]}", backup="backup: {enabled: false}")
    for known in (before, wanted):
        _, plan, groups = converge(ecs, wanted, known)
        masters = {name: joined for name, joined in groups.items() if "-master-" in name}
        assert {name: "emr_new" in joined for name, joined in masters.items()} == {f"cseveral-master-00{n}": n > 1 for n in (1, 2, 3)}
        assert all("emr_convert" in joined for joined in masters.values())
        assert [p.ordinals for p in plan.purchases] == ([[2, 3]] if known is before else [])
    run, _plan, _groups = converge(ecs, wanted, wanted)
    run.settle(wanted)
    assert not [name for name, joined in converge(ecs, wanted, wanted)[2].items() if "emr_convert" in joined]


def test_no_master_joins_by_create_and_none_leaves(ecs):
    three = {"master": "  master: {count: 3, instance_types: [ecs.c6.large]}", "backup": "backup: {enabled: false}"}
    made(ecs, "cmasters")
    with cloudbed.Owner() as owner, pytest.raises(Refused, match="cmasters-master-002, cmasters-master-003 would join cmasters-master-001"):
        cloudbed.create(EcsClient(ecs.region), cloudbed.spec(ecs, "cmasters", **three), owner)
    with cloudbed.Owner() as owner:
        client = EcsClient(ecs.region)
        wanted = cloudbed.spec(ecs, "cthree", **three)
        run, (_found, plan, *_rest) = cloudbed.create(client, wanted, owner)
        run.settle(wanted)
    assert [p.ordinals for p in plan.purchases if p.role == "master"] == [[1, 2, 3]]
    with pytest.raises(Refused, match="masters that take over from each other do not become fewer"):
        converge(ecs, cloudbed.spec(ecs, "cthree"), wanted)


def test_without_a_new_node_the_master_answers(ecs):
    before = made(ecs, "csame")
    _, plan, groups = converge(ecs, before, before, confirm="")
    assert plan.empty and groups["csame-master-001"] == ["emr_target", "emr_verify"]


def test_a_node_whose_deployment_never_ended_stays_new(ecs):
    before = made(ecs, "chalf")
    wanted = cloudbed.spec(ecs, "chalf", **slaves(4))
    converge(ecs, wanted, before)
    run, plan, groups = converge(ecs, wanted, wanted)
    assert plan.purchases == [] and "emr_new" in groups["chalf-slave-004"]
    run.settle(wanted)
    assert "emr_new" not in converge(ecs, wanted, wanted)[2]["chalf-slave-004"]


def test_a_killed_purchase_is_finished_by_the_same_command(ecs):
    before = made(ecs, "ckill")
    wanted = cloudbed.spec(ecs, "ckill", **slaves(5))
    for number in (2, 3, 4):
        with pytest.raises(cloudbed.Killed):
            converge(ecs, wanted, before, client=cloudbed.BrittleClient(ecs.region, number, "after"))
    converge(ecs, wanted, before)
    assert cloudbed.living(ecs, "ckill") == cloudbed.expected("ckill", master=1, slave=5)


def test_who_leaves_stays_in_the_run_but_is_not_new(ecs):
    before = made(ecs, "cshrink")
    wanted = cloudbed.spec(ecs, "cshrink", **slaves(2))
    _, plan, groups = converge(ecs, wanted, before, loads=loads("cshrink", 1, 2, 3))
    # The first slave keeps the backups, so it leaves last though it is the emptiest.
    assert plan.to_release == ["cshrink-slave-002"] and groups["cshrink-slave-002"] == ["emr_target", "emr_scale_in"]
    data = plan_details(EcsClient(ecs.region), wanted, *reversed(prepared(ecs, wanted, before, loads("cshrink", 1, 2, 3))), before)
    assert {n["node"]: n["does"] for n in data["nodes"]}["cshrink-slave-002"] == "release" and not data["empty"]
    assert data["offer"]["after"]["nodes"] == 3


def prepared(ecs, wanted, before, held=None):
    with cloudbed.Owner() as owner:
        return convergence.prepare(cloudbed.operation(EcsClient(ecs.region), wanted.name, owner), wanted, before, loads=held)


def test_a_digest_stands_for_purchases_releases_and_changes(ecs):
    before = made(ecs, "cdig")
    held = loads("cdig", 1, 2, 3)
    changed = cloudbed.spec(ecs, "cdig", tags="config: {hdfs-site: {dfs.replication: 1}}")
    plans = [prepared(ecs, wanted, before, held)[0] for wanted in (
        before, changed, cloudbed.spec(ecs, "cdig", **slaves(4)), cloudbed.spec(ecs, "cdig", **slaves(2)))]
    assert len({p.digest for p in plans}) == 4
    assert [p.empty for p in plans] == [True, False, False, False]
    assert prepared(ecs, changed, before, held)[0].digest == plans[1].digest
    for wanted, plan in ((changed, plans[1]), (cloudbed.spec(ecs, "cdig", **slaves(2)), plans[3])):
        with pytest.raises(Unconfirmed, match="not confirmed"):
            converge(ecs, wanted, before, confirm="", loads=held)
        with pytest.raises(Unconfirmed, match="something changed meanwhile"):
            converge(ecs, wanted, before, confirm=plans[2].digest, loads=held)
        converge(ecs, wanted, before, confirm=plan.digest, loads=held)
    assert cloudbed.living(ecs, "cdig") == cloudbed.expected("cdig", master=1, slave=3), "releasing is not done here"


def test_a_cluster_that_does_not_exist_is_born_by_a_whole_spec(ecs):
    wanted = cloudbed.spec(ecs, "cborn")
    with pytest.raises(Unconfirmed):
        converge(ecs, wanted, None, confirm="")
    _, _plan, groups = converge(ecs, wanted, None)
    assert all("emr_new" in g for g in groups.values()) and groups["cborn-master-001"][-1] == "emr_verify"


def test_a_stopped_cluster_is_refused_and_an_unfinished_one_is_not(ecs):
    made(ecs, "cstop")
    with cloudbed.Owner() as owner:
        run = cloudbed.operation(EcsClient(ecs.region), "cstop", owner)
        run.take_lock()
        run.stop()
        with pytest.raises(Refused, match="emrctl start cstop"):
            run.known()
        run.unlock()
        assert not cloudbed.operation(EcsClient(ecs.region), "cnone", owner).known().exists


def test_nothing_is_bought_while_a_node_that_stays_does_not_answer(ecs, monkeypatch):
    monkeypatch.setattr(contact, "_answers", lambda address: False)
    before = made(ecs, "cdead")
    wanted = cloudbed.spec(ecs, "cdead", **slaves(4))
    with cloudbed.Owner() as owner:
        run = cloudbed.operation(EcsClient(ecs.region), "cdead", owner)
        plan, found = convergence.prepare(run, wanted, before)
        with pytest.raises(EmrError, match=r"4 nodes do not answer(.|\n)*emrctl repair cdead") as trouble:
            convergence.check_answers(run, found, plan, 0.1)
    assert trouble.value.details["unreachable"] and len(cloudbed.living(ecs, "cdead")) == 4


def test_a_metastore_on_a_database_of_ones_own_needs_its_password_before_anything_is_bought(ecs, monkeypatch):
    """It ended with 5 on the master, when the nodes were bought and prepared."""
    monkeypatch.delenv("EMR_METASTORE_PASSWORD", raising=False)
    wanted = cloudbed.spec(ecs, "cmeta", services="services: [hadoop, metastore]",
                           metastore="metastore: {database: {url: 'mysql://db.example.com/hive', user: hive}}")
    with cloudbed.Owner() as owner:
        run = cloudbed.operation(EcsClient(ecs.region), "cmeta", owner)
        with pytest.raises(Refused, match="read -rs EMR_METASTORE_PASSWORD; export EMR_METASTORE_PASSWORD"):
            secrets_given.check_new(wanted, run)
        secrets_given.check_new(cloudbed.spec(ecs, "cmeta"), run)
        cloudbed.create(EcsClient(ecs.region), wanted, owner)
        with pytest.raises(Refused, match="Nothing was changed"):
            secrets_given.check_new(wanted, run)  # bought, and never deployed
        run.settle(wanted)
        secrets_given.check_new(wanted, run)  # the master keeps it
        monkeypatch.setenv("EMR_METASTORE_PASSWORD", "secret")
        secrets_given.check_new(wanted, cloudbed.operation(EcsClient(ecs.region), "cother", owner))


def test_a_secret_of_a_receiver_is_asked_for_before_anything_is_bought(ecs, monkeypatch):
    """It ended with 5 on the master, when the nodes were bought and prepared."""
    for name in ("A", "B_C"):
        monkeypatch.delenv(f"EMR_RECEIVER_{name}", raising=False)
    wanted = cloudbed.spec(ecs, "calert", services="services: [hadoop, monitoring]", monitoring="monitoring: {receivers: {a: {type: dingtalk}, "
                           "b-c: {type: webhook, url: 'https://example.com/x', secret: true}, d: {type: webhook, url: 'https://example.com/y'}}}")
    with cloudbed.Owner() as owner:
        run = cloudbed.operation(EcsClient(ecs.region), "calert", owner)
        with pytest.raises(Refused) as refused:
            secrets_given.check_new(wanted, run)
        assert "receiver a is not" in str(refused.value) and "read -rs EMR_RECEIVER_A; export EMR_RECEIVER_A; read -rs EMR_RECEIVER_B_C" in str(refused.value)
        assert "receiver d" not in str(refused.value)
        warned = purchasing.planned({}, wanted, run)["plan"]["warnings"]
        assert [w for w in warned if "create needs the secret of the receiver b-c in the variable EMR_RECEIVER_B_C" in w], warned
        monkeypatch.setenv("EMR_RECEIVER_A", "x")
        monkeypatch.setenv("EMR_RECEIVER_B_C", "y")
        secrets_given.check_new(wanted, run)


def test_a_bootstrap_script_that_is_not_there_is_refused_before_anything_is_bought(ecs, tmp_path, monkeypatch):
    """It ended when the nodes were bought, with "nothing was changed"."""
    monkeypatch.chdir(tmp_path)
    wanted = cloudbed.spec(ecs, "cboot", bootstrap="bootstrap: [{script: base/set up.sh}, {script: other.sh, when: after_start}]")
    file = tmp_path / "specs" / "cluster.yml"
    with cloudbed.Owner() as owner:
        run = cloudbed.operation(EcsClient(ecs.region), "cboot", owner)
        for given in (str(file), None):
            with pytest.raises(Refused) as refused:
                purchasing.planned({"spec_file": given}, wanted, run)
            assert "set up.sh" in str(refused.value) and "other.sh" in str(refused.value)
        for name in ("base/set up.sh", "other.sh"):
            (file.parent / name).parent.mkdir(parents=True, exist_ok=True)
            (file.parent / name).write_text("true\n")
        bootstrap_scripts.check_new(wanted, run, str(file))
        with pytest.raises(Refused, match=r"other\.sh"):
            bootstrap_scripts.check(wanted, None, ["base/set up.sh"])
        bootstrap_scripts.check(wanted, None, ["base/set up.sh", "other.sh"])
        bootstrap_scripts.check(wanted, None, (), needed=False)
        (file.parent / "other.sh").write_bytes(b"#!/bin/sh\r\ntrue\r\n")
        with pytest.raises(Refused, match=r"other\.sh has Windows line ends"):
            bootstrap_scripts.check_new(wanted, run, str(file))
