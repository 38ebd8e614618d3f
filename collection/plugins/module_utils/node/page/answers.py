"""What the page asks for below /api/: each answer is plain data, made from Prometheus, the ResourceManager and the records of work."""
from __future__ import annotations

import json
import threading
import time
import urllib.parse

from ..common import read_text
from ..hadoop_http import HttpError, ResourceManager, connect
from .figures import Refusal, Store

# Seconds that answers which cost something are kept for whoever asks, and that the program of records may take on a busy machine.
FRESH_S = {"work": 12.0, "applications": 5.0}
RECORDS_S = 25.0
MOST_BYTES, MOST_APPLICATIONS = 4 << 20, 200
DAY_S = 86400
# What is told of an application.
TOLD = ("id", "name", "user", "queue", "state", "finalStatus", "applicationType", "progress", "startedTime", "finishedTime", "elapsedTime",
        "allocatedMB", "allocatedVCores", "runningContainers", "memorySeconds", "vcoreSeconds")
SEVERITIES = ("critical", "warning")


class Answers:
    """Everything that can be asked for. ``settings``: path of what ``configure`` has written; ``records``: socket of the program of records."""

    def __init__(self, settings, records):
        self._path, self._records = settings, records
        self._kept, self._locks = {}, {name: threading.Lock() for name in FRESH_S}

    @property
    def settings(self):
        """What this cluster is, read anew for each question: it is small, and changes with the cluster."""
        return json.loads(read_text(self._path) or "{}")

    def about(self, _asked):
        """The cluster, its nodes and its pictures; no query."""
        found = self.settings
        panels = [{key: panel[key] for key in ("id", "title", "page", "unit", "kind")} for panel in found["panels"]]
        return {**{key: found[key] for key in ("cluster", "region", "release", "services", "nodes")}, "panels": panels, "time": time.time()}

    def panel(self, asked):
        """A picture: ``id``, ``start`` and ``end`` in seconds since the epoch, ``points``."""
        settings = self.settings
        wanted = asked.get("id", "")
        panel = next((row for row in settings["panels"] if row["id"] == wanted), None)
        if panel is None:
            raise Refusal("there is no such panel")
        now = time.time()
        try:
            start, end, points = float(asked.get("start", now - 3600)), float(asked.get("end", now)), int(asked.get("points", 200))
        except ValueError:
            raise Refusal("start, end and points are numbers")
        return _store(settings).picture(panel, start, end, points)

    def alerts(self, _asked):
        """Alerts that fire or are about to, the gravest and oldest first, each with what it means and what helps."""
        rows = _store(self.settings).alerts()
        rows.sort(key=lambda row: (row["state"] != "firing", SEVERITIES.index(row["severity"]) if row["severity"] in SEVERITIES else 9, row["since"]))
        return {"alerts": rows[:200], "left": max(0, len(rows) - 200)}

    def health(self, _asked):
        """Every daemon that shows figures: up, down, or absent where Prometheus knows nothing of it."""
        settings = self.settings
        up = {(labels.get("component"), labels.get("node")): value for labels, value in _store(settings).one("up")}
        rows = []
        for row in settings["daemons"]:
            value = up.get((row["component"], row["node"]))
            rows.append({**row, "state": "absent" if value is None else "up" if value else "down"})
        return {"daemons": rows}

    def work(self, _asked):
        """Jobs and flows of the last day, and the price, from the records."""
        return self._fresh("work", self._work)

    def applications(self, _asked):
        """Applications of YARN that run or ended within a day, the newest first, and what the cluster has for them."""
        return self._fresh("applications", self._applications)

    def _fresh(self, name, make):
        """An answer that many may ask for at once, made once for all of them."""
        with self._locks[name]:
            made, answer = self._kept.get(name, (0.0, None))
            if answer is None or time.monotonic() - made > FRESH_S[name]:
                answer = make()
                self._kept[name] = (time.monotonic(), answer)
            return answer

    def _work(self):
        try:
            return json.loads(_records(self._records))
        except (OSError, ValueError) as error:
            raise HttpError("program of records", self._records, "jobs and flows", str(error) or type(error).__name__)

    def _applications(self):
        settings = self.settings
        manager = ResourceManager(settings["applications"], settings["as"]) if settings.get("applications") else None
        if manager is None:
            return {"applications": [], "memory_mib": 0, "vcores": 0}
        rows = []
        since = int((time.time() - DAY_S) * 1000)
        for query in ({"states": "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING"}, {"finishedTimeBegin": since, "states": "FINISHED,FAILED,KILLED"}):
            text = urllib.parse.urlencode({**query, "limit": MOST_APPLICATIONS, "deSelects": "resourceRequests,timeouts,appNodeLabelExpression"})
            rows += ((_json(manager, f"/ws/v1/cluster/apps?{text}").get("apps") or {}).get("app")) or []
        known = _json(manager, "/ws/v1/cluster/metrics").get("clusterMetrics") or {}
        told = {row["id"]: {key: row[key] for key in TOLD if key in row} for row in rows}
        return {"applications": sorted(told.values(), key=lambda row: -row.get("startedTime", 0)), "memory_mib": known.get("totalMB", 0),
                "vcores": known.get("totalVirtualCores", 0)}


def _store(settings):
    return Store(settings["store"], settings.get("interval_s", 15))


def _json(daemon, path):
    with daemon.stream(path, limit_s=8) as answer:
        body = answer.rest(time.monotonic() + 8, MOST_BYTES)
    try:
        return json.loads(body)
    except ValueError:
        raise HttpError(daemon.name, str(daemon), path.partition("?")[0], f"an answer that is cut off or no JSON ({len(body)} bytes)")


def _records(path):
    """All that the program of records tells. It is asked by connecting to its socket. Raises OSError."""
    end, found, size = time.monotonic() + RECORDS_S, [], 0
    with connect(f"unix:{path}", RECORDS_S) as link:
        while size < MOST_BYTES:
            link.settimeout(max(0.1, end - time.monotonic()))
            block = link.recv(1 << 16)
            if not block:
                return b"".join(found)
            found.append(block)
            size += len(block)
    raise OSError(f"it told more than {MOST_BYTES} bytes")


__all__ = ["Answers"]
