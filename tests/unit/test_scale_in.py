"""Who leaves a cluster that shrinks, and what is refused before any change."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.scale.scale_in import check_named, choose, surplus
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec

GIB = 2 ** 30


def spec(slaves=3, tasks=0):
    return parse_spec(f"""
name: shop
region: cn-hangzhou
zone: cn-hangzhou-h
image: m-bp1
network: {{vswitch_id: vsw-bp1, ssh_from: 10.0.0.1/32}}
node_groups:
  master: {{count: 1, instance_types: [ecs.g6.large]}}
  slave: {{count: {slaves}, instance_types: [ecs.g6.large]}}
  night: {{role: task, count: {tasks}, instance_types: [ecs.g6.large]}}
""")


def nodes(slaves=(1, 2, 3), tasks=()):
    rows = [("master", "master", 1)] + [("slave", "slave", n) for n in slaves] + [("night", "task", n) for n in tasks]
    return [{"name": f"shop-{g}-{n:03d}", "vars": {"emr_group": g, "emr_role": r}} for g, r, n in rows]


def loads(used, containers=(), most=2, missing=0, dead=(), free=100 * GIB, **hdfs):
    stored = {f"shop-slave-{n:03d}": {"alive": n not in dead, "bytes": size, "free": free, "capacity": free + size}
              for n, size in used.items()}
    works = {f"shop-night-{n:03d}": {"containers": c} for n, c in dict(containers).items()}
    return {"hdfs": {"nodes": stored, "missing_blocks": missing, "safe_mode": "",
                     "replication": {"most": most, "files": 7, "example": "/data/a"}, **hdfs}, "yarn": {"nodes": works}}


def test_nothing_leaves_when_the_counts_are_met_whatever_the_numbers():
    assert surplus(spec(2), nodes((1, 3))) == {} and choose(spec(2), nodes((1, 3))) == []


def test_the_emptiest_leaves():
    assert choose(spec(2), nodes(), loads=loads({1: 5, 2: 3, 3: 4})) == ["shop-slave-002"]
    assert choose(spec(2), nodes(), loads=loads({1: 5, 2: 5, 3: 5})) == ["shop-slave-003"]
    found = choose(spec(3, 1), nodes(tasks=(1, 2, 3)), loads=loads({1: 1, 2: 1, 3: 1}, {1: 0, 2: 4, 3: 1}))
    assert found == ["shop-night-001", "shop-night-003"]


def test_a_named_node_is_replaced_when_the_count_stays():
    assert choose(spec(3), nodes(), ["shop-slave-001"], loads=loads({1: 1, 2: 1, 3: 1}, most=3)) == ["shop-slave-001"]
    assert choose(spec(3), nodes((1, 2, 3, 4)), ["shop-slave-001"], loads=loads({1: 1, 2: 1, 3: 1, 4: 0})) == ["shop-slave-001"]


def test_a_begun_drain_is_preferred_and_a_named_node_before_it():
    seen = loads({1: 9, 2: 1, 3: 4})
    assert choose(spec(2), nodes(), excluded=["shop-slave-001"], loads=seen) == ["shop-slave-001"]
    assert choose(spec(2), nodes(), ["shop-slave-003"], ["shop-slave-001"], seen) == ["shop-slave-003"]


def test_a_dead_node_leaves_before_a_living_one():
    assert choose(spec(2), nodes(), loads=loads({1: 9, 2: 1, 3: 4}, dead=[1])) == ["shop-slave-001"]
    with pytest.raises(Refused, match="misses 2 blocks"):
        choose(spec(2), nodes(), loads=loads({1: 9, 2: 1, 3: 4}, dead=[1], missing=2))


def test_missing_blocks_do_not_keep_a_living_node():
    assert choose(spec(2), nodes(), loads=loads({1: 3, 2: 1, 3: 2}, missing=2)) == ["shop-slave-002"]


def test_the_first_slave_keeps_the_backups_and_leaves_only_when_named_or_dead():
    assert choose(spec(2), nodes(), loads=loads({1: 0, 2: 3, 3: 4})) == ["shop-slave-002"]
    assert choose(spec(2), nodes(), ["shop-slave-001"], loads=loads({1: 0, 2: 3, 3: 4})) == ["shop-slave-001"]


@pytest.mark.parametrize(("wanted", "more", "match"), [
    (spec(2), {"loads": loads({1: 1, 2: 1, 3: 1}, most=3)}, "up to 3 copies"),
    (spec(2), {"loads": loads({1: 1, 2: 1, 3: 1}, dead=[2], most=2), "named": ["shop-slave-001"]}, "1 DataNodes would be left"),
    (spec(2), {"loads": {"hdfs": None}}, "does not answer"),
    (spec(2), {"loads": loads({1: 1, 2: 1, 3: 1}, safe_mode="Safe mode is ON. x")}, "safe mode"),
    (spec(2), {"loads": loads({1: 90 * GIB, 2: 90 * GIB, 3: 90 * GIB}, free=10 * GIB)}, "90.0 GiB"),
    (spec(2), {"named": ["shop-slave-001", "shop-slave-002"], "loads": loads({1: 1, 2: 1, 3: 1})}, "lets 1 go"),
    (spec(3), {"named": ["shop-slave-001"], "loads": loads({1: 1, 2: 1, 3: 1}, most=4)}, "3 DataNodes would be left"),
    (spec(2), {"named": ["shop-master-001"]}, "master"),
])
def test_what_is_refused(wanted, more, match):
    with pytest.raises(Refused, match=match):
        choose(wanted, nodes(), **more)


def test_a_stopped_node_leaves_when_hdfs_knows_that_it_is_dead():
    rows = nodes()
    rows[1]["vars"]["emr_state"] = "Stopped"
    with pytest.raises(Refused, match="has not noticed"):
        choose(spec(2), rows, ["shop-slave-001"], loads=loads({1: 1, 2: 1, 3: 1}))
    assert choose(spec(2), rows, loads=loads({1: 0, 2: 1, 3: 1}, dead=[1])) == ["shop-slave-001"]


def test_names_are_checked():
    assert check_named(nodes(), ["shop-slave-002", "shop-slave-002"]) == ["shop-slave-002"]
    assert check_named(nodes(), ["shop-slave-009"], gone=["shop-slave-009"]) == []
    with pytest.raises(Refused, match="no node shop-slave-009"):
        check_named(nodes(), ["shop-slave-009"])


def test_task_nodes_leave_without_hdfs():
    assert choose(spec(3, 0), nodes(tasks=(1,)), loads={"hdfs": None, "yarn": None}) == ["shop-night-001"]
