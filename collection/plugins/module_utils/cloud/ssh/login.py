"""The login key: a private key on the controller, and the key pair in the cloud that puts it on the nodes."""
from __future__ import annotations

import base64
import glob
import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass

from ...domain.errors import Refused
from ..ecs.client import EcsClient, EcsError
from .client import agent_keys, public_key_file

DEFAULT_KEY = "~/.ssh/emr_ed25519"
# Name the private key for everything that finds no other hint.
_VARIABLES = ("EMR_PRIVATE_KEY_FILE", "ANSIBLE_PRIVATE_KEY_FILE")
PREFIX = "emr-login-"
# MaxAuthTries of sshd, as it is by default.
MOST_TRIES = 6


@dataclass(frozen=True)
class Login:
    """``key_pair`` is the name in the cloud; ``private_key_file`` is None when the ssh agent holds the key."""

    key_pair: str
    private_key_file: str | None
    public_key: str = ""


def key_pair_name(public_key: str) -> str:
    """Name of the key pair of a public key: the first eight digits of its SHA-256 fingerprint."""
    blob = base64.b64decode(public_key.split()[1])
    return PREFIX + hashlib.sha256(blob).hexdigest()[:8]


def prepare_login(private_key_file: str | None, key_pair: str | None, make: bool = True) -> Login:
    """The login of a spec. Without ``key_pair`` the private key is read, or made where none exists yet.

    With ``make`` false nothing is written: a missing default key gives an empty name. Raises Refused.
    """
    if key_pair:
        return Login(key_pair, _absolute(private_key_file) if private_key_file else None)
    path = _absolute(private_key_file or _from_environment() or DEFAULT_KEY)
    if not os.path.exists(path):
        if private_key_file:
            raise Refused(f"The private key {path} does not exist",
                          "Correct login.private_key_file, or leave it out: a key is then made")
        if not make:
            return Login("", path)
        _generate(path)
    public = _public_key(path)
    return Login(key_pair_name(public), path, public)


def require_key_pair(client: EcsClient, login: Login) -> None:
    """Raises Refused when the key pair neither exists in the cloud nor could be imported from this machine."""
    if login.key_pair and not login.public_key and not _exists(client, login.key_pair):
        raise Refused(f"login.key_pair: the key pair '{login.key_pair}' does not exist in {client.region}",
                      "Import it in the console, or leave out login.key_pair: one is then made")


def _exists(client: EcsClient, key_pair: str) -> bool:
    return key_pair in {p["KeyPairName"] for p in client.items("DescribeKeyPairs", KeyPairName=key_pair)}


def ensure_key_pair(client: EcsClient, login: Login) -> bool:
    """Make the key pair exist in the cloud. True when it was imported now. Raises Refused when it cannot be."""
    if _exists(client, login.key_pair):
        return False
    require_key_pair(client, login)
    try:
        client.call("ImportKeyPair", KeyPairName=login.key_pair, PublicKeyBody=login.public_key)
    except EcsError as error:
        if "Duplicat" not in error.code and "AlreadyExist" not in error.code:
            raise
    return True


def delete_if_unused(client: EcsClient, key_pair: str) -> bool:
    """Delete a key pair that this program made when no instance uses it. Whether it was deleted."""
    if not key_pair.startswith(PREFIX) or client.items("DescribeInstances", KeyPairName=key_pair):
        return False
    try:
        client.call("DeleteKeyPairs", KeyPairNames=json.dumps([key_pair]))
    except EcsError as error:
        if "NotFound" not in error.code:
            raise
        return False
    return True


def find_private_key(key_pair: str, given: str | None = None, client: EcsClient | None = None) -> str | None:
    """The private key of a key pair on this machine, by the public keys beside them; None leaves it to ssh.

    Of a key that only the agent holds it is a file with the public part, which ssh takes for the name of the key. The ``client``
    is asked for the public part of a key pair whose name does not tell it.
    """
    if given:
        return _absolute(given)
    if _from_environment():
        return _absolute(_from_environment())
    name = key_pair
    if client is not None and key_pair and not key_pair.startswith(PREFIX):
        name = _name_in_cloud(client, key_pair)
    folder = os.path.dirname(_absolute(DEFAULT_KEY))
    for public in [_absolute(DEFAULT_KEY) + ".pub", *sorted(glob.glob(os.path.join(folder, "*.pub")))]:
        try:
            with open(public, encoding="utf-8") as stream:
                found = key_pair_name(stream.read())
        except (OSError, ValueError, IndexError):
            continue
        if found == name and os.path.exists(public[:-4]):
            return public[:-4]
    return _in_agent(name)


def check_agent(login: Login) -> None:
    """Raises Refused when ssh would offer so many keys, before the right one, that servers end the connection."""
    held = len(agent_keys())
    if not login.private_key_file and held >= MOST_TRIES:
        raise Refused(f"The ssh agent holds {held} keys, and it is unknown which of them is key pair {login.key_pair}: a server closes "
                      f"the connection after {MOST_TRIES} tries", "Name its private key, or its .pub file, in login.private_key_file")


def _in_agent(name: str) -> str | None:
    for line in agent_keys() if name.startswith(PREFIX) else ():
        try:
            if key_pair_name(line) == name:
                return public_key_file(name, line)
        except (ValueError, IndexError):
            continue
    return None


def _name_in_cloud(client: EcsClient, key_pair: str) -> str:
    """The name that the key of this key pair would have here; empty when it cannot be known."""
    try:
        rows = client.items("DescribeKeyPairs", KeyPairName=key_pair, IncludePublicKey=True)
        return next((key_pair_name(r["PublicKey"]) for r in rows if r.get("KeyPairName") == key_pair and r.get("PublicKey")), "")
    except (EcsError, ValueError, IndexError):
        return ""


def _from_environment() -> str:
    return next((os.environ[n] for n in _VARIABLES if os.environ.get(n)), "")


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _generate(path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    try:
        done = subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "emr", "-f", path],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Refused("ssh-keygen is missing on this machine", "Install the OpenSSH client") from None
    # Another run may have made it in between: then that one counts.
    if done.returncode and not os.path.exists(path):
        raise Refused(f"Cannot make the login key {path}: {(done.stderr or done.stdout).strip()}",
                      "Check the folder's permissions, or name an existing key in login.private_key_file")


def _public_key(path: str) -> str:
    """The public part: the file beside it, or what ssh-keygen reads from the private key."""
    try:
        with open(path + ".pub", encoding="utf-8") as stream:
            text = stream.read().strip()
    except OSError:
        done = subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", path], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(f"Cannot read the private key {path}: {done.stderr.strip()}",
                          f"Put its public key into {path}.pub, or name another key in login.private_key_file") from None
        text = done.stdout.strip()
    if not re.match(r"(ssh-(rsa|ed25519)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+=*( |$)", text):
        raise Refused(f"{path}.pub holds no public key", "Make it again with ssh-keygen -y")
    return text
