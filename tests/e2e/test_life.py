"""A cluster's life on real hosts: one cluster of a master and three slaves, changed while it holds data that must stay.

The tests run in their order and share the cluster; each leaves it healthy, with three or four slaves.
"""
from __future__ import annotations

import hashlib
import json
import os
import signal
import tarfile
import time

import pytest
import yaml

from tests.lab import kill_when, lab, line_matches, seeded, until

NAME = "live"
DATA = "/user/emr/life.bin"


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("life"), "e2el", 87, 7987) as it:
        it.spec(NAME, config={"hdfs-site": {"dfs.replication": 2}})
        (it.folder / "life.bin").write_bytes(os.urandom(24 << 20))
        yield it


def spec_of(bed) -> str:
    return str(bed.folder / f"{NAME}.yml")


def unharmed(bed) -> bool:
    """Whether the file in HDFS is byte for byte the one that was put there."""
    back = bed.folder / "back.bin"
    back.unlink(missing_ok=True)
    bed.emrctl("get", NAME, DATA, str(back))
    return hashlib.sha256(back.read_bytes()).digest() == hashlib.sha256((bed.folder / "life.bin").read_bytes()).digest()


def old_tasks(stats: dict, *new: str) -> dict:
    """{node: how many tasks it had}, without the controller and the new nodes."""
    return {host: s["ok"] for host, s in stats.items() if host != "localhost" and host not in new}


def test_apply_creates_what_does_not_exist(bed):
    bed.emrctl("apply", spec_of(bed), "--yes")
    bed.emrctl("put", NAME, str(bed.folder / "life.bin"), DATA)
    status = bed.json("status", NAME)
    assert status["hdfs"]["live"] == 3 and status["yarn"]["active"] == 3
    assert [r["why"] for r in bed.json("history", NAME)] == ["apply"]


def test_apply_adds_a_node_and_leaves_the_others_alone(bed):
    text = bed.emrctl("export", NAME, "-q").stdout
    document = yaml.safe_load(text)
    assert document["revision"] == 1
    document["node_groups"]["slave"]["count"] = 4
    (bed.folder / "four.yml").write_text(yaml.safe_dump(document))
    refused = bed.emrctl("apply", "four.yml", expect=3)
    assert "--confirm" in refused.stderr and len(bed.instances(NAME)) == 4
    result = bed.json("apply", "four.yml", "--yes")
    assert result["hdfs"]["live"] == 4 and result["kept"]["number"] == 2
    tasks = old_tasks(result["stats"], f"{NAME}-slave-004")
    assert len(tasks) == 4 and max(tasks.values()) <= 2, tasks
    assert unharmed(bed)


def test_configure_warns_of_a_misspelt_name_and_restarts_what_reads_it(bed):
    asked = bed.emrctl("configure", NAME, "hdfs-site", "dfs.namenode.handler.cuont=24", expect=3)
    assert "did you mean dfs.namenode.handler.count?" in asked.stderr
    asked = bed.emrctl("configure", NAME, "hdfs-site", "dfs.namenode.handler.count=24", expect=3)
    assert "To restart: namenode on live-master-001" in asked.stderr and "datanode" not in asked.stderr
    bed.emrctl("configure", NAME, "hdfs-site", "dfs.namenode.handler.count=24", "--yes")
    conf = bed.ssh(NAME, f"{NAME}-master-001", "curl -s localhost:9870/conf?name=dfs.namenode.handler.count")
    assert "24" in conf
    again = bed.json("configure", NAME, "hdfs-site", "dfs.namenode.handler.count=24")
    assert {host: s["changed"] for host, s in again["stats"].items()} == dict.fromkeys(again["stats"], 0)
    assert bed.json("history", NAME)[-1]["why"] == "configure hdfs-site dfs.namenode.handler.count=24"
    assert unharmed(bed)


def test_a_spec_of_an_older_revision_is_refused_with_the_difference(bed):
    refused = bed.emrctl("apply", "four.yml", "--yes", expect=3)
    assert "config.hdfs-site.dfs.namenode.handler.count: 24 -> (not set)" in refused.stderr, refused.stderr
    assert "emrctl revert live 2" in refused.stderr


def test_revert_goes_back_to_any_revision_and_releases_what_it_does_not_have(bed):
    asked = bed.emrctl("revert", NAME, "1", expect=3)
    assert "To drain and release: live-slave-00" in asked.stderr, asked.stderr
    bed.emrctl("revert", NAME, "1", "--yes")
    assert len(bed.instances(NAME)) == 4
    status = bed.json("status", NAME)
    assert status["hdfs"]["live"] == 3 and not status["hdfs"]["missing_blocks"]
    assert [r["why"] for r in bed.json("history", NAME)][-1] == "revert to 1"
    assert unharmed(bed)


