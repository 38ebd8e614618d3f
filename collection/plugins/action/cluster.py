# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The action plugin emr.cluster.cluster: the cloud side of an operation, on the controller alone.

It only translates: arguments to an Operation, the Operation's answers and errors to a result. See modules/cluster.py.
What an operation needs is imported when there is one: of a cluster that was found a short while ago nothing is asked, and
most of what that costs would be imports.
"""
from __future__ import annotations

import os

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from ansible_collections.emr.cluster.plugins.plugin_utils import remembered
from ansible_collections.emr.cluster.plugins.plugin_utils.results import hand_over

display = Display()
STATES = ("planned", "present", "found", "inspected", "locked", "started", "stopped", "tagged", "released", "unlocked",
          "converged", "settled", "shrunk")
ARGUMENTS = {
    "state": {"type": "str", "default": "present", "choices": list(STATES)},
    "spec": {"type": "raw"}, "spec_file": {"type": "path"}, "name": {"type": "str"}, "region": {"type": "str"},
    "confirm": {"type": "str"}, "hold": {"type": "bool", "default": False}, "plan_only": {"type": "bool", "default": False},
    "services": {"type": "list", "elements": "str"}, "release": {"type": "str"},
    "address": {"type": "str", "default": "auto", "choices": ["auto", "private", "public"]}, "user": {"type": "str"},
    "private_key_file": {"type": "path"}, "running": {"type": "dict"}, "unread": {"type": "str"},
    "may_be_stopped": {"type": "bool", "default": False}, "instances": {"type": "str", "default": "yes"},
    "may_be_missing": {"type": "bool", "default": False}, "named": {"type": "list", "elements": "str", "default": []},
    "gone": {"type": "list", "elements": "str", "default": []}, "excluded": {"type": "list", "elements": "str", "default": []},
    "leaving": {"type": "list", "elements": "str", "default": []}, "drained": {"type": "list", "elements": "str", "default": []},
    "transient": {"type": "bool", "default": False}, "remember_s": {"type": "int", "default": 0},
    "loads": {"type": "dict"}, "notes": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(ActionBase):
    """Runs no module: nothing is transferred anywhere."""

    TRANSFERS_FILES = False
    _requires_connection = False
    SPEC = ARGUMENTS

    def run(self, tmp=None, task_vars=None):
        """The result of the state that was asked for."""
        result = super().run(tmp, task_vars)
        arguments = self._arguments()
        known = remembered.recall(arguments)
        if known:
            return hand_over({**result, **wrap_var(known), "changed": False, "events": []})
        from ansible_collections.emr.cluster.plugins.plugin_utils import operations

        operation = None
        try:
            spec = read_spec(arguments)
            operation = operations.operation_of(arguments, spec)
            result.update(self._perform(arguments, spec, operation))
        except EmrError as error:
            result.update(operations.failure(error, operation))
        if operation is not None:
            result["events"] = operation.events
            result["changed"] = operation.changed
            result["emr_result"] = {**result.get("emr_result", {}), "events": operation.events}
        # Before 2.19 a text in a failure would be a template for the task that rescues it.
        return hand_over(wrap_var(result))

    def _arguments(self) -> dict:
        given = {k: v for k, v in self._task.args.items() if v not in (None, "")}
        checked = ArgumentSpecValidator(self.SPEC).validate(given)
        if checked.error_messages:
            raise AnsibleError("; ".join(checked.error_messages))
        found = checked.validated_parameters
        if self._task.check_mode or found["plan_only"]:
            found["plan_only"] = True
        return found

    def _perform(self, arguments: dict, spec, operation) -> dict:
        from ansible_collections.emr.cluster.plugins.plugin_utils.cluster_states import perform

        return perform(arguments, spec, operation)


def read_spec(arguments: dict):
    """The Spec of the arguments, or None. A path is relative to the working directory, for every door."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import (
        load_spec,
        parse_spec,
        spec_from_dict,
    )

    given = arguments.get("spec")
    if isinstance(given, dict):
        odd: list = []
        spec = spec_from_dict(given, odd)
        for text in odd:
            display.warning(f"emr_spec: {text}")
        return spec
    if isinstance(given, str) and given.strip():
        return parse_spec(given, "emr_spec")
    if arguments.get("spec_file"):
        return load_spec(os.path.abspath(os.path.expanduser(arguments["spec_file"])))
    return None
