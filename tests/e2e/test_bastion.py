"""A cluster behind a bastion, made and used from where only its public address can be reached."""
from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from tests.lab import EMRCTL, Lab, crowded_agent, lab

# Of the block for tests between networks (RFC 2544): networks of documentation are in use on some test machines, and a cable
# with such a network would take the way to their package registries for as long as it exists.
NAME, HERE, GATE = "doors", "198.18.86.2", "198.18.86.1"
SPACE, CABLE = "e2eb-outside", "e2eb-out"


class Outside:
    """A network namespace that reaches this machine as the internet does: the API and public addresses, nothing private."""

    def __init__(self, bed: Lab):
        self.bed = bed
        self.env = dict(bed.env, ALIBABA_CLOUD_ECS_ENDPOINT=f"http://{bed.gateway}:{bed.port}")

    def __enter__(self):
        self._remove()
        for command in (f"ip netns add {SPACE}", f"ip link add {CABLE} type veth peer name eth0 netns {SPACE}",
                        f"ip addr add {GATE}/24 dev {CABLE}", f"ip link set {CABLE} up",
                        f"ip -n {SPACE} link set lo up", f"ip -n {SPACE} addr add {HERE}/24 dev eth0",
                        f"ip -n {SPACE} link set eth0 up", f"ip -n {SPACE} route add default via {GATE}"):
            subprocess.run(command.split(), check=True)
        return self

    def __exit__(self, *_):
        self._remove()

    def _remove(self) -> None:
        """Away with both, also with those of a run that was ended by force."""
        subprocess.run(["ip", "link", "del", CABLE], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", SPACE], check=False, capture_output=True)

    def run(self, *command: str, timeout: float = 300) -> subprocess.CompletedProcess:
        """Any command out there."""
        return subprocess.run(["ip", "netns", "exec", SPACE, *command], env=self.env, cwd=self.bed.folder, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)

    def emrctl(self, *arguments: str, expect: int = 0) -> str:
        """emrctl out there; what it prints."""
        done = self.run(*EMRCTL, *arguments)
        assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def reaches(self, address: str, port: int = 22) -> bool:
        """Whether a connection can be made from out there."""
        code = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"
        return self.run(sys.executable, "-c", code, address, str(port)).returncode == 0


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("bastion"), "e2eb", 86, 7986) as bed, crowded_agent(bed.folder / "agent") as agent:
        # A person with many keys, who lists them for all hosts too, and whose HOME is too long for a socket's path.
        home = bed.folder / ("home-of-a-person-with-a-long-name-" * 3)
        (home / ".ssh").mkdir(parents=True, mode=0o700)
        (home / ".ssh" / "config").write_text("Host *\n" + "".join(f"  IdentityFile {k}\n" for k in sorted(
            k for k in (bed.folder / "agent").iterdir() if k.suffix != ".pub")))
        bed.env.update(agent, HOME=str(home))
        with Outside(bed) as it:
            yield it


def test_a_cluster_behind_a_bastion(outside):
    bed = outside.bed
    network = {"create": True, "ssh_from": f"{HERE}/32"}  # a VPC of its own, whose door is a bastion
    groups = {"master": {"count": 1, "instance_types": ["ecs.c6.large"]},
              "slave": {"count": 2, "instance_types": ["ecs.t6-c1m1.large"]}}
    spec = bed.spec(NAME, network=network, node_groups=groups)
    planned = outside.emrctl("plan", str(spec))
    assert "make VPC 192.168.0.0/16 with vSwitch 192.168.0.0/20 in cn-hangzhou-h" in planned
    made = outside.run(*EMRCTL, "create", str(spec), "--yes", timeout=600)
    assert made.returncode == 0, made.stdout + made.stderr
    made = made.stdout + made.stderr
    try:
        nodes = {i["InstanceName"]: i for i in bed.instances(NAME)}
        (vpc,) = {i["VpcAttributes"]["VpcId"] for i in nodes.values()}
        assert vpc != "vpc-local-cn-hangzhou" and f"made VPC {vpc} (192.168.0.0/16)" in made
        public = {n: i["PublicIpAddress"]["IpAddress"] for n, i in nodes.items()}
        assert public[f"{NAME}-slave-001"] == public[f"{NAME}-slave-002"] == []
        door = public[f"{NAME}-master-001"][0]
        private = [i["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0] for i in nodes.values()]
        assert outside.reaches(door) and not any(outside.reaches(ip) for ip in private)
        assert not outside.reaches(door, 8088) and not outside.reaches(door, 9870)
        for name in nodes:
            assert outside.emrctl("ssh", NAME, name, "--", "hostname").strip() == name
        # The agent of the user stays at home, on both hops.
        assert outside.emrctl("ssh", NAME, f"{NAME}-slave-001", "--", "echo ${SSH_AUTH_SOCK:-none}").strip() == "none"
        status = json.loads(outside.emrctl("status", NAME, "-o", "json"))
        assert status["hdfs"]["live"] == 2 and status["yarn"]["active"] == 2
        plan = json.loads(outside.emrctl("plan", str(spec), "--gate", "-o", "json"))
        assert plan["empty"] and {n["does"] for n in plan["nodes"]} == {"keep"}
        wrong_key(outside, nodes)
        inventory = bed.folder / "emr.yml"
        inventory.write_text("plugin: emr.cluster.ecs\nregions: [cn-hangzhou]\n")
        pinged = outside.run(str(sys.executable).replace("python", "ansible"), "-i", str(inventory), f"emr_{NAME}", "-m", "raw",
                             "-a", "hostname")
        assert pinged.returncode == 0 and all(name in pinged.stdout for name in nodes), pinged.stdout + pinged.stderr
    finally:
        outside.emrctl("release", NAME, "--yes")
    assert bed.instances(NAME) == []
    assert [v["VpcId"] for v in bed.ecs("DescribeVpcs")["Vpcs"]["Vpc"]] == ["vpc-local-cn-hangzhou"]


def wrong_key(outside, nodes) -> None:
    """A bastion with another host key than its tag says leads nowhere, nor to the nodes behind it."""
    bed, master = outside.bed, nodes[f"{NAME}-master-001"]
    key = next(t["TagValue"] for t in master["Tags"]["Tag"] if t["TagKey"] == "emr:hostkey")
    other = next(t["TagValue"] for t in nodes[f"{NAME}-slave-001"]["Tags"]["Tag"] if t["TagKey"] == "emr:hostkey")
    subprocess.run(["ssh", "-O", "exit", "-o", f"ControlPath=/tmp/.emr-ssh-0/{master['InstanceId'].replace('-', '_')}", "x"],
                   capture_output=True, check=False)

    def tag(value: str) -> None:
        """Change the tag, and wait until readers see it."""
        bed.ecs("TagResources", **{"ResourceType": "instance", "ResourceId.1": master["InstanceId"],
                                   "Tag.1.Key": "emr:hostkey", "Tag.1.Value": value})
        for _ in range(60):
            seen = next(i for i in bed.instances(NAME) if i["InstanceId"] == master["InstanceId"])
            if value in [t["TagValue"] for t in seen["Tags"]["Tag"]]:
                return
            time.sleep(0.5)
        raise AssertionError("the tag does not appear")

    tag(other)
    done = outside.run(*EMRCTL, "ssh", NAME, f"{NAME}-slave-001", "--", "hostname")
    tag(key)
    assert done.returncode == 255, done.stdout
