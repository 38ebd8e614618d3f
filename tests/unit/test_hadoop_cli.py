"""The way to Hadoop's programs: as whom, with which environment, for how long, and what they said last."""
from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node import hadoop_cli
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError

PROGRAM = """#!/bin/bash
case $1 in
  who) id -un; umask; echo "$TICKET $MORE $PWD" ;;
  fail) seq 30 >&2; exit 7 ;;
  hang) sleep 30 ;;
esac
"""
ROOT = pytest.mark.skipif(os.getuid() != 0, reason="switches users")


@pytest.fixture(autouse=True)
def program(monkeypatch):
    # Another user runs it, who reaches none of pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="emr-bin-"))
    folder.chmod(0o755)
    path = folder / "hdfs"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    monkeypatch.setitem(hadoop_cli.PROGRAMS, "hdfs", str(path))
    monkeypatch.setattr(hadoop_cli._Hook, "ticket", staticmethod(hadoop_cli._no_ticket))
    before = os.umask(0o022)
    yield
    os.umask(before)
    shutil.rmtree(folder)


@ROOT
def test_it_runs_as_the_user_with_a_ticket_of_this_user():
    hadoop_cli.with_tickets(lambda user: {"TICKET": f"ticket-of-{user}"})
    assert hadoop_cli.run("hdfs", ["who"], "nobody", {"MORE": "more"})[1].split() == ["nobody", "0022", "ticket-of-nobody", "more", "/"]


def test_an_environment_may_be_the_only_one(monkeypatch):
    monkeypatch.setenv("MORE", "of this process")
    assert "of this process" in hadoop_cli.run("hdfs", ["who"])[1]
    assert "of this process" not in hadoop_cli.run("hdfs", ["who"], only={"PATH": os.environ["PATH"]})[1]


def test_a_failure_has_the_last_words():
    with pytest.raises(NodeError) as caught:
        hadoop_cli.run("hdfs", ["fail"])
    assert str(caught.value) == "hdfs fail ended with 7: " + "\n".join(map(str, range(16, 31)))
    code, out, err = hadoop_cli.run("hdfs", ["fail"], check=False)
    assert (code, hadoop_cli.last_words(out, err, 2)) == (7, "29\n30")


def test_nothing_runs_for_ever():
    with pytest.raises(NodeError, match="did not end within 1 s"):
        hadoop_cli.run("hdfs", ["hang"], limit_s=1)


@ROOT
def test_a_program_of_a_job_has_nothing_of_root():
    child = hadoop_cli.start_for(pwd.getpwnam("nobody"), ["bash", "-c", "id -un; id -Gn; umask; echo $TICKET"], {"PATH": os.environ["PATH"]},
                                 stdout=subprocess.PIPE)
    assert child.communicate()[0].decode().split() == ["nobody", "nogroup", "0022"]
