"""`emrctl ssh` and `emrctl open`: straight to the machines; they change nothing."""
from __future__ import annotations

import sys
from contextlib import contextmanager

import typer

from emrctl import failures
from emrctl.verbs import NAME, REGION

NODE = typer.Argument(None, help="Node (default: the control node).")


def ssh(ctx: typer.Context, name: str = NAME, node: str = NODE,
        region: str = REGION) -> None:
    """Log in to a node, or run there what follows --."""
    import os

    from emrctl import cloud

    found = cloud.nodes(name, region)
    if node is None:
        chosen = cloud.control_node(found)
    else:
        chosen = next((n for n in found if n["name"] == node), None)
        if chosen is None:
            failures.fail(f"{name} has no node {node}. It has: {', '.join(n['name'] for n in found)}", failures.REFUSED)
    command = ["ssh", *cloud.ssh_arguments(chosen), *(ctx.obj or [])]
    sys.stdout.flush()
    os.execvp(command[0], command)


def open_pages(name: str = NAME, region: str = REGION) -> None:
    """Tunnel the cluster's web pages to this machine: through SSH, until Ctrl-C."""
    from emrctl import cloud

    found = cloud.nodes(name, region)
    master = cloud.control_node(found)
    forwards, lines = [], []
    for label, address, port in cloud.pages(found):
        local = free_port()
        forwards += ["-L", f"127.0.0.1:{local}:{address}:{port}"]
        lines.append(f"{label:<28} http://127.0.0.1:{local}/")
    print("\n".join(lines), flush=True)
    print("Open until you press Ctrl-C.", file=sys.stderr)
    with tunnel([*forwards, *cloud.ssh_arguments(master)]) as ssh_process:
        ended(name, ssh_process.wait())


@contextmanager
def tunnel(arguments: list):
    """A process of ssh with these arguments that only forwards. It ends with this one, however this one ends."""
    import os
    import subprocess

    from emrctl import launch

    command = ["ssh", "-N", "-o", "ExitOnForwardFailure=yes", *arguments]
    process = subprocess.Popen([sys.executable, *launch.command(os.devnull, command)], stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def ended(name: str, code: int) -> None:
    """Leaves with 4 when a tunnel to cluster ``name`` ended by itself."""
    if code not in (0, 130, -2):
        failures.fail(f"the tunnel ended with {code}. Next: emrctl ssh {name}", failures.UNREACHABLE)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
