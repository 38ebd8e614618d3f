"""The same answers, computed here from the CSV file with nothing but the csv module, to check the cluster's by."""
from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

LEAST_FLIGHTS = 365  # a route needs that many arrivals to be ranked


@dataclass
class Answers:
    """daily: day -> [flights, cancelled, departed, minutes late, longest delay or None];
    airlines, routes: key -> [arrived, minutes late]; months: month -> flights."""

    daily: dict = field(default_factory=dict)
    airlines: dict = field(default_factory=dict)
    routes: dict = field(default_factory=dict)
    months: dict = field(default_factory=dict)
    rows: int = 0


def compute(flights: Path) -> Answers:
    """Read the file once and count."""
    found = Answers()
    with open(flights, newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            found.rows += 1
            _day(found.daily, row)
            month = int(row["month"])
            found.months[month] = found.months.get(month, 0) + 1
            if row["arr_delay"] != "NA":
                late = int(row["arr_delay"])
                for group, key in ((found.airlines, row["carrier"]), (found.routes, (row["origin"], row["dest"]))):
                    sums = group.setdefault(key, [0, 0])
                    sums[0] += 1
                    sums[1] += late
    found.routes = {key: sums for key, sums in found.routes.items() if sums[0] >= LEAST_FLIGHTS}
    return found


def _day(daily: dict, row: dict) -> None:
    key = f"{row['year']}-{int(row['month']):02d}-{int(row['day']):02d}"
    sums = daily.setdefault(key, [0, 0, 0, 0, None])
    sums[0] += 1
    if row["dep_delay"] == "NA":
        sums[1] += 1
        return
    late = int(row["dep_delay"])
    sums[2] += 1
    sums[3] += late
    sums[4] = late if sums[4] is None else max(sums[4], late)


def read_daily(folder: Path) -> dict:
    """What the MapReduce job wrote, in the form of ``Answers.daily``."""
    found = {}
    for line in _lines(folder):
        day, values = line.split("\t")
        *sums, longest = values.split(",")
        found[day] = [*map(int, sums), None if longest == "NA" else int(longest)]
    return found


def read_ranking(folder: Path, keys: int) -> list:
    """What Spark SQL wrote, by rank: [(rank, key columns…, arrived, minutes)]."""
    rows = [tuple(row) for row in csv.reader(_lines(folder))]
    split = 1 + keys
    return sorted((int(r[0]), *r[1:split], int(r[split]), int(r[split + 1])) for r in rows)


def read_batches(folder: Path) -> list:
    """What the stream wrote: for each batch in order {month: flights}."""
    return [{int(m): int(n) for m, n in (line.split(",") for line in _lines(batch))}
            for batch in sorted(folder.glob("batch=*"))]


def ranking(groups: dict) -> list:
    """Keys by mean delay, the longest first; the key decides between equal ones."""
    return sorted(groups, key=lambda key: (-groups[key][1] / groups[key][0], key))


def _lines(folder: Path) -> list:
    parts = sorted(folder.glob("part-*")) if folder.is_dir() else [folder]
    return [line for part in parts for line in part.read_text(encoding="utf-8").splitlines() if line]
