"""When a job that failed is run again."""
from __future__ import annotations

# A stream that ran so long before it failed is taken for healthy: its failures count from one again.
HEALTHY_S = 600
# The first pause before a stream is started again; each one after it is twice as long, up to the last.
FIRST_S, LONGEST_S = 5, 300
# So many failures in a row, none of them after HEALTHY_S, and a stream is given up.
RESTARTS = 10


def again(job, state, attempts):
    """Seconds to wait before the next attempt, or None when there is none.

    ``attempts``: seconds that each attempt so far has lasted, the last one included. A job that somebody killed in YARN
    stays so.
    """
    if state not in ("FAILED", "LOST"):
        return None
    if job.get("keep_running"):
        failures = fast_failures(attempts)
        if failures > RESTARTS:
            return None
        return min(LONGEST_S, FIRST_S * 2 ** max(0, failures - 1))
    return job.get("retry_interval_s", 0) if len(attempts) <= job.get("retries", 0) else None


def fast_failures(attempts):
    """How many of the last attempts in a row ended before they could be called healthy."""
    count = 0
    for seconds in reversed(attempts):
        if seconds >= HEALTHY_S:
            break
        count += 1
    return count
