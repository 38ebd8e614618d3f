"""Why a job failed, in the program's own words."""
from __future__ import annotations

from ...domain.jobs import last_words
from ...domain.waiting import wait
from ..common import NodeError, write_atomic
from . import yarn as job_yarn
from .record import JOBS, apps, history, record, settings, tail

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
    kind, argv = found["type"], found.get("command") or []
    texts = {name: tail(f"{folder}/{name}.log", TAIL_BYTES) for name in ("stdout", "stderr")}
    words, client = last_words.own(kind, argv, texts), []
    attempt = [app for app in apps(job_id) if app.get("attempt") == last.get("attempt")]
    failed = [app for app in attempt if app.get("finalStatus") != "SUCCEEDED"]
    in_cluster = found.get("driver") == "cluster"
    outside = bool(attempt) and last_words.needs_containers(kind, argv, texts, in_cluster, bool(failed))
    if outside:
        try:
            words = _of_containers(job_id, found, (failed or attempt)[-1], in_cluster) or words
        except NodeError as error:
            trouble = f"(the logs of its containers cannot be read: {error})"
    if (outside and not (words and in_cluster)) or not words:
        # Where the program on the master has told why, YARN's diagnostics only tell that it is gone.
        client = last_words.launcher(texts["stderr"]) or last_words.launcher(texts["stdout"])
        trouble = "\n".join(filter(None, [*(_diagnostics(app) for app in failed[-1:]), trouble]))
    reasons = [last.get("reason", ""), trouble]
    text = last_words.error("\n".join(filter(None, reasons)), client, words)
    write_atomic(f"{folder}/error", text + "\n")


def _diagnostics(app):
    """The first lines of what YARN says of an application that failed, such as that a container took too much memory."""
    lines = [line.strip() for line in (app.get("diagnostics") or "").splitlines() if line.strip()]
    return "\n".join(line for line in lines if not line.startswith(("at ", "[", "For more detailed", "Failing this")))[:600]


def _of_containers(job_id, found, app, in_cluster):
    """(place, lines) of the program's last words in its containers' logs; None when there are none."""
    _gathered(job_id, found["user"], app["id"])
    lines = job_yarn.log_blocks(app["id"], found["user"], settings()["environment"], "-size", str(-CONTAINER_BYTES),
                                "-log_files_pattern", FILES, lines=True)
    texts = (line.decode(errors="replace") for line in lines)
    return last_words.of_containers(found["type"], found.get("command") or [], last_words.each_file(texts), in_cluster)


def _gathered(job_id, user, name):
    """Wait until YARN has gathered the application's logs; what is not there by then is read as far as it is."""
    def going():
        found = job_yarn.applications(settings()["resourcemanager"], job_id, user) or []
        return not any(app["id"] == name and app.get("logAggregationStatus") in GATHERED for app in found)
    wait(going, GATHER_S, 1)