def test_a_killed_scale_in_is_finished_by_the_same_command(bed):
    refused = bed.emrctl("scale", NAME, "slave=1", "--yes", expect=3)
    assert "2 copies" in refused.stderr and len(bed.instances(NAME)) == 4
    shrink = ["scale", NAME, "slave=2", "--yes"]
    kill_when(bed, shrink, signal.SIGKILL, line_matches("draining begins"), seeded(4711).uniform(0.5, 3))
    result = json.loads(bed.emrctl(*shrink, "-o", "json").stdout)
    left = sorted(i["InstanceName"] for i in bed.instances(NAME))
    assert len(left) == 3 and set(result["released"]).isdisjoint(left), result["released"]
    assert result["yarn"]["active"] == 2
    master = f"{NAME}-master-001"
    assert bed.ssh(NAME, master, "cat /etc/emr/hadoop/*.exclude").strip() == ""
    assert not set(result["released"]) & set(bed.ssh(NAME, master, "cat /etc/hosts /etc/emr/hadoop/dfs.hosts").split())
    bed.emrctl("scale", NAME, "slave=3", "--yes")
    assert unharmed(bed) and bed.json("status", NAME)["hdfs"]["live"] == 3


def scheduler_queues(bed) -> dict:
    """{queue: state} as the ResourceManager has them."""
    text = bed.ssh(NAME, f"{NAME}-master-001", "curl -s localhost:8088/ws/v1/cluster/scheduler")
    return {q["queueName"]: q["state"] for q in json.loads(text)["scheduler"]["schedulerInfo"]["queues"]["queue"]}


def test_people_get_queues_homes_and_quotas_without_a_restart(bed):
    master, since = f"{NAME}-master-001", "systemctl show -p MainPID --value emr-resourcemanager emr-namenode"
    before = bed.ssh(NAME, master, since)
    document = yaml.safe_load(bed.emrctl("export", NAME, "-q").stdout)
    document["queues"] = {"day": {"capacity": 70, "users": ["ann", "emr"]}, "night": {"capacity": 30}}
    document["users"] = {"ann": {"queue": "day"}}
    (bed.folder / "people.yml").write_text(yaml.safe_dump(document))
    bed.emrctl("apply", "people.yml", "--yes")
    bed.emrctl("user", "add", NAME, "ann", "--space-quota", "600m")
    assert bed.ssh(NAME, master, since) == before, "a daemon was restarted"
    assert scheduler_queues(bed) == {"day": "RUNNING", "night": "RUNNING", "default": "RUNNING"}
    numbers = {bed.ssh(NAME, node["InstanceName"], "id -u ann").strip() for node in bed.instances(NAME)}
    assert len(numbers) == 1 and numbers.pop().isdigit()
    # HDFS sets a whole block aside for both copies: one of 512 MB is over the quota of 600 MB, one of 128 MB is not.
    job = bed.json("submit", NAME, "--user", "ann", "--type", "SHELL", "--wait", "--",
                   "id -un && hdfs dfs -put /etc/hostname . && ! hdfs dfs -D dfs.blocksize=536870912 -put /etc/hosts big")
    assert job["state"] == "SUCCEEDED", job
    output = bed.json("jobs", "logs", NAME, job["id"])
    assert output["stdout"].split() == ["ann"] and "quota of /user/ann is exceeded" in output["stderr"], output
    sleeper = bed.json("submit", NAME, "--user", "ann", "--type", "HADOOP_STREAMING", "--", "-D", "mapreduce.job.reduces=0",
                       "-input", "hostname", "-output", "never", "-mapper", "sleep 900")
    refused = bed.emrctl("user", "remove", NAME, "ann", "--yes", expect=3)
    assert sleeper["id"] in refused.stderr
    application = running_in(bed, "day")
    document = yaml.safe_load(bed.emrctl("export", NAME, "-q").stdout)
    document.update(queues={"night": {"capacity": 100}}, users={"ann": {}})
    (bed.folder / "people.yml").write_text(yaml.safe_dump(document))
    refused = bed.emrctl("apply", "people.yml", "--yes", expect=3)
    assert application in refused.stderr and "state: stopped" in refused.stderr
    assert bed.json("jobs", "kill", NAME, sleeper["id"])["applications"] == [application]
    killed = bed.ssh(NAME, master, f"curl -s localhost:8088/ws/v1/cluster/apps/{application}/state")
    assert "KILLED" in killed, killed
    bed.emrctl("apply", "people.yml", "--yes")
    assert scheduler_queues(bed) == {"night": "RUNNING", "default": "RUNNING"}
    bed.emrctl("user", "remove", NAME, "ann", "--yes")
    home = "curl -s 'localhost:9870/webhdfs/v1/user/ann/hostname?op=GETFILESTATUS&user.name=hdfs'; id ann; true"
    assert '"owner":"ann"' in bed.ssh(NAME, master, home), "the data must stay"
    assert bed.ssh(NAME, master, since) == before and unharmed(bed)


