"""`emrctl local down` after deaths at many moments of a boot; `make test` has one of them."""
from __future__ import annotations

import pytest

from tests.killed_boot import killed_boot

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("delay", [0.05, 0.1, 0.3, 0.5, 1.0, 2.0])
def test_down_after_a_kill_in_the_middle_of_a_boot(tmp_path, delay):
    killed_boot(tmp_path / "state", delay)
