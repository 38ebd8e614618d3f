"""The cloud side of reconcile, on the controller alone: arguments to a Reconciliation, its data to a result."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.action import cluster
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.finder import Found
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.operation import READY, Operation
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import tags_of
from ansible_collections.emr.cluster.plugins.module_utils.cloud.maintain import reconciliation as reconciling
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.text import durations
from ansible_collections.emr.cluster.plugins.plugin_utils.operations import end_with, reader_of

ARGUMENTS = {
    "phase": {"type": "str", "required": True, "choices": ["look", "judge", "report"]},
    "name": {"type": "str"}, "region": {"type": "str"}, "plan_only": {"type": "bool", "default": False},
    "spec": {"type": "dict"}, "activity": {"type": "dict"},
    "excluded": {"type": "list", "elements": "str", "default": []},
    "unread": {"type": "str", "default": ""}, "grace": {"type": "str", "default": "1h"}, "judged": {"type": "dict"},
    "address": {"type": "str", "default": "auto", "choices": ["auto", "private", "public"]}, "user": {"type": "str"},
    "private_key_file": {"type": "path"},
}


class ActionModule(cluster.ActionModule):
    """See the module's documentation. Locks, operations and failures are those of the action ``cluster``."""

    SPEC = ARGUMENTS

    def _perform(self, arguments: dict, spec, operation: Operation) -> dict:
        grace = _grace(arguments["grace"])
        if arguments["phase"] == "report":
            reconciling.check(arguments["judged"])
            return {}
        fresh = False
        if not arguments["plan_only"]:
            end_with(operation.pid)
            fresh = operation.take_lock()
        try:
            if arguments["phase"] == "look":
                return _look(arguments, operation)
            return _judge(arguments, spec, operation, grace)
        except BaseException:
            if fresh:
                operation.unlock()
            raise


def _grace(text: str) -> int:
    try:
        return durations.seconds(text)
    except ValueError as error:
        raise Refused(f"grace: {error}", "Write for example: 1h") from None


def _look(arguments: dict, operation: Operation) -> dict:
    """The first master, when it runs: it knows the spec, and when the cluster worked last."""
    found = operation.found()
    ready = Found(found.name, found.anchor, [i for i in found.instances if tags_of(i).get(READY)])
    way = reader_of(arguments, operation, ready)
    runs = any(i.get("Status") == "Running" for i in found.instances)
    unread = "" if way or not runs else "it does not run, or was never deployed to its end"
    return {"reader": way, "unread": unread, "runs": runs,
            "emr_result": {"name": found.name, "region": operation.client.region}}


def _judge(arguments: dict, spec, operation: Operation, grace: int) -> dict:
    data = reconciling.Reconciliation(operation, spec, arguments.get("activity"), arguments["excluded"],
                                      arguments["unread"], grace, act=not arguments["plan_only"]).run()
    for text in data["done"]:
        operation.say(text)
    return {**data, "emr_result": {"reconcile": {key: value for key, value in data.items() if key != "edit"}}}
