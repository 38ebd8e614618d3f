"""What a local ECS is asked over a cluster's whole life is what the RAM policy allows, and nothing of that is idle."""
from __future__ import annotations

import pytest
from typer.testing import CliRunner

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import operation as operation_module
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.finder import list_clusters
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.lock import Lock
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs import market
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient, EcsError
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.permissions import ACTIONS, TABLE
from emrctl.local.testing import api_only
from emrctl.main import build
from tests.integration.cloudbed import Owner, create, operation, spec
from tests.integration.inventory_bed import Bed, watched

OWN = "network: {create: true, ssh_from: 10.0.0.1/32}"


@pytest.fixture
def ecs(monkeypatch, tmp_path):
    """A local ECS without hosts behind it."""
    monkeypatch.setattr(operation_module, "reach", lambda *a, **k: 0)
    monkeypatch.setattr(Lock, "start_keeper", lambda self: 0)
    monkeypatch.setenv("HOME", str(tmp_path))
    with api_only(tmp_path / "ecs") as local:
        for name, value in local.env.items():
            monkeypatch.setenv(name, value)
        yield local


def life(ecs, folder) -> None:
    """Advice, purchase, another network for SSH, inventory, stop, start and release."""
    told = CliRunner().invoke(build(["init"]), ["init", str(folder / "cluster.yml"), "--name", "advised", "--workload", "batch",
                                                "--data", "20GB", "--yes"])
    assert told.exit_code == 0, told.output
    client = EcsClient(ecs.region)
    market.spot_history(client, ecs.zone, "ecs.g6.large")
    with Owner() as owner:
        create(client, spec(ecs, protection="deletion_protection: true"), owner)
        create(client, spec(ecs, network=f"network: {{vswitch_id: {ecs.vswitch}, ssh_from: 10.9.0.0/16}}"), owner)
        assert len(list_clusters(client)["clusters"]) == 1
        bed = Bed(ecs, folder)
        assert len(bed.parse({"regions": ["all"]}).hosts) == 4
        bed.close()
        run = operation(client, "demo", owner)
        run.take_lock()
        run.stop()
        run.start()
        run.nodes(run.found(), None)
        run.release()
        run.unlock()
        create(client, spec(ecs, network=OWN), owner)
        run = operation(client, "demo", owner)
        run.take_lock()
        run.release()
        run.unlock()


def test_the_whole_life_calls_what_the_policy_allows_and_all_of_it(ecs, tmp_path):
    with watched(ecs) as calls:
        life(ecs, tmp_path)
    assert {action for action, _ in calls} == set(ACTIONS)


@pytest.mark.parametrize("permission", [p for p in TABLE if p.purpose == "buy"], ids=lambda p: p.action)
def test_a_denied_purchase_names_the_line(ecs, permission):
    ecs.faults(denied=[permission.action])
    with Owner() as owner, pytest.raises(EcsError) as caught:
        create(EcsClient(ecs.region), spec(ecs, network=OWN), owner)
    assert f'Add "{permission.name}" to the RAM policy' in str(caught.value)
