"""Take a request for a job: check it, write its record, put it into the queue."""
from __future__ import annotations

import datetime
import hashlib
import json
import os
import pwd
import shutil
import time
import uuid

from ...domain.config.writers import Unwritable
from ...domain.jobs import admission, limits as job_limits, request as job_request
from ...domain.jobs.command import SPARK, SPARK_TYPES, command
from .. import hadoop_cli
from ..common import NodeError, file_lock, read_text, write_atomic
from ..config.keys import keys_of
from ..host import python_env
from ..oss import role_provider
from ..people.members import members
from . import admission as job_admit, budget, yarn as job_yarn
from .conf_dirs import HADOOP, SPARK as SPARK_CONF, check_queue, conf_environment
from .record import ID, JOBS, settings

JOB_USER = "emr"


class Refusal(NodeError):
    """A request that is refused before anything was changed."""

    def __init__(self, message):
        super().__init__(message, emr_refused=True)


def submit(params):
    """Put a job into the queue, and start it when there is room. Returns (id, whether it is new)."""
    wanted = dict(job_request.DEFAULTS, **{key: value for key, value in params.items() if value is not None and key in job_request.DEFAULTS})
    wrong = job_request.problems(wanted)
    if wrong:
        raise Refusal("; ".join(wrong))
    user = account(wanted["user"])
    if wanted["queue"]:
        _queue(wanted["queue"])
    known = settings()
    job_id = time.strftime("j-%Y%m%d-%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:4]
    os.makedirs(JOBS, mode=0o755, exist_ok=True)
    draft = f"{JOBS}/.new-{job_id}"
    try:
        kept = _draft(draft, job_id, wanted, user, known)
        with file_lock(f"{JOBS}/.lock", job_admit.LOCK_S):
            before = _token(wanted["token"], job_id, kept["digest"])
            if before:
                return before, False
            beyond = budget.refusal(wanted["token"])
            if beyond:
                raise Refusal(beyond)
            os.rename(draft, f"{JOBS}/{job_id}")
            job_admit.enqueue(job_id, kept["need_mib"])
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    job_admit.admit()
    return job_id, True


def _draft(draft, job_id, wanted, user, known):
    """Write a new record under a name that nobody looks at. Returns what is kept of the request."""
    asked = digest(wanted)
    try:
        wanted, fill = job_request.filled(wanted, datetime.datetime.now(datetime.timezone.utc))
    except ValueError as error:
        raise Refusal(str(error))
    wanted, by_role = role_provider.named(wanted)
    os.makedirs(draft, mode=0o750)
    os.chown(draft, 0, user.pw_gid)
    work = f"{JOBS}/{job_id}/work"
    wanted = _bring(wanted, f"{draft}/work", user, fill)
    mapred = keys_of(f"{HADOOP}/mapred-site.xml")
    more = job_request.overlay(wanted, work, mapred)
    files = [job_request.name_of(row) for row in wanted["files"]]
    archives = [*wanted["archives"], *([f"{wanted['python_env']}#{job_request.PYTHON_ENV}"] if wanted["python_env"] else [])]
    argv = command(wanted["type"], wanted["args"], files, archives, more)
    if argv[0].startswith(SPARK) and not os.path.exists(argv[0]):
        raise Refusal("Spark is not installed on this cluster. Next: emrctl service add NAME spark")
    try:
        overlay = conf_environment(draft, f"{JOBS}/{job_id}", {"tag": job_yarn.tag(job_id), "queue": wanted["queue"], **more})
    except Unwritable as error:  # what a parameter has brought in
        raise Refusal(str(error))
    defaults = keys_of(f"{SPARK_CONF}/spark-defaults.conf")
    _possible(wanted, more, defaults, draft, known)
    driver = job_request.deploy_mode(wanted, defaults)
    need = admission.need(wanted["type"], driver, job_request.driver_memory(wanted, defaults))
    kept = dict({key: wanted[key] for key in job_request.KEPT}, id=job_id, name=wanted["name"] or wanted["type"].lower(),
                submitted=time.time(), command=argv, cluster=known["cluster"], prelude=job_request.prelude(wanted, hadoop_cli.PROGRAMS["hadoop"]),
                digest=asked, need_mib=need, by_role=by_role, driver=driver if wanted["type"] in SPARK_TYPES else "")
    environment = {**wanted["environment"], **more["environment"], **overlay}
    first = environment.pop("PATH_FIRST", "")
    if first:
        environment["PATH"] = f"{first}:{environment.get('PATH', known['environment']['PATH'])}"
    write_atomic(f"{draft}/environment.json", json.dumps(environment) + "\n", 0o600)
    # For a retry: values may be secrets, so this is for root alone.
    write_atomic(f"{draft}/request.json", json.dumps(wanted) + "\n", 0o600)
    write_atomic(f"{draft}/job.json", json.dumps(kept) + "\n", 0o640, 0, user.pw_gid)
    for name in ("stdout.log", "stderr.log"):
        write_atomic(f"{draft}/{name}", "", 0o640, 0, user.pw_gid)
    return kept


def _possible(wanted, more, defaults, draft, known):
    """Raises Refusal for what would wait for ever, or end after minutes, since no node can do it."""
    yarn = keys_of(f"{HADOOP}/yarn-site.xml")
    packed = wanted["python_env"]
    found = job_limits.refused(wanted, more, yarn, defaults, known.get("total_mib", 0))
    if not found and packed and not job_request.remote(packed):
        found = python_env.trouble(f"{draft}/work/{job_request.name_of(packed)}")
    if found:
        raise Refusal(found)


def _bring(wanted, work, user, fill):
    """Copy the resources that are files of this machine to the job's working directory; they are names from then on."""
    os.mkdir(work, 0o750)
    os.chown(work, user.pw_uid, user.pw_gid)

    def bring(row):
        if job_request.remote(row):
            return row
        path, name = row.split("#")[0], job_request.name_of(row)
        target = f"{work}/{name}"
        try:
            shutil.copyfile(path, target)
        except OSError as error:
            raise Refusal(f"{path} cannot be read on the master: {error.strerror}")
        if job_request.is_query(wanted["type"], target):
            with open(target, "r+", encoding="utf-8", errors="surrogateescape", newline="") as handle:
                text = fill(handle.read())
                handle.seek(0)
                handle.truncate()
                handle.write(text)
        os.chmod(target, 0o755)
        os.chown(target, user.pw_uid, user.pw_gid)
        return name + row[len(path):]

    more = {kind: [bring(row) for row in wanted[kind]] for kind in job_request.RESOURCES}
    return dict(wanted, python_env=bring(wanted["python_env"]) if wanted["python_env"] else "", **more)


def digest(wanted):
    """What two requests with one token must have in common: all but moments, who asks, and where files come from."""
    rows = {key: wanted[key] for key in job_request.DEFAULTS
            if key not in ("time", "who", "wait", "wait_limit_s", "secrets", "token", "retry_of")}
    rows.update({kind: [row if job_request.remote(row) else job_request.name_of(row) for row in wanted[kind]]
                 for kind in job_request.RESOURCES}, python_env=job_request.name_of(wanted["python_env"]))
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _token(token, job_id, wanted):
    """Id of the job that this token has submitted before; '' when there is none, then it is this one's. Under the lock."""
    if not token:
        return ""
    path = f"{JOBS}/.tokens/{hashlib.sha256(token.encode()).hexdigest()}"
    before = (read_text(path) or "").split()
    if len(before) == 2 and ID.match(before[0]) and os.path.isdir(f"{JOBS}/{before[0]}"):
        if before[1] != wanted:
            raise Refusal(f"the token {token} belongs to another job already, {before[0]}. Give each job its own token")
        return before[0]
    # A crash between this line and the rename leaves a token of a job that is not there: it counts for nothing.
    write_atomic(path, f"{job_id} {wanted}\n")
    return ""


def account(name):
    """The account that a job runs as: never one of the system or of a daemon."""
    if name != JOB_USER and name not in members():
        raise Refusal(f"{name} is not a user of the cluster. Its users: {', '.join([JOB_USER, *members()])}. Next: "
                      "emrctl user add NAME USER")
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise NodeError(f"there is no user {name} on this node to run jobs as")


def _queue(name):
    try:
        check_queue(name)
    except NodeError as error:
        raise Refusal(str(error))
