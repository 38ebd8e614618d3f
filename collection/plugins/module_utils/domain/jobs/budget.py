"""What a cluster may cost in a month, and how far it is: from its prices, since when each of them held."""
from __future__ import annotations

import calendar
import re
import time

from .usage import spent

# What a flow's runner gives its jobs for a token: the flow runs, so its jobs do.
OF_FLOW = re.compile(r"f-\d{8}-\d{6}-[0-9a-f]{4}\..+")


def month(now):
    """(begin, end) of the calendar month of a moment, in UTC, in seconds since the epoch."""
    year, number = time.gmtime(now)[:2]
    return tuple(calendar.timegm((year + (month - 1) // 12, (month - 1) % 12 + 1, 1, 0, 0, 0)) for month in (number, number + 1))


def state(budget, prices, now):
    """{monthly, spent, share, warns, refuses, releases, currency, until} of a budget {monthly, warn_at, beyond}.

    None without a budget, or where no price is known.
    """
    if not budget or not prices:
        return None
    begin, until = month(now)
    amount = spent(prices, begin, now)
    share = amount / budget["monthly"]
    return {"monthly": budget["monthly"], "spent": round(amount, 4), "share": round(share, 4), "warns": share >= budget["warn_at"] / 100.0,
            "refuses": share >= 1 and budget["beyond"] == "refuse", "releases": share >= 1 and budget["beyond"] == "release",
            "currency": prices[-1].get("currency", ""), "until": until}


def in_words(found):
    """What a state (above) says of this month, for people, and the day (UTC) on which the next one begins."""
    return (f"the cluster has cost {found['spent']:,.2f} {found['currency']} this month, and its budget is {found['monthly']:,.2f}",
            time.strftime("%Y-%m-%d", time.gmtime(found["until"])))


def refusal(budget, prices, now, token=""):
    """Why a new job or flow is refused, or ''. ``token``: of a job; those of flows that run go on."""
    found = state(budget, prices, now)
    if not found or not found["refuses"] or OF_FLOW.fullmatch(token or ""):
        return ""
    spent_so_far, day = in_words(found)
    return f"{spent_so_far}: nothing new is begun before {day}. Next: raise budget.monthly in the spec, and emrctl apply it"


__all__ = ["in_words", "month", "refusal", "state"]
