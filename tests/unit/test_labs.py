"""Two test files or benchmarks that run at the same time do not meet: each local ECS has a prefix, a network and a port of its own."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAB = re.compile(r'"([a-z0-9]+)", (\d+), (\d{4})\b')


@pytest.mark.parametrize("part, what", [(0, "prefix"), (1, "third part of the network"), (2, "port")])
def test_no_two_labs_share(part, what):
    owners: dict[str, set[str]] = {}
    for folder in ("tests/e2e", "tests/soak", "bench"):
        for file in (ROOT / folder).glob("*.py"):
            for found in LAB.findall(file.read_text()):
                owners.setdefault(found[part], set()).add(f"{file.name}: {found}")
    assert len(owners) > 20
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}, f"the same {what}"
