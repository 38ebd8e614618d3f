"""Imports and exports: computes the job of one and hands it, with the secrets it needs, to the control node."""
from __future__ import annotations

import os
import stat
import uuid

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import find_credentials
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.request import DEFAULTS
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.reader import Kind, read_texts
from ansible_collections.emr.cluster.plugins.module_utils.domain.transfer import request as transfer
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain, who
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

# Options of the job itself, as the module ``job`` has them.
JOB = ("name", "user", "queue", "wait", "wait_limit_s", "token")


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "transfer"
    REFUSES = True

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        args = {key: value for key, value in plain(args).items() if value not in (None, "")}
        direction, source, target = (str(args.get(key, "")) for key in ("direction", "source", "target"))
        kind = transfer.kind_of(direction, source, target)
        job = dict(DEFAULTS, **{key: args[key] for key in JOB if key in args})
        job.update(wait=boolean(job["wait"]), wait_limit_s=int(job["wait_limit_s"]), who=who())
        user, secret_id = str(job["user"]), uuid.uuid4().hex
        found = kind.request({
            "direction": direction, "source": source, "target": target,
            "options": transfer.known_options(kind, args.get("options") or {}),
            "credentials": credentials(kind, str(args.get("credentials") or ""), os.environ),
            "provider": transfer.provider_of(user, secret_id), "secret_file": transfer.memory_path(secret_id),
            "user": user, "region": context.region})
        # What people call it wins over what it is called by itself.
        job.update({key: value for key, value in found["job"].items() if not (key == "name" and job.get("name"))})
        return {"job": job, "files": found.get("files") or {}, "place": found["place"], "secrets": found["secrets"], "keep": found["keep"],
                "secret_file": transfer.memory_path(secret_id), "provider_path": transfer.provider_path(user, secret_id),
                "again": again(context.topology.cluster, kind, args)}

    def after(self, context, result):
        job = result.get("job")
        if not job:
            return
        result["emr_result"] = {"job": job}
        if job["state"] in ("FAILED", "KILLED", "LOST"):
            code = "" if job.get("exit_code") is None else f" with exit code {job['exit_code']}"
            result.update(failed=True, msg=f"job {job['id']} {job['state']}{code}\n{job.get('error', '')}".rstrip())


def again(cluster: str, kind, args: dict) -> str:
    """The command that asks for all this once more, and what it needs of the environment."""
    wanted = {"options": {}, **{key: args[key] for key in ("direction", "source", "target", "options", "credentials", *JOB) if key in args}}
    text = transfer.command(cluster, wanted)
    return text if args.get("credentials") else f"{text}   (with {', '.join(kind.CREDENTIALS.values())} set as before)"


def credentials(kind, given: str, environ) -> dict:
    """{field: value} to sign on with: of the file that is named, of emrctl's own ("chain"), else of the environment.

    Raises Refused. Nothing that was found is part of a message.
    """
    if given == "chain":
        key = find_credentials(environ).current()
        return {"access_key_id": key.access_key_id, "access_key_secret": key.access_key_secret,
                **({"security_token": key.security_token, "expires": key.expires} if key.security_token else {})}
    if given:
        return _of_file(kind, os.path.expanduser(given))
    return {name: environ[variable] for name, variable in kind.CREDENTIALS.items() if environ.get(variable)}


def _of_file(kind, path: str) -> dict:
    wanted = ", ".join(kind.CREDENTIALS)
    remedy = f"Write a file with lines such as `{next(iter(kind.CREDENTIALS))}: …` (it knows {wanted}), mode 600"
    try:
        with open(path, encoding="utf-8-sig") as handle:
            mode = stat.S_IMODE(os.fstat(handle.fileno()).st_mode)
            if mode & 0o077:
                raise Refused(f"{path}: others may read these credentials (mode {mode:o})", f"chmod 600 {path}")
            found = read_texts(handle.read(), path, Kind("credentials", "a file of credentials", remedy, "Keep one in a file"))
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}", remedy) from None
    except UnicodeDecodeError:
        raise Refused(f"{path}: not UTF-8 text", remedy) from None
    if not set(found) <= set(kind.CREDENTIALS):
        raise Refused(f"{path}: credentials with {', '.join(sorted(set(found) - set(kind.CREDENTIALS)))}", remedy)
    return found
