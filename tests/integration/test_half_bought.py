"""What status says of a cluster whose create was interrupted, and what list and release make of it."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.finder import list_clusters
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.inspection import inspect
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.operation import READY
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs import vpc
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from emrctl.listing import state_of
from emrctl.local.testing import api_only
from tests.integration.cloudbed import BrittleClient, Killed, Owner, create, spec

REPO = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.usefixtures("no_hosts")
OWN = "network: {create: true, ssh_from: 10.0.0.1/32}"


@pytest.fixture
def ecs(monkeypatch, tmp_path):
    with api_only(tmp_path / "ecs") as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        yield local


def killed_at(ecs, action, name="demo", **changes):
    """A create that was killed when this call had been answered."""
    client = BrittleClient(ecs.region)
    send = client.send

    def dies(called, flat):
        answer = send(called, flat)
        if called == action:
            raise Killed
        return answer

    client.send = dies
    with Owner() as owner, pytest.raises(Killed):
        create(client, spec(ecs, name=name, network=OWN, **changes), owner)


def status(ecs, tmp_path, *words):
    env = dict(os.environ, **ecs.env, HOME=str(tmp_path), PYTHONPATH=str(REPO), EMR_CACHE=str(tmp_path))
    return subprocess.run([sys.executable, "-m", "emrctl", "status", "demo", *words], env=env, cwd=tmp_path, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize("action, said", [
    ("CreateVpc", "no node is bought; there is vpc-"), ("CreateSecurityGroup", "there is security group sg-"),
    ("RunInstances", "1 nodes are bought (demo-master-001); announced and perhaps bought: demo-slave-001")])
def test_status_says_what_there_is_and_how_to_go_on(ecs, tmp_path, action, said):
    killed_at(ecs, action)
    client = EcsClient(ecs.region)
    while not vpc.find_made(client, "demo"):
        pass
    while action == "RunInstances" and not client.items("DescribeInstances"):
        pass
    done = status(ecs, tmp_path)
    assert done.returncode == 5 and "Traceback" not in done.stderr and done.stdout == "", done.stdout + done.stderr
    assert "cluster demo was never finished: " in done.stderr and said in done.stderr, done.stderr
    assert "emrctl create cluster.yml" in done.stderr and "emrctl release demo" in done.stderr
    found = json.loads(status(ecs, tmp_path, "-o", "json").stdout)
    assert found["state"] == "unfinished" and [n["name"] for n in found["nodes"]] == ["demo-master-001"] * (action == "RunInstances")


def test_one_that_is_being_made_or_was_finished_is_not_called_so(ecs):
    client = EcsClient(ecs.region)
    with Owner() as owner:
        run, _ = create(client, spec(ecs), owner)
        assert "4 nodes are bought" in inspect(client, "demo").unfinished()["why"]
        assert [state_of(row) for row in list_clusters(client)["clusters"]] == ["Running (unfinished: 0 of 4 nodes ready)"]
        run.take_lock()
        assert "works on it: wait" in inspect(client, "demo").unfinished()["next"]
        run.tag({READY: "yes"})
        run.unlock()
    while (rest := inspect(client, "demo").unfinished()) is not None:
        assert rest["nodes"]
    assert [state_of(row) for row in list_clusters(client)["clusters"]] == ["Running"]
