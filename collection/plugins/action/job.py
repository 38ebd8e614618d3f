"""Jobs: sends what is asked for, with its files, to the program for jobs on the control node, and follows jobs there."""
from __future__ import annotations

import base64
import os
import time

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import request as job_request
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.options import OPTIONS, in_seconds
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.states import FINAL
from ansible_collections.emr.cluster.plugins.plugin_utils.arguments import checked
from ansible_collections.emr.cluster.plugins.plugin_utils.context import who
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction
from ansible_collections.emr.cluster.plugins.plugin_utils.parameters import check
from ansible_collections.emr.cluster.plugins.plugin_utils.resident_calls import call
from ansible_collections.emr.cluster.plugins.plugin_utils.results import DOOR_BYTES, text_file
from ansible_collections.emr.cluster.plugins.plugin_utils.scripts import REMEDY, windows_line_ends

# Operations -> those of their options that go to the master.
OPERATIONS = {"submit": (), "wait": ("id",), "show": ("id",), "logs": ("id", "yarn", "limit_bytes", "attempt"), "kill": ("id",), "retry": ("id", "token")}
DEFAULTS = {"op": "submit", "type": "SHELL", "wait": False, "wait_limit_s": 86400, "yarn": False, "limit_bytes": DOOR_BYTES}
DURATION = "Write it as 30s, 15m, 2h or 7d"
# Seconds that one look at a waited-for job lasts at most, and how many of them may fail in a row.
LOOK_S, FAILED_LOOKS = 15, 30
# Seconds between two looks of which the first failed.
FAILED_PAUSE_S = 2
CHANGING = ("submit", "kill", "retry")
# Files up to so many bytes together travel with the request itself.
INLINE_BYTES = 32 << 20


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "job"
    REFUSES = True

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        options = {**DEFAULTS, **args, **checked("job", args.pop("options", None) or {})}
        options = {key: value for key, value in options.items() if value not in (None, "")}
        self.op = options["op"]
        if self.op not in OPERATIONS or ("id" in OPERATIONS[self.op] and not options.get("id")):
            raise Refused(f"job: op {self.op!r} with id {options.get('id', '')!r}", f"op is one of {', '.join(OPERATIONS)}; all but "
                          "submit need the id of a job")
        result = self._perform(options)
        self.after(context, result)
        return {"result": result}

    def _perform(self, options) -> dict:
        if self.op in CHANGING and self._task.check_mode:
            return {"changed": True}
        if self.op == "logs":
            return self._logs(self._sent(options))
        if self.op == "wait":
            return self._waited({"changed": False, "job": {"id": options["id"]}}, options["wait_limit_s"])
        result = call(self, self.op, *(self._request(options) if self.op == "submit" else (self._sent(options),)))
        follows = self.op in ("submit", "retry") and boolean(options["wait"])
        return self._waited(result, options["wait_limit_s"]) if follows else result

    def _logs(self, sent) -> dict:
        """The output of a job: bounded for a result, or all of it in a file of emrctl's."""
        target = text_file("log")
        if target is None:
            return call(self, "logs", {**sent, "limit_bytes": min(sent["limit_bytes"], DOOR_BYTES)})
        with target:
            found = call(self, "logs", {**sent, "paged": True})
            target.write(found.pop("log", "").encode(errors="surrogateescape"))
            while target.tell() < found.get("size", 0):
                data = base64.b64decode(call(self, "page", {"spool": found["spool"], "at": target.tell()})["data"])
                if not data:
                    raise EmrError("the output of the job arrived incomplete", "Run the command again")
                target.write(data)
        return {"changed": False, "job": found["job"], "log_file": target.name, "log_parts": found["parts"]}

    def _sent(self, options) -> dict:
        """Options of the operations that are no request."""
        return {**{key: options[key] for key in OPERATIONS[self.op] if key in options}, "who": who()}

    def _request(self, options) -> tuple:
        """(request as the master wants it, content of the files that travel with it)."""
        try:
            wanted = in_seconds({option.name: options[option.name] for option in OPTIONS if option.name in options})
        except ValueError as error:
            raise Refused(str(error), DURATION) from error
        wanted["who"] = who()
        wanted["environment"] = variables(options.get("environment") or {})
        wanted["properties"] = {key: str(value) for key, value in (options.get("properties") or {}).items()}
        shown = job_request.shown_credentials(wanted)
        if shown:
            raise Refused(f"{', '.join(shown)}: this looks like a credential, and arguments of jobs are kept and shown",
                          "Give it as a variable, whose value root alone can read: --env DB_PASSWORD (emr_job_options.environment), and "
                          "write $DB_PASSWORD; or name a file that only the job's user reads")
        local = []

        def name(row: str) -> str:
            if job_request.remote(row):
                return row
            path, mark, alias = row.partition("#")
            local.append(existing(path))
            return f"@{len(local) - 1}{mark}{alias}"

        for kind in job_request.RESOURCES:
            wanted[kind] = [name(str(row)) for row in options.get(kind, [])]
        wanted["python_env"] = name(str(options["python_env"])) if options.get("python_env") else ""
        wanted["parameters"] = {str(key): str(value) for key, value in (options.get("parameters") or {}).items()}
        asked = {**job_request.DEFAULTS, **wanted, **{kind: [str(row) for row in options.get(kind, [])] for kind in job_request.RESOURCES}}
        check("the job", wanted["parameters"], {}, [asked], [path for path in local if job_request.is_query(wanted["type"], path)])
        return self._with_files(wanted, local)

    def _with_files(self, wanted, local) -> tuple:
        if sum(map(os.path.getsize, local)) <= INLINE_BYTES:
            contents = [read(path) for path in local]
            inline = [{"name": os.path.basename(path), "size": len(text)} for path, text in zip(local, contents, strict=True)]
            return dict(wanted, inline=inline), b"".join(contents)
        brought = [self._bring(path, str(at)) for at, path in enumerate(local)]

        def place(row: str) -> str:
            if not row.startswith("@"):
                return row
            at, mark, alias = row[1:].partition("#")
            return brought[int(at)] + mark + alias

        return {**wanted, **{kind: [place(row) for row in wanted[kind]] for kind in job_request.RESOURCES},
                "python_env": place(wanted["python_env"])}, b""

    def _bring(self, path: str, folder: str) -> str:
        """Copy a file to the node's temporary folder; returns its path there."""
        shell = self._connection._shell
        if not shell.tmpdir:
            self._make_tmp_path()
        target = shell.join_path(shell.tmpdir, folder)
        self._low_level_execute_command(f"mkdir -p {shell.quote(target)}")
        remote = shell.join_path(target, os.path.basename(path))
        self._transfer_file(path, remote)
        return remote

    def _waited(self, result, limit_s) -> dict:
        """The result, after the job has ended. What it does meanwhile is shown."""
        deadline, seen, failed = time.monotonic() + limit_s, "", 0
        job = result["job"]
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise EmrError(f"job {job['id']} is still {job.get('state', '?')} after {limit_s} s and goes on",
                               f"Look again with emrctl jobs show NAME {job['id']}")
            try:
                job = call(self, "watch", {"id": job["id"], "for_s": min(LOOK_S, left), "seen": seen})["job"]
                failed = 0
            except (EmrError, AnsibleError) as error:
                # The master may be on its way through a reboot; a job that is not there will not come.
                failed += 1
                if failed > FAILED_LOOKS or "there is no job" in str(error):
                    raise EmrError(f"job {job['id']} is still running; its state could not be read: {error}",
                                   f"Look again with emrctl jobs show NAME {job['id']}") from error
                time.sleep(FAILED_PAUSE_S)
                continue
            if job["mark"] != seen:
                Display().display(f"emr: {described(job)}")
            seen = job.pop("mark")
            if job["state"] in FINAL:
                return dict(result, job=job)

    def after(self, context, result):
        if "log_file" in result:
            result["emr_result"] = {key: result[key] for key in ("job", "log_file", "log_parts")}
        elif "log" in result:
            # Once is enough: whoever calls the playbook has the text in the result of the task.
            result["emr_result"] = {"job": result["job"]}
        elif result.get("job"):
            result["emr_result"] = {"job": result["job"]}
            if self.op in ("submit", "wait", "retry") and result["job"]["state"] in ("FAILED", "KILLED", "LOST"):
                result.update(failed=True, msg=failure(result["job"]))


