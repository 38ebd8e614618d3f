"""Files of the cluster's page: what it shows of this cluster, and the page itself (node/page/static)."""
from __future__ import annotations

import json

from ..domain.resident.files import source
from . import monitoring_files
from .yarn import RESOURCEMANAGER

# Of the page; uPlot 1.6.32 draws its charts, MIT licence.
NAMES = ("index.html", "page.css", "page.js", "charts.js", "format.js", "tables.js", "timeline.js", "sections.js", "icon.svg",
         "uplot.min.js", "uplot.min.css", "uplot-licence.txt")
PAGES = ("overview", "nodes")
# The series of what is kept, seconds between two samples of it, and the window of its rates, in which there are two samples of any sensible interval.
KEPT, KEPT_S, KEPT_RANGE = "emr_kept", 60, "5m"


def static(name: str):
    """The function of a file of the page: the same text for every cluster."""
    return lambda _facts, _effective: source(f"node/page/static/{name}")


def panels(services) -> list:
    """The panels of these (expanded) services as rows: those that show a part of everything first, then home by home."""
    from .registry import homes

    rows = [panel for home in homes(services) for panel in home.panels]
    order = list(dict.fromkeys([*PAGES, *(panel.page for panel in rows)]))
    return [{"id": row.id, "title": row.title, "page": row.page, "unit": row.unit, "kind": row.kind, "queries": [list(query) for query in row.queries],
             "kept": [kept(row, number) for number in range(len(row.queries))] if row.kept else []}
            for row in sorted(rows, key=lambda row: order.index(row.page))]


def kept(panel, number: int) -> str:
    """The query for what is kept of the answers to a panel's query of this number."""
    return f'{KEPT}{{panel="{panel.id}",query="{number}"}}'


def kept_rules(facts) -> str:
    """The rules that keep answers, as Prometheus reads them."""
    from .registry import homes

    rules = [{"record": KEPT, "expr": query.replace("$range", KEPT_RANGE), "labels": {"panel": panel.id, "query": str(number)}}
             for home in homes(facts.services) for panel in home.panels if panel.kept for number, (query, _legend) in enumerate(panel.queries)]
    return json.dumps({"groups": [{"name": "emr-kept", "interval": f"{KEPT_S}s", "rules": rules}]}, indent=1, sort_keys=True) + "\n"


def settings(facts, effective) -> str:
    """What the page's server knows of its cluster."""
    from .registry import COMPONENTS, components_on

    interval = monitoring_files.seconds(str(effective["monitoring"]["scrape.interval"]))
    known = {(node.name, component.name): component for node in facts.topology.nodes
             for component in components_on(facts.services, facts.topology, node) if component.metrics}
    manager = COMPONENTS[RESOURCEMANAGER.name]
    there = ",".join(row.url for row in facts.topology.endpoints(manager)) if facts.runs(manager.service) else ""
    return json.dumps({
        "cluster": facts.topology.cluster, "region": facts.spec.region, "release": facts.spec.release, "services": list(facts.services),
        "nodes": [{"name": node.name, "role": node.role, "group": node.group, "address": node.address, "type": node.instance_type,
                   "memory_mib": node.memory_mib, "vcpus": node.vcpus} for node in facts.topology.nodes],
        "daemons": [{"component": name, "node": node, "label": component.label} for (node, name), component in known.items()],
        "panels": panels(facts.services), "store": monitoring_files.STORE, "interval_s": max(1, interval), "applications": there, "as": manager.user,
    }, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
