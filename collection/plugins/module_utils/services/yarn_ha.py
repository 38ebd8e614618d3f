"""YARN with several ResourceManagers: one is active, by an election in ZooKeeper, which also keeps what runs.

Applications go on over a failover: the next active one reads them from the store, and their containers report to it. The store cuts off
the one before by itself: what it writes after that is refused.
"""
from __future__ import annotations

from .hdfs_ha import SESSION_S

# setting -> port of the ResourceManager. With several of them each is written out: none follows from the host's name alone for all readers.
ADDRESSES = {"address": "ipc", "scheduler.address": "scheduler", "resource-tracker.address": "tracker", "admin.address": "admin",
             "webapp.address": "http"}
STORE = "org.apache.hadoop.yarn.server.resourcemanager.recovery.ZKRMStateStore"


def settings(facts, manager, connect: str) -> dict:
    """yarn-site of every node and client. ``connect``: the servers of ZooKeeper."""
    hosts = [node.name for node in facts.topology.running(manager)]
    rows = {"yarn.resourcemanager.ha.enabled": "true", "yarn.resourcemanager.cluster-id": facts.topology.cluster,
            "yarn.resourcemanager.ha.rm-ids": ",".join(hosts), "hadoop.zk.address": connect, "hadoop.zk.timeout-ms": str(SESSION_S * 1000),
            "yarn.resourcemanager.store.class": STORE,
            # Who asks goes on to the next one after a second, not after up to 30 s.
            "yarn.client.failover-sleep-base-ms": "500", "yarn.client.failover-sleep-max-ms": "2000", "yarn.client.failover-max-attempts": "120"}
    for name in hosts:
        rows[f"yarn.resourcemanager.hostname.{name}"] = name
        rows.update({f"yarn.resourcemanager.{key}.{name}": f"{name}:{manager.ports[port]}" for key, port in ADDRESSES.items()})
    if facts.here(manager):
        rows["yarn.resourcemanager.ha.id"] = facts.node.name
    return rows
