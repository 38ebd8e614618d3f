"""The advice as a commented cluster.yml."""
from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from .advice import Advice, Group
from .needs import SOURCES

WIDTH = 110


@dataclass(frozen=True)
class Place:
    """Where the cluster shall live; each of the ``*_why`` is a remark for its line. Without ``vswitch_id`` a network is made."""

    name: str
    release: str
    region: str
    zone: str
    services: tuple
    image: str
    vswitch_id: str
    access: str
    ssh_from: str
    image_why: str = ""
    vswitch_why: str = ""
    ssh_why: str = ""


def cluster_yml(advice: Advice, place: Place) -> str:
    """The text of the file: valid as it is, with a reason for each choice and the rejected alternatives."""
    needs = advice.needs
    unit = "state of the stream" if needs.workload == "streaming" else "read by one job"
    lines = _comment([
        f"Cluster {place.name} for {needs.workload} work, advised by emrctl init from these answers:",
        f"{needs.data_gib:,.0f} GiB now, {needs.growth_gib:,.0f} GiB more a month, kept {needs.months} months; "
        f"{needs.working_set_gib:,.0f} GiB {unit}"
        + ("" if needs.workload == "streaming" else f", done in {needs.deadline_minutes:g} minutes")
        + ("." if needs.budget_month is None else f"; at most {needs.budget_month:,.2f} a month."),
        "What follows from them:", *(f"- {sentence}" for sentence in advice.demand.why),
        f"Price: {advice.hourly:,.2f} {advice.currency} an hour, {advice.monthly:,.2f} a month of 730 hours"
        + (f" ({advice.source})" if advice.source else "") + ", traffic not counted.",
        "Change what you like. Then look: emrctl plan THIS_FILE. Then buy: emrctl create THIS_FILE."], "")
    lines += ["", f"name: {place.name}", f"release: {place.release}", f"region: {place.region}", f"zone: {place.zone}",
              f"services: [{', '.join(place.services)}]", *_remarked(f"image: {place.image}", place.image_why),
              "network:", *_remarked(f"  vswitch_id: {place.vswitch_id}" if place.vswitch_id else "  create: true", place.vswitch_why),
              f"  access: {place.access}", *_remarked(f"  ssh_from: {place.ssh_from}", place.ssh_why), "node_groups:"]
    for group in advice.groups:
        lines += _group(group)
    cited = sorted({int(n) for n in re.findall(r"\[(\d+)\]", "\n".join(lines))})
    lines += ["", "# Sources", *(line for n in cited for line in _comment([f"[{n}] {SOURCES[n]}"], ""))]
    return "\n".join(lines) + "\n"


def _group(group: Group) -> list:
    lines = [*_comment([f"- {r}" for r in group.reasons if r], "  ")]
    if group.rejected:
        lines += ["  # Rejected:", *_comment([f"  {name}: {why}" for name, why in group.rejected], "  ")]
    lines += [f"  {group.name}:", f"    count: {group.count}", f"    instance_types: [{', '.join(group.types)}]"
              + ("  # in this order; the next when one is sold out" if len(group.types) > 1 else "")]
    if group.spot:
        lines.append("    spot: {}  # bids the market price")
    layout = group.layout
    lines.append(f"    system_disk: {{category: {layout.system_category}, size_gib: {layout.system_gib}}}")
    if layout.data:
        disks = ", ".join(f"{{category: {c}, size_gib: {size}, count: {n}}}" for c, size, n in layout.data)
        lines.append(f"    data_disks: [{disks}]")
    return lines


def _remarked(line: str, why: str) -> list:
    """A line with its remark, behind it where there is room."""
    why = " ".join(why.split())
    if not why:
        return [line]
    indent = line[:len(line) - len(line.lstrip())]
    return [f"{line}  # {why}"] if len(line) + len(why) + 4 <= WIDTH else [*_comment([why], indent), line]


def _comment(sentences, indent: str) -> list:
    """Comment lines. Control characters, which answers of the API could carry, do not get out of them."""
    lines = []
    for sentence in sentences:
        lead = len(sentence) - len(sentence.lstrip(" ")) + 2
        text = "".join(c if c.isprintable() else " " for c in sentence)
        lines += textwrap.wrap(text, WIDTH - len(indent) - 2, subsequent_indent=" " * lead, break_long_words=False,
                               break_on_hyphens=False) or [""]
    return [f"{indent}# {line}" for line in lines]
