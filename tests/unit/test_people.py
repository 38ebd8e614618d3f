"""Users and queues: what a spec may say of them, what the capacity scheduler gets, what happens on a node."""
from __future__ import annotations

import os
import zlib
from types import SimpleNamespace

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import removal
from ansible_collections.emr.cluster.plugins.module_utils.domain.config import settings as config
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused, SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.people import accounts as people
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec, spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.services import without_services
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.node import hadoop_cli, hadoop_http
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.config.keys import parse_keys
from ansible_collections.emr.cluster.plugins.module_utils.node.install import absent as node_absent
from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import conf_dirs as node_job_queue
from ansible_collections.emr.cluster.plugins.module_utils.node.people import (
    accounts as node_people,
    queues as node_queues,
)
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import HOMES

BASE = """name: sales
region: cn-hangzhou
zone: cn-hangzhou-h
services: [hadoop, spark]
image: m-bp1
network: {vswitch_id: vsw-bp1s5, ssh_from: 203.0.113.0/24}
node_groups:
  master: {count: 1, instance_types: [ecs.g7.xlarge]}
  slave: {count: 3, instance_types: [ecs.g7.xlarge]}
"""
PEOPLE = BASE + """queues: {analysts: {capacity: 60, max_capacity: 80, users: [alice]}, night: {capacity: 40}}
users: {alice: {queue: analysts, space_quota: 500g}, bob: , carol: {queue: analysts}}
"""
ROOT = "yarn.scheduler.capacity.root"


def test_queues_and_users_survive_the_way_through_plain_data_and_do_not_change_older_digests():
    spec = parse_spec(PEOPLE)
    assert spec_from_dict(spec.to_dict()) == spec
    assert spec.digest() != parse_spec(BASE).digest() == parse_spec(BASE + "queues: {}\nusers: {}\n").digest()
    old = parse_spec(BASE).to_dict()
    del old["queues"], old["users"]
    assert spec_from_dict(old).digest() == parse_spec(BASE).digest()


def test_queues_become_settings_that_say_where_they_come_from():
    nodes = (Node("m", "master", "master", "10.0.0.1", 8192, 4), Node("s", "slave", "slave", "10.0.0.2", 8192, 4))
    top = Topology("sales", "emr-1", nodes)
    got = config.effective_config(parse_spec(PEOPLE), top, nodes[0])["capacity-scheduler"]
    assert str(got[f"{ROOT}.queues"]) == "analysts,default,night" and got[f"{ROOT}.queues"].origin == "queues"
    shares = [float(str(got[f"{ROOT}.{name}.capacity"])) for name in ("analysts", "default", "night")]
    assert shares == [60, 0, 40]
    assert str(got[f"{ROOT}.analysts.maximum-capacity"]) == "80"
    assert str(got["yarn.scheduler.capacity.queue-mappings"]) == "u:alice:analysts,u:carol:analysts"
    plain = config.effective_config(parse_spec(BASE), top, nodes[0])["capacity-scheduler"]
    assert (str(plain[f"{ROOT}.queues"]), plain[f"{ROOT}.queues"].origin) == ("default", "default")


def test_a_queue_for_some_admits_them_and_those_whose_own_it_is_but_not_by_way_of_the_root():
    got = people.scheduler_settings(parse_spec(PEOPLE))
    assert got[f"{ROOT}.analysts.acl_submit_applications"] == "alice,carol"
    assert got[f"{ROOT}.night.acl_submit_applications"] == "*"
    assert got[f"{ROOT}.acl_submit_applications"] == got[f"{ROOT}.acl_administer_queue"] == "yarn"
    # The verification runs in the default queue, whoever it is kept for.
    kept = people.scheduler_settings(parse_spec(BASE + "queues: {default: {capacity: 100, users: [al]}}\nusers: {al: }\n"))
    assert kept[f"{ROOT}.default.acl_submit_applications"] == "al,emr"


