"""What scale tells at its end."""
from __future__ import annotations

from emrctl.views_scale import scaled

BOUGHT = {"group": "g", "count": 2, "instance_type": "ecs.c6.large"}


def test_only_new_datanodes_are_to_be_balanced():
    assert "emrctl balance demo" in scaled("demo", {"bought": [{**BOUGHT, "role": "slave"}]}, 60)
    for role in ("master", "task"):
        assert "balance" not in scaled("demo", {"bought": [{**BOUGHT, "role": role}]}, 60)
