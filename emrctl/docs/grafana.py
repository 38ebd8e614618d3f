"""docs/grafana/*.json: boards for people who run Grafana, made of the panels that the cluster's own page shows."""
from __future__ import annotations

import json

# Unit of a panel -> Grafana's name of it.
UNITS = {"": "short", "bytes": "bytes", "bytes_per_second": "binBps", "per_second": "ops", "percent": "percent", "seconds": "s", "until": "s"}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, CHART, TILE = 24, (12, 8), (6, 4)


def boards() -> dict:
    """{file name: JSON} of all boards, one for each page of the panels."""
    from ansible_collections.emr.cluster.plugins.module_utils.services.registry import HOMES

    pages: dict = {}
    for panel in (panel for home in HOMES.values() for panel in home.panels):
        pages.setdefault(panel.page, []).append(panel)
    return {f"{name}.json": json.dumps(board(name, panels), indent=1, ensure_ascii=False) + "\n" for name, panels in sorted(pages.items())}


def board(name: str, panels) -> dict:
    """One board: its numbers first, then its charts."""
    rows, x, y, high = [], 0, 0, 0
    for number, panel in enumerate(sorted(panels, key=lambda panel: panel.kind != "number"), 1):
        width, height = TILE if panel.kind == "number" else CHART
        if x + width > WIDTH or (high and height != high):
            x, y = 0, y + high
        rows.append(_panel(number, panel, {"x": x, "y": y, "w": width, "h": height}))
        x, high = x + width, height
    return {
        "title": f"EMR {name}", "uid": f"emr-{name}", "tags": ["emr"], "schemaVersion": 39, "version": 1, "editable": True, "timezone": "browser",
        "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "annotations": {"list": []}, "panels": rows,
        "templating": {"list": [{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1, "current": {}, "hide": 0}]}}


def _panel(number: int, panel, place: dict) -> dict:
    tile = panel.kind == "number"
    custom = {} if tile else {"custom": {"fillOpacity": 30 if panel.kind == "area" else 8, "lineWidth": 1, "showPoints": "never",
                                         "stacking": {"mode": "normal" if panel.kind == "area" else "none", "group": "A"}}}
    options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "none"} if tile else {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return {"id": number, "type": "stat" if tile else "timeseries", "title": panel.title, "gridPos": place, "datasource": SOURCE,
            "fieldConfig": {"defaults": {"unit": UNITS[panel.unit], **({} if panel.unit == "until" else {"min": 0}), **custom}, "overrides": []},
            "options": options,
            "targets": [{"refId": chr(ord("A") + at), "expr": query.replace("$range", "$__rate_interval"), "legendFormat": legend, "datasource": SOURCE,
                         **({"instant": True, "range": False} if tile else {"instant": False, "range": True})} for at, (query, legend) in enumerate(panel.queries)]}
