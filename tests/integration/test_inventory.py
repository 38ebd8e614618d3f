"""The inventory plugin and the controller-only action, through Ansible's own commands."""
from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.hostvars import (
    node_hostvars,
    ssh_args,
    valid_hostkey,
)
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from emrctl.local.testing import api_only
from tests.lab import until

REPO = Path(__file__).parents[2]
KEY = "ssh-ed25519 " + "A" * 68
EVIL = '{{ lookup("pipe", "touch %s") }}'


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    """Two clusters in two regions; the tags of one try to be templates."""
    folder = tmp_path_factory.mktemp("inventory")
    with api_only(folder / "ecs", visibility_delay=0) as ecs:
        buy(ecs, "cn-hangzhou", "sales", {"evil": EVIL % (folder / "owned"), "emr:hostkey": KEY})
        buy(ecs, "cn-beijing", "logs", {"evil": EVIL % "/nowhere", "emr:hostkey": "ssh-ed25519 AAAA -o ProxyCommand=touch"})
        yield ecs, folder


def client(ecs, region):
    """A client that needs no environment."""
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import Credentials

    return EcsClient(region, Credentials(ecs.access_key_id, ecs.access_key_secret), ecs.endpoint)


def buy(ecs, region, cluster, tags):
    """One master and two slaves, the last with two data disks."""
    api = client(ecs, region)
    group = api.call("CreateSecurityGroup", SecurityGroupName=f"emr-{cluster}", Tag=[
        {"Key": "emr:cluster", "Value": cluster}, {"Key": "emr:id", "Value": "emr-0123456789ab"}])["SecurityGroupId"]
    for role, amount, disks in (("master", 1, []), ("slave", 2, [{"Category": "cloud_essd", "Size": 20}] * 2)):
        named = {"emr:cluster": cluster, "emr:id": "emr-0123456789ab", "emr:group": role, "emr:role": role,
                 "emr:release": "emr-1.0", "emr:services": "hdfs,yarn", **tags}
        api.call("RunInstances", InstanceType="ecs.g6.large", ImageId=ecs.image, VSwitchId=f"vsw-local-{region}-h",
                 SecurityGroupId=group, Amount=amount, InstanceName=f"{cluster}-{role}-[1,3]", DataDisk=disks or None,
                 Tag=[{"Key": k, "Value": v} for k, v in named.items()])
    while any(i["Status"] != "Running" for i in api.items("DescribeInstances")):
        pass


def environment(bed, **more):
    """Credentials, a home of its own, this checkout."""
    ecs, folder = bed
    return {**os.environ, **ecs.env, "HOME": str(folder), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(REPO / "ansible.cfg"), **more}


