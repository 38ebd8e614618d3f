"""When a schedule is due: systemd calendar expressions and cron's five fields. Without zoneinfo, which older Pythons do not have.

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
    """Text that is not a timetable; the message says what is wrong with which part."""


def parse(text, zone="UTC"):
    """The timetable of a text. A zone at its end wins over ``zone``. Raises Unreadable."""
    words = str(text).split()
    if words and ZONE.match(words[-1]) and words[-1] not in DAYS:
        zone = words.pop()
    if not ZONE.match(zone):
        raise Unreadable(f"{zone} is not a time zone, expected one such as UTC or Asia/Shanghai")
    if not words:
        raise Unreadable(f"no time is given, expected {WAYS}")
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
        raise Unreadable(f"{text!r}: cannot read {rest[0]!r}, expected {WAYS}")
    parts = clock.split(":")
    if len(parts) > 3:
        raise Unreadable(f"{clock!r} is not a time, expected hours:minutes or hours:minutes:seconds")
    for part, value in zip(("hour", "minute", "second"), parts + ["00"] * (3 - len(parts))):
        rule[part] = _numbers(part, value, "..")
    return rule


def _date(rule, text):
    parts = text.split("-")
    if len(parts) not in (2, 3):
        raise Unreadable(f"{text!r} is not a date, expected year-month-day such as *-*-01")
    for part, value in zip(("year", "month", "day")[-len(parts):], parts):
        rule[part] = _numbers(part, value, "..")


def _weekdays(text):
    found = set()
    for piece in text.split(","):
        first, _dots, last = piece.partition("..")
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
    raise Unreadable(f"{text!r} is not a day of the week, expected {', '.join(DAYS)}")


def _numbers(part, text, dots, names=(), first_name=0):
    """Sorted numbers of one part: ``*``, ``a``, ``a..b``, ``a/step``, lists of these; None for all."""
    low, high = RANGES[part]
    found = set()
    for piece in text.split(","):
        span, slash, step = piece.partition("/")
        if slash and not (step.isdigit() and int(step) > 0):
            raise Unreadable(f"{part}: {piece!r}: {step!r} is not a step, expected a number from 1")
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
            raise Unreadable(f"weekday: {piece!r}: {step!r} is not a step, expected a number from 1")
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
    """The first moment (seconds since the epoch) later than ``after``, as systemd finds it; None when there is none."""
    with in_zone(table["zone"]):
        found = [_search(rule, int(after) + 1, 1, _comes_again(after)) for rule in table["rules"]]
    return min((moment for moment in found if moment is not None), default=None)


def latest(table, until):
    """The last moment not later than ``until``; None when there is none."""
    with in_zone(table["zone"]):
        found = [_search(rule, int(until), -1, _comes_again(until)) for rule in table["rules"]]
    return max((moment for moment in found if moment is not None), default=None)


def same_clock(moment, zone):
    """The moments at which the clocks of a zone show what they show at this one: two where summer time ends, else one."""
    with in_zone(zone):
        return _readings(time.localtime(moment)[:6])


def moment_of(text, form, zone):
    """The moment at which the clocks of a zone show this time, the first of two. Raises ValueError for what no clock ever shows."""
    shown = time.strptime(text, form)[:6]
    with in_zone(zone):
        found = _readings(shown)
    if not found:
        raise Unreadable(f"{text!r} does not exist in {zone}: the clocks are put forward over it")
    return found[0]


def _readings(shown):
    """The moments at which the clocks here show (year, month, day, hour, minute, second): none, one, or two, in their order."""
    as_utc = calendar.timegm((*shown, 0, 0, 0))
    # What is west of Greenwich comes up to 12 hours later, what is east of it up to 14 earlier.
    offsets = {time.localtime(as_utc + hours * 3600).tm_gmtoff for hours in (-15, 13)}
    return sorted(as_utc - offset for offset in offsets if time.localtime(as_utc - offset)[:6] == tuple(shown))


def _comes_again(moment):
    """Whether the clocks here show this moment's time for the second time."""
    return _readings(time.localtime(moment)[:6])[0] < int(moment)


