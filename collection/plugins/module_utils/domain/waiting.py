"""The one way to wait for something: look, pause, look again, with a limit."""
from __future__ import annotations

import time


def wait(look, limit_s, pause_s=0.3):
    """Call ``look()`` until nothing is left, that is until it gives something false.

    Returns that, or after ``limit_s`` seconds what it gave last: what is still left.
    """
    deadline = time.monotonic() + limit_s
    while True:
        left = look()
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(pause_s)
