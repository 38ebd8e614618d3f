"""Base of the action plugins: they compute on the controller what the module ``node`` then does on the node."""
from __future__ import annotations

import hashlib
import json
import time

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils.domain import paths, requests
from ..module_utils.domain.errors import EmrError
from ..module_utils.domain.resident import package as resident
from ..module_utils.services.registry import own_hooks
from . import interpreter, resident_calls, roles_said
from .arguments import checked
from .context import Context, plain
from .reachability import silence
from .results import hand_over
from .run import run_id

# Seconds of one look of an operation that waits.
LOOK_S = 20


class NodeAction(ActionBase):
    """``work(context, args)`` returns the options of the operation, or a finished result under the key ``result``."""

    # Name of the operation of the module ``node``, and of the plugin.
    MODULE = ""
    # The first thing a playbook does with nodes refuses before any change.
    REFUSES = False
    # What only looks does not wait for a host that is down: its result then has ``silent``, the reason.
    LOOKS = False
    # Roles call the same operation one after the other: what was done in this run on this node with the same options is done.
    ONCE = False

    def run(self, tmp=None, task_vars=None):
        """Compute the options and run the operation; problems become a failed result that says what to do.

        A result has texts of people and programs in it. They are marked as no templates: before 2.19 core does so only for what a
        task registers, not for facts and the failure that a rescue sees.
        """
        return wrap_var(hand_over(self._outcome(super().run(tmp, task_vars), task_vars)))

    def _outcome(self, result: dict, task_vars: dict) -> dict:
        self.task_vars = task_vars
        try:
            given = checked(type(self).__module__.rpartition(".")[2], plain(self._task.args))
            context = self.context = Context(task_vars, self._templar)
            context.role_parameters = roles_said.parameters(self._task)
            if roles_said.only_needed(self._task):
                return dict(result, changed=False)
            silent = silence(context) if self.LOOKS else ""
            if silent:
                return dict(result, changed=False, silent=silent, ansible_facts={"emr_silent": silent})
            options = self.work(context, given)
            if "result" in options:
                result.update(options["result"])
            elif self.ONCE and self._done(options):
                result.update(changed=False)
            else:
                result.update(self.patient(options))
                for sentence in result.pop("told", []):
                    Display().display(f"emr: {context.host}: {sentence}")
                self.after(context, result)
                if self.ONCE and not result.get("failed") and not result.get("unreachable"):
                    result.setdefault("ansible_facts", {})[self._mark] = self._digest(options)
        except EmrError as error:
            result.update(failed=True, msg=str(error))
            if self.REFUSES and error.exit_code == 3:
                result["emr_refused"] = True
        return result

    def refuse_until_bought(self, context) -> None:
        """Let what this action refuses count as a refusal before any change, unless this run has bought something by then."""
        self.REFUSES = not context.run.plan.get("buy")

    @property
    def _mark(self) -> str:
        """The fact of what this operation did last."""
        return f"emr_done_{self.MODULE}"

    def _digest(self, options: dict) -> str:
        """Of the options, in this run."""
        return f"{run_id()}-{self._task.check_mode}-{hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode()).hexdigest()}"

    def _done(self, options: dict) -> bool:
        return self.context.fact(self._mark) == self._digest(options)

    def module(self, options: dict, op: str = "") -> dict:
        """Run the module ``node`` on the node, for this plugin's operation or another.

        What ``secrets`` holds travels beside the options, so that no log of the node's shows it.
        """
        op = op or self.MODULE
        options = self._asked(op, options)
        if op in resident.NODE_OPERATIONS and "secrets" not in options and not self.context.fact("emr_node"):
            # A node that was prepared in this run is new: it has no program yet.
            found = resident_calls.perform(self, op, options)
            if found is not None:
                return found
        arguments = {"op": op, "options": {key: value for key, value in options.items() if key != "secrets"}}
        if "secrets" in options:
            arguments["secrets"] = options["secrets"]
        if own_hooks():
            arguments["hooks"] = own_hooks()
        found = self._by_link(arguments)
        return self._run_module(arguments, interpreter.ensure(self)) if found is None or interpreter.missing(found) else found

    def _by_link(self, arguments: dict) -> dict | None:
        """The result by the node's own Python; None where it has none and the connection broke over that.

        The shell has ended without an interpreter while the rest of a module is still on its way, which then finds nobody to read it.
        """
        try:
            return self._run_module(arguments, paths.PYTHON)
        except AnsibleConnectionFailure:
            if self.shell(f"test -x {paths.PYTHON}")["rc"] != 1:
                raise
            return None

    @staticmethod
    def _asked(op: str, options: dict) -> dict:
        """The options as the request of this operation has them. Raises EmrError where it does not."""
        try:
            return requests.checked(op, options)
        except ValueError as error:
            raise EmrError(f"the request to the node is wrong: {error}", "This is a fault of the collection: please report it") from error

    def _run_module(self, arguments: dict, python: str) -> dict:
        found = self._execute_module(module_name="emr.cluster.node", module_args=arguments,
                                     task_vars=interpreter.variables(self.task_vars, python))
        found.pop("invocation", None)
        return found

    def patient(self, options: dict) -> dict:
        """Like ``module``, for an operation that waits: it gets ``look_s`` beside its ``limit_s``.

        It comes back after so many seconds with ``waits``, for people, and is run again until that limit has passed. What it gives
        in ``again`` are options of the next look.
        """
        if "look_s" not in options:
            return self.module(options)
        options = {**options, "whole_s": options["limit_s"]}
        deadline, changes = time.monotonic() + options["limit_s"], []
        while True:
            found = self.module({**options, "limit_s": max(1, deadline - time.monotonic())})
            changes += found.get("changes", [])
            waits = found.pop("waits", "")
            if not waits:
                return {**found, "changed": bool(found.get("changed") or changes), **({"changes": changes} if changes else {})}
            Display().display(f"emr: {self.context.host} waits: {waits}")
            options = {**options, **found.get("again", {})}

    def step(self, options: dict) -> dict:
        """Like ``module``, for one step of several: raises EmrError when it fails."""
        found = self.module(options)
        if found.get("failed"):
            raise EmrError(str(found.get("msg", "the module failed on the node")))
        return found

    def shell(self, command: str) -> dict:
        """{rc, stdout, stderr} of a command on the node, without a module."""
        answer = self._low_level_execute_command(command, sudoable=True)
        # Over a terminal, which ssh makes for commands without input, lines end with carriage return and line feed.
        return dict(answer, stdout=answer["stdout"].replace("\r\n", "\n"))

    def work(self, context: Context, args: dict) -> dict:
        """Options of the operation."""
        raise NotImplementedError

    def after(self, context: Context, result: dict) -> None:
        """Add to the module's result; facts go into ``ansible_facts``."""


def keep(result: dict, *names: str) -> None:
    """Make these keys of a result facts of the host, for later tasks of the same run."""
    facts = {name: result[name] for name in names if result.get(name) is not None}
    if facts:
        result.setdefault("ansible_facts", {}).update(facts)
