"""The one way to Prometheus on a node: questions to its API, and what an alert says."""
from __future__ import annotations

import json
import time

from ..hadoop_http import Daemon, HttpError


class Prometheus:
    """Prometheus at ``address`` (http://host:port). A question may take ``limit_s`` seconds, its answer ``most_bytes``."""

    def __init__(self, address, limit_s, most_bytes=None):
        self._daemon, self._limit_s, self._most = Daemon(address, name="Prometheus"), limit_s, most_bytes

    def get(self, what, **query):
        """``data`` of the answer to /api/v1/``what``. Raises HttpError, also for an answer that is cut off."""
        end = time.monotonic() + self._limit_s
        with self._daemon.stream(f"/api/v1/{what}", query=query, limit_s=self._limit_s) as answer:
            body = answer.rest(end, self._most)
        try:
            return json.loads(body)["data"]
        except (ValueError, KeyError, TypeError):
            raise HttpError("Prometheus", answer.address, what, f"an answer that is cut off or no JSON ({len(body)} bytes)")


def told_alerts(alerts):
    """Alerts of the answer to ``alerts`` that are any: one of the severity watchdog is a sign of life, which fires always."""
    return [alert for alert in alerts if alert["labels"].get("severity") != "watchdog"]


def alert_row(alert):
    """What people are told of an alert in the answer to ``alerts``: name, severity, node, state, since, means, help."""
    labels, notes = alert["labels"], alert.get("annotations", {})
    return {"name": labels.get("alertname", ""), "severity": labels.get("severity", ""), "node": labels.get("node", ""), "state": alert.get("state", ""),
            "since": alert.get("activeAt", ""), "means": notes.get("means", ""), "help": notes.get("help", "")}
