"""Parameters that are given for a job or a flow (``-p NAME=VALUE``), against the names that it uses."""
from __future__ import annotations

import datetime
import re

from ..module_utils.domain.errors import Refused
from ..module_utils.domain.flows.definition import PARAMETER
from ..module_utils.domain.jobs import parameters, request as job_request
from ..module_utils.domain.text.names import instead, nearest

_ANY_MOMENT = datetime.datetime(2000, 1, 1)


def check(what: str, given: dict, declared: dict, requests: list, queries: list) -> None:
    """Raises Refused when a name that is given stands nowhere: it is misspelt, and what it was meant for would stay as it is.

    ``what``: the flow or job, for people. ``declared``: parameters with a value of their own. ``requests``: jobs as
    job_request.DEFAULTS has them. ``queries``: paths of files here that parameters are filled in.
    """
    texts = []
    for path in queries:
        with open(path, encoding="utf-8", errors="replace") as handle:
            texts.append(handle.read())
    used = job_request.named({**job_request.DEFAULTS, "parameters": {**declared, **given}}, texts).union(*map(job_request.named, requests))
    names = sorted(set(declared) | {name for name in used if re.fullmatch(PARAMETER, name) and parameters.written(name, _ANY_MOMENT) is None})
    for name in given:
        if name not in declared and name not in used:
            raise Refused(f"{what} has no parameter {name}: nothing in it names ${{{name}}}",
                          instead(name, names) if declared or nearest(name, names) else
                          f"Leave it out, or write ${{{name}}} where its value belongs")
