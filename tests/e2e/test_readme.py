"""The README's section on the cloud leads from nothing to a verified cluster, by files that only this machine has."""
from __future__ import annotations

import pytest

from tests.lab import lab, tarball
from tests.readme import arrive


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("readme"), "e2er", 201, 7901) as it:
        yield it


def test_the_section_on_the_cloud_word_by_word(bed):
    newcomer, build, init, plan, create = arrive(bed)
    newcomer.run(init)
    refused = newcomer.run(plan, expect=3)
    assert "No source gives the nodes hadoop-3.4.2.tar.gz" in refused and "emrctl dist build" in refused
    newcomer.run(create, expect=3)
    assert bed.instances("sales") == []
    newcomer.link_cache()
    assert str(newcomer.home) in newcomer.run(build)
    planned = newcomer.run(plan)
    # What the README's cluster.yml names, and what watches it.
    mib = sum(-(-tarball(name).stat().st_size >> 20) for name in ("hadoop", "monitoring"))
    assert "this machine" in planned and f"This machine sends {mib} MiB to the control node" in planned
    newcomer.interrupt(create, "Push the software")
    assert len(bed.instances("sales")) == 4
    created = newcomer.run(create)
    assert "Cluster sales is ready" in created and "bought" not in created
    newcomer.uses_and_releases()
