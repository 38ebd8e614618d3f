"""Flows: brings the flow with its jobs' files to the control node, which the program for flows there runs, and watches it."""
from __future__ import annotations

import json
import os
import time

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain, who
from ansible_collections.emr.cluster.plugins.plugin_utils.flow_pack import packed, read_flow
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction
from ansible_collections.emr.cluster.plugins.plugin_utils.resident_calls import call
from ansible_collections.emr.cluster.plugins.plugin_utils.results import DOOR_BYTES, waited_for

from ..module_utils.domain import paths

OPERATIONS = ("check", "conclude", "run", "list", "show", "logs", "retry", "kill")
CHANGING = ("run", "retry", "kill")
FINAL = ("SUCCEEDED", "FAILED", "KILLED")
# Seconds: of one look at the flow on the node; that the master may be away (a reboot) while the flow is waited for.
STEP_S, AWAY_S = 15, 900


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "flow"
    REFUSES = True

    def work(self, context, args):
        args = {key: value for key, value in plain(args).items() if value not in (None, "")}
        op = args.get("op", "run")
        if op == "check":
            return {"result": {"changed": False, "checked": check(read_flow(args), args)}}
        if op == "conclude":
            return {"result": conclude(args)}
        if not context.is_control_node:
            return {"result": {"changed": False}}
        if op not in OPERATIONS or (op not in ("run", "list") and not args.get("id")):
            raise Refused(f"flow: op {op!r} with id {args.get('id', '')!r}", f"op is one of {', '.join(OPERATIONS)}; all but run and list "
                          "need the id of a flow (emrctl flow list NAME)")
        if self._task.check_mode and op in CHANGING:
            return {"result": {"changed": True}}
        found = self._begin(args) if op == "run" else self.ask(op, self._options(op, args))
        if boolean(args.get("wait", False)) and found.get("flow"):
            found["flow"] = self._wait(found["flow"], int(args.get("wait_limit_s") or 86400))
        return {"result": self._told(found, args)}

    @staticmethod
    def _options(op: str, args: dict) -> dict:
        return {"id": str(args.get("id") or ""), "job": str(args.get("job") or ""), "who": who(),
                "limit_bytes": int(args.get("limit_bytes") or (0 if waited_for() or args.get("logs_to") else DOOR_BYTES))}

    def _begin(self, args: dict) -> dict:
        """Put the flow on record at the control node and start it."""
        flow = read_flow(args)
        return self.ask("run", {"flow": flow.definition, "who": who(), "time": str(args.get("time") or ""), "zone": str(args.get("zone") or ""),
                                "token": str(args.get("token") or ""), "resume": boolean(args.get("resume", False))}, packed(flow))

    def ask(self, op: str, options: dict, archive: bytes = b"") -> dict:
        """The result of an operation of the program on the master. Raises EmrError."""
        return call(self, f"{self.MODULE} {op}", dict(options, archive_bytes=len(archive)), archive, paths.FLOWS_PROGRAM)

    def _wait(self, flow: dict, limit_s: int) -> dict:
        """The flow when it has ended. It goes on when this ends; a master that is away for a while is waited for."""
        deadline, away = time.monotonic() + limit_s, None
        known: dict = {}
        known = _tell(flow, known)
        while flow["state"] not in FINAL:
            if time.monotonic() > deadline:
                raise EmrError(f"the flow {flow['id']} is {flow['state']} after {limit_s} s; it goes on", "Next: emrctl flow show NAME "
                               f"{flow['id']} --wait")
            answer = self._look(flow)
            if answer is not None:
                flow, away = answer, None
                known = _tell(flow, known)
                continue
            away = away or time.monotonic()
            if time.monotonic() - away > AWAY_S:
                raise EmrError(f"the control node did not answer for {AWAY_S} s; the flow {flow['id']} was {flow['state']}",
                               f"It goes on when the master is back. Next: emrctl flow show NAME {flow['id']} --wait")
            time.sleep(2)
        return flow

    def _look(self, flow: dict):
        """The flow as soon as something changes, or some seconds later; None when the master does not answer."""
        try:
            return self.ask("show", {"id": flow["id"], "seen": flow.get("seen"), "wait_s": STEP_S})["flow"]
        except AnsibleError:  # ssh is gone with the master, as at a reboot
            return None
        except EmrError as error:
            if "there is no flow" in str(error):
                raise
            return None

    def _told(self, found: dict, args: dict) -> dict:
        """The result of the task; failed when a flow that was waited for did not succeed, unless ``fails`` is false."""
        keys = ("flow", "flows", "logs")
        result = {"changed": bool(found.get("changed")), **{key: found[key] for key in keys if key in found}}
        if args.get("logs_to") and "logs" in found:
            result["written"] = _write_logs(str(args["logs_to"]), found)
            del result["logs"]
        result["emr_result"] = {key: result[key] for key in (*keys, "written") if key in result}
        flow = result.get("flow") or {}
        if boolean(args.get("wait", False)) and boolean(args.get("fails", True)) and flow.get("state") in FINAL[1:]:
            result.update(failed=True, msg=failure(flow))
        return result


