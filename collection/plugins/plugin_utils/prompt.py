"""Questions to the person at ansible-playbook's terminal."""
from __future__ import annotations

import os

from ansible.errors import AnsibleError
from ansible.utils.display import Display


def asked(question: str):
    """Whether the answer was yes; None when nobody is there. ansible-runner's terminal is nobody's."""
    if os.environ.get("AWX_ISOLATED_DATA_DIR"):
        return None
    try:
        answer = Display().prompt_until(f"{question}? Type yes to go on")
    except AnsibleError:
        return None
    return bytes(answer).decode(errors="replace").strip().lower() in ("y", "yes")
