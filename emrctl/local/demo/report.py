"""The demo's tables."""
from __future__ import annotations

import csv
from pathlib import Path

from emrctl.output import table


def days(daily: dict, count: int = 5) -> str:
    """The days with the longest mean delay."""
    def mean(day: str) -> float:
        _, _, departed, minutes, _ = daily[day]
        return minutes / departed if departed else 0.0

    rows = []
    for day in sorted(daily, key=mean, reverse=True)[:count]:
        total, cancelled, _, _, longest = daily[day]
        rows.append({"day": day, "flights": total, "cancelled": cancelled, "mean delay (min)": round(mean(day), 1),
                     "longest (min)": longest})
    return _titled(f"The {count} worst of {len(daily)} days", rows)


def ranking(title: str, keys: list, rows: list, count: int) -> str:
    """The first ``count`` of a ranking: (rank, key columns…, arrived, minutes)."""
    out = []
    for rank, *rest in rows[:count]:
        *names, arrived, minutes = rest
        out.append({"rank": rank, **dict(zip(keys, names, strict=True)), "arrived": arrived,
                    "mean delay (min)": round(minutes / arrived, 2)})
    return _titled(title, out)


def batches(found: list) -> str:
    """Growth of the counts from batch to batch."""
    rows = [{"batch": n, "months": len(counts), "flights": sum(counts.values())} for n, counts in enumerate(found)]
    return _titled("Flights counted after each batch", rows)


def links(made: dict) -> str:
    """The web pages that create named."""
    found = _pages(made)
    return table(found, list(found[0])) if found else "(no web pages)"


def front(made: dict) -> str:
    """The address of the page where a person begins, which is the first."""
    return next((row["url"] for row in _pages(made)), "")


def _pages(made: dict) -> list:
    found = made.get("links") or []
    return [{"page": page, "url": url} for page, url in found.items()] if isinstance(found, dict) else found


def airline_names(path: Path) -> dict:
    """Name of each airline by its code."""
    with open(path, newline="", encoding="utf-8") as stream:
        return {row["carrier"]: row["name"] for row in csv.DictReader(stream)}


def _titled(title: str, rows: list) -> str:
    return f"\n{title}\n" + "\n".join("  " + line for line in table(rows, list(rows[0])).splitlines()) + "\n"
