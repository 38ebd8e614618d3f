"""Jobs: brings their files to the first master, then runs the module ``job`` there."""
from __future__ import annotations

import os

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.emr.cluster.plugins.module_utils.domain import units
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain, who
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

OPERATIONS = ("submit", "list", "show", "logs", "kill")
DEFAULTS = {"op": "submit", "id": "", "type": "SHELL", "name": "", "args": [], "files": [], "user": units.JOB_USER,
            "queue": "", "wait": False, "wait_limit_s": 86400, "yarn": False, "limit_bytes": 1048576}
CASTS = {"wait": boolean, "yarn": boolean, "wait_limit_s": int, "limit_bytes": int}


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "job"
    OPTIONS = ("op", "id", "type", "name", "args", "files", "user", "queue", "wait", "wait_limit_s", "yarn", "limit_bytes")
    TRANSFERS_FILES = True

    def work(self, context, args):
        if not context.is_first_master:
            return {"result": {"changed": False}}
        options = dict(DEFAULTS, **{key: value for key, value in plain(args).items() if value not in (None, "")})
        self.op = options["op"]
        if self.op not in OPERATIONS or (self.op not in ("submit", "list") and not options["id"]):
            raise Refused(f"job: op {self.op!r} with id {options['id']!r}", f"op is one of {', '.join(OPERATIONS)}; all but "
                          "submit and list need the id of a job")
        for key, cast in CASTS.items():
            options[key] = cast(options[key])
        options["who"] = who()
        options["type"] = str(options["type"]).upper().replace("-", "_")
        options["args"] = [str(a) for a in options["args"]]
        if self.op == "submit":
            options["files"] = [self._bring(str(path)) for path in options["files"]]
        return options

    def _bring(self, path: str) -> str:
        """Copy a file of the controller to the node's temporary folder; returns its path there."""
        local = os.path.expanduser(path)
        if not os.path.isfile(local):
            raise Refused(f"{path}: there is no such file on the controller", "Give the path of a readable file")
        if not self._connection._shell.tmpdir:
            self._make_tmp_path()
        remote = self._connection._shell.join_path(self._connection._shell.tmpdir, os.path.basename(local))
        if not self._task.check_mode:
            self._transfer_file(local, remote)
        return remote

    def after(self, context, result):
        if self.op == "list" and "jobs" in result:
            result["emr_result"] = {"jobs": result["jobs"]}
        elif self.op == "logs" and "log" in result:
            result["emr_result"] = {key: result[key] for key in ("job", "log", "stdout", "stderr")}
        elif result.get("job"):
            result["emr_result"] = {"job": result["job"]}
            if self.op == "submit" and result["job"]["state"] in ("FAILED", "KILLED", "LOST"):
                job = result["job"]
                code = "" if job.get("exit_code") is None else f" with exit code {job['exit_code']}"
                result.update(failed=True, msg=f"job {job['id']} {job['state']}{code}\n{job.get('error', '')}".rstrip())