def inventory(bed, text, name="ecs.yml", command=("--list",), **more):
    """Output of ansible-inventory for this configuration, and what it said on stderr."""
    _, folder = bed
    (folder / name).write_text("plugin: emr.cluster.ecs\n" + text)
    done = subprocess.run(["ansible-inventory", "-i", str(folder / name), *command], env=environment(bed, **more), cwd=REPO,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return plain(json.loads(done.stdout)) if done.returncode == 0 else None, done.stderr


def plain(value):
    """Without the marks that Ansible puts on text that is not to be a template."""
    if isinstance(value, dict):
        return value["__ansible_unsafe"] if set(value) == {"__ansible_unsafe"} else {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def hosts(found):
    """Host names of an inventory."""
    return sorted(found["_meta"]["hostvars"])


def test_groups_and_variables(bed):
    found, _ = inventory(bed, "regions: [cn-hangzhou, cn-beijing]\n")
    assert hosts(found) == ["logs-master-001", "logs-slave-001", "logs-slave-002", "sales-master-001", "sales-slave-001",
                            "sales-slave-002"]
    groups = {g: sorted(v["hosts"]) for g, v in found.items() if isinstance(v, dict) and v.get("hosts")}
    assert groups["emr_sales"] == ["sales-master-001", "sales-slave-001", "sales-slave-002"]
    assert groups["master"] == groups["emr_control"] == ["logs-master-001", "sales-master-001"]
    assert groups["emr_region_cn_beijing"] == groups["emr_zone_cn_beijing_h"] == groups["emr_logs"]
    assert groups["emr_group_slave"] == ["logs-slave-001", "logs-slave-002", "sales-slave-001", "sales-slave-002"]
    slave = found["_meta"]["hostvars"]["sales-slave-001"]
    assert slave["emr_role"] == "slave" and slave["emr_services"] == ["hdfs", "yarn"] and slave["emr_memory_mib"] == 8192
    assert [d["size_gib"] for d in slave["emr_disks"]] == [20, 20] and slave["ansible_host"].startswith("10.")
    assert KEY in slave["ansible_ssh_common_args"]


def test_tags_are_never_templates_nor_options(bed):
    _, folder = bed
    found, _ = inventory(bed, "regions: [cn-hangzhou, cn-beijing]\nstrict: true\nhostnames: [tag:evil, instance_id]\n"
                         "compose: {copy: emr_tags.evil}\nkeyed_groups: [{key: emr_tags.evil, prefix: x}]\n")
    assert all(h.startswith("i-") for h in hosts(found))
    done = subprocess.run(["ansible", "-i", str(folder / "ecs.yml"), "emr_sales", "-c", "local", "-m", "debug", "-a",
                           "msg='{{ copy }} {{ emr_tags }}'"], env=environment(bed), cwd=REPO, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    assert "lookup" in done.stdout, done.stdout + done.stderr
    assert not (folder / "owned").exists()
    assert all("ProxyCommand" not in v["ansible_ssh_common_args"] for v in found["_meta"]["hostvars"].values())


def test_documentation(bed):
    for kind, name in (("inventory", "ecs"), ("module", "purchase"), ("module", "nodes"), ("module", "add_node")):
        done = subprocess.run(["ansible-doc", "-t", kind, f"emr.cluster.{name}"], env=environment(bed), cwd=REPO,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "emr.cluster" in done.stdout, done.stderr


def play(bed, tasks, *arguments):
    """Run these tasks on localhost; returns the process."""
    _, folder = bed
    book = folder / "play.yml"
    book.write_text("- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n" + tasks)
    return subprocess.run(["ansible-playbook", str(book), *arguments], env=environment(bed), cwd=REPO, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, check=False)


def test_add_node_gives_what_the_inventory_gives(bed):
    """Play 1 finds and adds; the host's variables equal those of the plugin."""
    _, folder = bed
    done = play(bed, """
    - emr.cluster.nodes: {name: sales, region: cn-hangzhou}
      register: found
    - emr.cluster.add_node: {node: "{{ item }}", groups: [emr_target]}
      loop: "{{ found.nodes }}"
      loop_control: {label: "{{ item.name }}"}
      changed_when: false
    - copy:
        content: "{{ groups.emr_target | map('extract', hostvars) | map('dict2items') | map('selectattr', 'key', 'match',
          'emr_|ansible_(host|user|ssh_c|control)') | map('items2dict') | list | to_json }}"
        dest: "{{ playbook_dir }}/vars.json"
""")
    assert done.returncode == 0, done.stdout + done.stderr
    expected, _ = inventory(bed, "regions: [cn-hangzhou]\n")
    told = {v["emr_instance_id"]: v for v in plain(json.loads((folder / "vars.json").read_text()))}
    for variables in expected["_meta"]["hostvars"].values():
        mine = told[variables["emr_instance_id"]]
        assert {k: mine.get(k) for k in variables if k.startswith("emr_")} == {
            k: v for k, v in variables.items() if k.startswith("emr_")}
        assert mine["ansible_ssh_common_args"] == variables["ansible_ssh_common_args"]
    assert not (folder / "owned").exists()


def test_refusals_are_marked(bed):
    done = play(bed, "    - emr.cluster.nodes: {name: nobody, region: cn-hangzhou}\n")
    assert done.returncode == 2 and '"emr_refused": true' in done.stdout and "There is no cluster" in done.stdout
    done = play(bed, "    - emr.cluster.purchase: {spec: 'name: Bad'}\n")
    assert '"emr_refused": true' in done.stdout and '"problems"' in done.stdout
    done = play(bed, "    - emr.cluster.release: {name: sales, region: cn-hangzhou}\n")
    assert '"emr_refused": true' in done.stdout and "emr_confirm=" in done.stdout


def test_check_mode_changes_nothing(bed):
    ecs, _ = bed
    done = play(bed, "    - emr.cluster.release: {name: sales, region: cn-hangzhou, confirm: 'yes'}\n",
                "--check")
    assert done.returncode == 0, done.stdout
    assert len(client(ecs, "cn-hangzhou").items("DescribeInstances")) == 3


def test_lock_ends_with_the_playbook(bed):
    """A playbook that stops without unlocking leaves no lock behind."""
    ecs, _ = bed
    done = play(bed, "    - emr.cluster.nodes: {lock: true, name: sales, region: cn-hangzhou}\n    - fail:\n")
    assert done.returncode == 2
    api = client(ecs, "cn-hangzhou")
    # Who holds it looks every other second whether the playbook still runs.
    until(lambda: not api.items("DescribeKeyPairs", KeyPairName="emr-lock-sales"), "the lock is gone", 60)


def test_hostvars_of_an_odd_instance():
    name, groups, variables = node_hostvars({"InstanceId": "i-1", "Tags": {"Tag": [
        {"TagKey": "emr:cluster", "TagValue": "{{ 1 }}"}, {"TagKey": "emr:role", "TagValue": "root"},
        {"TagKey": "emr:services", "TagValue": "hdfs,{{ x }},yarn"}]}})
    assert (name, groups) == ("i-1", []) and variables["emr_services"] == ["hdfs", "yarn"]
    assert variables["emr_cluster_name"] == "" and variables["ansible_host"] == ""


@pytest.mark.parametrize("text", ["", "ssh-rsa " + "A" * 68, KEY + '" -o ProxyCommand=x', KEY + "\n", "ssh-ed25519 {{ 1 }}"])
def test_only_a_real_host_key_is_trusted(text):
    assert valid_hostkey(text) == ""


def test_ssh_arguments_are_strict():
    words = shlex.split(ssh_args(KEY))
    assert "StrictHostKeyChecking=yes" in words and f"KnownHostsCommand=/bin/echo %H {KEY}" in words
    assert "StrictHostKeyChecking=yes" in shlex.split(ssh_args(""))
