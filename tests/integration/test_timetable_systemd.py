"""What the project says of a schedule's runs against what systemd says of the lines that it is given for them."""
from __future__ import annotations

import calendar
import random
import re
import shutil
import subprocess
import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.flows import timetable

TEXTS = ("*:0/15", "Mon..Fri 02:30", "*-*-* *:*:0/5", "weekly", "monthly", "Sat,Sun *-*-* 01:02:03", "*-02-29 00:00", "2027,2065-*-1/7 5:00",
         "*-*-31", "Wed 06:0/20", "*-1..3/2-5,7 1..5:*:30", "*/10 8-18 * * 1-5", "30 4 13 * 5", "0 0 * * 7", "5,35 */3 * jan-mar sun")
MOMENT = re.compile(r"\(in UTC\): \w+ (\S+ \S+) UTC|(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_the_next_five_runs_are_those_of_systemd(zone):
    chance = random.Random(11)
    for text in TEXTS:
        table, base = timetable.parse(text, zone), chance.randint(1_700_000_000, 1_790_000_000)
        ours, moment = [], base
        while len(ours) < 5 and (moment := timetable.following(table, moment)) is not None:
            ours.append(moment)
        theirs = sorted({moment for row in of_systemd(base, 5, *timetable.on_calendar(table)) for moment in row})
        assert ours and ours == theirs[:5], f"{text} {zone} after {base}"


# Summer time begins and ends in each of these: by one hour or by half of one, at night or at midnight, north and south of the equator.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "America/Santiago")
NIGHTLY = ("30 2 * * *", "30 1 * * *", "45 23 * * *", "0 0 * * *", "15 0 * * *", "0 3 * * *", "*:0/30", "0 */2 * * *", "Sun 02:00",
           "*-*-* 01,02:15:30", "*-10-* 2:30", "*-11-03 0:30")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@pytest.mark.parametrize("zone", ZONES)
def test_systemd_and_we_agree_on_every_hour_of_the_nights_in_which_clocks_change(zone):
    with timetable.in_zone(zone):
        # Of 2024: governments change their minds about what is to come.
        changes = list(timetable._changes(1_704_067_200, 1_704_067_200 + 366 * 86400))
    assert len(changes) == 2
    tables = {text: timetable.parse(text, zone) for text in NIGHTLY}
    lines = [timetable.on_calendar(table)[0] for table in tables.values()]
    wrong = []
    for change in changes:
        for base in range(change - 5 * 3600, change + 5 * 3600, 1800):
            for (text, table), (theirs,) in zip(tables.items(), of_systemd(base, 1, *lines), strict=True):
                ours = timetable.following(table, base)
                if ours != theirs:
                    wrong.append(f"{text} {zone} after {stamp(base)}: {stamp(ours)}, systemd: {stamp(theirs)}")
                # What systemd starts is found as what is due, at that moment and until the next.
                assert timetable.latest(table, theirs) == theirs and theirs in timetable.same_clock(timetable.latest(table, theirs + 1), zone)
    assert not wrong, "\n".join(wrong)


def stamp(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def of_systemd(base: int, count: int, *lines: str) -> list:
    """The moments after ``base`` that systemd finds, for each line."""
    done = subprocess.run(["systemd-analyze", "calendar", f"--base-time=@{base}", f"--iterations={count}", *lines], capture_output=True,
                          text=True, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}, check=True, timeout=30)
    return [[calendar.timegm(time.strptime(a or b, "%Y-%m-%d %H:%M:%S")) for a, b in MOMENT.findall(part)]
            for part in done.stdout.strip().split("\n\n")]
