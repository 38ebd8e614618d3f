"""The parts of the benchmark that need no hosts."""
import io
import tarfile

from bench import floorconf
from bench.run import row, table

ADDRESSES = {"b-master-001": "10.0.0.2", "b-slave-001": "10.0.0.3"}


def xml(**values):
    return "".join(f"<property><name>{k.replace('_', '.')}</name><value>{v}</value></property>" for k, v in values.items())


def test_merge_fits_every_host():
    master = {"hdfs-site.xml": xml(dfs_name="file:/n", dfs_rpc="b-master-001:8020", list="/etc/emr/hadoop/dfs.hosts"),
              "hadoop-env.sh": "export JAVA_HOME=x\nexport HDFS_NAMENODE_OPTS='-Xmx1g -XX:+A'\n",
              "dfs.hosts": "b-slave-001\n", "yarn.include": "b-slave-001\n"}
    slave = {"hdfs-site.xml": xml(dfs_data="file:/d", dfs_own="b-slave-001", dfs_address="b-slave-001:8041"),
             "hadoop-env.sh": "export HDFS_DATANODE_OPTS='-Xmx2g'\n"}
    merged = floorconf.merge(master, slave, ADDRESSES)
    assert dict(floorconf.PROPERTY.findall(merged["hdfs-site.xml"])) == {
        "dfs.name": "file:/n", "dfs.rpc": "10.0.0.2:8020", "dfs.data": "file:/d", "dfs.address": "0.0.0.0:8041",
        "list": "/opt/floor/conf/dfs.hosts"}
    assert merged["hadoop-env.sh"] == "export HDFS_DATANODE_OPTS='-Xmx2g'\nexport HDFS_NAMENODE_OPTS='-Xmx1g -XX:+A'\n"
    assert (merged["dfs.hosts"], merged["yarn.include"]) == ("10.0.0.3\n", "b-slave-001\n")
    assert floorconf.daemon_opts(merged) == "-Xmx1g -XX:+A"


def test_read_conf():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo("./core-site.xml")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"ab"))
    assert floorconf.read_conf(out.getvalue()) == {"core-site.xml": "ab"}


def test_rows_are_medians_and_the_table_marks_missed_limits():
    found = row([4.0, 2.0, 9.0], [2.0, 1.0, 8.0])
    assert (found["seconds"], found["base_seconds"], found["ratio"]) == (4.0, 2.0, 2.0)
    assert "MISSED" in table({"create to ready / floor": found})
    assert "ok" in table({"create to ready / floor": {**found, "ratio": 1.8}})


def test_one_more_node_is_held_against_few_nodes_and_against_a_create():
    from bench import scale

    made, small, large = ([scale.Cost(seconds, tasks, runs, old)] * 2 for seconds, tasks, runs, old in (
        (40.0, 14, 31, 0), (20.0, 18, 19, 2), (22.0, 18, 26, 2)))
    found = scale.ratios(made, small, large)
    assert found["10 -> 11 / 3 -> 4, seconds"]["ratio"] == 1.1 and found["10 -> 11 / create 1+3, seconds"]["ratio"] == 0.55
    text = scale.table(found, 2)
    assert "MISSED" not in text and text.count(" ok") == len(scale.LIMITS) + 1
    assert "MISSED" in scale.table(scale.ratios(made, small, made), 2) and "MISSED" in scale.table(found, 3)


def test_the_report_of_submitting_compares_turn_by_turn():
    from bench import submit

    found = submit.report({"spark-submit by hand": [4.0, 9.0, 5.0], "emrctl submit": [5.0, 10.2, 6.4]})
    assert (found["by_hand_s"], found["emrctl_s"], found["more_s"], found["ratio"], found["met"]) == (5.0, 6.4, 1.2, 1.28, True)
    assert not submit.report({"spark-submit by hand": [4.0], "emrctl submit": [5.6]})["met"]
