"""The beginning and the end of a text of any length."""
from __future__ import annotations

import random

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.text.ends import Ends


def filled(head: int, tail: int, blocks) -> Ends:
    ends = Ends(head, tail)
    for block in blocks:
        ends.add(block)
    return ends


def test_what_fits_is_kept_as_it_is():
    text = b"one\ntwo\nthree"
    for size in range(1, len(text) + 1):
        ends = filled(4, 9, [text[at:at + size] for at in range(0, len(text), size)])
        assert (ends.content(), ends.left_out) == (text, 0)


@pytest.mark.parametrize("seed", range(20))
def test_beginning_and_end_are_kept_at_whole_lines_and_the_rest_is_counted(seed):
    source = random.Random(seed)
    text = b"".join(b"line %d\n" % number for number in range(5000))
    blocks, at = [], 0
    while at < len(text):
        size = source.randrange(1, 3000)
        blocks.append(text[at:at + size])
        at += size
    ends = filled(1000, 2000, blocks)
    assert len(ends.first) == 1000 and ends.held < 2000 + 3000
    lines = ends.content().decode().splitlines()
    (mark,) = [line for line in lines if "left out" in line]
    kept = [line for line in lines if line != mark]
    at = lines.index(mark)
    assert kept == [f"line {n}" for n in range(at)] + [f"line {n}" for n in range(5000 - len(kept) + at, 5000)]
    assert int(mark.split()[1].replace(",", "")) == len(text) - sum(len(line) + 1 for line in kept)


def test_one_endless_line_is_bounded_too():
    ends = filled(10, 10, [b"x" * 1000] * 1000)
    assert ends.content().decode().splitlines() == ["x" * 10, "[… 999,980 bytes are left out here …]", "x" * 10]
    assert ends.held <= 1010