@pytest.mark.parametrize(("text", "key", "words"), [
    ("queues: {a: {capacity: 60}, b: {capacity: 30}}", "queues", "add up to 90 (a 60, b 30), expected 100"),
    ("queues: {a: {capacity: 100, max_capacity: 50}}", "queues.a.max_capacity", "under the capacity"),
    ("queues: {a: {capacity: 100, users: [alise]}}\nusers: {alice: }", "queues.a.users[0]", "Did you mean alice?"),
    ("queues: {a: {capacitty: 100}}", "queues.a.capacitty", "Did you mean capacity?"),
    ("queues: {A: {capacity: 100}}", "queues.A", "not a name for a queue"),
    ("queues: {root: {capacity: 100}}", "queues.root", "another name"),
    ("queues: {a: {capacity: 100}}\nconfig: {capacity-scheduler: {yarn.scheduler.capacity.root.queues: a}}",
     "config.capacity-scheduler.yarn.scheduler.capacity.root.queues", "contradicts"),
    ("users: {alice: {queue: nigth}}\nqueues: {night: {capacity: 100}}", "users.alice.queue", "Did you mean night?"),
    ("users: {hdfs: }", "users.hdfs", "anyway"),
    ("users: {emr: }", "users.emr", "anyway"),
    ("users: {alice: {uid: 20500}, bob: {uid: 20500}}", "users.bob", "both have the number 20500"),
    ("users: {alice: {space_quota: 200m}}", "users.alice.space_quota", "at least 256m"),
    ("users: {alice: {space_quota: plenty}}", "users.alice.space_quota", "a size such as 500g"),
    ("users: {Alice: }", "users.Alice", "not a name for a user"),
])
def test_what_cannot_work_is_told_with_its_key_and_remedy(text, key, words):
    with pytest.raises(SpecError) as wrong:
        parse_spec(BASE + text + "\n")
    found = {p.key: f"{p.message} {p.remedy}" for p in wrong.value.problems}
    assert words in found[key], found


def test_quotas_are_bytes_of_all_copies_and_ids_follow_from_names():
    assert people.size_bytes("500g") == 500 << 30 and people.size_bytes("1.5 TB") == 3 << 39
    assert {row["name"]: row["quota"] for row in people.homes(parse_spec(PEOPLE))} == {"alice": 500 << 30, "bob": -1, "carol": -1}
    first = {row["name"]: row["uid"] for row in people.accounts(parse_spec(PEOPLE))}
    alone = {row["name"]: row["uid"] for row in people.accounts(parse_spec(BASE + "users: {carol: }\n"))}
    assert first["carol"] == alone["carol"]
    assert all(people.FIRST_UID <= uid <= people.LAST_UID for uid in first.values())


def twin(name: str) -> str:
    """Another name with the same number."""
    span = people.LAST_UID - people.FIRST_UID + 1
    wanted = zlib.crc32(name.encode()) % span
    return next(f"u{n}" for n in range(10 ** 6) if zlib.crc32(f"u{n}".encode()) % span == wanted)


def test_an_added_user_with_a_number_that_is_taken_gets_another():
    data = people.edit_users(parse_spec(BASE).to_dict(), {"alice": {}, twin("alice"): {}})
    numbers = [row["uid"] for row in people.accounts(spec_from_dict(data))]
    assert len(set(numbers)) == 2


def test_editing_a_user_keeps_what_is_not_named():
    data = parse_spec(PEOPLE).to_dict()
    data = people.edit_users(data, {"alice": {"space_quota": None}, "dora": {"queue": "night"}})
    assert data["users"]["alice"]["queue"] == "analysts" and not data["users"]["alice"].get("space_quota")
    assert spec_from_dict(data).users["dora"].queue == "night"


def test_a_user_leaves_the_queues_too_but_never_opens_one_to_everybody():
    data = parse_spec(BASE + "queues: {a: {capacity: 100, users: [al, bo]}}\nusers: {al: , bo: }\n").to_dict()
    less = people.edit_users(data, {"al": None})
    assert spec_from_dict(less).queues["a"].users == ("bo",)
    with pytest.raises(Refused, match="admits bo alone"):
        people.edit_users(less, {"bo": None})
    assert data["queues"]["a"]["users"] == ["al", "bo"], "the data given must stay as it was"


def test_removing_who_is_not_there_is_refused_unless_it_is_the_same_command_again():
    data = parse_spec(PEOPLE).to_dict()
    with pytest.raises(Refused, match="did you mean alice"):
        people.edit_users(data, {"alcie": None})
    assert people.edit_users(data, {"gone": None}, {"gone": None})["users"] == people.edit_users(data, {})["users"]
    with pytest.raises(Refused, match="no queue"):
        people.edit_queues(data, {"nihgt": None})


@pytest.mark.parametrize(("services", "remove", "left"), [
    (["hadoop", "spark"], ["spark"], ["hdfs", "yarn", "mapreduce"]),
    (["hadoop"], ["mapreduce"], ["hdfs", "yarn"]),
    (["hadoop", "spark"], ["mapreduce", "spark", "yarn"], ["hdfs"]),
])
def test_services_go_one_by_one(services, remove, left):
    assert without_services({"name": "sales", "services": services}, remove)["services"] == left


@pytest.mark.parametrize(("services", "remove", "words"), [
    (["hadoop", "spark"], ["yarn"], "yarn is needed by mapreduce and spark"),
    (["hadoop"], ["hdfs"], "hdfs is needed by mapreduce"),
    (["hdfs"], ["hdfs"], "the only service of cluster sales"),
    (["hadoop"], ["hadoop"], "stands for hdfs, yarn, mapreduce"),
    (["hadoop", "spark"], ["sparc"], "did you mean spark"),
    (["hadoop"], ["spark"], "does not run"),
])
def test_services_that_must_stay(services, remove, words):
    with pytest.raises(Refused, match=words):
        without_services({"name": "sales", "services": services}, remove)


