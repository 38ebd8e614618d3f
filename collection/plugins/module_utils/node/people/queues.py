"""Tell a running ResourceManager of the queues in capacity-scheduler.xml."""
from __future__ import annotations

from ...domain import paths
from ...domain.config.writers import with_site_properties
from .. import hadoop_cli
from ..common import NodeError, read_text, write_atomic
from ..config.keys import parse_keys
from ..hadoop_http import ResourceManager
from ..services.yarn import applications

PATH = paths.CAPACITY_SCHEDULER
ROOT = "yarn.scheduler.capacity.root"


def refresh_queues(base, environment, limit_s=60):
    """Make the ResourceManager at ``base`` read its queues again, without a restart.

    YARN lets a queue go only when it is stopped, or when the new file still calls it so. Queues that disappeared are
    therefore named as stopped while the ResourceManager reads; one with running applications is refused before.
    Raises NodeError with YARN's own words when it does not like the file.
    """
    text = read_text(PATH) or ""
    gone = sorted(live_queues(base) - file_queues(text))
    if gone:
        busy = sorted({a["queue"].split(".")[-1] for a in applications(base)} & set(gone))
        if busy:
            raise NodeError(f"queue {', '.join(busy)} cannot be removed while applications run in it. Write state: stopped for it in the "
                            "spec and remove it when they have ended.")
        write_atomic(PATH, with_stopped(text, gone), 0o644)
    try:
        code, out, err = hadoop_cli.run("yarn", ["rmadmin", "-refreshQueues"], "yarn", environment, limit_s=limit_s, check=False)
    finally:
        if gone:
            write_atomic(PATH, text, 0o644)
    if code:
        said = [line for line in (err or out).splitlines() if "refreshQueues" in line or "Exception" in line]
        raise NodeError("YARN refused the queues: " + (" ".join(said[:2]) or (err or out)[-500:]))


def live_queues(base):
    """Names of the queues below root that the ResourceManager has. Raises NodeError when it does not answer."""
    answer = ResourceManager(base).look("/ws/v1/cluster/scheduler", 10)
    if answer is None:
        raise NodeError("the ResourceManager does not answer: look with emrctl status, start it, and run the command again")
    rows = ((answer["scheduler"]["schedulerInfo"].get("queues") or {}).get("queue")) or []
    return {row["queueName"] for row in rows}


def file_queues(text):
    """Names of the queues below root in a capacity-scheduler.xml."""
    return {name.strip() for name in parse_keys(text).get(f"{ROOT}.queues", "").split(",") if name.strip()}


def with_stopped(text, queues):
    """The file with these queues called stopped."""
    return with_site_properties(text, {f"{ROOT}.{name}.state": "STOPPED" for name in queues})