def check(flow, args: dict) -> dict:
    """What a run of this flow on a cluster of its own needs to know: files to put and to get by their full paths, and a token.

    The token stays the same as long as the flow and its files do, so that a second try goes on with what the first began.
    """
    into = os.path.abspath(os.path.expanduser(str(args.get("into") or f"{flow.data['name']}-results")))
    puts = flow.data["put"] + [dict(row, **{"from": os.path.abspath(os.path.expanduser(row["from"]))}) for row in args.get("puts") or []]
    found = [row for i, entry in enumerate(puts) for row in _sources(flow, i, entry)]
    gets = [{"path": row["from"], "target": os.path.join(into, os.path.expanduser(row["to"]))} for row in flow.data["get"] + list(args.get("gets") or [])]
    return {"name": flow.data["name"], "token": f"run-flow.{flow.digest()[:16]}", "into": into, "puts": found, "gets": gets,
            "keep_on_failure": flow.data["keep_on_failure"], "jobs": len(flow.data["jobs"])}


def conclude(args: dict) -> dict:
    """The end of a run on a cluster of its own: failed unless the flow succeeded and nothing else went wrong."""
    flow, troubles, kept = args.get("found") or {}, [str(text) for text in args.get("troubles") or []], boolean(args.get("kept", False))
    told = {"run": {"kept": kept, "into": str(args.get("into") or ""), "troubles": troubles}}
    result = {"changed": False, "emr_result": {**told, **({"flow": flow} if flow else {})}}
    if not troubles and flow.get("state") == "SUCCEEDED":
        return result
    lines = troubles + ([failure(flow).rsplit("\nNext:", 1)[0]] if flow.get("state") in FINAL[1:] else [])
    if not lines:
        lines = [f"the flow {flow.get('id', '')} did not end: the control node did not answer"]
    lines.append("the cluster is kept and costs money" if kept else "the cluster is released")
    return dict(result, failed=True, msg="\n".join(lines))


def _sources(flow, number: int, entry: dict) -> list:
    """{files, path} for each folder that is to be put; one row for a file. Raises Refused when there is nothing."""
    local, target = flow.local(entry["from"]), entry["to"]
    if os.path.isfile(local):
        return [{"files": [local], "path": target}]
    rows = []
    for top, _folders, names in sorted(os.walk(local)):
        if names:
            below = os.path.relpath(top, local)
            path = target.rstrip("/") + ("" if below == "." else f"/{below}") + "/"
            rows.append({"files": [os.path.join(top, name) for name in sorted(names)], "path": path})
    if not rows:
        raise Refused(f"{flow.source}: put[{number}].from: {local} is missing or empty",
                      "Give a path relative to the flow file")
    return rows


def failure(flow: dict) -> str:
    """Why a flow did not succeed, for people."""
    lines = [f"flow {flow['id']} {flow['state']}"]
    for row in flow["jobs"]:
        if row["state"] in ("FAILED", "LOST", "KILLED"):
            code = "" if row["exit_code"] is None else f" with exit code {row['exit_code']}"
            lines.append(f"{row['name']} ({row['job'] or 'not submitted'}) {row['state']}{code} {row['reason']}".rstrip())
    return "\n".join([*lines, f"Next: emrctl flow logs NAME {flow['id']}, then emrctl flow retry NAME {flow['id']}"])


def _tell(flow: dict, known: dict) -> dict:
    """Say what is new; the states as they are now."""
    now = {row["name"]: row["state"] for row in flow["jobs"]}
    if os.environ.get("EMR_LIVE"):
        keys = ("name", "after", "state", "job", "seconds", "on_failure", "progress")
        Display().display("emr-flow: " + json.dumps([{key: row.get(key) for key in keys} for row in flow["jobs"]]))
    for row in flow["jobs"]:
        if row["state"] != known.get(row["name"], "WAITING"):
            more = f" ({row['job']})" if row["job"] else f": {row['reason']}" if row["reason"] else ""
            Display().display(f"emr: {row['name']} {row['state']}{more}")
    if flow["state"] != known.get(""):
        Display().display(f"emr: flow {flow['id']} {flow['state']}")
    return {**now, "": flow["state"]}


def _write_logs(folder: str, found: dict) -> list:
    """One file for each job's output; the paths."""
    folder = os.path.abspath(os.path.expanduser(folder))
    os.makedirs(folder, exist_ok=True)
    written = [os.path.join(folder, "flow.json")]
    with open(written[0], "w", encoding="utf-8") as out:
        json.dump(found["flow"], out, indent=1)
    for name, row in found["logs"].items():
        path = os.path.join(folder, f"{name}.log")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as out:
            out.write(row["log"])
        written.append(path)
    return written
