"""Why a job failed, in the program's own words. Runs on Python 3.8 and newer."""
from __future__ import annotations

from .common import write_atomic
from .job_record import JOBS, tail

TAIL_BYTES = 65536


def write_error(job_id, _environment):
    """Find out why the job failed and write it to its record."""
    # The frames of a Java trace would push what it is about out of sight.
    lines = [line for line in tail(f"{JOBS}/{job_id}/stderr.log", TAIL_BYTES).splitlines() if not line.startswith("\tat ")]
    write_atomic(f"{JOBS}/{job_id}/error", "\n".join(lines[-12:]) + "\n")
