"""The budget on the node that begins jobs and flows."""
from __future__ import annotations

import json
import time

from ...domain import paths
from ...domain.jobs import budget
from ..common import read_text
from .usage import prices


def settings():
    """What this master knows of its cluster; nothing where no jobs can run."""
    return json.loads(read_text(paths.JOBS_SETTINGS) or "{}")


def state():
    """How far this month's budget is spent (domain/jobs/budget.py), or None."""
    return budget.state(settings().get("budget"), prices(), time.time())


def refusal(token=""):
    """Why a new job or flow is refused, or ''."""
    return budget.refusal(settings().get("budget"), prices(), time.time(), token)


__all__ = ["refusal", "state"]
