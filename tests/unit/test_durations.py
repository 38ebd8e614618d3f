"""Durations in a spec."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec, spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.domain.text import durations
from tests.unit.spec_samples import FULL


@pytest.mark.parametrize("text,number", [("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604800)])
def test_read(text, number):
    assert durations.seconds(text) == number


@pytest.mark.parametrize("text", ["", "2", "h", "0h", "-1h", "1.5h", "2H", "2 h", "1h30m", "2w", "9999999999s"])
def test_not_a_duration(text):
    with pytest.raises(ValueError, match="not a duration"):
        durations.seconds(text)


@pytest.mark.parametrize("number,text", [(0, "0s"), (59, "59s"), (60, "1m"), (119, "119s"), (5400, "90m"), (3600, "1h"),
                                         (86400, "1d"), (90000, "25h"), (200000, "2d")])
def test_words(number, text):
    assert durations.words(number) == text


def test_a_spec_keeps_them():
    spec = parse_spec(FULL + "idle_release: 2h\nmax_age: 30d\n")
    assert (spec.idle_release, spec.max_age) == ("2h", "30d")
    assert spec_from_dict(spec.to_dict()) == spec
    assert spec.digest() != parse_spec(FULL).digest()
    assert parse_spec(FULL).max_age is None


@pytest.mark.parametrize("line,words", [
    ("idle_release: 2", "expected text"), ("idle_release: 2 hours", "a duration such as 2h"),
    ("idle_release: 5m", "from 10m to 365d"), ("max_age: 4000d", "from 10m to 3650d")])
def test_a_wrong_one_is_refused_with_a_remedy(line, words):
    with pytest.raises(SpecError) as caught:
        parse_spec(FULL + line + "\n")
    [problem] = caught.value.problems
    assert words in problem.message and f"{line.split(':')[0]}: " in problem.remedy
