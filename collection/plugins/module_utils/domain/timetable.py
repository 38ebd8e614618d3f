"""When a schedule is due: systemd calendar expressions and cron's five fields. Pure Python, 3.8 and newer, without zoneinfo.

A timetable is plain data: {"zone": name, "rules": [{part: sorted numbers, or None for all}]}. Several rules mean: when any of them is due.
The same rules make the lines ``OnCalendar=`` of the timer, so that what is shown and what systemd does are the same.
"""
from __future__ import annotations

import calendar
import contextlib
import os
import re
import threading
import time

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
RANGES = {"year": (1970, 2199), "month": (1, 12), "day": (1, 31), "weekday": (0, 6), "hour": (0, 23), "minute": (0, 59),
          "second": (0, 59)}
SHORT = {"minutely": "*-*-* *:*:00", "hourly": "*-*-* *:00:00", "daily": "*-*-* 00:00:00", "weekly": "Mon *-*-* 00:00:00",
         "monthly": "*-*-01 00:00:00", "quarterly": "*-01,04,07,10-01 00:00:00", "yearly": "*-01-01 00:00:00",
         "annually": "*-01-01 00:00:00", "semiannually": "*-01,07-01 00:00:00"}
ZONE = re.compile(r"^(UTC|[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+){1,2})$")
WAYS = ("cron's five fields such as '30 2 * * *', a systemd calendar expression such as 'Mon..Fri 02:30' or '*:0/15', or one of "
        + ", ".join(SHORT))
# A day that exists comes back within so many days: February 29 on a certain weekday, over a century without leap year.
HORIZON = 366 * 41
_TZ = threading.Lock()


class Unreadable(ValueError):
    """Text that is no timetable; the message says what is wrong with which part."""


def parse(text, zone="UTC"):
    """The timetable of a text. A zone at its end wins over ``zone``. Raises Unreadable."""
    words = str(text).split()
    if words and ZONE.match(words[-1]) and words[-1] not in DAYS:
        zone = words.pop()
    if not ZONE.match(zone):
        raise Unreadable(f"{zone} is no name of a time zone, expected one such as UTC or Asia/Shanghai")
    if not words:
        raise Unreadable(f"nothing says when, expected {WAYS}")
    if len(words) == 1 and words[0].lstrip("@") in SHORT:
        words = SHORT[words[0].lstrip("@")].split()
    rules = _cron(words) if len(words) == 5 and not any(":" in word for word in words) else [_systemd(words, text)]
    return {"zone": zone, "rules": rules}


def on_calendar(table):
    """The values of ``OnCalendar=`` for systemd."""
    lines = []
    for rule in table["rules"]:
        days = ",".join(DAYS[n] for n in rule["weekday"]) + " " if rule["weekday"] is not None else ""
        date = "-".join(_listed(rule[part]) for part in ("year", "month", "day"))
        lines.append(f"{days}{date} " + ":".join(_listed(rule[part]) for part in ("hour", "minute", "second")) + f" {table['zone']}")
    return lines


def _listed(numbers):
    return "*" if numbers is None else ",".join(f"{n:02d}" for n in numbers)


def _systemd(words, text):
    """The rule of ``[weekdays] [date] [time]``."""
    rule = dict.fromkeys(RANGES)
    rest = list(words)
    if rest and re.match(r"^[A-Za-z]", rest[0]):
        rule["weekday"] = _weekdays(rest.pop(0))
    if rest and "-" in rest[0] and ":" not in rest[0]:
        _date(rule, rest.pop(0))
    clock = rest.pop(0) if rest and ":" in rest[0] else "00:00:00"
    if rest:
        raise Unreadable(f"{text!r}: {rest[0]!r} is not understood, expected {WAYS}")
    parts = clock.split(":")
    if len(parts) > 3:
        raise Unreadable(f"{clock!r} is no time, expected hours:minutes or hours:minutes:seconds")
    for part, value in zip(("hour", "minute", "second"), parts + ["00"] * (3 - len(parts))):
        rule[part] = _numbers(part, value, "..")
    return rule


def _date(rule, text):
    parts = text.split("-")
    if len(parts) not in (2, 3):
        raise Unreadable(f"{text!r} is no date, expected year-month-day such as *-*-01")
    for part, value in zip(("year", "month", "day")[-len(parts):], parts):
        rule[part] = _numbers(part, value, "..")


def _weekdays(text):
    found = set()
    for piece in text.split(","):
        first, _, last = piece.partition("..")
        low, high = _weekday(first), _weekday(last or first)
        if low > high:
            raise Unreadable(f"{piece!r}: the range ends before it begins; a week begins on Monday")
        found |= set(range(low, high + 1))
    return None if len(found) == 7 else sorted(found)


def _weekday(text):
    for number, name in enumerate(DAYS):
        full = calendar.day_name[number].lower()
        if text.lower() in (name.lower(), full):
            return number
    raise Unreadable(f"{text!r} is no day of the week, expected {', '.join(DAYS)}")


