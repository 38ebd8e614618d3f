"""The cloud side of making a running cluster what a spec wants: what to buy, what leaves, what changes. Runs on the controller.

Nothing is changed before the plan is confirmed; its digest stands for purchases, releases and changes of the spec alike.
"""
from __future__ import annotations

from ...domain.errors import EmrError
from ...domain.scale import scale_in
from ..cluster.finder import Found
from ..cluster.operation import READY, Operation
from ..ecs.client import tags_of
from ..purchase.plan import Plan, check_masters
from ..ssh import doors
from ..ssh.contact import wait_for_ssh

JOIN, NEW, SCALE_IN, VERIFY, CONVERT = "emr_target", "emr_new", "emr_scale_in", "emr_verify", "emr_convert"
# What a plan says where one master becomes several.
PAUSE = ("make the master the first of several: HDFS waits while its NameNode restarts and gives away its edits, then YARN for a restart; programs go on, and "
         "backups of the metadata end")


def prepare(operation: Operation, spec, before=None, named=(), excluded=(), loads=None, gone=()) -> tuple:
    """(Plan, Found) of converging on ``spec``. ``before``: the newest spec, None at birth. Raises Refused.

    ``named``: nodes that shall leave; ``excluded``, ``loads``: what the control node says of them (domain/scale/scale_in.py);
    ``gone``: named ones that an interrupted run may have released already.
    """
    found = operation.found(must_exist=False)
    leave = []
    if before is not None and found.instances:
        nodes = [{"name": i["InstanceName"], "vars": {"emr_group": tags_of(i).get("emr:group", ""),
                                                      "emr_role": tags_of(i).get("emr:role", ""),
                                                      "emr_state": i.get("Status", "")}} for i in found.instances]
        leave = scale_in.choose(spec, nodes, named, excluded, loads, gone)
    plan, found = operation.plan(spec, leave, found, before)
    if check_masters(plan, spec, found, before):
        plan.changes.append(PAUSE)
    plan.before = before.digest() if before is not None else ""
    return plan, found


def check_answers(operation: Operation, found: Found, plan: Plan, limit: float = 20.0) -> None:
    """Raises EmrError, before anything is bought, when nodes that stay do not answer on SSH within ``limit`` seconds."""
    bastions = doors.bastions(found.instances) if operation.address == "auto" else {}
    standing = [i for i in found.instances if i.get("Status") == "Running" and tags_of(i).get(READY)
                and i["InstanceName"] not in plan.to_release and doors.bastion_for(i, bastions) is None]
    try:
        wait_for_ssh(standing, operation.address, limit)
    except EmrError as error:
        raise EmrError(error.message, f"Nothing was changed. Look with: emrctl status {found.name}; replace what is broken "
                       f"with: emrctl repair {found.name}", error.details) from error


def joined(nodes, plan: Plan, spec, excluded=()) -> dict:
    """{node: names of the groups that it joins for this run}. A node that leaves and does not run joins none.

    ``nodes``: {name, vars} of all that exist after the purchase, masters first.
    """
    staying = [n for n in nodes if n["name"] not in plan.to_release]
    groups = {n["name"]: [JOIN] for n in staying}
    groups.update({n["name"]: [JOIN, SCALE_IN] for n in nodes
                   if n["name"] in plan.to_release and n["vars"]["emr_state"] == "Running"})
    fresh = [n["name"] for n in staying if _is_new(n, spec, excluded)]
    for name in fresh:
        groups[name].append(NEW)
    masters = [n["name"] for n in staying if n["vars"]["emr_role"] == "master"]
    if sum(name not in fresh for name in masters) == 1 < len(masters):
        # The one becomes several; it may have been interrupted, so the newest spec does not tell.
        for name in masters:
            groups[name].append(CONVERT)
    # A new node answers for the cluster, so that nodes that stay as they are have no task for it.
    for name in fresh[:1] or [n["name"] for n in staying[:1]]:
        groups[name].append(VERIFY)
    return groups


def _is_new(node: dict, spec, excluded) -> bool:
    """Whether a node has to be deployed as a whole: never finished, or on its way out until now (spot nodes go themselves)."""
    group = spec.node_groups.get(node["vars"]["emr_group"])
    back = node["name"] in excluded and (group is None or group.spot is None)
    return not node["vars"]["emr_tags"].get(READY) or back
