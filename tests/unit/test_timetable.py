"""When schedules are due, against dates worked out by hand. What systemd itself says is compared in tests/integration."""
from __future__ import annotations

import calendar
import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.flows import timetable


def at(text: str) -> int:
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


@pytest.mark.parametrize("text, after, due", [
    ("daily", "2026-11-26 10:00:00", "2026-11-27 00:00:00"),
    ("30 2 * * *", "2026-11-26 02:29:59", "2026-11-26 02:30:00"),
    ("30 2 * * *", "2026-11-26 02:30:00", "2026-11-27 02:30:00"),
    ("*:0/15", "2026-11-26 10:14:59", "2026-11-26 10:15:00"),
    ("Mon..Fri 02:30", "2026-11-27 03:00:00", "2026-11-30 02:30:00"),
    ("*-02-29 00:00", "2026-11-26 00:00:00", "2028-02-29 00:00:00"),
    ("0 12 13 * 5", "2026-11-26 00:00:00", "2026-11-27 12:00:00"),  # either the 13th or a Friday
    ("0 0 * * 7", "2026-11-26 00:00:00", "2026-11-29 00:00:00"),
    ("02:30 Asia/Shanghai", "2026-11-26 10:00:00", "2026-11-26 18:30:00"),
    ("*-*-* *:*:0/5", "2026-12-31 23:59:57", "2027-01-01 00:00:00"),
])
def test_the_next_run(text, after, due):
    table = timetable.parse(text)
    assert timetable.following(table, at(after)) == at(due)
    assert timetable.latest(table, at(due)) == at(due)
    assert timetable.latest(table, at(due) - 1) <= at(after)


def test_a_time_that_a_clock_skips_is_skipped_and_one_that_comes_twice_counts_once_a_day():
    table = timetable.parse("02:30 Europe/Berlin")
    assert timetable.following(table, at("2027-03-27 12:00:00")) == at("2027-03-29 00:30:00")  # there is no 02:30 on the 28th
    first = timetable.following(table, at("2027-10-30 12:00:00"))
    assert timetable.following(table, first) == at("2027-11-01 01:30:00")


def test_the_night_with_two_half_past_two_has_one_run_and_it_is_found_as_due():
    """`30 2 * * *` was found due at the second of the two, which had not come when systemd started the first: lost."""
    table = timetable.parse("30 2 * * *", "Europe/Berlin")
    first, second = at("2026-10-25 00:30:00"), at("2026-10-25 01:30:00")
    assert timetable.same_clock(first, "Europe/Berlin") == timetable.same_clock(second, "Europe/Berlin") == [first, second]
    assert timetable.following(table, first - 86400) == first and timetable.following(table, first) == second + 86400
    for late in (0, 1, 1800, 1799):
        assert timetable.latest(table, first + late) == first
    # Who asks in the second of the two hours, as a schedule that is made then, gets the second.
    assert timetable.following(table, second - 600) == second == timetable.latest(table, second)
    assert timetable.latest(table, second + 3 * 3600) == first


def test_changes_of_the_clocks_that_meet_a_timetable_are_told():
    now = at("2026-11-26 00:00:00")
    assert timetable.turns(timetable.parse("30 2 * * *", "Europe/Berlin"), now) == [
        "2027-03-28 02:00 to 03:00 is skipped by the clocks: runs that are due in it, such as 02:30, do not happen that day",
        "2027-10-31 02:00 to 03:00 comes twice: runs that are due in it, such as 02:30, happen the first time only"]
    assert timetable.turns(timetable.parse("Mon 02:30", "Europe/Berlin"), now) == []
    assert timetable.turns(timetable.parse("30 4 * * *", "Europe/Berlin"), now) == []
    assert timetable.turns(timetable.parse("*:0/15", "Asia/Shanghai"), now) == []


def test_a_time_that_the_clocks_skip_is_no_moment_and_the_first_of_two_is_one():
    with pytest.raises(timetable.Unreadable, match="does not exist in Europe/Berlin"):
        timetable.moment_of("2027-03-28 02:30", "%Y-%m-%d %H:%M", "Europe/Berlin")
    assert timetable.moment_of("2026-10-25 02:30", "%Y-%m-%d %H:%M", "Europe/Berlin") == at("2026-10-25 00:30:00")
    assert timetable.moment_of("2026-10-26", "%Y-%m-%d", "Europe/Berlin") == at("2026-10-25 23:00:00")


def test_what_never_comes_is_none():
    assert timetable.following(timetable.parse("*-02-30 00:00"), at("2026-11-26 00:00:00")) is None


@pytest.mark.parametrize("text, told", [
    ("", "no time is given"), ("61 * * * *", "minute: found '61', expected a number from 0 to 59"), ("soon", "not a day of the week"),
    ("*:0/0", "'0' is not a step"), ("Fri..Mon 1:00", "ends before it begins"), ("1:2:3:4", "not a time"), ("25:00", "from 0 to 23"),
    ("Mon 1:00 extra", "cannot read 'extra'"),
])
def test_what_is_no_timetable_is_told_apart(text, told):
    with pytest.raises(timetable.Unreadable, match="expected|begins") as refused:
        timetable.parse(text)
    assert told in str(refused.value)


def test_an_unknown_zone_is_told_where_it_matters():
    with pytest.raises(timetable.Unreadable, match="Mars/Base is not known on this machine"):
        timetable.following(timetable.parse("12:00 Mars/Base"), 0)
    with pytest.raises(timetable.Unreadable, match="not a time zone"):
        timetable.parse("12:00", "../etc/passwd")


def test_moments_are_told_with_their_zone_and_the_process_keeps_its_own():
    before = time.tzname
    assert timetable.words(at("2026-11-26 18:30:00"), "Asia/Shanghai") == "2026-11-27 02:30:00 Asia/Shanghai"
    assert timetable.words(None, "UTC") == "" and time.tzname == before


def test_the_lines_for_systemd_name_the_zone():
    assert timetable.on_calendar(timetable.parse("0 12 13 * 5", "Asia/Shanghai")) == [
        "*-*-13 12:00:00 Asia/Shanghai", "Fri *-*-* 12:00:00 Asia/Shanghai"]
