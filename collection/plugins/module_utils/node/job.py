"""Jobs on a master: each is a detached unit with a record of its own. Runs on Python 3.8 and newer.

/var/lib/emr/jobs/ID/ holds job.json (what was asked for), states (one JSON line per change), stdout.log, stderr.log,
run.sh (what the unit runs) and work/ (the job's files; its working directory).
"""
from __future__ import annotations

import json
import os
import pwd
import re
import shlex
import shutil
import time
import uuid

from .common import NodeError, read_text, run, unit_states, write_atomic
from .http import http
from .job_queue import check_queue, queue_environment
from .people import members

JOBS = "/var/lib/emr/jobs"
JOB_USER = "emr"
TYPES = ("MR", "HADOOP_STREAMING", "SPARK", "PYSPARK", "SPARK_SQL", "SPARK_STREAMING", "SHELL")
FINAL = ("SUCCEEDED", "FAILED", "KILLED", "LOST")
HADOOP, SPARK = "/opt/emr/hadoop/bin", "/opt/emr/spark/bin"
ID = re.compile(r"^j-\d{8}-\d{6}-[0-9a-f]{4}$")
_APPLICATION = re.compile(r"application_\d+_\d+")

RUNNER = """#!/bin/bash
# Runs one job and writes down what becomes of it.
cd {folder}/work || exit 1
note() {{ printf '{{"state": "%s", "time": %s, "exit_code": %s}}\\n' "$1" "$(date +%s.%3N)" "$2" >>../states; }}
stopped() {{ trap '' TERM; kill -TERM "$child" 2>/dev/null; wait "$child"; note KILLED null; exit 143; }}
trap stopped TERM
note RUNNING null
{command} >../stdout.log 2>../stderr.log </dev/null & child=$!
wait "$child"; code=$?
if [ "$code" -eq 0 ]; then note SUCCEEDED 0; else note FAILED "$code"; fi
exit "$code"
"""


def command(kind, args, files):
    """The program and arguments of a job. ``files``: names of the files that came with it.

    Without arguments the first file is the program. Raises NodeError for an unknown type or when nothing is to be run.
    """
    if kind not in TYPES:
        raise NodeError(f"unknown type of job {kind}: it is one of {', '.join(TYPES)}")
    args = list(args)
    if not args and not files:
        raise NodeError(f"a job of type {kind} needs arguments or a file to run")
    if kind == "SHELL":
        if not args:
            return ["bash", files[0]]
        if len(args) == 1 and args[0] not in files:
            return ["bash", "-c", args[0]]
        return ["bash"] + args if args[0] in files else args
    if kind == "SPARK_SQL":
        scripts = [name for name in files if name.endswith(".sql")]
        if not {"-f", "-e"} & set(args) and scripts:
            args += ["-f", scripts[0]]
        if not any("spark.sql.catalogImplementation" in arg for arg in args):
            # The default starts an embedded metastore for every job, which takes longer than most queries and which no
            # other job could see.
            args = ["--conf", "spark.sql.catalogImplementation=in-memory"] + args
        return [f"{SPARK}/spark-sql"] + args
    if kind in ("SPARK", "PYSPARK", "SPARK_STREAMING"):
        return [f"{SPARK}/spark-submit"] + (args or [files[0]])
    if kind == "HADOOP_STREAMING":
        if files and "-files" not in args:
            # The mapper and reducer run in containers; a generic option, so it stands before the program's own ones.
            args = ["-files", ",".join(files)] + args
        return [f"{HADOOP}/mapred", "streaming"] + args
    return [f"{HADOOP}/yarn", "jar"] + (args or [files[0]])


def perform(params, check):
    """The operation on jobs that ``op`` names."""
    op = params["op"]
    if op == "submit":
        return {"changed": True} if check else submit(params)
    if op == "list":
        return {"changed": False, "jobs": listing()}
    if op == "logs":
        return logs(params)
    if op == "show" or check:
        return {"changed": False, "job": show(params["id"])}
    return kill(params)


