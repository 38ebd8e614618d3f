"""Base of the actions of the cloud's side: on the controller alone, arguments to an Operation, its answers and errors to a result.

What an operation needs is imported when there is one: of a cluster that was found a short while ago nothing is asked, and
most of what that costs would be imports.
"""
from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils.domain.errors import EmrError, Refused
from . import node_cache, own_hosts, run
from .arguments import checked
from .given import plain
from .given_spec import read_spec
from .results import hand_over


class CloudAction(ActionBase):
    """``perform(arguments, spec, operation)`` returns the result; what of it the run shall know is written into its fact.

    Runs no module: nothing is transferred anywhere.
    """

    TRANSFERS_FILES = False
    _requires_connection = False
    # What is said when there has to be a spec and none was given.
    NEEDS_SPEC: tuple = ()
    # Whether cluster and spec are those of the run unless others are given.
    FOLLOWS = False

    def run(self, tmp=None, task_vars=None):
        """The result; a failure says whether anything was changed before."""
        result = super().run(tmp, task_vars)
        operation = None
        try:
            arguments = self.arguments = checked(type(self).__module__.rpartition(".")[2], plain(self._task.args))
            arguments["plan_only"] = bool(arguments.get("plan_only") or self._task.check_mode)
            facts = (task_vars or {}).get("ansible_facts")
            action = type(self).__module__.rpartition(".")[2]
            found = own_hosts.answer(action, arguments, task_vars or {})
            found = self.recall(arguments) if found is None else found
            if found is None:
                from . import operations

                if self.FOLLOWS:
                    _follow(arguments, run.known(facts))
                spec = read_spec(arguments.get("spec"), arguments.get("spec_file"))
                operation = operations.operation_of(arguments, spec)
                if self.NEEDS_SPEC and spec is None:
                    raise Refused(*(text.format(name=operation.name) for text in self.NEEDS_SPEC))
                found = self._under_lock(arguments, spec, operation)
            result.update(found)
            brief = result.get("emr_result", {})
            name, region = (operation.name, operation.client.region) if operation else (brief.get("name"), brief.get("region"))
            result = run.with_run(result, facts, name, region)
        except EmrError as error:
            from . import operations

            result.update(operations.failure(error, operation))
        events = operation.events if operation else []
        result.update(events=events, changed=bool(operation and operation.changed))
        result["emr_result"] = {**result.get("emr_result", {}), **({"events": events} if operation else {})}
        # Before 2.19 a text in a failure would be a template for the task that rescues it.
        return hand_over(wrap_var(result))

    def _under_lock(self, arguments: dict, spec, operation) -> dict:
        """The result, with the cluster's lock where the action takes it: that lasts until emr.cluster.lock, or the run's end."""
        if not self.locks(arguments):
            return self.perform(arguments, spec, operation)
        from . import operations

        node_cache.forget(operation, arguments)
        operations.end_with(operation.pid)
        fresh = operation.take_lock()
        try:
            return self.perform(arguments, spec, operation)
        except BaseException:
            # Nobody comes after a failure here to unlock; the keeper would, but only when ansible-playbook ends.
            if fresh:
                operation.unlock()
            raise

    def locks(self, arguments: dict) -> bool:
        """Whether this call takes the cluster's lock."""
        return not arguments["plan_only"]

    def recall(self, arguments: dict):
        """A result that is good enough without asking anybody, or None."""
        return

    def perform(self, arguments: dict, spec, operation) -> dict:
        """The result of the action."""
        raise NotImplementedError


NO_SPEC = ("No spec was given", "Set emr_spec_file to the path of a cluster.yml, or emr_spec to its text")


def _follow(arguments: dict, run_before: dict) -> None:
    """Take from the run what was not given."""
    if not any(arguments.get(key) for key in ("name", "spec", "spec_file")):
        arguments.update({key: run_before[key] for key in ("name", "region") if run_before.get(key)})
        arguments["spec"] = plain(run_before.get("spec")) or None
