"""Secrets for Hadoop: a credential provider file, made by Hadoop's own command.

The command asks for a secret at a terminal. It gets one here, since the alternative is its command line, which every
user of the host can read.
"""
from __future__ import annotations

import os
import pty
import select
import termios
import time

from .. import hadoop_cli
from ..common import NodeError

# A terminal hands on lines of up to 4,095 bytes (N_TTY_BUF_SIZE of Linux).
MAX_BYTES = 4000


def provider_of(path):
    """URL of the file, for the key hadoop.security.credential.provider.path."""
    return f"localjceks://file{path}"


def keep(path, secrets, more=None, only=None, limit_s=120):
    """Make the file anew with these secrets ({alias: secret}), readable by its owner alone. ``more``, ``only``: of hadoop_cli.environment.

    limit_s: seconds for each secret. Raises NodeError. Whoever reads the file meanwhile sees the old one.
    """
    for alias, secret in secrets.items():
        if any(c in secret for c in "\n\r\0") or not secret or len(secret.encode()) > MAX_BYTES:
            raise NodeError(f"{alias}: a secret is one line of 1 to {MAX_BYTES} bytes: Hadoop's command reads it from a terminal")
    fresh = f"{path}.new"
    if os.path.exists(fresh):
        os.unlink(fresh)
    for alias, secret in secrets.items():
        _ask(["credential", "create", alias, "-provider", provider_of(fresh)], secret, {"more": more, "only": only}, limit_s)
    os.chmod(fresh, 0o600)
    os.replace(fresh, path)


def _ask(words, secret, environment, limit_s):
    """Run a command at a terminal of its own and type the secret whenever it asks."""
    there, here = pty.openpty()
    _literal(here)
    child = hadoop_cli.start("hadoop", words, **environment, stdin=here, stdout=here, stderr=here, start_new_session=True)
    os.close(here)
    said, line, deadline = b"", b"", time.monotonic() + limit_s
    try:
        while time.monotonic() < deadline:
            if not select.select([there], [], [], 1)[0]:
                continue
            try:
                piece = os.read(there, 4096)
            except OSError:  # the command has ended
                break
            if not piece:
                break
            said += piece
            line = (line + piece).rpartition(b"\n")[2]
            if b"assword" in line and line.rstrip().endswith(b":"):
                os.write(there, secret.encode() + b"\n")
                line = b""
        else:
            raise NodeError(f"hadoop {' '.join(words[:3])} did not end within {limit_s} s")
        code = child.wait(max(deadline - time.monotonic(), 5))
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        os.close(there)
    if code:
        raise NodeError(f"hadoop {' '.join(words[:3])} ended with {code}: "
                        f"{said.decode(errors='replace').replace(secret, '***').strip()[-500:]}")


def _literal(terminal):
    """Let a terminal hand on every sign of a line: no interrupt, no end of file, no erasing, no start and stop, no parity."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, signs = termios.tcgetattr(terminal)
    off = os.fpathconf(terminal, "PC_VDISABLE")
    keep_as = (termios.VMIN, termios.VTIME)
    signs = [sign if at in keep_as else bytes([off]) for at, sign in enumerate(signs)]
    iflag &= ~(termios.IXON | termios.IXOFF | termios.ISTRIP | termios.INLCR | termios.IGNCR)
    termios.tcsetattr(terminal, termios.TCSANOW, [iflag, oflag, cflag, lflag & ~(termios.ISIG | termios.IEXTEN), ispeed, ospeed, signs])
