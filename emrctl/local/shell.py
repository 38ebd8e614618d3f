"""Running system commands for the local hosts, and the two ways in which that can end badly."""
from __future__ import annotations

import subprocess
from collections.abc import Sequence

from emrctl.local.nulldriver import DriverError


class Refused(Exception):
    """This machine cannot do it and nothing was changed; the message says what is missing and what to do."""

    exit_code = 3

    def __init__(self, message: str, remedy: str):
        super().__init__(f"{message}. Next: {remedy}")
        self.remedy = remedy


def run(argv: Sequence[str], stdin: str | None = None, check: bool = True, timeout: float = 60) -> str:
    """Run a command and return its stdout.

    timeout: seconds. Raises DriverError with the command's last lines of stderr; with check=False failures give "".
    """
    try:
        done = subprocess.run(argv, input=stdin or "", text=True, capture_output=True, timeout=timeout, check=False)
    except FileNotFoundError as error:
        raise DriverError(f"the command {argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise DriverError(f"{' '.join(argv)}: no end within {timeout:g} s") from error
    if done.returncode and check:
        reason = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise DriverError(f"{' '.join(argv)}: exit {done.returncode}: {reason}")
    return "" if done.returncode else done.stdout
