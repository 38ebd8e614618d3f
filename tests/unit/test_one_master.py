"""What a cluster with one master has on its nodes does not change by accident: a change of it restarts daemons of clusters that run.

`one_master.txt` has the digest of every file. After a change that is meant, write it anew with `python -m tests.unit.test_one_master` and
commit it beside the change, whose reader then sees which files it touches.
"""
from __future__ import annotations

import hashlib
from pathlib import Path

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.render import render_conf
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import effective_config
from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import units
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS, components_on

from .test_config import SPEC, topology

KEPT = Path(__file__).with_name("one_master.txt")
AGAIN = "If it is meant: python -m tests.unit.test_one_master writes tests/unit/one_master.txt anew"
ALL = SPEC.replace("[hadoop, spark]", "[hadoop, spark, metastore, spark-thrift, spark-connect]")


# What watches the cluster changes with every rule and panel.
WATCHING = (f"{paths.PAGE}/", f"{paths.MONITORING_CONF}/", *(f"{units.DIGEST_DIR}/{row.name}" for row in COMPONENTS.values() if row.service == "monitoring"))


def files() -> dict:
    """{node and path: content} of what the configuration of a cluster with all services comes to, without those of monitoring."""
    top, spec, found = topology(slaves=2, disks=2), parse_spec(ALL, environ={}), {}
    for node in top.nodes:
        effective = effective_config(spec, top, node)
        rows = render_conf(effective, spec, top, node) + units.unit_files(units.node_units(
            components_on(spec.expanded_services, top, node), effective, top.cluster, units.JAVA_MARK, {}))
        found.update({f"{node.name} {row['path']}": f"{row['owner']} {row['mode']}\n{row['content']}" for row in rows
                      if not row["path"].startswith(WATCHING)})
    return found


def text(contents: dict) -> str:
    """The digests of such files, a line for each."""
    return "".join(f"{hashlib.sha256(content.encode()).hexdigest()[:16]} {name}\n" for name, content in sorted(contents.items()))


def test_no_file_of_a_cluster_with_one_master_has_changed():
    kept = dict(line.split(" ", 1)[::-1] for line in KEPT.read_text().splitlines())
    now = dict(line.split(" ", 1)[::-1] for line in text(files()).splitlines())
    changed = sorted(name for name in {*kept, *now} if kept.get(name) != now.get(name))
    assert not changed, f"{', '.join(changed)}. {AGAIN}"


if __name__ == "__main__":
    KEPT.write_text(text(files()))
