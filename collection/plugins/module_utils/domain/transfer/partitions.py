"""How a table is read in parts: predicates from bounds, and watermarks as SQL.

Values of a database come as it writes them itself: numbers, or texts such as ``2026-01-31`` and ``2026-01-31 12:00:00.5+00``.
"""
from __future__ import annotations

import datetime
import re
from decimal import Decimal

NUMBER = re.compile(r"-?\d+(\.\d+)?")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?(\+00(:?00)?)?")
FORMS = {"number": NUMBER, "date": DATE, "moment": MOMENT}


def literal(value, kind):
    """A value of the database as a literal of its SQL. Raises ValueError for what does not look like one of this kind."""
    text = str(value)
    if not FORMS[kind].fullmatch(text):
        raise ValueError(f"{text!r} is not a {kind}")
    return text if kind == "number" else f"'{text}'"


def predicates(column, kind, low, high, parts):
    """Conditions on the quoted ``column`` that divide the rows from ``low`` to ``high`` into at most ``parts``.

    Each row fits exactly one of them, whatever is added outside of the bounds meanwhile; NULL goes with the first. Without
    bounds (an empty table) there is one condition that holds for all.
    """
    cuts = [] if low is None or high is None else _cuts(kind, str(low), str(high), parts)
    if not cuts:
        return ["1 = 1"]
    texts = [literal(cut, kind) for cut in cuts]
    middle = [f"{column} >= {a} AND {column} < {b}" for a, b in zip(texts, texts[1:])]  # noqa: RUF007 (Python 3.8)
    return [f"{column} < {texts[0]} OR {column} IS NULL", *middle, f"{column} >= {texts[-1]}"]


def _cuts(kind, low, high, parts):
    """Values between the bounds, growing, each once."""
    literal(low, kind), literal(high, kind)
    if kind == "number":
        first, last = int(Decimal(low).to_integral_value()), int(Decimal(high).to_integral_value())
        found = [first + (last - first + 1) * step // parts for step in range(1, parts)]
        return sorted({cut for cut in found if cut > first})
    first, last = _moment(low), _moment(high)
    found = [first + (last - first) * step / parts for step in range(1, parts)]
    if kind == "date":
        return sorted({cut.date().isoformat() for cut in found if cut.date() > first.date()})
    zone = "+00" if "+" in low else ""
    return sorted({cut.isoformat(" ", "microseconds") + zone for cut in found if cut > first})


def _moment(text):
    text = text.split("+")[0].replace("T", " ")
    form = "%Y-%m-%d" + (" %H:%M:%S" if " " in text else "") + (".%f" if "." in text else "")
    return datetime.datetime.strptime(text, form)


def since(column, kind, after, until):
    """Condition for the rows beyond a watermark (None: from the beginning) up to and with another."""
    upper = f"{column} <= {literal(until, kind)}"
    return upper if after is None else f"{column} > {literal(after, kind)} AND {upper}"
