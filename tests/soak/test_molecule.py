"""The molecule scenarios: all services at once, and each role by itself, on a static inventory of plain hosts, idempotence included."""
from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.lab import REPO, lab

FOLDER = REPO / "collection/extensions/molecule"
SCENARIOS = sorted(path.parent.name for path in FOLDER.glob("*/molecule.yml"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario(tmp_path, scenario):
    with lab(tmp_path, "soakm", 139, 8039) as it:
        platforms = yaml.safe_load((FOLDER / scenario / "molecule.yml").read_text())["platforms"]
        counts = Counter(platform["groups"][0] for platform in platforms)
        # Hosts are bought by it, and no more: the roles know nothing of it.
        spec = it.spec("mole", backup={"enabled": False}, node_groups={group: {"count": count, "instance_types": ["ecs.c6.large"]} for group, count in counts.items()})
        bin_folder = Path(sys.executable).parent
        # Ansible's own folder for ssh's sockets lies below HOME, whose name here is too long for them.
        with tempfile.TemporaryDirectory(prefix="mole") as sockets:
            env = dict(it.env, EMR_MOLECULE_SPEC=str(spec), ANSIBLE_COLLECTIONS_PATH=str(REPO), NO_COLOR="1", ANSIBLE_TIMEOUT="60",
                       ANSIBLE_SSH_CONTROL_PATH_DIR=sockets, PATH=f"{bin_folder}:{os.environ['PATH']}")
            done = subprocess.run(["molecule", "test", "-s", scenario], cwd=REPO / "collection" / "extensions", env=env, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=1200, check=False)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        assert not it.instances("mole")