def submit(params):
    """Start a job. Returns {changed, job}; with ``wait`` after it has ended."""
    user = _user(params["user"])
    job_id = time.strftime("j-%Y%m%d-%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:4]
    folder = f"{JOBS}/{job_id}"
    names = [os.path.basename(path) for path in params["files"]]
    argv = command(params["type"], params["args"], names)
    queue = params.get("queue") or ""
    if queue:
        check_queue(queue)
    if params["type"].startswith(("SPARK", "PYSPARK")) and not os.path.exists(argv[0]):
        raise NodeError("Spark is not installed on this cluster. Next: emrctl service add NAME spark")
    os.makedirs(f"{folder}/work", mode=0o750)
    for path, name in zip(params["files"], names):
        shutil.copyfile(path, f"{folder}/work/{name}")
        os.chmod(f"{folder}/work/{name}", 0o755)
    record = {"id": job_id, "name": params["name"] or params["type"].lower(), "type": params["type"],
              "args": list(params["args"]), "files": names, "user": params["user"], "queue": queue, "who": params["who"],
              "submitted": time.time(), "command": argv}
    quoted = " ".join(shlex.quote(word) for word in argv)
    write_atomic(f"{folder}/run.sh", RUNNER.format(folder=folder, command=quoted), 0o755)
    write_atomic(f"{folder}/job.json", json.dumps(record) + "\n")
    environment = dict(params["environment"], **(queue_environment(folder, queue) if queue else {}))
    for top, _folders, found in os.walk(folder):
        for path in [top] + [os.path.join(top, name) for name in found]:
            # Not what links point to: that is the cluster's own configuration.
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    _start(job_id, folder, user, environment)
    if params["wait"]:
        wait(job_id, params["wait_limit_s"])
    return {"changed": True, "job": show(job_id)}


def _user(name):
    """The account that a job runs as: never one of the system or of a daemon."""
    allowed = [JOB_USER] + members()
    if name not in allowed:
        raise NodeError(f"no job runs as {name}: it is no user of the cluster. Its users: {', '.join(allowed)}. Next: emrctl user "
                        "add NAME USER")
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise NodeError(f"there is no user {name} on this node to run jobs as")


def _start(job_id, folder, user, environment):
    settings = []
    for key, value in sorted(environment.items()):
        settings += [f"--setenv={key}={value}"]
    run(["systemd-run", "--quiet", "--collect", f"--unit={unit(job_id)}", f"--uid={user.pw_uid}", f"--gid={user.pw_gid}",
         "-p", "KillMode=mixed", "-p", "TimeoutStopSec=30", "-p", f"WorkingDirectory={folder}/work",
         f"--setenv=HOME={user.pw_dir}", f"--setenv=USER={user.pw_name}", f"--setenv=LOGNAME={user.pw_name}"] + settings +
        ["/bin/bash", f"{folder}/run.sh"])


def unit(job_id):
    """Name of the job's unit."""
    return f"emr-job-{job_id}"


def wait(job_id, limit_s):
    """Wait until the job has ended. The job goes on when this process is killed or the limit is over."""
    deadline = time.monotonic() + limit_s
    while True:
        job = show(job_id)
        if job["state"] in FINAL:
            return job
        if time.monotonic() > deadline or os.getppid() == 1:
            raise NodeError(f"job {job_id} still runs after {limit_s} s; it goes on. Next: emrctl jobs NAME", job=job)
        time.sleep(0.4)


def show(job_id):
    """What is known of a job. Raises NodeError when there is none of this id."""
    folder = _folder(job_id)
    record = json.loads(read_text(f"{folder}/job.json") or "{}")
    history = [{"state": "SUBMITTED", "time": record.get("submitted", 0)}]
    for line in (read_text(f"{folder}/states") or "").splitlines():
        try:
            history.append(json.loads(line))
        except ValueError:
            continue
    last = history[-1]
    if last["state"] not in FINAL and not _alive(job_id) and time.time() - last["time"] > 3:
        # The runner writes the last state before it ends: read again, else the machine took it away.
        last = _last_state(folder) or last
        if last["state"] not in FINAL:
            last = {"state": "LOST", "time": last["time"], "exit_code": None}
        history.append(last)
    job = dict(record, state=last["state"], exit_code=last.get("exit_code"), history=history,
               seconds=round((last["time"] if last["state"] in FINAL else time.time()) - history[0]["time"], 1),
               applications=_applications(folder))
    job["submitted"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.get("submitted", 0)))
    if job["state"] in ("FAILED", "LOST"):
        # The frames of a Java trace would push what it is about out of sight.
        lines = tail(f"{folder}/stderr.log", 65536).splitlines()
        job["error"] = "\n".join([line for line in lines if not line.startswith("\tat ")][-12:])
    return job


