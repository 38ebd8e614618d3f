"""Secrets that services need once are there before anything is changed or bought: in the environment, or on the master."""
from __future__ import annotations

import os
import shlex

from ..module_utils.cloud.cluster.operation import READY
from ..module_utils.cloud.ecs.client import tags_of
from ..module_utils.domain.errors import Refused
from ..module_utils.services.registry import homes


def lacking(spec) -> dict:
    """{service: [Secret, …]} of those that this run was not given."""
    found = {home.name: [s for s in home.secrets(spec) or () if not os.environ.get(s.variable)] for home in homes(spec.expanded_services)}
    return {service: secrets for service, secrets in found.items() if secrets}


def nowhere(spec, operation) -> list:
    """Those of ``lacking`` that no master of the cluster can have: none was deployed with the service. ``operation``: an Operation."""
    secrets = lacking(spec)
    if not secrets:
        return []
    masters = [tags for tags in map(tags_of, operation.found(must_exist=False).instances) if tags.get("emr:role") == "master" and tags.get(READY)]
    return [secret for service, rows in secrets.items() if not any(service in tags.get("emr:services", "").split(",") for tags in masters)
            for secret in rows]


def _refuse(secrets: list) -> None:
    if not secrets:
        return
    lines = [f"{s.of}: {s.what} is not on the master yet, and {s.variable} is not set" for s in secrets]
    steps = " ".join(f"read -rs {s.variable}; export {s.variable};" for s in secrets)
    raise Refused("\n".join(lines) + ". Nothing was changed", f"Run: {steps} then the command again. Later commands need it no more")


def check_new(spec, operation) -> None:
    """Raises Refused for secrets that are nowhere."""
    _refuse(nowhere(spec, operation))


def check_master(action, spec) -> None:
    """Raises Refused for secrets that the control node has not either. ``action``: a NodeAction there; asks only for what is not given."""
    secrets = [s for rows in lacking(spec).values() for s in rows]
    if secrets:
        there = set(action.shell("; ".join(f"test -e {shlex.quote(s.path)} && echo {number}" for number, s in enumerate(secrets)) + "; true")["stdout"].split())
        _refuse([s for number, s in enumerate(secrets) if str(number) not in there])
