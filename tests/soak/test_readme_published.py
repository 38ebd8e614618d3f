"""The README's way to a cluster with the software in a bucket: nodes read it by signed addresses, and no key is on them."""
from __future__ import annotations

import shlex

import pytest

from tests.lab import lab
from tests.readme import arrive

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("published"), "soakrp", 202, 7902) as it:
        yield it


def test_from_a_bucket(bed):
    newcomer, build, init, plan, create = arrive(bed)
    newcomer.link_cache()
    newcomer.run(build)
    bed.local("bucket", "my-bucket")
    said = newcomer.run("emrctl dist publish oss://my-bucket/emr")
    line = next(row for row in said.splitlines() if row.startswith("mirrors: "))
    assert line.strip() == "mirrors: [oss://my-bucket/emr]"
    assert "already there" in newcomer.run("emrctl dist publish oss://my-bucket/emr")
    (newcomer.home / ".cache/emr/dist").unlink()
    newcomer.run(init)
    assert "No source gives the nodes" in newcomer.run(plan, expect=3)
    with open(newcomer.folder / "cluster.yml", "a") as spec:
        spec.write(f"{line}\n")
    planned = newcomer.run(plan)
    assert "oss://my-bucket/emr/hadoop-3.4.2.tar.gz" in planned and "This machine sends" not in planned
    assert "Cluster sales is ready" in newcomer.run(create)
    secrets = [bed.env["ALIBABA_CLOUD_ACCESS_KEY_ID"], bed.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"], "x-oss-signature=[0-9a-f]"]
    look = shlex.quote("(journalctl --no-pager; cat /etc/emr/* /var/lib/emr/cluster/spec/* /var/log/emr/*) 2>/dev/null | grep -cE "
                       f"{shlex.quote('|'.join(secrets))}; true")
    for node in ("sales-master-001", "sales-slave-001"):
        assert newcomer.run(f"emrctl ssh sales {node} -- {look}").split()[-1] == "0", node
    logs = "".join(path.read_text(errors="replace") for path in (newcomer.home / ".cache/emr/runs").rglob("stdout"))
    assert "x-oss-signature" not in logs and secrets[1] not in logs
    newcomer.uses_and_releases()