def _last_state(folder):
    lines = (read_text(f"{folder}/states") or "").splitlines()
    return json.loads(lines[-1]) if lines else None


def _alive(job_id):
    return unit_states([unit(job_id)]).get(unit(job_id), {}).get("ActiveState") in ("active", "activating",
                                                                                  "deactivating")


def _folder(job_id):
    folder = f"{JOBS}/{job_id}"
    if not ID.match(job_id) or not os.path.isdir(folder):
        raise NodeError(f"there is no job {job_id} on this cluster. Next: emrctl jobs NAME lists them")
    return folder


def _applications(folder):
    """YARN application ids that the job's output names, in order."""
    found = {}
    for name in ("stderr.log", "stdout.log"):
        try:
            with open(f"{folder}/{name}", errors="replace") as handle:
                for line in handle:
                    for match in _APPLICATION.findall(line):
                        found.setdefault(match, None)
        except FileNotFoundError:
            pass
    return list(found)


def listing(limit=200):
    """All jobs, the newest first, without arguments and history."""
    try:
        names = sorted((name for name in os.listdir(JOBS) if ID.match(name)), reverse=True)[:limit]
    except FileNotFoundError:
        names = []
    jobs = [show(name) for name in names]
    return [{key: value for key, value in job.items() if key not in ("history", "command")} for job in jobs]


def tail(path, limit_bytes):
    """The last bytes of a file as text; '' when there is none."""
    try:
        with open(path, "rb") as handle:
            handle.seek(max(0, os.path.getsize(path) - limit_bytes))
            return handle.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def logs(params):
    """Output of a job: stdout and stderr (their last bytes), and with ``yarn`` the containers' logs."""
    folder = _folder(params["id"])
    job = show(params["id"])
    limit = params["limit_bytes"]
    out, err = tail(f"{folder}/stdout.log", limit), tail(f"{folder}/stderr.log", limit)
    parts = [err, out]
    if params["yarn"]:
        env = dict(os.environ, **params["environment"])
        for application in job["applications"]:
            text = run([f"{HADOOP}/yarn", "logs", "-applicationId", application], check=False, user=job["user"], env=env)[1]
            parts.append(text[-limit:])
    return {"changed": False, "job": job, "stdout": out, "stderr": err, "log": "".join(parts)}


def kill(params):
    """Stop a job and its YARN applications."""
    job = show(params["id"])
    if job["state"] in FINAL:
        return {"changed": False, "job": job}
    warnings = [_kill_application(params["resourcemanager"], name) for name in job["applications"]]
    run(["systemctl", "stop", f"{unit(params['id'])}.service"], check=False)
    return {"changed": True, "job": show(params["id"]), "warnings": [text for text in warnings if text]}


def _kill_application(base, name):
    """Kill a YARN application; returns what went wrong, or ''. One that has ended already is fine."""
    try:
        http(f"{base}/ws/v1/cluster/apps/{name}/state", "PUT", json.dumps({"state": "KILLED"}).encode(),
             headers={"Content-Type": "application/json"})
    except (OSError, NodeError) as error:
        return f"{name} was not killed: {error}"
    return ""
