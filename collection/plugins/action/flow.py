"""Flows: brings the flow with its jobs' files to the first master, then runs the operation ``flow`` there, and watches."""
from __future__ import annotations

import os
import time

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain, who
from ansible_collections.emr.cluster.plugins.plugin_utils.flow_pack import packed, read_flow
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

OPERATIONS = ("run", "list", "show", "logs", "retry", "kill")
FINAL = ("SUCCEEDED", "FAILED", "KILLED")
# Seconds: of one look at the flow on the node; that the master may be away (a reboot) while the flow is waited for.
STEP_S, AWAY_S = 15, 900


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "flow"
    OPTIONS = ("op", "id", "flow", "flow_file", "parameters", "time", "zone", "token", "resume", "job", "wait", "wait_limit_s",
               "limit_bytes", "logs_to", "fails")
    TRANSFERS_FILES = True
    REFUSES = True

    def work(self, context, args):
        if not context.is_first_master:
            return {"result": {"changed": False}}
        args = {key: value for key, value in plain(args).items() if value not in (None, "")}
        op = args.get("op", "run")
        if op not in OPERATIONS or (op not in ("run", "list") and not args.get("id")):
            raise Refused(f"flow: op {op!r} with id {args.get('id', '')!r}", f"op is one of {', '.join(OPERATIONS)}; all but run and list "
                          "need the id of a flow (emrctl flow list NAME)")
        found = self._begin(args) if op == "run" else self.step(self._options(op, args))
        if boolean(args.get("wait", False)) and not self._task.check_mode and found.get("flow"):
            found["flow"] = self._wait(found["flow"], int(args.get("wait_limit_s") or 86400))
        return {"result": self._told(found, args)}

    @staticmethod
    def _options(op: str, args: dict) -> dict:
        return {"op": op, "id": str(args.get("id") or ""), "job": str(args.get("job") or ""), "who": who(),
                "limit_bytes": int(args.get("limit_bytes") or 1 << 20)}

    def _begin(self, args: dict) -> dict:
        """Put the flow on record at the first master and start it."""
        flow = read_flow(args, self._loader)
        with packed(flow) as archive:
            options = {"op": "run", "flow": flow.definition, "who": who(), "archive": self.bring(archive) if archive else "",
                       "time": str(args.get("time") or ""), "zone": str(args.get("zone") or ""), "token": str(args.get("token") or ""),
                       "resume": boolean(args.get("resume", False))}
            return self.step(options)

    def bring(self, local: str) -> str:
        """Copy a file of the controller to the node's temporary folder; returns its path there."""
        if not self._connection._shell.tmpdir:
            self._make_tmp_path()
        remote = self._connection._shell.join_path(self._connection._shell.tmpdir, os.path.basename(local))
        if not self._task.check_mode:
            self._transfer_file(local, remote)
        return remote

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
                raise EmrError(f"the first master did not answer for {AWAY_S} s; the flow {flow['id']} was {flow['state']}",
                               f"It goes on when the master is back. Next: emrctl flow show NAME {flow['id']} --wait")
            time.sleep(2)
        return flow

    def _look(self, flow: dict):
        """The flow as soon as something changes, or some seconds later; None when the master does not answer."""
        try:
            found = self.module({"op": "show", "id": flow["id"], "seen": flow.get("seen"), "wait_s": STEP_S})
        except Exception as error:  # the connection's own errors: ssh gone with a reboot
            if type(error).__name__ not in ("AnsibleConnectionFailure", "AnsibleError"):
                raise
            self._connection.reset()
            return None
        if found.get("unreachable") or (found.get("failed") and not found.get("flow") and "no flow" not in str(found.get("msg"))):
            return None
        if found.get("failed"):
            raise EmrError(str(found.get("msg")))
        return found["flow"]

    def _told(self, found: dict, args: dict) -> dict:
        """The result of the task; failed when a flow that was waited for did not succeed, unless ``fails`` is false."""
        keys = ("flow", "flows", "logs")
        result = {"changed": bool(found.get("changed")), **{key: found[key] for key in keys if key in found}}
        if args.get("logs_to") and "logs" in found:
            result["written"] = _write_logs(str(args["logs_to"]), found)
        result["emr_result"] = {key: result[key] for key in (*keys, "written") if key in result}
        flow = result.get("flow") or {}
        if boolean(args.get("wait", False)) and boolean(args.get("fails", True)) and flow.get("state") in FINAL[1:]:
            result.update(failed=True, msg=failure(flow))
        return result


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
    written = []
    for name, row in found["logs"].items():
        path = os.path.join(folder, f"{name}.log")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as out:
            out.write(row["log"])
        written.append(path)
    return written
