"""The cloud side of maintain, on the controller alone: arguments to a Maintenance, its data to a result."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.operation import Operation
from ansible_collections.emr.cluster.plugins.module_utils.cloud.maintain import maintenance
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.text import durations
from ansible_collections.emr.cluster.plugins.plugin_utils.cloud_action import CloudAction
from ansible_collections.emr.cluster.plugins.plugin_utils.operations import reader_of, ready


class ActionModule(CloudAction):
    """See the module's documentation."""

    def locks(self, arguments):
        return arguments["phase"] != "report" and not arguments["plan_only"]

    def perform(self, arguments, spec, operation):
        grace = _grace(arguments.get("grace") or "1h")
        if arguments["phase"] == "report":
            maintenance.check(arguments["judged"])
            return {}
        return _look(operation) if arguments["phase"] == "look" else _judge(arguments, spec, operation, grace)


def _grace(text: str) -> int:
    try:
        return durations.seconds(text)
    except ValueError as error:
        raise Refused(f"grace: {error}", "Write for example: 1h") from None


def _look(operation: Operation) -> dict:
    """The control node, when it runs: it knows the spec, and when the cluster worked last."""
    found = operation.found()
    way = reader_of(operation, ready(found))
    runs = any(i.get("Status") == "Running" for i in found.instances)
    unread = "" if way or not runs else "it is stopped, or was never completely deployed"
    return {"reader": way, "unread": unread, "runs": runs,
            "emr_result": {"name": found.name, "region": operation.client.region}}


def _judge(arguments: dict, spec, operation: Operation, grace: int) -> dict:
    data = maintenance.Maintenance(operation, spec, arguments.get("activity"), arguments.get("excluded") or [],
                                   arguments.get("unread") or "", grace, act=not arguments["plan_only"]).run()
    for text in data["done"]:
        operation.say(text)
    return {**data, "emr_result": {"maintain": {key: value for key, value in data.items() if key != "edit"}}}