def test_the_same_removal_again_changes_nothing():
    data = {"name": "sales", "services": ["hadoop"]}
    assert without_services(data, ["spark"], ["spark"]) is data


def apps(*rows):
    return {"apps": {"app": [dict(zip(("id", "user", "queue", "applicationType"), row)) for row in rows]}}


@pytest.fixture
def yarn(monkeypatch):
    """What the ResourceManager and the job records say; ``yarn.answer`` and ``yarn.jobs`` may be set."""
    said = SimpleNamespace(answer=apps(), jobs=[], scheduler=None)
    monkeypatch.setattr(hadoop_http.Daemon, "look", lambda _self, path, _limit: said.scheduler if "scheduler" in path else said.answer)
    monkeypatch.setattr("ansible_collections.emr.cluster.plugins.module_utils.node.jobs.operations.listing", lambda: said.jobs)
    return said


def guard(services=(), **gone):
    rows = [{"name": name, "applications": HOMES[name].used_by[0], "jobs": HOMES[name].used_by[1]} for name in services]
    return node_people.guard({"queues": [], "users": [], "services": rows, "answers": {"yarn": "http://rm"}, **gone})


def test_the_guard_knows_what_runs_in_a_queue_for_a_user_and_by_a_service(yarn):
    yarn.answer = apps(("application_1_1", "alice", "root.night", "SPARK"), ("application_1_2", "bob", "default", "MAPREDUCE"))
    yarn.jobs = [{"id": "j-1", "user": "carol", "type": "PYSPARK", "state": "RUNNING"},
                 {"id": "j-2", "user": "dora", "type": "MR", "state": "SUCCEEDED"}]
    assert guard(queues=["day"], users=["dora"]) == []
    assert "application_1_1" in guard(queues=["night"])[0] and "state: stopped" in guard(queues=["night"])[0]
    assert "application_1_2" in guard(users=["bob"])[0] and "j-1" in guard(users=["carol"])[0]
    assert "application_1_1, j-1" in guard(services=["spark"])[0]
    assert "application_1_2" in guard(services=["mapreduce"])[0] and "j-2" not in guard(services=["mapreduce"])[0]


def test_the_guard_does_not_take_silence_for_idleness(yarn):
    yarn.answer = None
    with pytest.raises(NodeError, match="does not answer"):
        guard(users=["bob"])
    assert guard() == []


@pytest.fixture
def scheduler(monkeypatch, tmp_path, yarn):
    """A ResourceManager with the queues a, b and default whose file names a and default only."""
    path = tmp_path / "capacity-scheduler.xml"
    path.write_text(f"<configuration>\n  <property><name>{ROOT}.queues</name><value>a,default</value></property>\n</configuration>\n")
    bed = SimpleNamespace(path=path, seen=[], code=0, before=path.read_text())
    tree = {"scheduler": {"schedulerInfo": {"queues": {"queue": [{"queueName": q} for q in ("a", "b", "default")]}}}}
    monkeypatch.setattr(node_queues, "PATH", str(path))
    yarn.scheduler = tree

    def run(*_words, **_options):
        bed.seen.append(path.read_text())
        return bed.code, "", "refreshQueues: java.io.IOException: Failed to re-init queues : no"

    monkeypatch.setattr(hadoop_cli, "run", run)
    return bed


def test_a_queue_that_goes_is_called_stopped_only_while_yarn_reads(scheduler):
    node_queues.refresh_queues("http://rm", {})
    assert [f"<name>{ROOT}.b.state</name><value>STOPPED</value>" in text for text in scheduler.seen] == [True]
    assert f"{ROOT}.default.state" not in scheduler.seen[0] and scheduler.path.read_text() == scheduler.before


def test_yarns_refusal_is_told_and_the_file_is_as_it_was(scheduler):
    scheduler.code = 255
    with pytest.raises(NodeError, match="Failed to re-init queues"):
        node_queues.refresh_queues("http://rm", {})
    assert scheduler.path.read_text() == scheduler.before


def test_a_busy_queue_does_not_go(scheduler, yarn):
    yarn.answer = apps(("application_1_1", "alice", "root.b", "SPARK"))
    with pytest.raises(NodeError, match="queue b cannot be removed"):
        node_queues.refresh_queues("http://rm", {})
    assert scheduler.seen == []


def test_an_account_of_somebody_else_is_left_alone(monkeypatch):
    ran = []
    monkeypatch.setattr(node_people, "run", lambda argv, **_: ran.append(argv) or (0, "", ""))
    with pytest.raises(NodeError, match="account root with the number 0 already"):
        node_people.settle_accounts({"users": [{"name": "root", "uid": 20001}], "prune": False}, False)
    assert ran == []


