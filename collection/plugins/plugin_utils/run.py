"""What a run of ansible-playbook knows of its cluster: one object, the fact ``emr_run`` of localhost.

Actions of the cloud's side write it (``with_run``), the others read it (``context.run``), playbooks find it as
``hostvars.localhost.ansible_facts.emr_run``. A fact of another run, which a cache of facts may still have, is none of this one's.
"""
from __future__ import annotations

import hashlib
import multiprocessing
import os

from ..module_utils.cloud.cluster.owner import owner_name
from .given import plain

FACT = "emr_run"
# What it has besides its ``id``, ``name`` and ``region``: each field with what it is while nobody has said more.
FIELDS = {
    "cluster_id": "",    # identity of the cluster, new at each birth
    "nodes": [],         # the nodes: each has name, groups and vars, as emr.cluster.add_node takes them
    "reader": [],        # the control node by itself, when it runs: it knows what the cluster was made by
    "spec": {},          # the spec that this run makes the cluster by
    "plan": {},          # what exists, what would be bought or released, and what that costs
    "exists": False,     # whether the cluster was there before
    "to_release": [],    # names of the nodes that leave
    "upgrade": "",       # forward or back, when this run changes the release
    "push": [],          # the control node's name, when this machine has to give it software
    "inspection": {},    # what emr.cluster.inspection saw
    "unfinished": {},    # why a cluster was never deployed to its end, and what comes next
    "own_hosts": [],     # names of the nodes, where no purchase brought them: they are those of the inventory
    "standing": {},      # nodes and price of a cluster that is stopped as a whole
}


def process() -> int:
    """The process of ansible-playbook: a task runs in a worker of it."""
    parent = multiprocessing.parent_process()
    return parent.pid if parent else os.getpid()


def run_id() -> str:
    """The same for all tasks of a run, and never another run's: process, its start, machine and boot."""
    return hashlib.sha256(owner_name(process()).encode()).hexdigest()[:16]


def with_run(result: dict, facts, name: str, region: str) -> dict:
    """The result of an action of the cloud's side with the run's fact, in which what it tells replaces what was known of the same cluster."""
    before = known(facts)
    told = {key: result[key] for key in FIELDS if key in result}
    if (before.get("name"), before.get("region")) != (name, region):
        before = {}
    return {**result, "ansible_facts": {FACT: {**before, "id": run_id(), "name": name, "region": region, **told}}}


def known(facts) -> dict:
    """The run's fact among the facts of localhost, as it is; {} when there is none, or another run's."""
    found = (facts or {}).get(FACT) or {}
    return found if found and found.get("id") == run_id() else {}


class Run:
    """The fields of the run as attributes, each copied to plain data when it is asked for: of large clusters it is much."""

    def __init__(self, facts):
        self._known = known(facts)

    def __getattr__(self, field: str):
        if field not in FIELDS and field not in ("id", "name", "region"):
            raise AttributeError(field)
        return plain(self._known.get(field, FIELDS.get(field, "")))
