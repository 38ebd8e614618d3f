"""Schedules: brings what is to run to the control node, where a timer of systemd starts it."""
from __future__ import annotations

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.emr.cluster.plugins.action.flow import ActionModule as FlowAction
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.flows import timetable
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain, who
from ansible_collections.emr.cluster.plugins.plugin_utils.flow_pack import packed, read_flow

OPERATIONS = ("add", "list", "show", "pause", "resume", "remove")
MISSED = ("run", "skip")


class ActionModule(FlowAction):
    """See the module's documentation."""

    MODULE = "schedule"

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        args = {key: value for key, value in plain(args).items() if value not in (None, "")}
        op, name = args.get("op", "list"), str(args.get("name") or "")
        if op not in OPERATIONS or (op not in ("add", "list") and not name):
            raise Refused(f"schedule: op {op!r} with name {name!r}", f"op is one of {', '.join(OPERATIONS)}; all but add and list need the "
                          "name of a schedule (emrctl schedule list NAME)")
        if self._task.check_mode and op not in ("list", "show"):
            return {"result": {"changed": True}}
        found = self._add(args, name) if op == "add" else self.ask(op, {"name": name, "who": who()})
        keys = [key for key in ("schedule", "schedules") if key in found]
        told = {key: found[key] for key in keys}
        return {"result": {"changed": bool(found.get("changed")), **told, "emr_result": told}}

    def _add(self, args: dict, name: str) -> dict:
        at, missed = str(args.get("at") or ""), str(args.get("missed") or "run")
        if missed not in MISSED:
            raise Refused(f"missed: {missed!r}: expected run or skip", "run makes up for a time that passed while the master was down, once; "
                          "skip does not")
        try:
            timetable.parse(at, str(args.get("zone") or "UTC"))
        except timetable.Unreadable as error:
            raise Refused(f"at: {error}", f"Write {timetable.WAYS}") from error
        flow = read_flow(dict(args, name=name))
        options = {"name": name or flow.data["name"], "at": at, "zone": str(args.get("zone") or ""), "missed": missed,
                   "flow": flow.definition, "digest": flow.digest(), "who": who(), "replace": boolean(args.get("replace", False))}
        return self.ask("add", options, packed(flow))
