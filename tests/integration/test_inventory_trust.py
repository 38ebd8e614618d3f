"""The inventory never gives an empty graph in silence, no host a name that means something else, and takes nobody's own settings away."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emrctl.local.testing import api_only

from .inventory_bed import Bed, buy, client, cluster, settled

REPO = Path(__file__).parents[2]
ODD = ("localhost", "127.0.0.1", "all", "master", "emr_shop", "emr_region_cn_hangzhou", "mine", "ungrouped")


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    """A stopped cluster in one region; a running one in another, beside instances with odd names."""
    folder = tmp_path_factory.mktemp("trust")
    with api_only(folder / "ecs", visibility_delay=0) as ecs:
        stopped = buy(ecs, "cn-beijing", "still-slave-[1,3]", 2, cluster("still", "slave"))
        buy(ecs, "cn-hangzhou", "shop-master-[1,3]", 1, cluster("shop", "master"))
        for name in ODD:
            buy(ecs, "cn-hangzhou", "odd" if name == "127.0.0.1" else name, 1, {"Name": name})
        settled(ecs, "cn-beijing", "cn-hangzhou")
        client(ecs, "cn-beijing").call("StopInstances", InstanceId=stopped)
        while any(i["Status"] != "Stopped" for i in client(ecs, "cn-beijing").items("DescribeInstances")):
            pass
        made = Bed(ecs, folder)
        yield made
        made.close()


def test_a_filter_for_a_status_finds_what_has_it(bed):
    base = {"regions": ["cn-beijing"], "on_empty": "fail"}
    for config in ({"filters": {"status": "Stopped"}}, {"include_filters": [{"status": ["Stopped"]}]}, {"states": []}):
        found = bed.parse({**base, **config})
        assert len(found.hosts) == 2 and not found.ended, (config, found.text)
    assert not bed.parse({**base, "filters": {"status": "Stopped"}, "states": ["Running"]}).hosts, "who names states means them"


def test_a_stopped_cluster_is_no_empty_answer_in_silence(bed):
    base = {"regions": ["cn-beijing"]}
    for how, ends in (("fail", True), ("warn", False), ("ok", False)):
        found = bed.parse({**base, "on_empty": how})
        assert not found.hosts and bool(found.ended) is ends
        assert ("no instance that matches is Running (2 Stopped)" in found.text) is (how != "ok"), found.text


@pytest.mark.parametrize("config", [{"on_empty": "fail"}, {"clusters": ["nobody"], "on_empty": "fail"},
                                    {"regions": ["cn-nowhere"], "on_empty": "ok"}], ids=str)
def test_fail_ends_the_program(bed, config):
    path = bed.folder / "ends.ecs.yml"
    path.write_text(json.dumps({"plugin": "emr.cluster.ecs", "regions": ["cn-beijing"], **config}))
    env = {**os.environ, **bed.ecs.env, "HOME": str(bed.folder), "ANSIBLE_CONFIG": str(REPO / "ansible.cfg")}
    done = subprocess.run([str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(path), "--graph"], env=env, cwd=REPO,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode != 0 and "@all" not in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("names", [["name", "instance_id"], ["tag:Name", "name"]], ids=str)
def test_no_host_is_called_like_a_group_or_a_word_of_ansible(bed, names):
    found = bed.parse({"regions": ["cn-hangzhou"], "all_instances": True, "hostnames": names, "groups": {"mine": "true"}})
    assert len(found.hosts) == len(ODD) + 1 and not set(found.hosts) & {*ODD, *found.groups}, sorted(found.hosts)
    assert "'localhost' cannot be a host name: it" in found.text and "'mine' cannot be" in found.text
    assert found.groups["master"] == ["shop-master-001"]
    found = bed.parse({"regions": ["cn-hangzhou"], "all_instances": True, "hostname_prefix": "p-"})
    assert {"p-localhost", "p-all"} <= set(found.hosts) and "cannot be a host name" not in found.text


def test_a_node_called_localhost_is_no_localhost_for_playbooks(bed):
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.hostvars import node_hostvars

    for name in ("localhost", "master", "slave", "all", "a b", "{{ 1 }}"):
        assert node_hostvars({"InstanceId": "i-1", "InstanceName": name})[0] == "i-1"


def test_group_vars_hold_for_instances_of_no_cluster(bed):
    (bed.folder / "group_vars").mkdir(exist_ok=True)
    jump = "-o ProxyJump=me@203.0.113.9"
    (bed.folder / "group_vars" / "all.json").write_text(json.dumps({
        "ansible_user": "ops", "ansible_ssh_common_args": jump, "ansible_ssh_private_key_file": "/mine"}))
    config = {"regions": ["cn-hangzhou"], "all_instances": True, "hostname_prefix": "p-"}

    def seen(host, **options):
        path = bed.folder / "own.ecs.yml"
        path.write_text(json.dumps({"plugin": "emr.cluster.ecs", **config, **options}))
        env = {**os.environ, **bed.ecs.env, "HOME": str(bed.folder), "ANSIBLE_CONFIG": str(REPO / "ansible.cfg"),
               "ANSIBLE_PRIVATE_KEY_FILE": "/other"}
        done = subprocess.run([str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(path), "--host", host], env=env,
                              cwd=REPO, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    foreign = seen("p-localhost")
    assert (foreign["ansible_user"], foreign["ansible_ssh_common_args"], foreign["ansible_ssh_private_key_file"]) == ("ops", jump, "/mine")
    assert foreign["ansible_host"].startswith("10.")
    assert seen("p-localhost", user="admin")["ansible_user"] == "admin", "what the inventory's own file says still wins"
    own = seen("p-shop-master-001")
    assert own["ansible_user"] == "root" and jump not in own["ansible_ssh_common_args"]
