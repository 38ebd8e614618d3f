"""Text forms of what jobs have used, what that cost, and why they were slow."""
from __future__ import annotations

import textwrap

from ansible_collections.emr.cluster.plugins.module_utils.domain.text.quantities import of_bytes
from emrctl.failures import named
from emrctl.output import table

WIDTH = 98


def brief(job: dict) -> dict:
    """What a list of jobs has of it: GiB and vcore seconds, and the price."""
    found = job.get("usage") or {}
    if not found.get("memory_mib_s"):
        return {}
    return {"gib_s": round(found["memory_mib_s"] / 1024), "vcore_s": found["vcore_s"], "cost": money(found.get("cost"))}


def money(cost: dict | None) -> str:
    """An amount with its currency."""
    return "" if not cost else f"{amount(cost['amount'])} {cost['currency']}".strip()


def amount(number: float) -> str:
    """An amount: two digits after the point, small ones with more of them."""
    return f"{number:,.2f}" if number >= 1 else f"{number:.4f}"


def used(job: dict) -> str:
    """What a job has used, of what it had asked for; '' where nothing is known."""
    found = job.get("usage") or {}
    if not found.get("memory_mib_s"):
        return ""
    rows = [("memory", f"{found['memory_mib_s'] / 1024:,.0f} GiB s", _peak(found)),
            ("vcores", f"{found['vcore_s']:,} s", f"{found['cpu_s']:,.0f} s of CPU time used" if found.get("cpu_s") else ""),
            ("read", of_bytes(found["read_bytes"]), ""), ("written", of_bytes(found["written_bytes"]), ""),
            ("waited", f"{found['wait_s']:,.0f} s", "for the first containers"), ("cost", money(found.get("cost")), "")]
    text = table([{"used": name, "amount": value, "": more} for name, value, more in rows if value], ["used", "amount", ""])
    return text if found.get("complete") else f"{text}\nThe history of its framework has not come yet: look again in some seconds."


def _peak(found: dict) -> str:
    if not found.get("peak_mib"):
        return ""
    return f"at most {found['peak_mib']:,} MiB in a container" + (f", asked for {found['asked_mib']:,}" if found.get("asked_mib") else "")


def slow(job: dict, cluster: str = "") -> str:
    """Why a job was slow, with what helps; '' where nothing stands out."""
    lines = []
    for row in job.get("slow") or []:
        lines += [*textwrap.wrap(f"- {row['text']}", WIDTH, subsequent_indent="  "),
                  *textwrap.wrap(named(row["helps"], cluster), WIDTH, initial_indent="  → ", subsequent_indent="    ")]
    return "\n".join(["Why it took long:", *lines]) if lines else ""


def report(found: dict, cut: bool, path: str) -> str:
    """The report on the use of a cluster."""
    from ansible_collections.emr.cluster.plugins.plugin_utils.report_page import facts, numbers, percent

    parts = [table([{"cluster": key, found["name"]: value} for key, value in facts(found["cluster"], found["jobs"], found["currency"], found)],
                   ["cluster", found["name"]])]
    columns = ("jobs", "failed", "hours", "waited s", "GiB h", "vcore h", f"cost {found['currency']}".strip())
    for key, rows in found["by"].items():
        title = "job" if key == "name" else key
        lines = [{title: row[key], **dict(zip(columns, numbers(row), strict=True)), "share": percent(row["share"])} for row in rows]
        parts += [table(lines, [title, *columns, "share"])] if lines else []
    if found["wasteful"]:
        parts.append("Asked for and not used:")
        for row in found["wasteful"]:
            text = (f"- {row['name']} ({row['id']}, {row['user']}): {amount(row['wasted'])} of {amount(row['cost'])} {found['currency']}; memory used "
                    f"{percent(row['memory_used'])}, CPU {percent(row['cpu_used'])}" + (f"; {named(row['suggestion'], found['name'])}" if row["suggestion"] else ""))
            parts.append("\n".join(textwrap.wrap(text, WIDTH, subsequent_indent="  ")))
    if not found["currency"]:
        parts.append("The prices of this cluster are not known yet. To keep them on it: emrctl apply SPEC")
    if cut:
        parts.append("There were more jobs than a report looks at: it has the newest.")
    return "\n\n".join(parts) + (f"\n\nPage: {path}" if path else "")