def test_only_pruning_takes_accounts_away_and_only_our_own(monkeypatch):
    ran = []
    monkeypatch.setattr(node_people, "run", lambda argv, **_: ran.append(argv) or (0, "", ""))
    monkeypatch.setattr(node_people, "members", lambda: ["alice", "bob"])
    monkeypatch.setattr(node_people.pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid=20001))
    alice = {"users": [{"name": "alice", "uid": 20001}]}
    assert node_people.settle_accounts({**alice, "prune": False}, False) == [] == ran
    assert node_people.settle_accounts({**alice, "prune": True}, True) == ["user bob removed"] and ran == []
    node_people.settle_accounts({**alice, "prune": True}, False)
    assert ran == [["userdel", "bob"]]


def test_a_removed_service_leaves_the_node_and_the_others_stay(monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr(node_absent, "run", lambda argv, **_: ran.append(argv) or (0, "", ""))
    monkeypatch.setattr(node_absent, "UNIT_DIR", str(tmp_path))
    (tmp_path / "multi-user.target.wants").mkdir()
    for unit in ("emr-spark-historyserver", "emr-namenode"):
        (tmp_path / f"{unit}.service").write_text("")
        (tmp_path / "multi-user.target.wants" / f"{unit}.service").symlink_to(tmp_path / f"{unit}.service")
    (tmp_path / "link").symlink_to(tmp_path / "spark-4")
    gone = removal.absent(("hdfs", "yarn", "mapreduce"))
    params = {"units": gone["units"], "paths": [str(tmp_path / "link"), str(tmp_path / "never")]}
    assert len(node_absent.take_away(params, True)) == 2 and ran == []
    node_absent.take_away(params, False)
    assert sorted(os.listdir(tmp_path)) == ["emr-namenode.service", "multi-user.target.wants"]
    assert os.listdir(tmp_path / "multi-user.target.wants") == ["emr-namenode.service"]
    assert ran[0] == ["systemctl", "stop", "emr-spark-historyserver.service"]
    assert node_absent.take_away(params, False) == []


def test_what_a_service_leaves_behind_is_its_own():
    assert removal.hdfs_data("spark") == ["/spark"] and removal.hdfs_data("mapreduce") == ["/mr-history"]
    assert removal.hdfs_data("hdfs") == [] and not removal.deletable("hdfs")
    node = Node("s", "slave", "slave", "10.0.0.2", 8192, 4)
    assert removal.local_data("spark", node) == ["/var/log/emr/spark"]
    assert not [p for p in removal.local_data("yarn", node) if "dfs" in p or p in ("/data/1", "/var/lib/emr")]


def test_a_job_finds_its_queue_in_configuration_of_its_own(monkeypatch, tmp_path):
    for name, files in (("hadoop", {"mapred-site.xml": "<configuration>\n</configuration>\n", "core-site.xml": "<configuration/>",
                                    "capacity-scheduler.xml": f"<configuration><property><name>{ROOT}.queues</name>"
                                                              "<value>default, night</value></property></configuration>"}),
                        ("spark", {"spark-defaults.conf": "spark.master yarn\n"})):
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    monkeypatch.setattr(node_job_queue, "HADOOP", str(tmp_path / "hadoop"))
    monkeypatch.setattr(node_job_queue, "SPARK", str(tmp_path / "spark"))
    with pytest.raises(NodeError, match="default, night"):
        node_job_queue.check_queue("nite")
    node_job_queue.check_queue("night")
    wanted = {"tag": "emr-j", "queue": "night", "hadoop": {"a.b": "1 < 2"}, "spark": {"spark.x": "y z"}}
    variables = node_job_queue.conf_environment(str(tmp_path / "job"), str(tmp_path / "job"), wanted)
    hadoop = tmp_path / "job" / "conf" / "hadoop"
    assert variables["HADOOP_CONF_DIR"] == str(hadoop)
    assert "<name>mapreduce.job.queuename</name><value>night</value>" in (hadoop / "mapred-site.xml").read_text()
    assert os.readlink(hadoop / "core-site.xml") == str(tmp_path / "hadoop" / "core-site.xml")
    text = (tmp_path / "job" / "conf" / "spark" / "spark-defaults.conf").read_text()
    assert text.splitlines()[0] == "spark.master yarn"
    assert {"spark.yarn.queue night", "spark.yarn.tags emr-j", "spark.x y z"} < set(text.splitlines())
    keys = parse_keys((hadoop / "mapred-site.xml").read_text())
    assert (keys["a.b"], keys["mapreduce.job.tags"]) == ("1 < 2", "emr-j")
    assert (tmp_path / "hadoop" / "mapred-site.xml").read_text() == "<configuration>\n</configuration>\n"
