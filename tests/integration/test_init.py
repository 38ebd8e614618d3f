"""`emrctl init` followed by create, against the local API up to the purchase: the file works without editing."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import operation
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import load_spec
from tests.integration import cloudbed

REPO = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def emrctl(ecs, tmp_path):
    """Runs emrctl there without a terminal; the answers of a person can be given."""
    def run(*arguments, expect=0, **changes):
        env = dict(os.environ, **{**ecs.env, **changes}, HOME=str(tmp_path), PYTHONPATH=str(REPO), EMR_CACHE=str(tmp_path))
        done = subprocess.run([sys.executable, "-m", "emrctl", *map(str, arguments)], env=env, cwd=tmp_path, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        assert done.returncode == expect, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done
    return run


SCENARIOS = {
    "batch": ("--data", "20GB", "--working-set", "5GB"),
    "interactive": ("--data", "500GB", "--growth", "50GB", "--working-set", "200GB", "--deadline", "15", "--access", "bastion",
                    "--ssh-from", "203.0.113.7/32"),
    "streaming": ("--data", "0", "--growth", "5TB", "--retention", "2", "--working-set", "20GB", "--zone", "cn-hangzhou-i"),
}


@pytest.mark.parametrize("workload", SCENARIOS)
def test_init_then_create_buys_what_was_advised(ecs, emrctl, tmp_path, monkeypatch, workload):
    name = f"adv-{workload}"
    path = tmp_path / "cluster.yml"
    told = json.loads(emrctl("init", path, "--name", name, "--workload", workload, *SCENARIOS[workload], "-o", "json").stdout)
    spec = load_spec(path)
    assert told["monthly"] > 0 and "# Rejected:" in path.read_text()
    assert told["zone"] == spec.zone == ("cn-hangzhou-i" if workload == "streaming" else told["zone"])
    for key, value in ecs.env.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(operation, "reach", lambda *_: 0)  # the hosts of the API-only mode have no SSH
    with cloudbed.Owner() as owner:
        cloudbed.create(EcsClient(ecs.region), spec, owner)
    assert cloudbed.living(ecs, name) == cloudbed.expected(name, **{g["group"]: g["count"] for g in told["groups"]})
    types = {i["type"] for i in ecs.cloud.store.all("instance") if i["tags"].get("emr:cluster") == name}
    assert types == {g["instance_types"][0] for g in told["groups"]}


@pytest.mark.parametrize("missing, given", [("--name", ()), ("--workload", ("--name", "adv")),
                                            ("--data", ("--name", "adv", "--workload", "batch"))])
def test_without_a_terminal_what_is_missing_is_named(emrctl, missing, given):
    assert missing in emrctl("init", "-", *given, expect=2).stderr


@pytest.mark.parametrize("wrong, expected", [
    (("--budget", "100"), "the budget is 100.00"), (("--zone", "cn-hangzhou-x"), "no vSwitch in cn-hangzhou-x"),
    (("--data", "lots"), "is not a volume"), (("--workload", "nightly"), "is not one of"),
    (("--measure", "oss://bucket/x"), "listing:"), (("--vswitch", "vsw-none"), "does not exist"),
    (("--services", "hbase"), "unknown"), (("--name", "No_Name"), "is not a name")])
def test_wrong_answers_are_refused_before_anything(emrctl, wrong, expected):
    done = emrctl("init", "-", "--name", "adv", "--workload", "batch", "--data", "100GB", *wrong, expect=3)
    assert expected in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_an_existing_file_is_kept(emrctl, tmp_path):
    (tmp_path / "cluster.yml").write_text("mine")
    assert "--force" in emrctl("init", "--name", "adv", expect=3).stderr
    assert (tmp_path / "cluster.yml").read_text() == "mine"


def test_the_volume_is_measured(emrctl, tmp_path):
    listing = tmp_path / "list.txt"
    listing.write_text("2024-05-06 10:11:12 +0800 CST  107374182400  Standard  7E5F438A7FC7A2B6  oss://data/a.csv\n" * 3)
    done = emrctl("init", "-", "--name", "adv", "--workload", "batch", "--measure", f"listing:{listing}")
    assert "300.0 GiB in 3 files" in done.stderr and "300 GiB now" in done.stdout


def test_an_account_without_network_gets_one_of_the_clusters_own(ecs, emrctl, tmp_path, monkeypatch):
    path = tmp_path / "cluster.yml"
    ecs.faults(no_default_vpc=[ecs.region])
    try:
        asked = ("init", path, "--name", "adv-net", "--workload", "batch", "--data", "20GB", "--working-set", "5GB")
        assert "ssh-from" in emrctl(*asked, expect=2).stderr, "a private address says nothing of how nodes of a new VPC see this machine"
        emrctl(*asked, "--ssh-from", "203.0.113.7/32")
        spec = load_spec(path)
        assert spec.network.create and spec.network.access == "bastion" and "create: true  # a VPC and a vSwitch" in path.read_text()
        for key, value in ecs.env.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setattr(operation, "reach", lambda *_: 0)  # the hosts of the API-only mode have no SSH
        with cloudbed.Owner() as owner:
            cloudbed.create(EcsClient(ecs.region), spec, owner)
            assert len(ecs.cloud.store.all("vpc")) == 1 and "adv-net-master-001" in cloudbed.living(ecs, "adv-net")
            run = cloudbed.operation(EcsClient(ecs.region), "adv-net", owner)
            run.take_lock()
            run.release()
            run.unlock()
    finally:
        ecs.cloud.faults.set({"no_default_vpc": []})
    assert not ecs.cloud.store.all("vpc")
    emrctl("init", path, "--force", "--name", "adv-new", "--workload", "batch", "--data", "20GB", "--vswitch", "new", "--zone", "cn-hangzhou-i",
           "--access", "public", "--ssh-from", "203.0.113.7/32")
    spec = load_spec(path)
    assert (spec.network.create, spec.network.access, spec.zone) == (True, "public", "cn-hangzhou-i")
