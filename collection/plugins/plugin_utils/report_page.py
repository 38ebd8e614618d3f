"""The report on the use of a cluster as one page of HTML: no scripts, nothing from another address, light and dark."""
from __future__ import annotations

import html
import time

STYLE = """:root{color-scheme:light dark;--line:#8884;--bar:#4a7ebb}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}td.text{text-align:left;white-space:normal}
.bar{display:inline-block;height:.7em;background:var(--bar);min-width:1px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dd{margin:0}"""
TITLES = {"user": "By user", "queue": "By queue", "flow": "By flow", "name": "By job"}


def page(found: dict) -> str:
    """The page."""
    e, cluster, jobs, currency = html.escape, found["cluster"], found["jobs"], found["currency"]
    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{e(found['name'])}</title>",
             f"<style>{STYLE}</style><h1>Use of cluster {e(found['name'])}</h1>", "<dl>",
             *(f"<dt>{e(key)}<dd>{e(value)}" for key, value in facts(cluster, jobs, currency, found)), "</dl>"]
    for key, title in TITLES.items():
        rows = found["by"][key]
        if rows:
            head = [key if key != "name" else "job", "jobs", "failed", "hours", "waited s", "GiB h", "vcore h", f"cost {currency}", "share"]
            parts += [f"<h2>{title}</h2>", table(head, [[e(str(row[key])), *numbers(row), as_bar(row["share"])] for row in rows])]
    if found["wasteful"]:
        head = ["job", "user", f"cost {currency}", "wasted", "memory used", "CPU used", "suggestion"]
        parts += ["<h2>Asked for and not used</h2>", table(head, [
            [f"{e(row['name'])}<br><small>{e(row['id'])}</small>", e(row["user"]), f"{row['cost']:.4f}", f"{row['wasted']:.4f}", percent(row["memory_used"]),
             percent(row["cpu_used"]), ("text", e(row["suggestion"]))] for row in found["wasteful"]])]
    return "\n".join(parts) + "\n"


def facts(cluster: dict, jobs: dict, currency: str, found: dict) -> list:
    """Rows (name, words) of what is said of the cluster as a whole."""
    states = ", ".join(f"{number} {state}" for state, number in sorted(jobs["states"].items()))
    rows = [("From", moment(found["since"])), ("To", moment(found["until"])), ("Jobs", f"{jobs['number']:,}" + (f" ({states})" if states else "")),
            ("Waited", f"{jobs['waited_median_s']:,.0f} s in the median, {jobs['waited_most_s']:,.0f} s at most"),
            ("YARN's memory used", percent(cluster["memory_share"])), ("YARN's vcores used", percent(cluster["vcore_share"]))]
    if currency:
        rows += [("Cost of the cluster", f"{cluster['cost']:,.2f} {currency} in {cluster['hours']:,.1f} hours"),
                 ("of that, work", f"{cluster['work_cost']:,.4f} {currency}"), ("unused", f"{cluster['unused_cost']:,.4f} {currency}")]
    if found.get("budget"):
        row = found["budget"]
        rows.append(("Budget of this month", f"{row['spent']:,.2f} of {row['monthly']:,.2f} {row['currency']} ({percent(row['share'])})"))
    return rows


def numbers(row: dict) -> list:
    """The sums of a row, as texts."""
    return [f"{row['jobs']:,}", f"{row['failed']:,}", f"{row['seconds'] / 3600:,.2f}", f"{row['waited_s']:,.0f}", f"{row['memory_mib_s'] / 1024 / 3600:,.2f}",
            f"{row['vcore_s'] / 3600:,.2f}", f"{row['cost']:,.4f}"]


def as_bar(share) -> str:
    """A share as a bar with its number."""
    return "-" if share is None else f"<span class=bar style='width:{share * 4:.2f}rem'></span> {percent(share)}"


def percent(share) -> str:
    """A share for people."""
    return "-" if share is None else f"{share:.1%}"


def moment(seconds: float) -> str:
    """A time in UTC."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def table(head: list, rows: list) -> str:
    """A table of cells that are HTML already; a pair is (class, HTML)."""
    lines = ["<div class=wide><table><tr>" + "".join(f"<th>{html.escape(name)}" for name in head)]
    lines += ["<tr>" + "".join(f"<td class={cell[0]}>{cell[1]}" if isinstance(cell, tuple) else f"<td>{cell}" for cell in row) for row in rows]
    return "\n".join([*lines, "</table></div>"])
