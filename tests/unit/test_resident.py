"""What stays on nodes: packages that are complete, and a program that works for its own version alone."""
from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from ansible_collections.emr.cluster.plugins.module_utils.domain.resident import package as resident
from ansible_collections.emr.cluster.plugins.module_utils.node import node_program
from ansible_collections.emr.cluster.plugins.plugin_utils import node_action, resident_calls
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

NODE_FILES = {row["path"]: row["content"] for row in resident.node_files()}


def place(files: dict, folder) -> None:
    """Write a node's files below a folder, with programs that look there."""
    for path, text in files.items():
        target = folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace(resident.LIB, str(folder / resident.LIB.lstrip("/"))) if "/libexec/" in path else text)


@pytest.mark.parametrize("files", [resident.package(), NODE_FILES], ids=["masters", "all nodes"])
def test_the_package_is_complete(tmp_path, files):
    """Its files alone, with nothing of Ansible on the path."""
    place(files, tmp_path)
    names = [name.removeprefix(resident.LIB + "/").removesuffix(".py").replace("/", ".").removesuffix(".__init__")
             for name in files if name.endswith(".py") and name.startswith(resident.LIB)]
    code = f"import sys; sys.path.insert(0, {str(tmp_path / resident.LIB.lstrip('/'))!r}); import {', '.join(names)}"
    done = subprocess.run([sys.executable, "-S", "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_program_of_the_masters_starts(tmp_path):
    place({**resident.package(), paths.JOBS_PROGRAM: resident.program("jobs.program")}, tmp_path)
    done = subprocess.run([sys.executable, str(tmp_path / paths.JOBS_PROGRAM.lstrip("/")), "show", "../x"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and "there is no job" in json.loads(done.stdout)["msg"]


def ask(folder, version: str, options: dict, check: bool = True):
    sent = json.dumps({"options": options, "check": check, "diff": True, "version": version})
    return subprocess.run([sys.executable, str(folder / paths.NODE.lstrip("/")), "configure"], input=sent, capture_output=True,
                          text=True, check=False)


def test_another_version_is_left_to_the_module(tmp_path):
    place(NODE_FILES, tmp_path)
    assert json.loads(ask(tmp_path, "another", {}).stdout) == {"other_version": True}


def test_its_own_version_configures(tmp_path):
    place(NODE_FILES, tmp_path)
    wanted = tmp_path / "wanted.conf"
    options = {"install": {}, "files": [{"path": str(wanted), "content": "a\n", "owner": "root", "group": "root", "mode": "0644"}],
               "java_mark": "", "units": [], "directories": [], "storage": {}, "revision": {}}
    result = json.loads(ask(tmp_path, resident.version(), options).stdout)
    assert result["changed"] and result["changed_files"] == [str(wanted)] and result["diff"][0]["after"] == "a\n"
    assert not wanted.exists()


class Action:
    """The part of an action plugin that talks to a node."""

    def __init__(self, rc: int, stdout: str):
        self._task = SimpleNamespace(check_mode=False, diff=False)
        self.answer = {"rc": rc, "stdout": stdout, "stderr": "said"}

    def _low_level_execute_command(self, _command, sudoable, in_data):
        assert sudoable and json.loads(in_data)["version"] == resident.version()
        return self.answer


class Sender(NodeAction):
    """An action plugin of an operation, as far as it sends it."""

    def __init__(self, new: bool):
        self.asked, self.task_vars = [], {}
        self.context = SimpleNamespace(fact=lambda name: {} if not new else {"java": "17"})

    def _execute_module(self, module_name, module_args, task_vars):
        self.asked.append(module_args["op"])
        return {}


@pytest.mark.parametrize(("op", "new", "options", "by_module"), [
    ("configure", False, {}, False), ("configure", True, {}, True), ("configure", False, {"secrets": {"a": "b"}}, True),
    ("host", False, {}, True), ("check", False, {}, True)])
def test_only_what_the_program_knows_is_asked_of_it(monkeypatch, op, new, options, by_module):
    """An action may do another operation than its own, as check does that of host."""
    sender = Sender(new)
    monkeypatch.setattr(NodeAction, "_asked", staticmethod(lambda _op, given: given))
    monkeypatch.setattr(resident_calls, "perform", lambda action, op, options: {"by": "program"})
    assert (sender.module(options, op=op) == {"by": "program"}) is not by_module
    assert sender.asked == ([op] if by_module else [])
    sender.MODULE = op
    assert (sender.module(options) == {"by": "program"}) is not by_module


def test_the_program_knows_what_is_asked_of_it():
    assert set(node_program.OPERATIONS) == set(resident.NODE_OPERATIONS)


def test_a_node_without_the_program_is_left_to_the_module():
    assert resident_calls.perform(Action(127, ""), "configure", {}) is None
    assert resident_calls.perform(Action(0, 'noise\n{"other_version": true}\n'), "configure", {}) is None


def test_its_answer_is_the_result_and_silence_an_error():
    assert resident_calls.perform(Action(1, '{"failed": true, "msg": "no"}'), "configure", {})["msg"] == "no"
    with pytest.raises(EmrError, match="ended with 1 and no answer: said"):
        resident_calls.perform(Action(1, ""), "configure", {})


class Broken(NodeAction):
    """An action whose connection breaks while a module is sent, on a node with or without the link to its Python."""

    def __init__(self, linked: bool):
        self.linked, self.tried, self.task_vars = linked, [], {}
        self.context = SimpleNamespace(fact=lambda name: {"java": "17"})

    def _run_module(self, arguments, python):
        self.tried.append(python)
        if len(self.tried) == 1:
            raise AnsibleConnectionFailure("Data could not be sent to remote host")
        return {"changed": True}

    def shell(self, command):
        return {"rc": 0 if self.linked else 1, "stdout": "", "stderr": ""}


def test_a_connection_that_broke_for_want_of_an_interpreter_makes_it(monkeypatch):
    monkeypatch.setattr(NodeAction, "_asked", staticmethod(lambda _op, given: given))
    monkeypatch.setattr(node_action.interpreter, "ensure", lambda action: "/usr/bin/python3.11")
    action = Broken(linked=False)
    assert action.module({}, op="host") == {"changed": True} and action.tried == [paths.PYTHON, "/usr/bin/python3.11"]
    with pytest.raises(AnsibleConnectionFailure):
        Broken(linked=True).module({}, op="host")
