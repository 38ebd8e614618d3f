"""The one way to wait."""
from __future__ import annotations

import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.waiting import wait
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError, wait_until


def test_it_looks_until_nothing_is_left():
    left = [["a", "b"], ["b"], []]
    assert wait(lambda: left.pop(0), 60, 0) == [] and not left


def test_it_looks_once_at_least_and_tells_what_is_left():
    looks = []
    assert wait(lambda: looks.append(1) or "much", 0, 0.01) == "much" and looks
    begun = time.monotonic()
    assert wait(lambda: "much", 0.2, 0.01) == "much" and time.monotonic() - begun >= 0.2


def test_on_a_node_what_is_left_is_an_error_that_says_it():
    with pytest.raises(NodeError, match="the disk: it is missing, for 0 s now"):
        wait_until(0, "the disk", lambda: "it is missing", 0.01)
    with pytest.raises(KeyError):
        wait_until(0, "the disk", lambda: "it is missing", 0.01, KeyError)
    assert wait_until(0, "the disk", lambda: "") is None
