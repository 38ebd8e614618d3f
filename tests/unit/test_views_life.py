"""What apply tells of its plan."""
from __future__ import annotations

import re

from emrctl import views_life

ROWS = [{"key": "config.hdfs-site.dfs.replication", "from": "3", "to": "2"}, {"key": "monitoring.enabled", "from": True, "to": False},
        {"key": "node_groups.slave.count", "from": 3, "to": 4}]
NODE = {"node": "demo-slave-001", "does": "change", "instance_type": "ecs.c6.large", "restarts": [], "refreshes": [], "starts": [], "stops": ["node-exporter"],
        "settings": [{"file": "hdfs-site", "key": "dfs.replication", "from": "3", "to": "2"}]}


def told(**plan):
    found = {"cluster": "demo", "region": "cn-hangzhou", "zone": "", "digest": "abc", "buy": [], "changes": [], "warnings": [], "nodes": [], "leave": [],
             "price": {}, "offer": {}, "empty": False, **plan}
    return views_life.plan({"plan": found, "difference": ROWS})


def keys(text):
    return re.findall(r"(?m)^(\S+) +(?:yes|3) +\S+$", text)


def test_a_change_of_the_spec_is_told_beside_what_follows_on_nodes():
    text = told(nodes=[NODE])
    assert "To stop: node-exporter on demo-slave-001" in text
    assert re.search(r"(?m)^monitoring\.enabled +yes +no$", text)
    assert "config.hdfs-site" not in text and "node_groups" not in text, "settings and nodes are told already"


def test_without_anything_on_nodes_all_of_it_is_told():
    assert keys(told()) == [row["key"] for row in ROWS]
