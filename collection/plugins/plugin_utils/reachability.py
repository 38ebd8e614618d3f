"""Whether a node can be talked to at all: one host that is down must not make a look at the others slow."""
from __future__ import annotations

import socket

PATIENCE_S = 3.0


def silence(context) -> str:
    """Why the task's host will not answer over SSH, within PATIENCE_S; '' when it may."""
    state = str(context.get(context.host, "emr_state", "Running"))
    stopped = f"the instance is {state}" if state != "Running" else ""
    if "ProxyCommand" in str(context.get(context.host, "ansible_ssh_common_args", "")):
        # Behind a bastion only ssh itself can tell, and it has a limit of its own.
        return stopped
    if str(context.get(context.host, "ansible_connection", "ssh")) not in ("ssh", "smart"):
        return ""
    address = str(context.get(context.host, "ansible_host", context.host))
    # It may have been started since the cloud was asked, so the port has the last word.
    why = unanswered(address, int(context.get(context.host, "ansible_port", 22)))
    return (stopped or why) if why else ""


def unanswered(address: str, port: int = 22, limit_s: float = PATIENCE_S) -> str:
    """Why nobody answers there, or ''."""
    try:
        with socket.create_connection((address, port), timeout=limit_s):
            return ""
    except TimeoutError:
        return f"no answer from {address} port {port} within {limit_s:g} s"
    except OSError as error:
        return f"no answer from {address} port {port}: {error.strerror or error}"
