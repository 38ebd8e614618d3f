"""The records of jobs: lists, prunes, archives and sums them up, by the programs for jobs on the control node."""
from __future__ import annotations

import os
import time

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import parameters
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.states import FINAL
from ansible_collections.emr.cluster.plugins.module_utils.domain.text import durations
from ansible_collections.emr.cluster.plugins.plugin_utils import report_page
from ansible_collections.emr.cluster.plugins.plugin_utils.arguments import checked
from ansible_collections.emr.cluster.plugins.plugin_utils.context import who
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction
from ansible_collections.emr.cluster.plugins.plugin_utils.resident_calls import MISSING, call

DURATION = "Write it as 30s, 15m, 2h or 7d"


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "jobs"
    REFUSES = True

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        options = {**args, **checked("jobs", args.pop("options", None) or {})}
        options = {key: value for key, value in options.items() if value not in (None, "")}
        op = options.get("op", "list")
        if op not in ("list", "report") and self._task.check_mode:
            return {"result": {"changed": True}}
        result = self._archived() if op == "archive" else call(self, op, {**sent(op, options), "who": who()})
        if op == "report" and options.get("html"):
            write_page(str(options["html"]), result["report"])
        told = {key: result[key] for key in ("jobs", "pruned", "report", "cut") if key in result}
        return {"result": {**result, "emr_result": told} if told else result}

    def _archived(self) -> dict:
        """Copy what is not in OSS yet to where `logs.oss` of the spec says; nothing where it says nothing."""
        answer = self._low_level_execute_command(f"{paths.LOGS_PROGRAM} last", sudoable=True)
        if answer["rc"] in MISSING:
            return {"changed": False}
        if answer["rc"]:
            said = answer["stdout"].strip() or answer.get("stderr", "").strip()
            raise Refused(f"the last logs of jobs could not be copied to OSS: {said[-2000:]}",
                          "Correct that (docs/data/logs.md), or release without them: emrctl release NAME --no-logs (emr_keep_logs=false)")
        told = answer["stdout"].strip()
        return {"changed": bool(told) and "nothing new" not in told, "msg": told}


def sent(op: str, options: dict) -> dict:
    """Options of an operation as the program wants them."""
    if op == "list":
        return {"filters": filters(options), **({"limit": options["limit"]} if "limit" in options else {})}
    if op == "report":
        return {"since": filters({"since": options.get("since") or "7d"})["since"]}
    older = {"older_s": duration("older_than", options["older_than"])} if options.get("older_than") else {}
    return {**({"keep": options["keep"]} if "keep" in options else {}), **older}


def write_page(path: str, found: dict) -> None:
    """Write the report as a page. Raises EmrError."""
    try:
        with open(os.path.expanduser(path), "w", encoding="utf-8") as out:
            out.write(report_page.page(found))
    except OSError as error:
        raise EmrError(f"{path}: {error.strerror}", "Give another path") from error


def duration(key: str, value) -> int:
    """Seconds of a text such as 90m. Raises Refused."""
    if str(value).isdigit():
        return int(value)
    try:
        return durations.seconds(value)
    except ValueError as error:
        raise Refused(f"{key}: {error}", DURATION) from error


def filters(options: dict) -> dict:
    """Filters of a list as the master wants them. ``since``: a time, or how long ago."""
    found = {"state": [str(s).upper() for s in listed(options.get("state"))], "user": listed(options.get("owner")),
             "type": [str(t).upper().replace("-", "_") for t in listed(options.get("kind"))], "name": options.get("name_like")}
    wrong = [s for s in found["state"] if s not in (*FINAL, "SUBMITTED", "RUNNING", "RETRYING")]
    if wrong:
        raise Refused(f"state: {', '.join(wrong)} does not exist", f"States are SUBMITTED, RUNNING, RETRYING, {', '.join(FINAL)}")
    if options.get("since"):
        text = str(options["since"])
        try:
            found["since"] = int(time.time() - durations.seconds(text))
        except ValueError:
            try:
                found["since"] = int(parameters.read(text, "UTC").timestamp())
            except ValueError as error:
                raise Refused(f"since: {error}", "Write 2h for two hours ago, or a time in UTC") from error
    return {key: value for key, value in found.items() if value}


def listed(value) -> list:
    """One or several as a list."""
    return [] if value in (None, "") else value if isinstance(value, list) else [value]
