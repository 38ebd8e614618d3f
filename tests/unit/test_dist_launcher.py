"""The launcher bin/hadoop, with a stand-in for java that prints what it was started with."""
import os
import shutil
import subprocess

import pytest

from emrctl.dist.hadoop import LINKS, classpath, own_files
from emrctl.dist.lock import Locked

JAVA = """#!/bin/sh
echo "pid $$"
for a in "$@"; do echo "arg $a"; done
echo "home $HADOOP_HOME $HADOOP_COMMON_HOME $HADOOP_CONF_DIR"
"""
INPUTS = [Locked("jar", "org.apache.hadoop:hadoop-common:1", "0" * 128, 1, "share/hadoop/common"),
          Locked("jar", "org.apache.hadoop:hadoop-streaming:1", "1" * 128, 1, "share/hadoop/tools/lib")]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An installation with the real launcher and a false java."""
    root = tmp_path_factory.mktemp("opt") / "hadoop-1"
    for entry in own_files():
        path = root / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.link:
            path.symlink_to(entry.link)
        else:
            path.write_bytes(entry.data)
            path.chmod(0o755 if entry.executable else 0o644)
    (root / "libexec/hadoop.classpath").write_text(classpath(INPUTS))
    java = root.parent / "java/bin/java"
    java.parent.mkdir(parents=True)
    java.write_text(JAVA)
    java.chmod(0o755)
    (root.parent / "hadoop").symlink_to(root)
    return root


def call(home, *words, code=0, **env):
    """Run the launcher with a clean environment; returns (arguments of java, all lines)."""
    base = {"PATH": os.environ["PATH"], "JAVA_HOME": str(home.parent / "java"), "HADOOP_CONF_DIR": "/etc/c"}
    program = words[0] if "/" in words[0] else str(home / "bin" / words[0])
    done = subprocess.run([program, *words[1:]], env={**base, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    lines = done.stdout.splitlines()
    return [line[4:] for line in lines if line.startswith("arg ")], lines + done.stderr.splitlines()


def test_a_daemon_gets_its_options_and_the_configuration_last(home):
    args, _ = call(home, "hdfs", "namenode", "-x", HDFS_NAMENODE_OPTS="-Xmx1g -Dq=1", HADOOP_OPTS="-Dall=1")
    assert args[args.index("-classpath") + 1] == f"{home}/share/hadoop/common/hadoop-common-1.jar:/etc/c"
    assert args[-2:] == ["org.apache.hadoop.hdfs.server.namenode.NameNode", "-x"]
    assert "-Xmx1g" in args and "-Dq=1" in args and args.index("-Dall=1") > args.index("-Xmx1g")
    assert "-Dproc_namenode" in args


def test_client_options_do_not_reach_daemons_nor_the_reverse(home):
    args, _ = call(home, "yarn", "nodemanager", HADOOP_CLIENT_OPTS="-Dclient=1", YARN_NODEMANAGER_OPTS="-Dnm=1")
    assert "-Dclient=1" not in args and "-Dnm=1" in args
    args, _ = call(home, "hdfs", "dfs", "-ls", "/", HADOOP_CLIENT_OPTS="-Dclient=1", HDFS_NAMENODE_OPTS="-Dnn=1")
    assert "-Dclient=1" in args and "-Dnn=1" not in args


@pytest.mark.parametrize("words, tail", [
    (("hdfs", "dfs", "-ls", "a b"), ["org.apache.hadoop.fs.FsShell", "-ls", "a b"]),
    (("yarn", "application", "-list"), ["org.apache.hadoop.yarn.client.cli.ApplicationCLI", "application", "-list"]),
    (("yarn", "rmadmin", "-refreshNodes"), ["org.apache.hadoop.yarn.client.cli.RMAdminCLI", "-refreshNodes"]),
    (("mapred", "job", "-list"), ["org.apache.hadoop.mapred.JobClient", "-list"]),
    (("hadoop", "jar", "x.jar", "*"), ["org.apache.hadoop.util.RunJar", "x.jar", "*"]),
    (("hadoop", "org.example.Main", "1"), ["org.example.Main", "1"]),
    (("hadoop", "distcp", "a", "b"), ["org.apache.hadoop.tools.DistCp", "a", "b"]),
])
def test_commands(home, words, tail):
    args, _ = call(home, *words)
    assert args[-len(tail):] == tail
    assert f"{home}/share/hadoop/tools/lib/hadoop-streaming-1.jar" in args[args.index("-classpath") + 1]


def test_streaming_gets_its_jar_first(home):
    args, _ = call(home, "mapred", "streaming", "-input", "x")
    assert args[-3:] == [f"{home}/share/hadoop/tools/lib/hadoop-streaming.jar", "-input", "x"]


def test_the_main_process_becomes_the_jvm(home):
    process = subprocess.Popen([home / "bin/hdfs", "datanode"], stdout=subprocess.PIPE, text=True,
                               env={"PATH": os.environ["PATH"], "JAVA_HOME": str(home.parent / "java")})
    out, _ = process.communicate(timeout=20)
    assert f"pid {process.pid}\n" in out


def test_paths_are_real_even_through_links_while_homes_stay_as_given(home):
    link = home.parent / "hadoop"
    args, lines = call(home, str(link / "bin/hdfs"), "dfs", HADOOP_HOME=str(link))
    assert args[args.index("-classpath") + 1].startswith(f"{home}/share/")
    assert f"home {link} {link} /etc/c" in lines


def test_heap_forms(home):
    assert "-Xmx900m" in call(home, "hdfs", "datanode", HADOOP_HEAPSIZE="900")[0]
    args, _ = call(home, "hdfs", "datanode", HADOOP_HEAPSIZE="900", HADOOP_HEAPSIZE_MAX="2g",
                   HDFS_DATANODE_OPTS="-Xmx1g")
    assert args.index("-Xmx2g") < args.index("-Xmx1g") and "-Xmx900m" not in args


def test_user_class_path_comes_after_the_configuration_unless_asked(home):
    args, _ = call(home, "hadoop", "jar", "x", HADOOP_CLASSPATH="/u/*")
    assert args[args.index("-classpath") + 1].endswith(":/etc/c:/u/*")
    args, _ = call(home, "hadoop", "jar", "x", HADOOP_CLASSPATH="/u/*", HADOOP_USER_CLASSPATH_FIRST="1")
    assert args[args.index("-classpath") + 1].startswith("/u/*:")


def test_environment_file_and_config_option(home, tmp_path):
    (tmp_path / "hadoop-env.sh").write_text('export HDFS_DATANODE_OPTS="-Dfrom=file"\nHADOOP_LOG_DIR=/var/log/x\n')
    args, lines = call(home, "hdfs", "--config", str(tmp_path), "--loglevel", "DEBUG", "datanode")
    assert {"-Dfrom=file", "-Dhadoop.log.dir=/var/log/x", "-Dhadoop.root.logger=DEBUG,console"} <= set(args)
    assert any(line.endswith(f" {tmp_path}") for line in lines)


def test_class_data_archive_only_where_there_is_one(home, tmp_path):
    args, _ = call(home, "hdfs", "datanode", EMR_CDS_DIR=str(tmp_path))
    assert not [a for a in args if "Share" in a]
    (tmp_path / "hadoop-1.jsa").touch()
    args, _ = call(home, "hdfs", "datanode", EMR_CDS_DIR=str(tmp_path), HDFS_DATANODE_OPTS="-Xshare:off")
    assert args.index(f"-XX:SharedArchiveFile={tmp_path}/hadoop-1.jsa") < args.index("-Xshare:off")


def test_help_and_mistakes(home):
    _, lines = call(home, "hdfs", "--help")
    assert "  namenode" in lines and "  nodemanager" not in lines
    _, lines = call(home, "hdfs", code=1)
    assert lines[0].startswith("Usage: hdfs")
    _, lines = call(home, "yarn", "nosuch", code=1)
    assert "yarn: unknown command: nosuch" in lines
    _, lines = call(home, "hdfs", "--daemon", "start", "namenode", code=2)
    assert "systemd" in lines[-1]
    _, lines = call(home, "hdfs", "datanode", code=1, JAVA_HOME="/nonexistent")
    assert "set JAVA_HOME" in lines[-1]


def test_class_path_command(home):
    _, lines = call(home, "hadoop", "classpath")
    assert lines[0].split(":")[0] == f"{home}/share/hadoop/common/hadoop-common-1.jar" and lines[0].endswith(":/etc/c")


def test_links_and_syntax():
    assert set(LINKS) == {"bin/hdfs", "bin/yarn", "bin/mapred"}
    for entry in own_files():
        if entry.data and entry.data.startswith(b"#!/bin/sh"):
            subprocess.run([shutil.which("dash") or "sh", "-n"], input=entry.data, check=True)