def described(job: dict) -> str:
    """One line on a job that is under way."""
    more = f" (attempt {job['attempts']})" if job.get("attempts", 0) > 1 else ""
    return "  ".join([f"{job['id']} {job['state']}{more}", *job.get("progress", [])])


def failure(job: dict) -> str:
    """Why a job did not succeed; the program's own words come last."""
    code = "" if job.get("exit_code") is None else f" with exit code {job['exit_code']}"
    reason = job.get("reason", "")
    said = job.get("error") or ("" if not reason else reason)
    return f"job {job['id']} {job['state']}{code}\n{said}".rstrip()


def variables(rows: dict) -> dict:
    """Environment of a job; a variable without a value has that of the controller. Raises Refused when it has none there."""
    missing = sorted(key for key, value in rows.items() if value is None and key not in os.environ)
    if missing:
        raise Refused(f"environment: {', '.join(missing)} is not set, and it is not set here either", "Give it as NAME=VALUE, or set it before")
    return {key: os.environ[key] if value is None else str(value) for key, value in rows.items()}


def existing(path: str) -> str:
    """Raises Refused for what is not a file here, or a script that cannot run."""
    local = os.path.expanduser(path)
    if not os.path.isfile(local):
        raise Refused(f"{path}: no such file on the controller", "Give the path of a readable file, or hdfs:// or oss://")
    wrong = windows_line_ends(local)
    if wrong:
        raise Refused(wrong, REMEDY)
    return local


def read(path: str) -> bytes:
    """Content of a file."""
    with open(path, "rb") as handle:
        return handle.read()
