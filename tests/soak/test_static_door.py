"""The fourth door: hosts that are there already, an inventory and a play of the user's own. Neither a limited run, nor a line taken
out of the inventory, nor serial makes the cluster smaller: a host leaves when somebody says so, and is drained first."""
from __future__ import annotations

import re

import pytest

from tests.lab import lab
from tests.static_hosts import Static

pytestmark = pytest.mark.soak
# A play of one's own, as docs/deploy.md has it.
SITE = """
- hosts: master:slave
  gather_facts: false
  %s
  roles: [emr.cluster.host, emr.cluster.hadoop, emr.cluster.hdfs, emr.cluster.yarn, emr.cluster.mapreduce]
"""
HDFS = "runuser -u hdfs -- env HADOOP_CONF_DIR=/etc/emr/hadoop HADOOP_LOG_DIR=/tmp /opt/emr/hadoop/bin/hdfs dfs"


class Stored(Static):
    """With a file of which one slave has the only copy."""

    def whole(self) -> None:
        """All three slaves store, and the file of which one has the only copy is read."""
        assert self.datanodes() == {name: "In Service" for name in self.slaves}
        assert "precious" in self.on(self.master, f"{HDFS} -cat /only-copy")
        assert self.on(self.master, "cat /etc/emr/hadoop/dfs.hosts").splitlines()[1:] == self.slaves


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("static"), "e2es", 88, 7988) as bed:
        yield Stored(bed)


def test_what_does_not_reach_a_host_does_not_take_it_away(static):
    first, others = static.slaves[0], [static.master, *static.slaves[1:]]
    # A host that knows itself by another name than the inventory: its NodeManager registered by that, and was turned away for ever.
    static.on(others[1], f"sed -i '1i {static.nodes[others[1]]['emr_private_ip']} itself.example.com itself' /etc/hosts")
    assert static.changes(static.deploy()) > 0
    # The first copy of what a DataNode's host writes stays there, and this file has no other.
    static.on(first, f"echo precious > /tmp/x && chmod 644 /tmp/x && {HDFS} -D dfs.replication=1 -put /tmp/x /only-copy")
    static.whole()
    assert static.changes(static.deploy()) == 0, "the second run changes nothing"

    assert static.changes(static.deploy("--limit", ",".join(others))) == 0, "a limited run"
    static.whole()
    assert static.changes(static.deploy("--limit", first)) == 0, "a run without the master"
    static.whole()
    output = static.deploy(without=(first,))
    assert static.changes(output) == 0 and f"still in the cluster: {first}" in re.sub(r"\s+", " ", output)
    static.whole()
    site = SITE % "serial: 1"
    assert static.changes(static.playbook(site, "site", "-i", static.inventory())) == 0, "one host after the other"
    assert static.changes(static.playbook(site, "site", "-i", static.inventory(), "--check", "--diff", "--limit", ",".join(others))) == 0
    static.whole()


def test_a_host_leaves_when_somebody_says_so_and_is_drained_first(static):
    gone = static.slaves[0]
    said = f'{{"emr_removed_hosts": ["{gone}"]}}'
    assert f"drained: {gone}" in static.deploy("-e", said, without=(gone,))
    assert "precious" in static.on(static.master, f"{HDFS} -cat /only-copy"), "its only copy was copied before"
    assert static.on(static.master, "cat /etc/emr/hadoop/dfs.hosts").splitlines()[1:] == static.slaves[1:]
    assert static.changes(static.deploy("-e", said, without=(gone,))) == 0
    assert static.changes(static.deploy(without=(gone,))) == 0, "and it is not missed"
