"""SQL: settings of the metastore and of Spark's servers, the way to a shell, the password of a database, the probe by Thrift."""
from __future__ import annotations

import socket
import struct
import subprocess
import threading
from dataclasses import replace

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import Database, Metastore, parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.config import secret_files
from ansible_collections.emr.cluster.plugins.module_utils.node.daemons import health as node_health
from ansible_collections.emr.cluster.plugins.module_utils.node.daemons.health import probe
from ansible_collections.emr.cluster.plugins.module_utils.services import metastore, spark, spark_server, yarn
from ansible_collections.emr.cluster.plugins.module_utils.services.model import Facts
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import HOMES
from emrctl.dist import metastore as dist
from emrctl.shell import WATCH, Program, remote
from tests.unit.spec_samples import FULL

CALL = b"get_all_databases"


def test_sessions_share_tables_only_where_there_is_a_metastore():
    nodes = Topology("c", "emr-1", (Node("m", "master", "master", "10.0.0.1", 8192, 4),))
    spec = parse_spec(FULL)
    facts = [Facts(replace(spec, services=names), nodes, nodes.control_node) for names in (("hdfs", "yarn", "spark"), ("hdfs", "yarn", "metastore", "spark"))]
    assert spark.session(facts[0]) == {"spark.sql.catalogImplementation": "in-memory"}
    shared = spark.session(facts[1])
    assert shared["spark.sql.catalogImplementation"] == "hive" and shared["spark.hadoop.hive.metastore.uris"] == "thrift://m:9083"


def test_the_embedded_database_lies_in_the_metastores_folder():
    conf = metastore.metastore_site("/data/1/metastore")
    assert conf["javax.jdo.option.ConnectionURL"] == "jdbc:derby:/data/1/metastore/db" and conf["emr.metastore.dir"] == "/data/1/metastore"
    assert not [key for key in conf if "provider" in key]


@pytest.mark.parametrize(("url", "jdbc", "driver"), [
    ("mysql://db:3307/hive", "jdbc:mariadb://db:3307/hive?useMysqlMetadata=true", "org.mariadb.jdbc.Driver"),
    ("postgresql://db/hive", "jdbc:postgresql://db/hive", "org.postgresql.Driver")])
def test_a_database_of_ones_own_has_its_password_in_a_provider(url, jdbc, driver):
    conf = metastore.metastore_site("/f", Database(url, "hive"))
    assert conf["javax.jdo.option.ConnectionURL"] == jdbc and conf["javax.jdo.option.ConnectionDriverName"] == driver
    assert conf["javax.jdo.option.ConnectionUserName"] == "hive" and not [key for key in conf if "assword" in key]
    assert conf["hadoop.security.credential.provider.path"] == f"localjceks://file{metastore.PASSWORD_FILE}"


@pytest.mark.parametrize("url", ["jdbc:mysql://db/hive", "mysql://hive:secret@db/hive", "mysql://db", "oracle://db/hive", "mysql://db/a?b=c"])
def test_an_address_with_more_or_less_than_a_place_is_refused(url):
    with pytest.raises(SpecError) as caught:
        parse_spec(FULL + f"metastore: {{database: {{url: '{url}', user: hive}}}}\n")
    assert "metastore.database.url" in str(caught.value)


def test_the_database_survives_the_way_through_a_revision():
    spec = parse_spec(FULL + "metastore: {database: {url: 'mysql://db/hive', user: hive}}\n")
    assert spec.metastore == Metastore(Database("mysql://db/hive", "hive"))
    assert spec.digest() != replace(spec, metastore=Metastore()).digest()


@pytest.mark.parametrize("slaves", [1, 2, 10, 100])
@pytest.mark.parametrize("memory", [4096, 8192, 65536])
def test_jobs_have_room_for_a_master_beside_those_of_the_servers(slaves, memory):
    shapes = [(memory, 2)] * slaves
    share = float(spark_server.room_for_masters(spark.SERVERS, shapes)["yarn.scheduler.capacity.maximum-am-resource-percent"])
    assert 0.5 <= share <= 0.9
    assert share * slaves * yarn.yarn_memory(memory) >= 2 * spark.SERVER_MASTER + spark.SPARK_LEAST


def test_on_a_single_small_node_a_session_finds_room_beside_the_servers():
    held, memory = spark.held(spark.SERVERS), yarn.yarn_memory(4096)
    size = spark.spark_sizing([(4096, 2)], held)
    assert held + spark.SPARK_LEAST + size.heap + size.overhead <= memory
    assert spark.spark_sizing([(4096, 2)] * 2, held) == spark.spark_sizing([(4096, 2)] * 2)


