"""How what a task has found gets to the program that ran the playbook: as a file.

Events of ansible-runner are no way for it. One whose result is larger than MAX_EVENT_RES (700,000 characters) comes with an empty
result, and nobody is told. emrctl names a private folder of its run in EMR_RESULTS; other doors (ansible-playbook, AWX) have
what is in the task's result, and tasks with much to say bound it there.
"""
from __future__ import annotations

import json
import os
import time

FOLDER = "EMR_RESULTS"
# A pipe that emrctl reads along while a task runs.
STREAM = "EMR_STREAM"
# Bytes of text in a result where no file can be given: with all else it must fit into an event of AWX.
DOOR_BYTES = 256 << 10


def waited_for() -> bool:
    """Whether emrctl waits for what this run finds, of whatever size it is."""
    return bool(os.environ.get(FOLDER))


def hand_over(result: dict) -> dict:
    """Give ``emr_result`` to emrctl where that waits for it. Returns the result; what failed there makes it a failed one."""
    folder = os.environ.get(FOLDER)
    found = result.get("emr_result") or (result.get("ansible_facts") or {}).get("emr_result")
    if not folder or not isinstance(found, dict):
        return result
    try:
        # Tasks of several hosts write at once; the names keep the order of time.
        path = os.path.join(folder, f"{time.time_ns()}-{os.getpid()}.json")
        with open(f"{path}.part", "w", encoding="utf-8") as out:
            json.dump(found, out, default=str)
        os.rename(f"{path}.part", path)
    except OSError as error:
        return dict(result, failed=True, msg=f"the result could not be kept on this machine: {error}. Make room in {folder}, then run the "
                                             "command again")
    return result


def text_file(name: str):
    """A new file in emrctl's folder for a text of any length, open for writing bytes; None where no emrctl waits for it."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return None
    return open(os.path.join(folder, f"{time.time_ns()}-{name}"), "xb")
