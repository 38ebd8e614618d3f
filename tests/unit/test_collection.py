"""What the collection's metadata says of its own parts."""
from __future__ import annotations

import yaml

from tests.lab import REPO

COLLECTION = REPO / "collection"


def test_the_action_group_names_every_module_but_the_one_that_is_not_for_playbooks():
    runtime = yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text())
    modules = {path.stem for path in (COLLECTION / "plugins" / "modules").glob("*.py")} - {"node"}
    assert set(runtime["action_groups"]["all"]) == modules
    assert runtime["action_groups"]["all"] == sorted(modules)
