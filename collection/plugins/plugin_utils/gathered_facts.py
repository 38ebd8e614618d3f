"""What the nodes of a run told, gathered on the controller for those who judge it."""
from __future__ import annotations

import yaml

from ..module_utils.domain.errors import EmrError
from ..module_utils.domain.spec.model import spec_from_dict


def inspection(context) -> dict:
    """What ``emr.cluster.inspection`` saw in the cloud."""
    found = context.run.inspection
    if not found:
        raise EmrError("nobody has looked at the cloud in this run", "Run emr.cluster.inspection before")
    return dict(found, cluster=context.run.name)


def running_spec(context, text: str = ""):
    """The spec that the cluster was made by, as plain data: read in this run, else of a revision's text. Or None."""
    data = context.fact("emr_spec_data", context.control)
    try:
        if not data and text:
            data = yaml.safe_load(text)
        return spec_from_dict(data).to_dict() if data else None
    except (EmrError, yaml.YAMLError, AttributeError):
        return None


def checked(context) -> dict:
    """``seen`` as ``findings.judge`` wants it."""
    looked = inspection(context)
    nodes = {}
    for host in context.hosts:
        found = {"silent": context.fact("emr_silent", host) or "", "clock": context.fact("emr_clock", host)}
        for key in ("host", "check"):
            told = context.fact(f"emr_{key}", host) or {}
            found["error"] = found.get("error") or told.get("error", "")
            found[key] = {} if told.get("error") else told
        if not any(found.values()):
            found["silent"] = "no answer over SSH"
        nodes[host] = found
    return {"cluster": looked["cluster"], "inspection": looked, "spec": running_spec(context), "control": context.control,
            "nodes": nodes}
