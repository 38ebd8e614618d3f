"""The network doors: which way leads to which node, and what ssh makes of it."""
from __future__ import annotations

import shlex
import subprocess

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import control
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.hostvars import node_groups, node_hostvars
from ansible_collections.emr.cluster.plugins.module_utils.cloud.inventory.rules import problems
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh import doors
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused

KEYS = {n: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + n * 43 for n in "abc"}


def instance(name, role, ip, access="", public="", key="a", cluster="demo", cluster_id="emr-1"):
    tags = {"emr:cluster": cluster, "emr:id": cluster_id, "emr:role": role, "emr:hostkey": KEYS[key]}
    tags.update({"emr:access": access} if access else {})
    return {"InstanceId": f"i-{name}", "InstanceName": name, "PublicIpAddress": {"IpAddress": [public] if public else []},
            "VpcAttributes": {"PrivateIpAddress": {"IpAddress": [ip]}},
            "Tags": {"Tag": [{"TagKey": k, "TagValue": v} for k, v in tags.items()]}}


def variables(chosen, every, key_file=None, address="auto"):
    bastion = doors.bastion_for(chosen, doors.bastions(every))
    return node_hostvars(chosen, address, private_key_file=key_file, bastion=bastion)[2]


MASTER = instance("demo-master-001", "master", "10.0.0.2", "bastion", "198.51.100.9", "a")
SLAVE = instance("demo-slave-001", "slave", "10.0.0.3", "bastion", key="b")


@pytest.mark.parametrize("access, public, expected", [("", "", "10.0.0.2"), ("", "198.51.100.9", "10.0.0.2"),
                                                      ("public", "198.51.100.9", "198.51.100.9"),
                                                      ("nonsense", "198.51.100.9", "10.0.0.2")])
def test_direct_ways(access, public, expected):
    one = instance("demo-slave-001", "slave", "10.0.0.2", access, public)
    found = variables(one, [one])
    assert found["ansible_host"] == expected and "ProxyCommand" not in found["ansible_ssh_common_args"]


def test_one_master_is_the_bastion_and_the_others_are_behind_it():
    master, slave = variables(MASTER, [SLAVE, MASTER]), variables(SLAVE, [SLAVE, MASTER])
    assert master["ansible_host"] == "198.51.100.9" and "ProxyCommand" not in master["ansible_ssh_common_args"]
    assert slave["ansible_host"] == "10.0.0.3" and "root@198.51.100.9" in slave["ansible_ssh_common_args"]
    assert variables(SLAVE, [SLAVE, MASTER], address="private")["ansible_ssh_common_args"].count("ProxyCommand") == 0


@pytest.mark.parametrize("other", [{"cluster": "else"}, {"cluster_id": "emr-2"}, {"role": "slave"}, {"access": "vpc"}])
def test_only_a_master_of_the_cluster_itself_is_its_bastion(other):
    fields = {"role": "master", "access": "bastion", "cluster": "demo", "cluster_id": "emr-1", **other}
    stranger = instance("aaa-master-001", fields.pop("role"), "10.0.0.9", fields.pop("access"), "198.51.100.66", **fields)
    assert doors.bastion_for(SLAVE, doors.bastions([stranger, SLAVE])) is None


def test_the_bastion_is_the_master_that_has_a_public_address():
    other = instance("demo-master-000", "master", "10.0.0.8", "bastion")
    assert doors.bastion_for(SLAVE, doors.bastions([other, SLAVE, MASTER]))["InstanceName"] == "demo-master-001"
    assert doors.bastion_for(other, doors.bastions([other, SLAVE, MASTER]))["InstanceName"] == "demo-master-001"


def test_the_control_node_is_the_tagged_master_else_the_first_by_name():
    second = instance("demo-master-002", "master", "10.0.0.8")
    strangers = [instance("aaa-master-001", "master", "10.0.1.1", cluster="else"), instance("aab-master-001", "master", "10.0.1.2", cluster_id="emr-2")]
    every = [SLAVE, second, MASTER, *strangers]
    found = control.control_nodes(every)
    assert [i["InstanceName"] for i in every if control.is_control_node(i, found)] == ["demo-master-001", "aaa-master-001", "aab-master-001"]
    tagged = {**second, "Tags": {"Tag": [*second["Tags"]["Tag"], {"TagKey": control.TAG, "TagValue": "yes"}]}}
    assert control.control_node([SLAVE, tagged, MASTER]) is tagged and control.control_node([SLAVE]) is None
    own = {"InstanceId": "i-x", "InstanceName": "own", "Tags": {"Tag": [{"TagKey": "emr:role", "TagValue": "master"}]}}
    assert not control.is_control_node(own, control.control_nodes([own])), "an instance of no cluster"
    assert control.GROUP in node_hostvars(MASTER, control=True)[1] and control.GROUP not in node_hostvars(MASTER)[1]


@pytest.mark.parametrize("name", ["new", "target", "control", "origin-spec-node"])
def test_a_cluster_called_like_a_group_of_plays_does_not_join_it(name):
    assert node_groups(instance("x-master-001", "master", "10.0.0.2", cluster=name)) == ["master"]
    assert node_groups(instance("x-master-001", "master", "10.0.0.2", cluster="news")) == ["emr_news", "master"]
    assert "also that of another kind of group" in problems([instance("x-master-001", "master", "10.0.0.2", cluster=name)])[-1]


def test_ssh_understands_both_hops(tmp_path):
    """ssh -G reads what it is given; the inner command is what a shell makes of it."""
    key = tmp_path / "it's a key"
    found = variables(SLAVE, [SLAVE, MASTER], str(key))
    words = shlex.split(found["ansible_ssh_common_args"])
    shown = subprocess.run(["ssh", "-G", "-F", "/dev/null", *words, "root@10.0.0.3"], capture_output=True, text=True,
                           check=True).stdout
    options = dict(line.partition(" ")[::2] for line in shown.splitlines())
    assert options["stricthostkeychecking"] == "true" and options["forwardagent"] == "no" and KEYS["b"] in options["knownhostscommand"]
    # As ssh does before it runs the command.
    command = options["proxycommand"].replace("%h", "10.0.0.3").replace("%p", "22").replace("%%", "%")
    fake = tmp_path / "ssh"
    fake.write_text("#!/bin/sh\nfor a in \"$@\"; do echo \"$a\"; done\n")
    fake.chmod(0o755)
    arguments = subprocess.run(["sh", "-c", f"exec {command}"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, text=True,
                               capture_output=True, check=True).stdout.splitlines()
    assert arguments[-3:] == ["-W", "10.0.0.3:22", "root@198.51.100.9"]
    assert f"KnownHostsCommand=/bin/echo %H {KEYS['a']}" in arguments and "StrictHostKeyChecking=yes" in arguments
    assert f"IdentityFile={key}" in arguments and "ControlMaster=auto" in arguments and "-a" in arguments
    assert any(a.startswith("ControlPath=/tmp/.emr-ssh-") for a in arguments)


def test_a_cluster_keeps_its_door():
    doors.check_unchanged("bastion", [MASTER, SLAVE])
    doors.check_unchanged("public", [])
    with pytest.raises(Refused, match="were bought with bastion"):
        doors.check_unchanged("vpc", [MASTER])
