"""Why a job failed, in the program's own words. Runs on Python 3.8 and newer."""
from __future__ import annotations

import os
import time

from ..domain import last_words
from . import job_yarn
from .common import NodeError, run, write_atomic
from .job_record import JOBS, apps, history, record, settings, tail

TAIL_BYTES = 1 << 20
CONTAINER_BYTES = 65536
# Seconds to wait for YARN to gather the containers' logs, and for the command that reads them.
GATHER_S, READ_S = 30.0, 60
GATHERED = ("SUCCEEDED", "FAILED", "TIME_OUT", "DISABLED")
YARN = "/opt/emr/hadoop/bin/yarn"
FILES = "stderr|stdout|syslog"


def write_error(job_id, environment):
    """Find out why the job failed and write it to its record; it is always written, so that others need not wait long."""
    found, last = record(job_id), history(job_id)[-1]
    folder, trouble = f"{JOBS}/{job_id}", ""
    texts = [("stdout", tail(f"{folder}/stdout.log", TAIL_BYTES)), ("stderr", tail(f"{folder}/stderr.log", TAIL_BYTES))]
    words = last_words.choose(texts)
    attempt = [app for app in apps(job_id) if app.get("attempt") == last.get("attempt")]
    if attempt and last_words.needs_containers(found["type"], [text for _place, text in texts]):
        try:
            words = _of_containers(job_id, found["user"], attempt[-1], environment) or words
        except NodeError as error:
            trouble = f"(the logs of its containers cannot be read: {error})"
    client = last_words.plain(texts[1][1]) or last_words.plain(texts[0][1])
    reasons = [last.get("reason", ""), *(_diagnostics(app) for app in attempt[-1:]), trouble]
    text = last_words.error("\n".join(filter(None, reasons)), client, words)
    write_atomic(f"{folder}/error", text + "\n")


def _diagnostics(app):
    """The first lines of what YARN says of an application that failed, such as that a container took too much memory."""
    lines = [line.strip() for line in (app.get("diagnostics") or "").splitlines() if line.strip()]
    return "\n".join(line for line in lines if not line.startswith(("at ", "[", "For more detailed", "Failing this")))[:600]


def _of_containers(job_id, user, app, environment):
    """(place, lines) of the program's last words in its containers' logs; None when there are none."""
    _gathered(job_id, user, app["id"])
    env = {key: value for key, value in environment.items() if key in ("PATH", "LANG", "HADOOP_HOME")}
    env["HADOOP_CONF_DIR"] = settings()["environment"]["HADOOP_CONF_DIR"]
    out = run([YARN, "logs", "-applicationId", app["id"], "-appOwner", user, "-size", str(-CONTAINER_BYTES), "-log_files_pattern", FILES],
              READ_S, user=user, env=dict(os.environ, **env))[1]
    rows = sorted(last_words.containers(out), key=lambda row: (row[1] != "syslog", row[1] == "stderr", row[0]))
    return last_words.choose([(f"{name} of {container}", text) for container, name, text in rows])


def _gathered(job_id, user, name):
    """Wait until YARN has gathered the application's logs; what is not there by then is read as far as it is."""
    deadline = time.monotonic() + GATHER_S
    while time.monotonic() < deadline:
        found = job_yarn.applications(settings()["resourcemanager"], job_id, user) or []
        if any(app["id"] == name and app.get("logAggregationStatus") in GATHERED for app in found):
            return
        time.sleep(1)
