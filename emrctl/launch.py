"""Start a program so that it cannot outlive emrctl: ``python -m emrctl.launch PARENT PIDFILE COMMAND…``.

ansible-runner starts its child in a session of its own and lets it ignore SIGHUP, so without help a killed emrctl would
leave a playbook that goes on buying and changing machines; and a tunnel of ssh would stay open. The kernel sends SIGTERM at
the parent's death instead, and Ansible passes that on to its workers. (Where there is no prctl the playbook merely ends later,
at its next output.)
"""
from __future__ import annotations

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask for SIGTERM at the death of ``parent``; exit at once when it is dead already."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(130)


def command(pidfile: str, argv: list[str]) -> list[str]:
    """Arguments for Python that start this command so, as a child of this process."""
    return ["-m", "emrctl.launch", str(os.getpid()), pidfile, *argv]


def main(argv: list[str]) -> None:
    """Write our process id to PIDFILE and become COMMAND."""
    parent, pidfile, program = int(argv[0]), argv[1], argv[2:]
    die_with_parent(parent)
    with open(pidfile, "w", encoding="ascii") as handle:
        handle.write(str(os.getpid()))
    os.execvp(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
