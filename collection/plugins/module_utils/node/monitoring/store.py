"""Questions to Prometheus, and what of its answers goes on."""
from __future__ import annotations

import json
import time

from ..common import NodeError
from ..hadoop_http import HttpError
from ..services.hooks import asked
from .prometheus import Prometheus, alert_row, told_alerts

# Seconds for an answer; most series of one that go on, and points of each: as many as a wide terminal has columns twice.
LIMIT_S, SERIES, POINTS = 20.0, 500, 240


class Store:
    """Prometheus at an address."""

    def __init__(self, address):
        self._prometheus = Prometheus(address, LIMIT_S)

    def asked(self, query, since_s=0, now=None):
        """{kind, series: [{labels, values: [[second, text], …]}], left_out} of a query: now, or over the last ``since_s`` seconds.

        Raises NodeError, with Prometheus' own words for a query that it does not understand.
        """
        if not since_s:
            data = self._get("query", query=query)
        else:
            end = time.time() if now is None else now
            data = self._get("query_range", query=query, start=f"{end - since_s:.3f}", end=f"{end:.3f}", step=f"{max(1.0, since_s / POINTS):.3f}")
        return told(data)

    def alerts(self):
        """What fires now: rows of ``alert_row``."""
        return [row for row in map(alert_row, told_alerts(self._get("alerts")["alerts"])) if row["state"] == "firing"]

    def _get(self, what, **query):
        try:
            return self._prometheus.get(what, **query)
        except HttpError as error:
            raise NodeError(_words(error), emr_refused=error.status in (400, 422)) from None


def _words(error):
    """Prometheus' own sentence where it said one."""
    try:
        return json.loads(error.body)["error"]
    except (ValueError, KeyError, TypeError):
        return str(error)


def told(data):
    """An answer's data in one form, whatever its kind."""
    kind, rows = data["resultType"], data["result"]
    if kind in ("scalar", "string"):
        return {"kind": kind, "series": [{"labels": {}, "values": [rows]}], "left_out": 0}
    series = [{"labels": row["metric"], "values": row["values"] if kind == "matrix" else [row["value"]]} for row in rows]
    return {"kind": kind, "series": series[:SERIES], "left_out": max(0, len(series) - SERIES)}


def sample(store, queries, answers):
    """One look at everything: {time, figures: {name: series}, alerts, applications}. ``answers``: {service: address of who answers for it}. What does
    not answer is missing, and named in ``silent``."""
    found = {"time": time.time(), "figures": {}, "alerts": [], "applications": [], "silent": {}}
    try:
        found["figures"] = {name: store.asked(query)["series"] for name, query in queries.items()}
        found["alerts"] = store.alerts()
    except NodeError as error:
        found["silent"]["Prometheus"] = str(error)
    for service, rows in asked(answers, "at_work").items():
        if rows is None:
            found["silent"][service] = f"no answer from {answers[service]}"
        else:
            found["applications"] += rows
    return found
