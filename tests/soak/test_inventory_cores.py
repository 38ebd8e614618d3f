"""The inventory plugin under another ansible-core: before 2.19 each text is a template unless it is marked."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emrctl.local.testing import api_only
from tests.integration.inventory_bed import Bed, buy, cluster, settled
from tests.integration.test_inventory_hostile import EVIL, check_never_templated

OTHER = "2.18"


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter with the other core: EMR_OTHER_PYTHON, or a virtual environment made for this run."""
    if os.environ.get("EMR_OTHER_PYTHON"):
        return os.environ["EMR_OTHER_PYTHON"]
    folder = tmp_path_factory.mktemp("core")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin/pip"), "-q", "install", f"ansible-core=={OTHER}.*", "aliyun-python-sdk-core"], check=True)
    return str(folder / "bin/python")


@pytest.fixture(scope="module")
def bed(python, tmp_path_factory):
    """Hostile instances and a cluster, parsed by the other core."""
    version = subprocess.run([python, "-c", "import ansible; print(ansible.__version__)"], capture_output=True, text=True,
                             check=True).stdout
    assert version.startswith(OTHER)
    folder = tmp_path_factory.mktemp("hostile")
    with api_only(folder / "ecs", visibility_delay=0) as ecs:
        buy(ecs, "cn-beijing", "界x[1,5]", 3, {**EVIL, "a": EVIL["a"] % (folder / "owned")})
        buy(ecs, "cn-hangzhou", "c-slave-[1,3]", 2, cluster("c", "slave"))
        settled(ecs, "cn-beijing", "cn-hangzhou")
        made = Bed(ecs, Path(folder), python)
        yield made
        made.close()


def test_tags_are_never_templates(bed):
    check_never_templated(bed)


def test_hosts_groups_and_cache(bed):
    config = {"regions": ["cn-hangzhou"], "cache": True, "cache_plugin": "ansible.builtin.jsonfile",
              "cache_connection": str(bed.folder / "cache"), "keyed_groups": [{"key": "emr_tags['emr:role']", "prefix": "r"}]}
    first, again = bed.parse(config), bed.parse(config)
    assert sorted(first.hosts) == ["c-slave-001", "c-slave-002"] == first.groups["r_slave"] and first.calls
    assert again.hosts == first.hosts and not again.calls
