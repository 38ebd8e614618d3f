"""Bootstrap scripts on real hosts: by content and place, once on each node, also on one that joins from a machine without them."""
from __future__ import annotations

import pytest

from tests.lab import lab

pytestmark = pytest.mark.soak
NAME = "boots"
TYPES = ["ecs.t6-c1m1.large"]
GROUPS = {"master": {"count": 1, "instance_types": ["ecs.c6.large"]}, "slave": {"count": 1, "instance_types": TYPES}}
STEPS = [{"script": "base/setup.sh", "when": "before_install"}, {"script": "monitor/setup.sh", "when": "after_start"},
         {"script": "shaky.sh", "when": "after_start", "on_failure": "continue"}]
# The second has no first line that names its interpreter; the third fails, and that is allowed.
SCRIPTS = {"base/setup.sh": "#!/bin/bash\nset -o pipefail\n[ -e /opt/emr/hadoop ] && echo late >> /root/base\nhostname >> /root/base\n",
           "monitor/setup.sh": "systemctl is-active 'emr-*' | sort | uniq -c >> /root/monitor\n", "shaky.sh": "#!/bin/sh\necho shaky >> /root/shaky; exit 3\n"}


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("boots"), "soakbs", 66, 8366) as it:
        for name, text in SCRIPTS.items():
            path = it.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        spec = it.spec(NAME, node_groups=GROUPS, bootstrap=STEPS)
        created = it.emrctl("create", str(spec), "--yes")
        yield it, spec, created


def ran(it, node: str) -> tuple:
    return tuple(it.ssh(NAME, node, f"cat /root/{name}").split("\n")[:-1] for name in ("base", "monitor", "shaky"))


def test_each_script_runs_once_at_its_time_on_each_node(bed):
    it, spec, created = bed
    assert "shaky.sh" in created.stdout + created.stderr, "what failed and may fail is told"
    for node in (f"{NAME}-master-001", f"{NAME}-slave-001"):
        base, monitor, shaky = ran(it, node)
        assert base == [node] and shaky == ["shaky"], "before the installation, and once"
        assert len(monitor) == 1 and monitor[0].endswith(" active"), "after the start"
    it.emrctl("create", str(spec), "--yes")
    assert [len(rows) for rows in ran(it, f"{NAME}-slave-001")] == [1, 1, 1]


def test_a_node_that_joins_gets_both_scripts_of_one_name_from_the_cluster(bed):
    it, _spec, _created = bed
    for name in SCRIPTS:
        (it.folder / name).unlink()
    it.emrctl("scale", NAME, "slave=2", "--yes")
    base, monitor, shaky = ran(it, f"{NAME}-slave-002")
    assert base == [f"{NAME}-slave-002"] and len(monitor) == 1 and shaky == ["shaky"]
    assert [len(rows) for rows in ran(it, f"{NAME}-slave-001")] == [1, 1, 1], "no other node runs them again"


def test_one_that_must_not_fail_stops_the_create_and_the_next_one_goes_on(bed):
    it, _spec, _created = bed
    (it.folder / "strict.sh").write_text("#!/bin/sh\necho tried >> /root/strict\necho no licence here >&2\n[ -e /root/licence ]\n")
    spec = it.spec("strict", node_groups={**GROUPS, "slave": {"count": 1, "instance_types": TYPES}},
                   bootstrap=[{"script": "strict.sh", "when": "before_install"}])
    done = it.emrctl("create", str(spec), "--yes", expect=5)
    assert "strict.sh" in done.stderr and "no licence here" in done.stderr
    (it.folder / "strict.sh").write_text("#!/bin/sh\necho tried >> /root/strict\ntouch /root/licence\n")
    it.emrctl("create", str(spec), "--yes")
    assert it.ssh("strict", "strict-master-001", "cat /root/strict").split() == ["tried", "tried"]
    it.emrctl("release", "strict", "--yes")