def _search(rule, edge, way, again):
    """The moment of a rule that is nearest to ``edge`` in one direction (1 later, -1 earlier), the edge included.

    A time that comes twice, where summer time ends, counts when it comes first. When it comes ``again`` it counts only for who asks
    within that hour: so does systemd, which goes on with the clock that it began with.
    """
    here = time.localtime(edge)
    day = calendar.timegm((here.tm_year, here.tm_mon, here.tm_mday, 12, 0, 0))
    for _count in range(HORIZON):
        date = time.gmtime(day)
        if _on(rule, date):
            for moment in _moments(rule, date, way, again):
                if (moment - edge) * way >= 0:
                    return moment
        day += way * 86400
    return None


def _on(rule, date):
    return _has(rule["month"], date.tm_mon) and _has(rule["day"], date.tm_mday) and _has(rule["weekday"], date.tm_wday) and _has(
        rule["year"], date.tm_year)


def _moments(rule, date, way, again):
    """The moments of a rule on a date, in the order of the direction."""
    noon = calendar.timegm((*date[:3], 12, 0, 0))
    before, after = (time.localtime(noon + hours * 3600).tm_gmtoff for hours in (-27, 25))
    for offset in ([before] if before == after else [before, after][::way]):
        for clock in _times(rule, way):
            shown = (*date[:3], *clock)
            moment = calendar.timegm((*shown, 0, 0, 0)) - offset
            if time.localtime(moment)[:6] == shown and (before == after or again or _readings(shown)[0] == moment):
                yield moment


def _has(numbers, number):
    return numbers is None or number in numbers


def _times(rule, way):
    """(hour, minute, second) of a day, in the order of the direction."""
    def span(part):
        numbers = rule[part] if rule[part] is not None else range(RANGES[part][0], RANGES[part][1] + 1)
        return numbers if way > 0 else list(numbers)[::-1]

    return ((hour, minute, second) for hour in span("hour") for minute in span("minute") for second in span("second"))


def turns(table, since):
    """What the next changes of the clocks, within a year, do to a timetable: a sentence for each that meets a time of it."""
    told = []
    with in_zone(table["zone"]):
        for moment in _changes(int(since), int(since) + 366 * 86400):
            old, new = time.localtime(moment - 1).tm_gmtoff, time.localtime(moment).tm_gmtoff
            begin, end = sorted((moment + old, moment + new))
            met = next((shown for shown in map(time.gmtime, range(begin, end)) if _meets(table, shown)), None)
            if met:
                told.append(_turn(time.gmtime(begin), time.gmtime(end), met, new > old))
    return told


def _changes(begin, end):
    """Moments at which the clocks here are put forward or back."""
    for left in range(begin, end, 43200):
        right = left + 43200
        if time.localtime(left).tm_gmtoff == time.localtime(right).tm_gmtoff:
            continue
        while right - left > 1:
            middle = (left + right) // 2
            same = time.localtime(middle).tm_gmtoff == time.localtime(left).tm_gmtoff
            left, right = (middle, right) if same else (left, middle)
        yield right


def _meets(table, shown):
    return any(_on(rule, shown) and _has(rule["hour"], shown.tm_hour) and _has(rule["minute"], shown.tm_min)
               and _has(rule["second"], shown.tm_sec) for rule in table["rules"])


def _turn(begin, end, met, skipped):
    span = f"{time.strftime('%Y-%m-%d %H:%M', begin)} to {time.strftime('%H:%M', end)}"
    due = time.strftime("%H:%M:%S" if met.tm_sec else "%H:%M", met)
    return (f"{span} is skipped by the clocks: runs that are due in it, such as {due}, do not happen that day" if skipped else
            f"{span} comes twice: runs that are due in it, such as {due}, happen the first time only")


def words(moment, zone):
    """A moment for people, with its zone: ``2026-11-26 02:30:00 Asia/Shanghai``; '' for None."""
    if moment is None:
        return ""
    with in_zone(zone):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)) + f" {zone}"
