"""The files of a node: well-formed, deterministic, readable by what reads them."""
from __future__ import annotations

import re
import subprocess
from xml.etree import ElementTree

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.render import render_conf
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import Value, effective_config
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.writers import (
    properties,
    shell_word as quote,
    site_xml,
)
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node
from ansible_collections.emr.cluster.plugins.module_utils.services.hadoop import hadoop_env
from ansible_collections.emr.cluster.plugins.module_utils.services.spark import spark_env

from .test_config import SPEC, topology


def files_of(role, text=SPEC, **more):
    top, spec = topology(), parse_spec(text)
    node = top.with_role(role)[0]
    return {f["path"]: f for f in render_conf(effective_config(spec, top, node), spec, top, node, **more)}


def settings(xml):
    return {p.findtext("name"): p.findtext("value") for p in ElementTree.fromstring(xml.encode()).iter("property")}


@pytest.mark.parametrize("role", ["master", "slave", "task", "gateway"])
def test_files_of_each_role(role):
    files = files_of(role)
    names = {path.rsplit("/", 1)[1] for path in files}
    assert {"core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml", "capacity-scheduler.xml", "hadoop-env.sh",
            "log4j.properties"} <= names
    assert ("dfs.hosts" in names) == (role == "master")
    assert ("spark-defaults.conf" in names) == (role in ("master", "gateway"))
    assert list(files) == sorted(files)
    for path, file in files.items():
        assert set(file) - {"yields"} == {"path", "content", "owner", "group", "mode"} and re.fullmatch(r"0[0-7]{3}", file["mode"])
        # The page's are as their authors wrote them.
        assert file["content"] == "" or file["content"].endswith("\n") or path.startswith(f"{paths.PAGE}/")
        # Templates of Prometheus and its page are theirs to fill in.
        assert path.startswith((paths.MONITORING_CONF, paths.PAGE, "/usr/share/prometheus")) or "{{" not in file["content"]


def test_the_same_input_gives_the_same_bytes():
    spec = parse_spec(SPEC)
    again = spec.to_dict()
    again["config"] = dict(reversed(again["config"].items()))
    top = topology()
    for node in top.nodes:
        effective = effective_config(spec, top, node)
        assert render_conf(effective, spec, top, node) == render_conf(
            {s: dict(reversed(v.items())) for s, v in effective.items()}, again, top, node)


def test_site_files_hold_what_is_effective():
    top, spec = topology(), parse_spec(SPEC)
    node = top.with_role("slave")[0]
    effective, files = effective_config(spec, top, node), files_of("slave")
    for stem in ("core-site", "hdfs-site", "yarn-site", "mapred-site", "capacity-scheduler"):
        assert settings(files[f"/etc/emr/hadoop/{stem}.xml"]["content"]) == {k: v.value for k, v in effective[stem].items()}


def test_xml_keeps_special_characters():
    nasty = {"a.b": Value("<&>\"' ]]> $x ${y}", "spec"), "c.d": Value("ünï ☃", "spec"), "e.f": Value("", "spec")}
    assert settings(site_xml(nasty)) == {"a.b": "<&>\"' ]]> $x ${y}", "c.d": "ünï ☃", "e.f": None} or settings(
        site_xml(nasty))["e.f"] == ""


def test_properties_escape_what_java_would_read_otherwise():
    text = properties({"spark.a": "C:\\x", "spark.b": " lead", "spark.c": "ü😀", "spark.d": "a=b:c #d"})
    assert "spark.a C:\\\\x\n" in text and "spark.b \\ lead\n" in text
    assert "spark.c \\u00fc\\ud83d\\ude00\n" in text and "spark.d a=b:c #d\n" in text


@pytest.mark.parametrize("text", ["-Xmx4g", "it's", "a b  c", "$(reboot) `x` \\ \"q\""])
def test_words_of_the_shell(text):
    assert subprocess.run(["sh", "-c", f"printf %s {quote(text)}"], capture_output=True, text=True,
                          check=True).stdout == text