def test_servers_begin_with_nothing_and_have_what_a_driver_needs():
    top = Topology("sales", "emr-1", (Node("m", "master", "master", "", 4096, 2), *(Node(f"s{n}", "slave", "slave", "", 4096, 2) for n in range(3))))
    for name in spark.SERVERS:
        conf = HOMES[name].sizes(Facts(parse_spec(FULL), top, top.control_node))[name]
        assert conf["spark.dynamicAllocation.initialExecutors"] == "0" and conf["spark.dynamicAllocation.maxExecutors"] == "3"
        assert int(conf["spark.driver.memory"].removesuffix("m")) >= 450
        assert node_health.is_server({"applicationTags": f"a,{conf['spark.yarn.tags']}"})
    assert not node_health.is_server({"applicationTags": ""}) and not node_health.is_server({})


def test_a_script_for_postgresql_is_one_transaction_without_what_newer_servers_refuse():
    text = dist.whole(b"SET a = 1;\nSET default_with_oids = false;\nCREATE TABLE t (x int);\n").decode()
    assert text.startswith("BEGIN;\n") and text.rstrip().endswith("COMMIT;") and "oids" not in text and "CREATE TABLE t" in text


def test_a_shell_hands_arguments_on_as_they_are():
    line = remote(Program.spark_sql, "alice", {"ansible_user": "root"}, ["-e", "select 'it''s; $HOME'"], "10.0.0.2:10000")
    assert "runuser -u alice -- env HOME=/home/alice" in line and "sudo" not in line
    inner = remote(Program.beeline, "emr", {"ansible_user": "ops"}, [], "10.0.0.2:10000")
    assert "exec sudo sh -c" in inner and "$PPID runuser -u emr" in inner and "jdbc:hive2://10.0.0.2:10000/" in inner


def test_a_program_ends_with_the_connection_that_it_was_started_by():
    connection = subprocess.Popen(["sleep", "100"])
    program = subprocess.Popen(["sh", "-c", WATCH, str(connection.pid), "sh", "-c", "echo $$; exec sleep 100"], stdout=subprocess.PIPE, text=True)
    assert int(program.stdout.readline()) == program.pid
    assert program.poll() is None
    connection.kill()
    connection.wait()
    assert program.wait(30) == -15
    program.stdout.close()
    done = subprocess.run(["sh", "-c", WATCH, "1", "sh", "-c", "cat; exit 7"], input="its input", capture_output=True, text=True, timeout=30,
                          check=False)
    assert (done.returncode, done.stdout) == (7, "its input")


def test_a_missing_password_stops_before_any_change(tmp_path):
    row = {"of": "metastore.database", "what": "the password of hive at mysql://db/hive", "path": str(tmp_path / "p"), "variable": "EMR_METASTORE_PASSWORD",
           "alias": "javax.jdo.option.ConnectionPassword", "component": "metastore", "user": "hive", "group": "hadoop"}
    files = {"secret_files": {"rows": [row], "folders": []}}
    with pytest.raises(NodeError, match="EMR_METASTORE_PASSWORD"):
        secret_files.check({**files, "secrets": {"files": {}}})
    secret_files.check({**files, "secrets": {"files": {row["path"]: "x"}}})
    (tmp_path / "p").write_text("kept")
    secret_files.check(files)
    assert secret_files.settle(files, False) == []


def answering(answer: bytes):
    """Address of a server that gives one caller these bytes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with server, server.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"tcp://127.0.0.1:{server.getsockname()[1]}"


HEAD = struct.pack(">II", 0x80010002, len(CALL)) + CALL + struct.pack(">I", 1)


@pytest.mark.parametrize(("answer", "ready", "said"), [
    (HEAD + b"\x0f\x00\x00" + struct.pack(">BI", 11, 2), True, "2 databases"),
    (HEAD + b"\x0c\x00\x01" + b"\x00", False, "cannot read its database"),
    (struct.pack(">II", 0x80010003, len(CALL)) + CALL + struct.pack(">I", 1), False, "error"),
    (b"", False, "closed")])
def test_the_metastore_is_asked_for_its_databases(answer, ready, said):
    found = probe({"kind": "metastore.metastore", "url": answering(answer)}, 5)
    assert found[0] is ready and said in found[1]


def test_nobody_there_is_not_ready():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert probe({"kind": "tcp", "url": url}, 5)[0]
    assert not probe({"kind": "tcp", "url": url}, 5)[0]
