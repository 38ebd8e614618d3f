"""Text forms of figures: answers to queries, and the screen of `emrctl top`."""
from __future__ import annotations

import math
import time

from ansible_collections.emr.cluster.plugins.module_utils.domain.monitoring import looks
from ansible_collections.emr.cluster.plugins.module_utils.domain.text.quantities import of_bytes
from emrctl.output import table

# What nodes can be sorted by -> its column.
SORTS = {"node": "node", "cpu": "cpu_percent", "memory": "memory_percent", "disk": "disk_percent", "received": "received_bytes_s", "sent": "sent_bytes_s",
         "load": "load"}
# Labels that say the same as others.
IMPLIED = ("job", "instance", "service", "role", "group")
CHART_LINES, CHART_SERIES, TABLE_ROWS = 18, 8, 200
UNITS = ("", "K", "M", "G", "T", "P")


def answer(data: dict) -> str:
    """The answer to a query: a table of values, or a chart and a table with the least, mean, greatest and last value of each series."""
    series = data["series"]
    if not series:
        return ""
    if data["kind"] != "matrix":
        rows = [{**labels(row["labels"]), "value": row["values"][-1][1]} for row in series[:TABLE_ROWS]]
        return table(rows, list(dict.fromkeys(key for row in rows for key in row if key != "value")) + ["value"])
    rows = []
    for row in series:
        values = [float(text) for _moment, text in row["values"]]
        # A share of nothing is not a number, and no part of a least or a mean.
        known = [value for value in values if math.isfinite(value)]
        least, mean, greatest = (min(known), sum(known) / len(known), max(known)) if known else (None, None, None)
        rows.append({**labels(row["labels"]), "least": number(least), "mean": number(mean), "greatest": number(greatest),
                     "last": number(values[-1] if math.isfinite(values[-1]) else None)})
    found = list(dict.fromkeys(key for row in rows for key in row))
    last = ["least", "mean", "greatest", "last"]
    return f"{chart(series, data['since_s'])}\n\n{table(rows, [key for key in found if key not in last] + last)}"


def labels(given: dict) -> dict:
    """The labels that tell series apart for people."""
    shown = {key: value for key, value in given.items() if key not in IMPLIED and key != "__name__"}
    name = given.get("__name__")
    return {**({"name": name} if name else {}), **shown}


def chart(series, since_s: int, width: int | None = None) -> str:
    """A chart for a terminal of the first series, with the time below it."""
    import shutil

    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    columns = width or min(120, shutil.get_terminal_size((100, 30)).columns)
    plotext.plotsize(columns, CHART_LINES)
    for row in series[:CHART_SERIES]:
        found = labels(row["labels"])
        title = found.get("node") or found.get("queue") or found.get("component") or " ".join(found.values()) or "value"
        points = [(moment, float(text)) for moment, text in row["values"] if math.isfinite(float(text))]
        if points:
            plotext.plot(*map(list, zip(*points, strict=True)), label=plain(title)[:40], marker="braille")
    start, end = series[0]["values"][0][0], max(row["values"][-1][0] for row in series)
    ticks = [start + (end - start) * i / 4 for i in range(5)]
    form = "%m-%d %H:%M" if since_s > 86400 else "%H:%M:%S" if since_s < 600 else "%H:%M"
    plotext.xticks(ticks, [time.strftime(form, time.localtime(tick)) for tick in ticks])
    return plotext.uncolorize(plotext.build()).rstrip()


