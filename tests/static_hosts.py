"""Hosts that are there already, as an inventory of a person's own has them: the machines of a local ECS, and Ansible's programs on them."""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.lab import REPO

BIN = Path(sys.executable).parent
BUY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - emr.cluster.purchase: {spec_file: "%s", confirm: "yes"}
      register: bought
    - ansible.builtin.copy: {dest: "%s", content: "{{ bought.nodes | to_json }}", mode: "0600"}
"""


class Static:
    """One master and three slaves of the local ECS as hosts of a static inventory."""

    def __init__(self, bed):
        self.bed, self.folder = bed, bed.folder
        # A machine that is busy with other tests takes its time to answer.
        self.env = dict(bed.env, PATH=f"{BIN}:{os.environ['PATH']}", ANSIBLE_TIMEOUT="60")
        self.playbook(BUY % (bed.spec("own"), self.folder / "nodes.json"), "buy")
        self.nodes = {node["name"]: node["vars"] for node in json.loads((self.folder / "nodes.json").read_text())}
        self.master, self.slaves = "own-master-001", [name for name in sorted(self.nodes) if "slave" in name]

    def playbook(self, text: str, name: str, *arguments: str) -> str:
        path = self.folder / f"{name}.yml"
        path.write_text(text)
        return self.run("ansible-playbook", str(path), *arguments)

    def run(self, program: str, *arguments: str) -> str:
        done = subprocess.run([str(BIN / program), *arguments], cwd=REPO, env=self.env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1500, check=False)
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
