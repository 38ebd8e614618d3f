"""Order: cheap tests first, real hosts last; e2e and soak only as root."""
import os
import signal

import pytest

ORDER = {"unit": 0, "integration": 1, "e2e": 2, "soak": 3}


def pytest_configure():
    """A shell script lets what it starts with & ignore SIGINT, and so would all that tests start and interrupt."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    def rank(item):
        parts = item.path.parts
        return next((value for name, value in ORDER.items() if name in parts), 0)

    items.sort(key=rank)
    for item in items:
        folder = rank(item)
        if folder >= ORDER["e2e"]:
            item.add_marker(pytest.mark.soak if folder == ORDER["soak"] else pytest.mark.e2e)
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="real hosts need root"))


def pytest_terminal_summary(terminalreporter, exitstatus):
    """What to do next; the summary line itself stays the last one."""
    if os.environ.get("PYTEST_XDIST_WORKER") is None and exitstatus == 0:
        terminalreporter.write_line("next: make demo (the main job), make soak (before a release), make bench (ratios)")