def plain(text) -> str:
    """A text of somebody else's, without what would steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def number(value) -> str:
    """A number with four digits, large ones with a unit of thousands."""
    if value is None:
        return "-"
    size, unit = float(value), 0
    while abs(size) >= 10000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.4g}{UNITS[unit]}"


def percent(value) -> str:
    """A share, with a bar of ten blocks."""
    if value is None:
        return "-"
    full = max(0, min(10, round(value / 10)))
    return f"{'█' * full}{'░' * (10 - full)} {value:3.0f}%"


FORMS = {"bytes": of_bytes, "percent": percent, "per_second": lambda value: f"{of_bytes(value)}/s"}


def rows(look: dict) -> dict:
    """A look as data for programs."""
    return {"time": look["time"], "nodes": looks.nodes(look), "tables": looks.tables(look), "applications": looks.applications(look),
            "alerts": look["alerts"], "silent": look["silent"]}


class View:
    """What `top` shows of a look: sorted and filtered as its keys say."""

    def __init__(self, name: str, sort: str = "node"):
        self.name, self.sort, self.backwards, self.filter = name, sort, sort != "node", ""

    def next_sort(self) -> None:
        """Sort by the next column: names upwards, figures downwards."""
        names = list(SORTS)
        self.sort = names[(names.index(self.sort) + 1) % len(names)]
        self.backwards = self.sort != "node"

    def text(self, look: dict) -> str:
        """The whole as lines."""
        found = rows(look)
        parts = [self._head(found), self._nodes(found["nodes"]), *(self._table(title, listed) for title, listed in found["tables"].items()),
                 self._applications(found["applications"]), self._alerts(found["alerts"])]
        parts += [f"{who} does not answer: {plain(why)}" for who, why in sorted(found["silent"].items())]
        return "\n\n".join(part for part in parts if part)

    def _kept(self, listed: list) -> list:
        """Those rows that have the filter's text in them."""
        wanted = self.filter.lower()
        return [row for row in listed if wanted in " ".join(str(value) for value in row.values()).lower()]

    def _head(self, found: dict) -> str:
        serious = sum(alert["severity"] == "critical" for alert in found["alerts"])
        alerts = f"{len(found['alerts'])} alerts, {serious} critical" if found["alerts"] else "no alerts"
        shown = f"; only rows with {self.filter!r}" if self.filter else ""
        return f"{self.name} at {time.strftime('%H:%M:%S', time.localtime(found['time']))}: {len(found['nodes'])} nodes, {alerts}{shown}"

    def _nodes(self, listed: list) -> str:
        column = SORTS[self.sort]
        kept = sorted(self._kept(listed), key=lambda row: (row[column] is None, row[column] if row[column] is not None else 0), reverse=self.backwards)
        shown = [{"node": row["node"], "role": row["role"], "cpu": percent(row["cpu_percent"]), "memory": percent(row["memory_percent"]),
                  "disk": percent(row["disk_percent"]), "received": f"{of_bytes(row['received_bytes_s'])}/s", "sent": f"{of_bytes(row['sent_bytes_s'])}/s",
                  "load": "-" if row["load"] is None else f"{row['load']:.2f}", "daemons": row["daemons"], "alerts": row["alerts"] or ""} for row in kept]
        titles = {self.sort: f"{self.sort.upper()} {'▼' if self.backwards else '▲'}"}
        return table(shown, list(shown[0]), titles) if shown else ""

    def _table(self, title: str, listed: list) -> str:
        """A service's own table, whose first column is called like it."""
        drawn = looks.TABLES[title]
        units = {name: unit for name, _query, unit in drawn.columns}
        kept = self._kept(listed) if drawn.by else listed
        shown = [{title: row[drawn.by] if drawn.by else "", **{name: FORMS.get(unit, number)(row[name]) for name, unit in units.items()}} for row in kept]
        return table(shown, [title, *units]) if shown else ""

    def _applications(self, listed: list) -> str:
        shown = [{"application": row["application"], "user": row["user"], "queue": row["queue"], "state": row["state"],
                  "progress": percent(row["progress_percent"]), "memory_mib": row["memory_mib"], "vcores": row["vcores"], "seconds": f"{row['seconds']:.0f}",
                  "name": row["name"][:40]} for row in self._kept(listed)]
        return table(shown, list(shown[0])) if shown else "No application runs or waits." if not self.filter else ""

    def _alerts(self, listed: list) -> str:
        shown = [{"severity": row["severity"], "alert": row["name"], "node": row["node"] or "-", "what": row["means"], "next": row["help"]}
                 for row in self._kept(listed)]
        return table(shown, list(shown[0])) if shown else ""
