"""Parameters in the texts of a job: ``${yyyy-MM-dd}`` and ``${name}``. Pure Python, 3.8 and newer.

A moment is written with yyyy, MM, dd, HH, mm and ss, with other signs between them if liked, and may be moved:
``${yyyyMMdd-1}`` by the smallest of its parts, ``${yyyy-MM-dd-2M}`` by a unit: y, M, w, d, H, m or s. A first $ more
keeps the text as it is: ``$${yyyy}``. What is no parameter is left alone, since shells write their variables alike.
"""
from __future__ import annotations

import calendar
import datetime
import re

_PARTS = ("yyyy", "MM", "dd", "HH", "mm", "ss")
_UNITS = {"yyyy": "y", "MM": "M", "dd": "d", "HH": "H", "mm": "m", "ss": "s"}
_CODES = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_TOKEN = re.compile("|".join(_PARTS))
_FORM = re.compile(r"(?P<form>(?:yyyy|MM|dd|HH|mm|ss|[-_/:. T])*?)(?:(?P<sign>[+-])(?P<number>\d{1,5})(?P<unit>[yMwdHms]?))?")
_PLACE = re.compile(r"(\$?)\$\{([^${}\s][^${}]*)\}")
_STEPS = {"w": "weeks", "d": "days", "H": "hours", "m": "minutes", "s": "seconds"}
ZONE = re.compile(r"(?:UTC|Z|([+-])(\d\d):?(\d\d))$")


def fill(text, moment, parameters=None):
    """The text with the moment's parts and the parameters ({name: value}) in their places.

    Parameters are looked up first. Raises ValueError when a moment is moved out of the calendar.
    """
    known = parameters or {}

    def value(match):
        if match.group(1):
            return match.group(0)[1:]
        name = match.group(2)
        if name in known:
            return str(known[name])
        found = written(name, moment)
        return match.group(0) if found is None else found

    return _PLACE.sub(value, text)


def written(form, moment):
    """The moment in a form such as yyyyMMdd-1; None when the text is no such form."""
    match = _FORM.fullmatch(form)
    parts = _TOKEN.findall(match.group("form")) if match else []
    if not parts:
        return None
    if match.group("sign"):
        smallest = max(parts, key=_PARTS.index)
        number = int(match.group("number")) * (1 if match.group("sign") == "+" else -1)
        moment = moved(moment, number, match.group("unit") or _UNITS[smallest])
    return _TOKEN.sub(lambda part: moment.strftime(_CODES[part.group(0)]).zfill(len(part.group(0))), match.group("form"))


def moved(moment, number, unit):
    """The moment moved by so many units; the last day of a month when the day is not in it."""
    try:
        if unit in _STEPS:
            return moment + datetime.timedelta(**{_STEPS[unit]: number})
        months = moment.year * 12 + moment.month - 1 + number * (12 if unit == "y" else 1)
        year, month = months // 12, months % 12 + 1
        return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))
    except (OverflowError, ValueError, calendar.IllegalMonthError):
        raise ValueError(f"{moment:%Y-%m-%d} moved by {number}{unit} is out of the calendar")


def zone(name):
    """The time zone of this name: UTC, +08:00 or one like Asia/Shanghai. Raises ValueError."""
    match = ZONE.fullmatch(name)
    if match:
        sign, hours, minutes = match.groups()
        offset = datetime.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        return datetime.timezone(-offset if sign == "-" else offset)
    try:
        from zoneinfo import ZoneInfo
    except ImportError:
        raise ValueError(f"time zone {name}: the master's Python is older than 3.9 and knows no names, write it as +08:00")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name} on the master: write it as Asia/Shanghai, +08:00 or UTC")


def read(text, zone_name):
    """The moment that a text names: 2026-11-26, 2026-11-26T06:30 or with its own zone. Raises ValueError."""
    text = str(text)
    try:
        found = datetime.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise ValueError(f"{text!r} is no time, expected one such as 2026-11-26T06:30")
    return found if found.tzinfo else found.replace(tzinfo=zone(zone_name))
