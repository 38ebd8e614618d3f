"""The ssh of this machine: what it must be able to do, which key it offers, and where its control sockets lie.

Every door goes through here: first contact, playbooks, inventory, emrctl ssh, tunnels, and the hop through a bastion.
"""
from __future__ import annotations

import base64
import binascii
import os
import shlex
import stat
import subprocess
from functools import lru_cache

from ...domain.errors import Refused

NEEDED = "8.5"
# The most that a path of a Unix socket may have (Linux: 108 bytes with the one that ends it).
_SOCKET_LIMIT = 107
# Of a control socket: a slash, the id of an instance (at most 40), and what ssh appends while it makes one.
_SOCKET_NAME = 1 + 40 + 17
# Where Ansible keeps control sockets; the environment's wins.
_DEFAULT_DIR = "~/.ansible/cp"


@lru_cache(1)
def require_ssh() -> None:
    """Raises Refused unless the ssh of this machine can be told the one host key to trust (OpenSSH 8.5 and newer)."""
    probe = ["ssh", "-G", "-F", "none", "-o", "KnownHostsCommand=/bin/echo %H", "emr.invalid"]
    try:
        done = subprocess.run(probe, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
        if done.returncode == 0:
            return
        version = subprocess.run(["ssh", "-V"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
    except FileNotFoundError:
        raise Refused("ssh is missing on this machine", f"Install the OpenSSH client, {NEEDED} or newer") from None
    except subprocess.TimeoutExpired:
        raise Refused("ssh on this machine does not answer within 30 s", "Look at: ssh -V") from None
    seen = (version.stderr or version.stdout).strip().splitlines() or ["unknown"]
    why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    raise Refused(f"ssh on this machine is too old: {seen[0][:80]} ({why[:120]})",
                  f"Install OpenSSH {NEEDED} or newer: it takes the host key of each node from its tag (KnownHostsCommand)")


def identity_options(private_key_file: str | None) -> list:
    """Options of ssh that offer this key alone; none when it is not known which key is the cluster's.

    Without them each key of an agent is tried first, and a server ends the connection after six. A key that needs no passphrase
    needs no agent at all, which would put the keys that the user's own configuration lists before this one.
    """
    if not private_key_file:
        return []
    return ["-o", "IdentitiesOnly=yes", *(["-o", "IdentityAgent=none"] if _is_plain(private_key_file) else [])]


def identity_args(private_key_file: str | None) -> str:
    """The same as words of a command line."""
    return shlex.join(identity_options(private_key_file))


@lru_cache(64)
def _is_plain(path: str) -> bool:
    """Whether a file is a private key without passphrase. In doubt it is not: then the agent may be asked for it."""
    try:
        with open(os.path.expanduser(path), encoding="ascii") as stream:
            lines = stream.read(65536).strip().splitlines()
    except (OSError, ValueError):
        return False
    if not lines or "PRIVATE KEY-----" not in lines[0]:
        return False
    if "OPENSSH" in lines[0]:
        try:
            blob = base64.b64decode("".join(lines[1:-1]), validate=True)
        except (ValueError, binascii.Error):
            return False
        # The format: a magic word, then the name of the cipher with its length.
        return blob.startswith(b"openssh-key-v1\0\0\0\0\4none")
    return "ENCRYPTED" not in lines[0] and not any("ENCRYPTED" in line for line in lines[1:4])


def agent_keys() -> tuple:
    """Public keys that the agent of this user holds, as lines of authorized_keys."""
    return _agent_keys(os.environ.get("SSH_AUTH_SOCK", ""))


@lru_cache(4)
def _agent_keys(socket: str) -> tuple:
    if not socket:
        return ()
    try:
        done = subprocess.run(["ssh-add", "-L"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(line for line in done.stdout.splitlines() if len(line.split()) >= 2) if done.returncode == 0 else ()


def public_key_file(name: str, line: str) -> str:
    """A file with this public key: named as identity it lets ssh offer the agent's key that belongs to it, and no other."""
    path = os.path.join(private_folder(), f"{name}.pub")
    temporary = f"{path}.{os.getpid()}"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8") as stream:
        stream.write(line + "\n")
    os.replace(temporary, path)
    return path


def control_dir() -> str | None:
    """Where control sockets must lie because Ansible's own folder has too long a path for them; None when that will do."""
    return _control_dir(os.path.expanduser(os.environ.get("ANSIBLE_SSH_CONTROL_PATH_DIR") or _DEFAULT_DIR))


@lru_cache(8)
def _control_dir(wanted: str) -> str | None:
    return None if _fits(os.path.realpath(wanted)) else private_folder()


def _fits(folder: str) -> bool:
    return len(os.fsencode(folder)) + _SOCKET_NAME <= _SOCKET_LIMIT


def private_folder() -> str:
    """A folder with a short path that this user alone can enter. Raises Refused when there is none."""
    run = os.environ.get("XDG_RUNTIME_DIR", "")
    wanted = [os.path.join(run, "emr")] if os.path.isabs(run) and os.path.isdir(run) else []
    wanted.append(f"/tmp/.emr-ssh-{os.getuid()}")
    reasons = []
    for folder in wanted:
        reason = _claim(folder) if _fits(folder) else "its path is too long"
        if not reason:
            return folder
        reasons.append(f"{folder}: {reason}")
    raise Refused("There is no private folder for the sockets of ssh: " + "; ".join(reasons),
                  f"Remove {wanted[-1]}, or set XDG_RUNTIME_DIR to a folder of yours with a short path")


def _claim(folder: str) -> str:
    """Make the folder, or make sure that it is ours alone; why not, or empty."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        return error.strerror or str(error)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        return "it is not a folder"
    if found.st_uid != os.getuid():
        return "it belongs to somebody else"
    if stat.S_IMODE(found.st_mode) != 0o700:
        os.chmod(folder, 0o700)
    return ""
