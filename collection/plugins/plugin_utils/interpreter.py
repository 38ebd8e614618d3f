"""The Python of nodes: found or installed by a first step that needs none, and linked to one path that all later use has.

So nothing about a node's Python is remembered anywhere: not in tags, which are untrusted, and not on the controller. New
nodes get the step; on others only a missing link shows that it is needed, and costs nothing until then.
"""
from __future__ import annotations

import re

from ..module_utils.domain import paths
from ..module_utils.domain.errors import EmrError
from ..module_utils.domain.install import systems

VARIABLE = "ansible_python_interpreter"
# A path that somebody chose; anything else (auto, a template) chooses nothing.
_PATH = re.compile(r"/[\w./+-]+")


def variables(task_vars: dict, path: str = paths.PYTHON) -> dict:
    """The task's variables for modules that run by this interpreter."""
    return {**task_vars, VARIABLE: path}


def missing(result: dict) -> bool:
    """Whether a module did not run because its interpreter is not there."""
    return bool(result.get("failed")) and result.get("rc") in (126, 127) and "module_stdout" in result


def ensure(action) -> str:
    """Find the node's Python, or install one, and link it; the path that modules run by. Raises EmrError: none can be had.

    In check mode nothing is linked or installed, and what was found is used as it is.
    """
    chosen = str(action.task_vars.get(VARIABLE) or "")
    script = systems.find_script(chosen if _PATH.fullmatch(chosen) and chosen != paths.PYTHON else "",
                                 link=not action._task.check_mode)
    answer = _find(action, script)
    packages = systems.wants_python(answer)
    said = ""
    if packages and not action._task.check_mode:
        done = action.shell(systems.install_script(packages))
        said = (done["stderr"].strip() or done["stdout"].strip())[-500:] if done["rc"] else ""
        answer = _find(action, script) if not said else answer
    if not answer["python"]:
        system = answer["release"].get("PRETTY_NAME") or "This system"
        raise EmrError(f"{system} has no Python from {'.'.join(map(str, systems.LEAST_PYTHON))} on"
                       + (f", and installing {packages[0]} failed: {said}" if said else ""),
                       "Install one, or use another image (docs/images.md), then run the command again")
    return answer["python"] if action._task.check_mode else paths.PYTHON


def _find(action, script: str) -> dict:
    done = action.shell(script)
    answer = systems.read_answer(done["stdout"])
    if answer is None:
        raise EmrError(f"The first step on this node ended with {done['rc']}: {(done['stderr'] or done['stdout']).strip()[-500:]}",
                       "Look at the node, then run the command again", {"unreachable": False})
    return answer
