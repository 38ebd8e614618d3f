"""Start, stop, reboot and release."""
from __future__ import annotations

from .. import offers
from .errors import ApiError, invalid
from .registry import Call, action
from .select import find_instance
from .tokens import remembered

MOST_AT_ONCE = 100


def _targets(call: Call) -> list:
    """Ids of InstanceId.N or InstanceId, in order. Raises ApiError."""
    ids = call.params["InstanceId"]
    ids = [ids] if isinstance(ids, str) else ids
    if len(ids) > MOST_AT_ONCE:
        raise ApiError("InvalidParameter", "InstanceId")
    return list(dict.fromkeys(ids))


def _each(call: Call, change) -> dict:
    """Apply ``change(instance, id)`` to every instance. The plural calls report each instance's own result."""
    plural = call.action.endswith("Instances")
    rows = []
    for instance_id in _targets(call):
        try:
            before = find_instance(call, instance_id)["status"]
            change(instance_id, before)
            rows.append({"InstanceId": instance_id, "Code": "200", "Message": "success", "PreviousStatus": before,
                         "CurrentStatus": call.tx.get("instance", instance_id)["status"]})
            call.after.append(lambda i=instance_id: call.cloud.engine.submit(i))
        except ApiError as error:
            if not plural:
                raise
            known = call.tx.get("instance", instance_id) or {"status": ""}
            rows.append({"InstanceId": instance_id, "Code": error.code, "Message": error.message,
                         "PreviousStatus": known["status"], "CurrentStatus": known["status"]})
    call.dry_run()
    return {"InstanceResponses": {"InstanceResponse": rows}} if plural else {}


def may_stop_charging(item: dict) -> bool:
    """Whether an instance may give its resources back while it is stopped."""
    return item["charge"] == "PostPaid" and not offers.TYPES[item["type"]].local_disks


@action("StartInstances", "StartInstance")
def start_instances(call: Call) -> dict:
    """Boot stopped instances."""
    def start(instance_id: str, status: str) -> None:
        if status not in ("Stopped", "Starting", "Running"):
            raise ApiError("IncorrectInstanceStatus")
        if status != "Stopped":
            return
        item = call.tx.edit("instance", instance_id)
        if call.cloud.free_memory(call.tx) < item["memory_mib"]:
            raise call.cloud.no_memory(call.tx, 1, item["memory_mib"])
        item.update(status="Starting", stopped_mode="KeepCharging")
        if item["bandwidth_out"] and not item["public_ip"]:
            turn = 1 - item.get("public_turn", 0)
            item.update(public_turn=turn, public_ip=call.cloud.public_address(item["ip"], turn))
    return _each(call, start)


@action("StopInstances", "StopInstance")
def stop_instances(call: Call) -> dict:
    """Shut instances down; ForceStop takes the power away.

    With StoppedMode=StopCharging an instance gives its resources and its public address back, so that only its disks cost.
    One that is prepaid or has local disks cannot: it stops all the same, and goes on costing.
    """
    mode = call.get("StoppedMode", "KeepCharging")
    if mode not in ("KeepCharging", "StopCharging"):
        raise invalid("StoppedMode")

    def stop(instance_id: str, status: str) -> None:
        if status not in ("Running", "Stopping", "Stopped"):
            raise ApiError("IncorrectInstanceStatus")
        if status == "Running":
            item = call.tx.edit("instance", instance_id)
            item.update(status="Stopping", reboot=False, force_stop=bool(call.get("ForceStop")),
                        stopped_mode=mode if may_stop_charging(item) else "KeepCharging")
    return _each(call, stop)


@action("RebootInstances", "RebootInstance")
def reboot_instances(call: Call) -> dict:
    """Stop and start running instances."""
    def reboot(instance_id: str, status: str) -> None:
        if status != "Running":
            raise ApiError("IncorrectInstanceStatus")
        force = bool(call.get("ForceReboot") or call.get("ForceStop"))
        call.tx.edit("instance", instance_id).update(status="Stopping", reboot=True, force_stop=force)
    return _each(call, reboot)


@action("DeleteInstances", "DeleteInstance")
def delete_instances(call: Call) -> dict:
    """Release instances: all of them or none. They must be Stopped, unless Force."""
    def release() -> dict:
        for instance_id in _targets(call):
            item = find_instance(call, instance_id)
            if item["protected"]:
                raise ApiError("InvalidOperation.DeletionProtection")
            if item["status"] == "Pending":
                raise ApiError("IncorrectInstanceStatus.Initializing")
            if item["status"] != "Stopped" and not call.get("Force"):
                raise ApiError("IncorrectInstanceStatus")
            call.tx.edit("instance", instance_id)["released"] = True
            call.after.append(lambda i=instance_id: call.cloud.engine.submit(i))
        call.dry_run()
        return {}
    return remembered(call, release)
