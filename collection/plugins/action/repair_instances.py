"""Make the instances of a cluster whole again, as far as that needs no purchase: the controller's side of a repair.

``plan`` says what is wrong. ``start`` starts stopped instances, gives silent ones time, and returns who is dead.
``release`` gives the dead ones back, after it is known that HDFS does not depend on their disks.
"""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.operation import Unconfirmed
from ansible_collections.emr.cluster.plugins.module_utils.cloud.repair.instances import recover, release
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.repair import decisions
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.gathered_facts import checked, running_spec
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction
from ansible_collections.emr.cluster.plugins.plugin_utils.operations import operation_of
from ansible_collections.emr.cluster.plugins.plugin_utils.prompt import asked


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "repair_instances"
    REFUSES = True
    _requires_connection = False

    def work(self, context, args):
        seen = gathered(context)
        if args.get("phase", "plan") == "release":
            return {"result": self._release(args, seen)}
        found = decisions.plan(seen, str(args.get("node") or ""))
        if found.missing:
            decisions.refuse_masters(seen, [])
        data = found.to_dict()
        result = {"changed": False, "dead": [], "started": [], "suspects": [],
                  "emr_result": {"name": found.cluster, "plan": data}}
        if not found.edit and seen["control"] not in found.start:
            raise unknown(found.cluster)
        if args.get("plan_only") or found.empty:
            return {"result": result}
        return {"result": self._start(args, seen, found, result, data)}

    @staticmethod
    def _operation(args):
        return operation_of(args, None)

    def _start(self, args, seen, found, result, plan) -> dict:
        operation = self._operation(args)
        if operation.confirm not in ("yes", plan["digest"]) and not _yes(plan):
            raise Unconfirmed("The repair is not confirmed; nothing was changed", plan)
        operation.take_lock()
        started, dead = recover(operation, found, int(args.get("patience_s") or 60))
        try:
            decisions.refuse_masters(seen, dead)
        except Refused as error:
            # Instances may have been started by now, so it is no refusal before any change.
            raise EmrError(error.message, error.remedy) from error
        result.update(changed=bool(started), dead=dead, started=started, suspects=decisions.keeps_blocks(seen, dead))
        result["emr_result"].update(started=started, events=operation.events)
        return result

    def _release(self, args, seen) -> dict:
        """Release who is dead, and say what converge shall make: by now the control node runs, if it can."""
        counts = decisions.counts(seen)
        if not counts:
            raise unknown(seen["cluster"])
        result = {"changed": False, "edit": {"groups": counts}}
        dead = [str(name) for name in plain(args.get("dead") or [])]
        if dead:
            self._must_be_spared(seen, dead, plain(args.get("copies") or {}))
            operation = self._operation(args)
            operation.take_lock()
            gone = release(operation, dead)
            result.update(changed=bool(gone), released=gone, emr_result={"replaced": gone})
        return result

    @staticmethod
    def _must_be_spared(seen, dead, copies) -> None:
        """Raises EmrError when a node is not dead, or HDFS depends on its disks."""
        held, name = decisions.keeps_blocks(seen, dead), seen["cluster"]
        for node, said in decisions.contradicted(dead, copies.get("datanodes")):
            raise EmrError(f"{node} does not answer over SSH, but {said}: so it is not dead and is kept",
                           "Look at the security group, network.ssh_from and its sshd (console); then repair again")
        if held and copies.get("blocks") is None:
            why = copies.get("error") or "no answer"
            raise EmrError(f"cannot find out whether HDFS depends on {', '.join(held)}: {why}",
                           f"Bring the NameNode up first: emrctl status {name}")
        if held and copies["blocks"]:
            files = ", ".join(copies["files"][:5])
            raise EmrError(f"{copies['blocks']} blocks have their only copy on {', '.join(held)}, for example of "
                           f"{files}. Their instances are kept",
                           "Bring one of them back (console), then repair again; or delete these files")


def unknown(cluster: str) -> Refused:
    """Without the spec nobody knows what is missing."""
    return Refused("the spec of the cluster cannot be read from its control node, so nothing can be compared with it",
                   f"Start the master's instance in the console; if its disk is lost: emrctl restore {cluster}")


def gathered(context) -> dict:
    """``seen`` with the status of each node."""
    texts = [(context.fact("emr_status", host) or {}).get("spec_text") or "" for host in context.hosts]
    spec = running_spec(context, next((text for text in texts if text), ""))
    seen = checked(context)
    for host, found in seen["nodes"].items():
        found["status"] = context.fact("emr_status", host) or {}
        found["silent"] = "" if found["status"] else found.get("silent") or "no answer over SSH"
    return dict(seen, spec=spec)


def _yes(plan: dict):
    """Put the plan of a repair as a question; None when nobody is there."""
    what = "; ".join(f"{key}: {', '.join(plan[key])}" for key in ("start", "silent", "daemons", "missing") if plan[key])
    return asked(f"Repair cluster {plan['cluster']} ({what or 'wait until HDFS has healed'})")