def _numbers(part, text, dots, names=(), first_name=0):
    """Sorted numbers of one part: ``*``, ``a``, ``a..b``, ``a/step``, lists of these; None for all."""
    low, high = RANGES[part]
    found = set()
    for piece in text.split(","):
        span, slash, step = piece.partition("/")
        if slash and not (step.isdigit() and int(step) > 0):
            raise Unreadable(f"{part}: {piece!r}: {step!r} is no step, expected a number from 1")
        if span == "*":
            begin, end = low, high
        else:
            begin, has_end, end = span.partition(dots)
            begin = _number(part, begin, names, first_name)
            end = _number(part, end, names, first_name) if has_end else high if slash else begin
            if end < begin:
                raise Unreadable(f"{part}: {piece!r}: the range ends before it begins")
        found |= set(range(begin, end + 1, int(step) if slash else 1))
    return None if len(found) == high - low + 1 else sorted(found)


def _number(part, text, names, first_name):
    low, high = RANGES[part]
    for number, name in enumerate(names):
        if text.lower() == name.lower():
            return number + first_name
    if not text.isdigit() or not low <= int(text) <= high:
        raise Unreadable(f"{part}: found {text!r}, expected a number from {low} to {high}")
    return int(text)


def _cron(words):
    """Rules of cron's five fields. With both a day of the month and one of the week, cron means either of them."""
    minute, hour, day, month, weekday = words
    base = dict.fromkeys(RANGES)
    base.update(second=[0], minute=_numbers("minute", minute, "-"), hour=_numbers("hour", hour, "-"),
                month=_numbers("month", month, "-", MONTHS, 1))
    days = _numbers("day", day, "-")
    week = _cron_weekdays(weekday)
    if days is not None and week is not None and not day.startswith("*") and not weekday.startswith("*"):
        return [dict(base, day=days), dict(base, weekday=week)]
    return [dict(base, day=days, weekday=week)]


def _cron_weekdays(text):
    """Cron counts Sunday as 0 and as 7."""
    if text == "*":
        return None
    found = set()
    for piece in text.split(","):
        span, slash, step = piece.partition("/")
        first, has_last, last = span.partition("-")
        begin, end = (0, 6) if span == "*" else (_cron_weekday(first), _cron_weekday(last) if has_last else _cron_weekday(first))
        if slash and not (step.isdigit() and int(step) > 0):
            raise Unreadable(f"weekday: {piece!r}: {step!r} is no step, expected a number from 1")
        if slash and not has_last and span != "*":
            end = 6
        if end < begin and end == 0:
            end = 7
        if end < begin:
            raise Unreadable(f"weekday: {piece!r}: the range ends before it begins")
        found |= {(number - 1) % 7 for number in range(begin, end + 1, int(step) if slash else 1)}
    return None if len(found) == 7 else sorted(found)


def _cron_weekday(text):
    if text.isdigit() and int(text) <= 7:
        return int(text)
    return (_weekday(text) + 1) % 7


@contextlib.contextmanager
def in_zone(name):
    """The functions of ``time`` work in this zone. Raises Unreadable where the machine does not know it."""
    if name != "UTC" and not os.path.exists(f"/usr/share/zoneinfo/{name}"):
        raise Unreadable(f"the time zone {name} is not known on this machine, expected a name from /usr/share/zoneinfo or UTC")
    with _TZ:
        before = os.environ.get("TZ")
        os.environ["TZ"] = name
        time.tzset()
        try:
            yield
        finally:
            if before is None:
                del os.environ["TZ"]
            else:
                os.environ["TZ"] = before
            time.tzset()


def following(table, after):
    """The first moment (seconds since the epoch) later than ``after``; None when there is none."""
    with in_zone(table["zone"]):
        found = [_search(rule, int(after) + 1, 1) for rule in table["rules"]]
    return min((moment for moment in found if moment is not None), default=None)


def latest(table, until):
    """The last moment not later than ``until``; None when there is none."""
    with in_zone(table["zone"]):
        found = [_search(rule, int(until), -1) for rule in table["rules"]]
    return max((moment for moment in found if moment is not None), default=None)


def _search(rule, edge, way):
    """The moment of a rule that is nearest to ``edge`` in one direction (1 later, -1 earlier), the edge included."""
    here = time.localtime(edge)
    day = calendar.timegm((here.tm_year, here.tm_mon, here.tm_mday, 12, 0, 0))
    for _count in range(HORIZON):
        date = time.gmtime(day)
        if _has(rule["month"], date.tm_mon) and _has(rule["day"], date.tm_mday) and _has(rule["weekday"], date.tm_wday) and _has(
                rule["year"], date.tm_year):
            for hour, minute, second in _times(rule, way):
                moment = time.mktime((date.tm_year, date.tm_mon, date.tm_mday, hour, minute, second, 0, 0, -1))
                if (moment - edge) * way >= 0 and time.localtime(moment)[3:6] == (hour, minute, second):
                    return int(moment)
        day += way * 86400
    return None


def _has(numbers, number):
    return numbers is None or number in numbers


def _times(rule, way):
    """(hour, minute, second) of a day, in the order of the direction."""
    def span(part):
        numbers = rule[part] if rule[part] is not None else range(RANGES[part][0], RANGES[part][1] + 1)
        return numbers if way > 0 else list(numbers)[::-1]

    return ((hour, minute, second) for hour in span("hour") for minute in span("minute") for second in span("second"))


def words(moment, zone):
    """A moment for people, with its zone: ``2026-11-26 02:30:00 Asia/Shanghai``; '' for None."""
    if moment is None:
        return ""
    with in_zone(zone):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)) + f" {zone}"
