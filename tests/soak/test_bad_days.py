"""What the cloud does on its bad days: create succeeds and says what it did."""
from __future__ import annotations

import pytest
import yaml

from tests.lab import lab


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("bad"), "soakb", 84, 7984) as it:
        yield it


def test_late_visibility_throttling_and_no_stock_together(bed):
    path = bed.spec("bad")
    spec = yaml.safe_load(path.read_text())
    listed = spec["node_groups"]["slave"]["instance_types"]
    first = "ecs.g6.large" if listed[0] != "ecs.g6.large" else "ecs.c6.large"
    spec["node_groups"]["slave"]["instance_types"] = [first, *listed]
    path.write_text(yaml.safe_dump(spec))
    bed.local("fault", "throttle=0.3", "seed=5", "visibility_delay=[3, 6]", f'no_stock=["{first}"]')
    done = bed.emrctl("create", str(path), "--yes")
    assert first in done.stderr and listed[0] in done.stderr, done.stderr
    assert "Throttling" in done.stderr, done.stderr
    nodes = bed.instances("bad")
    assert len(nodes) == 4
    assert {n["InstanceType"] for n in nodes if "slave" in n["InstanceName"]} == {listed[0]}
    bed.local("fault", "--clear")
    bed.emrctl("release", "bad", "--yes")
