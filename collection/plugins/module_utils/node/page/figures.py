"""Figures of Prometheus for the page: the panels' own queries and no others, within limits of time, points and series."""
from __future__ import annotations

import math
import re
import time

from ..monitoring.prometheus import Prometheus, alert_row, told_alerts

# Seconds that a question may take, bytes of its answer, series of a picture.
LIMIT_S, MOST_BYTES, MOST_SERIES = 10.0, 4 << 20, 60
# Seconds: the shortest and the longest time that a picture may show, and how far its end may lie ahead.
SHORTEST_S, LONGEST_S, AHEAD_S = 300, 32 * 86400, 60
LEAST_POINTS, MOST_POINTS = 20, 400
# Seconds from which a picture is made of what is kept every minute, where its panel has that.
LONG_S = 3 * 3600
# Windows of rates are this many times as long as the time between two samples, so that one that is late leaves no hole.
SAMPLES = 4
_PLACE = re.compile(r"\{\{\s*([a-zA-Z_]+)\s*\}\}")


class Refusal(Exception):
    """What was asked for is not allowed, or not there."""


class Store:
    """Prometheus. ``address``: http://host:port; ``interval_s``: between two samples."""

    def __init__(self, address, interval_s=15):
        self._ask, self._interval = Prometheus(address, LIMIT_S, MOST_BYTES).get, interval_s

    def picture(self, panel, start, end, points):
        """What a panel shows from ``start`` to ``end`` (seconds since the epoch): {times, series: [{name, values}], left}, or for a number
        {values: [{name, value}]}. Raises Refusal, HttpError."""
        if panel["kind"] == "number":
            return {"values": [row for query, legend in panel["queries"] for row in self._now(self._filled(query, 0), legend)]}
        start, end, step = span(start, end, points, self._interval)
        times = list(range(start, end + 1, step))
        found = []
        kept = panel.get("kept") if end - start > LONG_S else ()
        for number, (query, legend) in enumerate(panel["queries"]):
            query = kept[number] if kept else self._filled(query, step)
            answer = self._ask("query_range", query=query, start=start, end=end, step=step, timeout="8s")
            found += [{"name": named(row["metric"], legend), "values": _values(row["values"], start, step, len(times))} for row in answer["result"]]
        found.sort(key=lambda row: _rank(panel, row))
        return {"times": times, "series": found[:MOST_SERIES], "left": max(0, len(found) - MOST_SERIES)}

    def one(self, query):
        """The series that a query answers now: [(labels, value)]. Raises HttpError."""
        return [(row["metric"], _number(row["value"][1])) for row in self._ask("query", query=query, timeout="8s")["result"]]

    def alerts(self):
        """Rows of alerts that fire or are about to. Raises HttpError."""
        return [alert_row(alert) for alert in told_alerts(self._ask("alerts")["alerts"])]

    def _now(self, query, legend):
        return [{"name": named(labels, legend), "value": _told(value)} for labels, value in self.one(query)[:MOST_SERIES]]

    def _filled(self, query, step):
        return query.replace("$range", f"{max(SAMPLES * self._interval, step)}s")


def span(start, end, points, interval_s=15):
    """(first, last, step) of a picture in seconds, on whole steps so that it does not tremble from one look to the next. Raises Refusal."""
    if not (math.isfinite(start) and math.isfinite(end)) or end > time.time() + AHEAD_S:
        raise Refusal("the time lies ahead")
    if not SHORTEST_S <= end - start <= LONGEST_S:
        raise Refusal(f"the time between start and end is not from {SHORTEST_S} s to {LONGEST_S // 86400} days")
    points = min(MOST_POINTS, max(LEAST_POINTS, points))
    step = max(interval_s, math.ceil((end - start) / points))
    return int(start // step * step), int(end // step * step), step


def named(labels, legend):
    """The legend with a series' labels in their places."""
    return _PLACE.sub(lambda match: str(labels.get(match.group(1), "")), legend)[:200]


def _rank(panel, row):
    """Where series are named by their labels, they stand by name; else as the panel says."""
    return row["name"] if any("{{" in legend for _query, legend in panel["queries"]) else ""


def _values(pairs, start, step, count):
    found = [None] * count
    for moment, text in pairs:
        at = round((float(moment) - start) / step)
        if 0 <= at < count:
            value = _number(text)
            found[at] = value if math.isfinite(value) else None
    return found


def _number(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


def _told(value):
    """A number as JSON has it; never is told as a word, and what is no number as nothing."""
    return "never" if value == math.inf else value if math.isfinite(value) else None


__all__ = ["LONGEST_S", "MOST_POINTS", "MOST_SERIES", "Refusal", "Store", "named", "span"]