def test_environment_files_are_shell():
    files = files_of("master")
    env = files["/etc/emr/hadoop/hadoop-env.sh"]["content"]
    assert env == hadoop_env(effective_config(parse_spec(SPEC), topology(), topology().control_node)["env"])
    script = env + 'printf "%s|%s|%s" "$HADOOP_CONF_DIR" "$HADOOP_MAPRED_HOME" "$HDFS_NAMENODE_OPTS"'
    out = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True,
                         env={"PATH": "/usr/bin:/bin", "JAVA_HOME": "/x", "HADOOP_CONF_DIR": "/elsewhere"}).stdout
    conf, mapred, options = out.split("|")
    assert conf == "/elsewhere" and mapred == "/opt/emr/hadoop" and options.endswith("-Xmx3g")
    assert "SPARK" not in env
    assert "SPARK_DAEMON_MEMORY" in files["/etc/emr/spark/spark-env.sh"]["content"]
    assert subprocess.run(["sh", "-n", "-c", spark_env({"SPARK_X": "it's"})], check=True).returncode == 0


def test_lists_of_nodes():
    leaving = Node("sales-slave-009", "slave", "slave", "10.0.0.99", 8192, 2)
    files = {path.rsplit("/", 1)[1]: f["content"].split() for path, f in files_of("master", draining=[leaving]).items()}
    slaves = [f"sales-slave-00{i}" for i in (1, 2, 3)]
    assert files["dfs.hosts"] == files["workers"] == [*slaves, "sales-slave-009"], "admitted until its blocks are copied"
    assert set(files["yarn.include"]) >= {*slaves, "sales-night-001", "10.0.0.11", "10.0.0.90", "sales-slave-009", "10.0.0.99"}
    assert files["yarn.exclude"] == files["dfs.hosts.exclude"] == [], "there, though empty: draining is no configuration"


def test_a_log_never_fills_the_disk():
    text = files_of("slave")["/etc/emr/hadoop/log4j.properties"]["content"]
    assert "RollingFileAppender" in text and "MaxBackupIndex" in text


def test_every_shell_finds_the_clients_with_their_environment(tmp_path):
    """A login shell by its profile; `ssh NODE hdfs`, cron and sudo by a program in /usr/local/bin."""
    files = {path: row["content"].replace("/opt/emr", str(tmp_path)).replace("/etc/profile.d", str(tmp_path)).replace("@JAVA_HOME@", "/a/jdk")
             for path, row in files_of("slave").items()}
    folder = tmp_path / "hadoop" / "bin"
    folder.mkdir(parents=True)
    (folder / "hdfs").write_text('#!/bin/sh\necho "$JAVA_HOME $HADOOP_CONF_DIR $SPARK_CONF_DIR $PATH|$*"\nexit 7\n')
    (folder / "hdfs").chmod(0o755)
    (tmp_path / "emr.sh").write_text(files["/etc/profile.d/emr.sh"])
    done = subprocess.run(["sh", "-euc", files["/etc/profile.d/emr.sh"] + 'echo "$PATH $HADOOP_CONF_DIR ${emr_home-unset}"'], check=True, text=True,
                          capture_output=True, env={"PATH": "/usr/bin:/bin"})
    assert done.stdout.split() == [f"/usr/bin:/bin:{folder}", "/etc/emr/hadoop", "unset"]
    done = subprocess.run(["sh", "-c", files["/usr/local/bin/hdfs"], "hdfs", "dfs", "-ls", "a  b"], text=True, capture_output=True, check=False,
                          env={"PATH": "/usr/bin:/bin", "HADOOP_CONF_DIR": "/my/conf"})
    assert (done.stdout, done.returncode) == (f"/a/jdk /my/conf /etc/emr/spark /usr/bin:/bin:{folder}|dfs -ls a  b\n", 7)
    done = subprocess.run(["sh", "-c", files["/usr/local/bin/spark-sql"], "spark-sql"], text=True, capture_output=True, check=False)
    assert done.returncode == 127 and "comes with the service spark" in done.stderr
    assert files_of("slave")["/usr/local/bin/hdfs"]["mode"] == "0755"
    assert {path for path in files if path.startswith("/usr/local/bin/")} == {f"/usr/local/bin/{name}" for name in (
        "hadoop", "hdfs", "mapred", "yarn", "beeline", "pyspark", "spark-shell", "spark-sql", "spark-submit")}
