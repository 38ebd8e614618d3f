"""What the project says of a schedule's runs against what systemd says of the lines that it is given for them."""
from __future__ import annotations

import calendar
import random
import re
import shutil
import subprocess
import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain import timetable

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
        theirs = sorted({moment for line in timetable.on_calendar(table) for moment in of_systemd(line, base)})
        assert ours and ours == theirs[:5], f"{text} {zone} after {base}"


def of_systemd(line: str, base: int) -> list:
    done = subprocess.run(["systemd-analyze", "calendar", f"--base-time=@{base}", "--iterations=5", line], capture_output=True, text=True,
                          env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}, check=True, timeout=30)
    return [calendar.timegm(time.strptime(a or b, "%Y-%m-%d %H:%M:%S")) for a, b in MOMENT.findall(done.stdout)]
