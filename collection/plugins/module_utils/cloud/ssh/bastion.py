"""First contact with nodes that are reached through a bastion: wait for SSH and read the host key on the same way.

ssh-keyscan knows no proxies, so ssh itself is asked to accept the key into a file of its own, once; afterwards every
door compares with the tag. The bastion's own key is known by then. Times are seconds.
"""
from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from ...domain.errors import EmrError
from ...domain.waiting import wait
from ..cluster.hostvars import addresses, ssh_args, through, valid_hostkey
from ..ecs.client import tags_of
from .client import identity_options

WORKERS = 16


def reach_through(bastion: dict, instances: list, user: str, private_key_file: str | None, limit: float) -> dict:
    """{instance id: host key} of all instances, new and known ones, once each has answered. Raises EmrError."""
    option = shlex.split(through(bastion, user, private_key_file))
    keys: dict = {}
    reasons: dict = {}
    with tempfile.TemporaryDirectory(prefix="emr-contact-") as folder, ThreadPoolExecutor(WORKERS) as pool:
        def silent() -> list:
            rest = [i for i in instances if i["InstanceId"] not in keys]
            for instance, (key, reason) in zip(rest, pool.map(lambda i: _knock(i, option, user, private_key_file, folder), rest)):
                keys.update({instance["InstanceId"]: key} if key else {})
                reasons[instance["InstanceName"]] = reason
            return sorted(i["InstanceName"] for i in rest if i["InstanceId"] not in keys)
        names = wait(silent, limit, 0.5)
    if names:
        raise EmrError(f"{len(names)} nodes do not answer on SSH through {bastion['InstanceName']} after {limit:.0f} s: "
                       f"{', '.join(names[:10])}; the last error was: {reasons[names[0]]}",
                       "Check that the bastion's sshd allows TCP forwarding, then run the command again", {"unreachable": True})
    return keys


def _knock(instance: dict, proxy: list, user: str, private_key_file: str | None, folder: str) -> tuple:
    """(host key, reason) of one try. A known key must be the one that answers; a new one is read."""
    known = valid_hostkey(tags_of(instance).get("emr:hostkey", ""))
    file = os.path.join(folder, instance["InstanceId"])
    if known:
        trust = shlex.split(ssh_args(known))
    else:
        trust = ["-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={file}", "-o", "HashKnownHosts=no",
                 "-o", "GlobalKnownHostsFile=/dev/null", "-o", "HostKeyAlgorithms=ssh-ed25519", "-o", "ForwardAgent=no"]
    identity = [*identity_options(private_key_file), "-i", private_key_file] if private_key_file else []
    try:
        done = subprocess.run(["ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", *trust, *proxy, *identity,
                               f"{user}@{addresses(instance)[0]}", "true"], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return "", "no answer within 60 s"
    reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
    if known:
        return (known if done.returncode == 0 else ""), reason
    try:
        with open(file, encoding="utf-8") as stream:
            found = [" ".join(line.split()[1:3]) for line in stream]
    except OSError:
        return "", reason
    return next((k for k in found if valid_hostkey(k)), ""), reason
