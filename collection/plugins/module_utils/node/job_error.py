"""Why a job failed, in the program's own words. Runs on Python 3.8 and newer."""
from __future__ import annotations

import time

from ..domain import last_words
from ..domain.job_command import SPARK_TYPES
from . import job_yarn
from .common import NodeError, write_atomic
from .job_record import JOBS, apps, history, record, settings, tail

TAIL_BYTES = 1 << 20
CONTAINER_BYTES = 65536
# Seconds to wait for YARN to gather the containers' logs.
GATHER_S = 30.0
GATHERED = ("SUCCEEDED", "FAILED", "TIME_OUT", "DISABLED")
FILES = "stderr|stdout|syslog"


def write_error(job_id):
    """Find out why the job failed and write it to its record; it is always written, so that others need not wait long."""
    found, last = record(job_id), history(job_id)[-1]
    folder, trouble = f"{JOBS}/{job_id}", ""
    # Spark writes what a Python driver says on its stderr to stdout.
    order = ("stderr", "stdout") if found["type"] in SPARK_TYPES else ("stdout", "stderr")
    texts = [(name, tail(f"{folder}/{name}.log", TAIL_BYTES)) for name in order]
    words = last_words.choose(texts)
    attempt = [app for app in apps(job_id) if app.get("attempt") == last.get("attempt")]
    if attempt and last_words.needs_containers(found["type"], [text for _place, text in texts]):
        try:
            words = _of_containers(job_id, found["user"], attempt[-1]) or words
        except NodeError as error:
            trouble = f"(the logs of its containers cannot be read: {error})"
    client = last_words.plain(dict(texts)["stderr"]) or last_words.plain(dict(texts)["stdout"])
    reasons = [last.get("reason", ""), *(_diagnostics(app) for app in attempt[-1:]), trouble]
    text = last_words.error("\n".join(filter(None, reasons)), client, words)
    write_atomic(f"{folder}/error", text + "\n")


def _diagnostics(app):
    """The first lines of what YARN says of an application that failed, such as that a container took too much memory."""
    lines = [line.strip() for line in (app.get("diagnostics") or "").splitlines() if line.strip()]
    return "\n".join(line for line in lines if not line.startswith(("at ", "[", "For more detailed", "Failing this")))[:600]


def _of_containers(job_id, user, app):
    """(place, lines) of the program's last words in its containers' logs; None when there are none."""
    _gathered(job_id, user, app["id"])
    out = job_yarn.logs(app["id"], user, settings()["environment"], "-size", str(-CONTAINER_BYTES), "-log_files_pattern", FILES)
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