def running_in(bed, queue: str) -> str:
    """The id of the application in a queue, once there is one."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        text = bed.ssh(NAME, f"{NAME}-master-001", "curl -s 'localhost:8088/ws/v1/cluster/apps?states=ACCEPTED,RUNNING'")
        for app in (json.loads(text).get("apps") or {}).get("app") or []:
            if app["queue"].split(".")[-1] == queue:
                return app["id"]
        time.sleep(1)
    raise AssertionError(f"no application came to the queue {queue} within 120 s: {text}")


def test_check_finds_what_was_damaged_and_repair_mends_it_without_losing_a_byte(bed):
    slave, lost = f"{NAME}-slave-001", f"{NAME}-slave-002"
    secrets = ("Pl4nted-in-a-log", "LTAIplantedinalog1234", "pl4nted-in-a-unit")
    bed.ssh(NAME, slave, "systemctl stop emr-nodemanager; echo '<!-- by hand -->' >> /etc/emr/hadoop/core-site.xml; "
            f"echo 'password={secrets[0]} as {secrets[1]}' >> /var/log/emr/hdfs/datanode.log; "
            f"echo 'DB_PASSWORD={secrets[2]}' >> /etc/emr/units/emr-datanode.env")
    died = next(i["InstanceId"] for i in bed.instances(NAME) if i["InstanceName"] == lost)
    bed.local("fault", "die=" + json.dumps([{"instance": died, "released": True}]))
    until(lambda: died not in {i["InstanceId"] for i in bed.instances(NAME)}, "the instance is released", 60)

    bundle = bed.json("support-bundle", NAME, "--out", "bundle.tar.gz")
    packed = bed.folder / "bundle.tar.gz"
    assert packed.stat().st_mode & 0o777 == 0o600 and slave in bundle["nodes"]
    with tarfile.open(packed) as tar:
        texts = {m.name: tar.extractfile(m).read().decode(errors="replace") for m in tar if m.isfile()}
    assert not [(name, word) for name, text in texts.items() for word in secrets if word in text]
    assert any(name.endswith(f"{slave}/files/var/log/emr/hdfs/datanode.log") and "password=***" in text for name, text in texts.items())

    found = bed.json("check", NAME, "--no-work", expect=5)["findings"]
    told = {(row["check"], row["node"]) for row in found if row["state"] != "ok"}
    assert {("daemons", slave), ("drift", slave), ("instances", "-")} <= told, found

    assert "--yes" in bed.emrctl("repair", NAME, expect=3).stderr
    bed.emrctl("repair", NAME, "--yes", timeout=900)
    status = bed.json("status", NAME)
    assert not status["problems"] and not status["hdfs"]["under_replicated_blocks"]
    assert lost in {i["InstanceName"] for i in bed.instances(NAME)} and unharmed(bed)
    assert "by hand" not in bed.ssh(NAME, slave, "cat /etc/emr/hadoop/core-site.xml")
    assert bed.json("repair", NAME, "--yes")["changed"] is False


def since(bed) -> dict:
    """{(node, component): when its daemon was started}; all run."""
    rows = bed.json("status", NAME)["components"]
    assert {row["state"] for row in rows} == {"running"}, rows
    return {(row["node"], row["component"]): row["since"] for row in rows}


def test_a_restart_is_of_what_was_named_and_a_refresh_restarts_nothing(bed):
    refused = bed.emrctl("restart", NAME, "--component", "datanod", expect=3)
    assert "Did you mean datanode?" in refused.stderr
    before, node = since(bed), f"{NAME}-slave-002"
    result = bed.json("restart", NAME, "--component", "datanode", "--node", node)
    assert result["turns"] == [[node]]
    middle = since(bed)
    assert {key for key in before if before[key] != middle[key]} == {(node, "datanode")}
    bed.emrctl("configure", NAME, "hdfs-site", "dfs.namenode.replication.max-streams=7", "--yes")
    assert since(bed) == middle
    address = f"http://{NAME}-master-001:9870/conf?name=dfs.namenode.replication.max-streams"
    assert "<value>7</value>" in bed.ssh(NAME, f"{NAME}-master-001", f"curl -s '{address}'")
    assert unharmed(bed)


def test_a_backup_is_verified_and_listed_and_a_healthy_namenode_is_not_replaced(bed):
    made = bed.json("backup", NAME)["made"]
    listed = bed.json("backup", NAME, "--list")
    assert listed["copies"][listed["keeper"]][0]["id"] == made["id"] and listed["backup"]["error"] == ""
    refused = bed.emrctl("restore", NAME, "--yes", expect=3)
    assert "the NameNode answers" in refused.stderr
    assert bed.json("status", NAME)["backup"]["last"]["txid"] == made["txid"]
