"""Bytes for people: one way for all views."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.text.quantities import of_bytes


@pytest.mark.parametrize(("count", "told"), [
    (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1 << 20, "1.0 MiB"), ((1 << 20) - 1, "1.0 MiB"), (3 << 29, "1.5 GiB"),
    (500 << 30, "500.0 GiB"), (1 << 40, "1.0 TiB"), (1 << 70, "1024.0 EiB"), (None, "-"), (-1, "-")])
def test_bytes_have_a_unit_of_1024_and_one_decimal(count, told):
    assert of_bytes(count) == told
