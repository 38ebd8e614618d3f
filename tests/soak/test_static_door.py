"""The fourth door: hosts that are there already, an inventory and a play of the user's own. Neither a limited run, nor a line taken
out of the inventory, nor serial makes the cluster smaller: a host leaves when somebody says so, and is drained first."""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import REPO, lab

pytestmark = pytest.mark.soak
BIN = Path(sys.executable).parent
BUY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - emr.cluster.purchase: {spec_file: "%s", confirm: "yes"}
      register: bought
    - ansible.builtin.copy: {dest: "%s", content: "{{ bought.nodes | to_json }}", mode: "0600"}
"""
# A play of one's own, as docs/deploy.md has it.
SITE = """
- hosts: master:slave
  gather_facts: false
  %s
  roles: [emr.cluster.host, emr.cluster.hadoop, emr.cluster.hdfs, emr.cluster.yarn, emr.cluster.mapreduce]
"""
HDFS = "runuser -u hdfs -- env HADOOP_CONF_DIR=/etc/emr/hadoop HADOOP_LOG_DIR=/tmp /opt/emr/hadoop/bin/hdfs dfs"


class Static:
    """One master and three slaves of the local ECS as hosts of a static inventory."""

    def __init__(self, bed):
        self.bed, self.folder = bed, bed.folder
        self.env = dict(bed.env, PATH=f"{BIN}:{os.environ['PATH']}")
        self.playbook(BUY % (bed.spec("own"), self.folder / "nodes.json"), "buy")
        self.nodes = {node["name"]: node["vars"] for node in json.loads((self.folder / "nodes.json").read_text())}
        self.master, self.slaves = "own-master-001", [name for name in sorted(self.nodes) if "slave" in name]

    def playbook(self, text: str, name: str, *arguments: str) -> str:
        path = self.folder / f"{name}.yml"
        path.write_text(text)
        return self.run("ansible-playbook", str(path), *arguments)

    def run(self, program: str, *arguments: str) -> str:
        done = subprocess.run([str(BIN / program), *arguments], cwd=REPO, env=self.env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def inventory(self, *without: str) -> str:
        lines = []
        for group, names in (("master", [self.master]), ("slave", self.slaves)):
            lines += [f"[{group}]", *(f"{n} ansible_host={self.nodes[n]['ansible_host']}" for n in names if n not in without)]
        key = self.nodes[self.master]["ansible_ssh_private_key_file"]
        # Hosts of the local ECS see the memory of the whole machine.
        lines += ["[all:vars]", f"ansible_ssh_private_key_file={key}", "ansible_user=root", "emr_memory_mib=4096", "emr_vcpus=2",
                  "ansible_ssh_common_args=-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"]
        path = self.folder / "hosts.ini"
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    def deploy(self, *arguments: str, without: tuple = ()) -> str:
        return self.run("ansible-playbook", "-i", self.inventory(*without), "emr.cluster.deploy", *arguments)

    def on(self, host: str, command: str) -> str:
        return self.run("ansible", "-i", self.inventory(), host, "-m", "ansible.builtin.shell", "-a", command)

    def datanodes(self) -> dict:
        text = self.on(self.master, "curl -s 'http://localhost:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo' "
                       f"|| curl -s 'http://{self.nodes[self.master]['ansible_host']}:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo'")
        info = json.loads(text[text.index("{"):])["beans"][0]
        return {name.split(":")[0]: row["adminState"] for name, row in json.loads(info["LiveNodes"]).items()}

    def changes(self, output: str) -> int:
        counts = re.findall(r"changed=(\d+)", output)
        assert counts, output
        return sum(map(int, counts))

    def whole(self) -> None:
        """All three slaves store, and the file of which one has the only copy is read."""
        assert self.datanodes() == {name: "In Service" for name in self.slaves}
        assert "precious" in self.on(self.master, f"{HDFS} -cat /only-copy")
        assert self.on(self.master, "cat /etc/emr/hadoop/dfs.hosts").splitlines()[1:] == self.slaves


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("static"), "e2es", 88, 7988) as bed:
        yield Static(bed)


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
