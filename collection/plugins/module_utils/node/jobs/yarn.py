"""What YARN knows of a job's applications; they carry the job's tag."""
from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import urllib.parse

from ...domain.jobs.states import alive
from ...domain.jobs.usage import YARN
from ...domain.text.ends import Ends
from ...domain.waiting import wait
from .. import hadoop_cli
from ..common import NodeError
from ..hadoop_http import HttpError, ResourceManager

FIELDS = ("id", "name", "state", "finalStatus", "applicationType", "progress", "startedTime", "finishedTime", "diagnostics",
          "queue", "user", "logAggregationStatus")
# Seconds that reading an application's logs may take.
READ_S = 120
# Bytes of a log that are taken at once, of a line of it too.
BLOCK_BYTES = 65536


def tag(job_id):
    """The tag that all YARN applications of a job carry."""
    return f"emr-{job_id}"


def ready(base):
    """Whether the ResourceManager knows its applications: its pages are up before it has read them after a start."""
    info = (ResourceManager(base).look("/ws/v1/cluster/info", 10) or {}).get("clusterInfo") or {}
    return (info.get("state"), info.get("haState")) == ("STARTED", "ACTIVE")


def applications(base, job_id, user):
    """The job's applications in order of their birth; None when the ResourceManager does not answer, or does not know yet."""
    return _tagged(base, job_id, user, FIELDS)


def measured(base, job_id, user):
    """The same, with what they have used."""
    return _tagged(base, job_id, user, (*FIELDS, *YARN, "launchTime"))


def _tagged(base, job_id, user, fields):
    if not base:
        return []
    if not ready(base):
        return None
    query = urllib.parse.urlencode({"applicationTags": tag(job_id), "deSelects": "resourceRequests"})
    answer = ResourceManager(base, user).look(f"/ws/v1/cluster/apps?{query}", 10)
    if answer is None:
        return None
    rows = (answer.get("apps") or {}).get("app") or []
    found = [{key: row[key] for key in fields if key in row} for row in rows]
    return sorted(found, key=lambda row: row["id"])


def kill(base, application, user):
    """Kill an application; returns what went wrong, or ''. One that has ended already is fine."""
    try:
        ResourceManager(base, user).kill(application)
    except HttpError as error:
        return f"{application} was not killed: {error}"
    return ""


def end_all(base, job_id, user, limit_s):
    """Kill the job's applications and wait until none lives; returns what went wrong, or ''."""
    trouble = "the ResourceManager does not answer"

    def going():
        nonlocal trouble
        found = applications(base, job_id, user)
        left = [app["id"] for app in alive(found or ())]
        if left:
            trouble = "; ".join(filter(None, (kill(base, name, user) for name in left))) or f"{', '.join(left)} still live"
        return found is None or left
    return f"not ended within {limit_s} s: {trouble}" if wait(going, limit_s, 0.5) else ""


def log_blocks(application, user, environment, *options, lines=False):
    """The output, in blocks or ``lines`` of bytes, of the command that reads the logs of an application's containers, while it reads them.

    Raises NodeError when it fails or takes longer than READ_S. What is not asked for any more is not read.
    """
    more = {key: environment[key] for key in ("HADOOP_CONF_DIR", "HADOOP_HOME", "HADOOP_LOG_DIR")}
    words = ["logs", "-applicationId", application, "-appOwner", user, *options]
    with tempfile.TemporaryFile() as said, hadoop_cli.start("yarn", words, user, more, stdout=subprocess.PIPE, stderr=said,
                                                            start_new_session=True) as child:
        late = threading.Timer(READ_S, _end, (child,))
        late.start()
        try:
            # A program may write a line of any length.
            yield from iter(lambda: (child.stdout.readline if lines else child.stdout.read1)(BLOCK_BYTES), b"")
            if child.wait() and late.is_alive():
                said.seek(max(0, said.tell() - 4096))
                raise NodeError(f"yarn logs -applicationId {application} ended with {child.returncode}: "
                                + "\n".join(said.read().decode(errors="replace").strip().splitlines()[-15:]))
            if not late.is_alive():
                raise NodeError(f"yarn logs -applicationId {application} did not end within {READ_S} s")
        finally:
            late.cancel()
            _end(child)


def logs(application, user, environment, limit_bytes):
    """The logs of an application's containers, as ``yarn logs`` prints them: of many, the beginning and the end; what went wrong is in it."""
    ends = Ends(limit_bytes // 4, limit_bytes - limit_bytes // 4)
    try:
        for block in log_blocks(application, user, environment):
            ends.add(block)
    except NodeError as error:
        # An application that ended before it had a container, or whose logs are too old.
        ends.add(f"== {application}: {error}\n".encode())
    return ends.content().decode(errors="replace")


def _end(child):
    """Kill a command with all that it has started."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
