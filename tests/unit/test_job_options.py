"""An option of a job is defined once and reaches everybody from there."""
from __future__ import annotations

import inspect

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.flows.definition import JOB
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import request
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.options import OPTIONS, in_seconds
from ansible_collections.emr.cluster.plugins.module_utils.node.flows.runner import KEYS
from ansible_collections.emr.cluster.plugins.plugin_utils.arguments import options
from emrctl.docs import jobs
from emrctl.jobs import submit


@pytest.mark.parametrize("option", OPTIONS, ids=[option.name for option in OPTIONS])
def test_an_option_reaches_all_who_take_jobs(option):
    assert options("job")[option.name]["type"] in ("str", "int", "bool", "list", "dict")
    assert option.request_key in request.DEFAULTS
    assert (option in JOB.fields) == option.flow
    shown = {flag for one in inspect.signature(submit).parameters.values() for flag in getattr(one.default, "param_decls", None) or ()}
    assert set(option.flags) <= shown
    assert f"| `{option.name}` |" in jobs.page()


def test_what_the_node_takes_when_nothing_is_said():
    assert request.DEFAULTS == {
        "type": "SHELL", "name": "", "args": [], "user": "emr", "queue": "", "priority": None, "who": "", "files": [], "jars": [],
        "py_files": [], "archives": [], "python_env": "", "properties": {}, "environment": {}, "memory": "", "cores": None, "parameters": {},
        "time": "", "time_zone": "UTC", "retries": 0, "retry_interval_s": 30, "timeout_s": 0, "on_failure": "", "keep_running": False,
        "token": "", "wait": False, "wait_limit_s": 86400, "secrets": None, "retry_of": ""}
    assert set(request.DEFAULTS) - set(request.KEPT) == {"name", "properties", "environment", "parameters", "wait", "wait_limit_s"}
    assert set(KEYS) == {"type", "args", "user", "queue", "priority", "memory", "cores", "properties", "environment", "retries",
                         "retry_interval_s", "timeout_s"}


def test_durations_become_seconds():
    assert in_seconds({"timeout": "2h", "retry_interval": 5, "name": "x"}) == {"timeout_s": 7200, "retry_interval_s": 5, "name": "x"}
    assert in_seconds({"timeout": None}) == in_seconds({}) == {"timeout_s": 0, "retry_interval_s": 30}
    with pytest.raises(ValueError, match="timeout: .*90m"):
        in_seconds({"timeout": "soon"})
