"""Plain hosts and a play of one's own: roles on fresh and on finished hosts, and what comes on day two with the same inventory."""
from __future__ import annotations

import json

import oss2
import pytest

from tests.lab import lab
from tests.static_hosts import Static

pytestmark = pytest.mark.soak

PLAY = """
- hosts: master:slave
  gather_facts: false
  %s
  roles:
    - emr.cluster.hdfs
    - {role: emr.cluster.yarn, yarn_config: {yarn-site: {yarn.log-aggregation.retain-seconds: 604800}}}
"""
TASKS = """
- hosts: master:slave
  gather_facts: false
  tasks:
%s
"""


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("own"), "soako", 96, 8396) as bed:
        yield Static(bed)


def play(hosts, said="", *arguments) -> int:
    """Changes of a run of the play with the roles."""
    return hosts.changes(hosts.playbook(PLAY % said, "play", "-i", hosts.inventory(), *arguments))


def entry(hosts, *entries) -> str:
    rows = "".join(f"    - ansible.builtin.include_role: {{name: emr.cluster.{role}, tasks_from: {name}}}\n" for role, name in entries)
    return hosts.playbook(TASKS % rows, "entries", "-i", hosts.inventory())


def operation(hosts, name, **variables) -> str:
    return hosts.run("ansible-playbook", "-i", hosts.inventory(), f"emr.cluster.{name}", "-e", json.dumps(variables))


def test_roles_on_fresh_hosts(hosts):
    assert play(hosts, "", "--check", "--diff") > 0
    assert "missing" in hosts.on(hosts.master, "ls -d /opt/emr/hadoop || echo missing"), "a check installs nothing"
    assert play(hosts) > 0
    assert len(hosts.datanodes()) == 3
    assert play(hosts) == 0


@pytest.mark.parametrize("said, arguments", [("serial: 1", ()), ("strategy: free", ()), ("", ("--check", "--diff")), ("", ("--limit", "own-slave-001")),
                                             ("", ("--tags", "hdfs_configure,yarn_configure"))])
def test_roles_on_finished_hosts_change_nothing(hosts, said, arguments):
    assert play(hosts, said, *arguments) == 0


def test_a_change_restarts_in_turns_and_once(hosts):
    change = "vars: {hdfs_config: {hdfs-site: {dfs.datanode.max.locked.memory: 0, dfs.datanode.handler.count: 11}}}"
    checked = hosts.playbook(PLAY % change, "play", "-i", hosts.inventory(), "--check", "--diff", "--tags", "hdfs_configure")
    assert "dfs.datanode.handler.count" in checked
    output = hosts.playbook(PLAY % change, "play", "-i", hosts.inventory())
    assert output.count("datanode: restarted") == 3
    assert play(hosts, change) == 0


def test_entry_points(hosts):
    entry(hosts, ("hdfs", "health_check"), ("yarn", "health_check"))
    assert entry(hosts, ("yarn", "restart")).count("nodemanager: restarted") == 3
    entry(hosts, ("yarn", "stop"))
    assert "inactive" in hosts.on(hosts.master, "systemctl is-active emr-resourcemanager || true")
    assert play(hosts) > 0
    entry(hosts, ("yarn", "remove"))
    assert "missing" in hosts.on(hosts.master, "ls /etc/systemd/system/emr-resourcemanager.service || echo missing")
    entry(hosts, ("hdfs", "health_check"))
    assert play(hosts) > 0


def test_day_two(hosts):
    operation(hosts, "status")
    operation(hosts, "check")
    operation(hosts, "configure", emr_edit={"config": {"hdfs-site": {"dfs.datanode.handler.count": 12}}})
    assert "12" in hosts.on(hosts.slaves[0], "grep -A1 dfs.datanode.handler.count /etc/emr/hadoop/hdfs-site.xml")
    operation(hosts, "service_add", emr_service="mapreduce")
    operation(hosts, "submit", emr_job_type="SHELL", emr_job_args=["hostname"], emr_job_wait=True)
    operation(hosts, "jobs_list")
    operation(hosts, "restart", emr_scope={"services": ["yarn"]})
    operation(hosts, "service_remove", emr_service="mapreduce")
    operation(hosts, "stop")
    operation(hosts, "start")
    assert len(hosts.datanodes()) == 3


SQL = """
- hosts: master:slave
  gather_facts: false
  roles: [emr.cluster.mapreduce, emr.cluster.metastore, emr.cluster.spark, emr.cluster.spark_thrift, emr.cluster.spark_connect]
"""


def test_the_services_for_sql_by_their_roles(hosts):
    def run() -> int:
        return hosts.changes(hosts.playbook(SQL, "sql", "-i", hosts.inventory()))
    assert run() > 0
    assert run() == 0
    entry(hosts, *((role, "health_check") for role in ("metastore", "spark", "spark_thrift", "spark_connect")))
    assert entry(hosts, ("spark_thrift", "restart")).count("spark-thrift: restarted") == 1
    said = hosts.on(hosts.master, "cd /tmp && runuser -u emr -- env HOME=/tmp spark-sql -e 'CREATE TABLE own (id INT) USING parquet; INSERT INTO own VALUES (41), (42); "
                                  "SELECT concat_ws(\"-\", collect_list(id)) FROM (SELECT id FROM own ORDER BY id)' 2>/dev/null")
    assert "41-42" in said
    entry(hosts, ("spark_connect", "remove"))
    assert "missing" in hosts.on(hosts.master, "ls /etc/systemd/system/emr-spark-connect.service || echo missing")
    entry(hosts, ("metastore", "health_check"), ("spark_thrift", "health_check"))


def test_data_in_and_out_with_the_inventory(hosts):
    endpoint = hosts.env["ALIBABA_CLOUD_OSS_ENDPOINT"]
    bucket = oss2.Bucket(oss2.Auth(hosts.env["ALIBABA_CLOUD_ACCESS_KEY_ID"], hosts.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]), endpoint, "own")
    bucket.create_bucket()
    bucket.put_object("in/a.txt", b"one\n")
    assert operation(hosts, "configure", emr_edit={"config": {"core-site": {"fs.oss.endpoint": endpoint}}})
    local = hosts.folder / "b.txt"
    local.write_text("two\n")
    operation(hosts, "put", emr_put_files=[str(local)], emr_put_target="/user/emr/b.txt")
    operation(hosts, "import", emr_source="oss://own/in", emr_target="in", emr_credentials="chain", emr_job_wait=True)
    assert "one" in hosts.on(hosts.master, "runuser -u emr -- hdfs dfs -cat in/a.txt") and "two" in hosts.on(
        hosts.master, "runuser -u emr -- hdfs dfs -cat b.txt")
    operation(hosts, "export", emr_source="in", emr_target="oss://own/out", emr_credentials="chain", emr_job_wait=True)
    assert bucket.get_object("out/a.txt").read() == b"one\n"
    operation(hosts, "get", emr_get_source="/user/emr/b.txt", emr_get_target=str(hosts.folder / "back.txt"))
    assert (hosts.folder / "back.txt").read_text() == "two\n"
