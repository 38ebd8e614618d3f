"""Parameters in the texts of a job: ``${yyyy-MM-dd}`` and ``${name}``.

A moment is written with yyyy, MM, dd, HH, mm and ss, with other signs between them if liked, and may be moved:
``${yyyyMMdd-1}`` by the smallest of its parts, ``${yyyy-MM-dd-2M}`` by a unit: y, M, w, d, H, m or s. A first $ more
keeps the text as it is: ``$${yyyy}``. What is no parameter is left alone, since shells write their variables alike.
The value of a parameter may hold moments and other parameters.
"""
from __future__ import annotations

import calendar
import datetime
import re

from ..flows.plan import cycle

_PARTS = ("yyyy", "MM", "dd", "HH", "mm", "ss")
_UNITS = {"yyyy": "y", "MM": "M", "dd": "d", "HH": "H", "mm": "m", "ss": "s"}
_CODES = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_TOKEN = re.compile("|".join(_PARTS))
_FORM = re.compile(r"(?P<form>(?:yyyy|MM|dd|HH|mm|ss|[-_/:. T])*?)(?:(?P<sign>[+-])(?P<number>\d{1,5})(?P<unit>[yMwdHms]?))?")
_PLACE = re.compile(r"(\$?)\$\{([^${}\s][^${}]*)\}")
_STEPS = {"w": "weeks", "d": "days", "H": "hours", "m": "minutes", "s": "seconds"}
# A moment with its zone's name behind it, as in RFC 9557: the offset is that of the moment alone.
_NAMED = re.compile(r"(.+)\[([A-Za-z0-9_+/-]+)\]")
_UTC = datetime.timezone.utc  # noqa: UP017 (UTC came with 3.11)
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


def names_in(text):
    """What stands in ``${…}`` in a text, in its order: names of parameters, forms of moments, a shell's variables."""
    return [match.group(2) for match in _PLACE.finditer(str(text)) if not match.group(1)]


def circle(parameters):
    """Names of parameters whose values name each other in a circle, the first repeated at the end; [] when there is none."""
    return cycle({name: [other for other in names_in(value) if other in parameters] for name, value in parameters.items()})


def resolved(parameters, moment):
    """The parameters with moments and other parameters in their values filled in. Raises ValueError for a circle."""
    known, found = {str(name): str(value) for name, value in parameters.items()}, {}
    around = circle(known)
    if around:
        raise ValueError(f"parameters name each other in a circle: {' names '.join(around)}")
    waiting = list(known)
    while waiting:
        name = waiting.pop()
        first = [other for other in names_in(known[name]) if other in known and other not in found]
        if first:
            waiting += [name, *first]
        elif name not in found:
            found[name] = fill(known[name], moment, found)
    return {name: found[name] for name in known}


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
    """The moment moved by so many units; the last day of a month when the day is not in it.

    Days and weeks are those of the calendar. Hours, minutes and seconds are those that pass, also where summer time begins or ends.
    """
    try:
        if unit in ("H", "m", "s") and moment.tzinfo:
            return (moment.astimezone(_UTC) + datetime.timedelta(**{_STEPS[unit]: number})).astimezone(moment.tzinfo)
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
    """The moment that a text names: 2026-11-26, 2026-11-26T06:30, with its own offset, or also with its zone,
    2026-11-26T06:30+08:00[Asia/Shanghai]. The first one where summer time's end makes two. Raises ValueError."""
    named = _NAMED.fullmatch(str(text))
    text = named.group(1) if named else str(text)
    try:
        found = datetime.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time, expected one such as 2026-11-26T06:30")
    if found.tzinfo:
        return _in(found, named.group(2)) if named else found
    there = zone(zone_name)
    seen = found.replace(tzinfo=there).astimezone(_UTC).astimezone(there)
    if seen.replace(tzinfo=None) != found:
        raise ValueError(f"{text!r} does not exist in {zone_name}: the clocks are put forward over it. Give a time from {seen:%H:%M} on")
    return found.replace(tzinfo=there)


def _in(moment, zone_name):
    """The moment in a zone; as it is where this machine's Python knows no zones."""
    try:
        return moment.astimezone(zone(zone_name))
    except ValueError:
        return moment
