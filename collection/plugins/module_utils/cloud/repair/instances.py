"""Bring instances back that stopped or do not answer, or establish that they are dead; release those. In seconds."""
from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

from ...domain.errors import EmrError
from ..cluster.finder import cluster_instances
from ..purchase.purchase import start_instances
from ..scale.release import release_nodes
from ..ssh.contact import node_address

START_LIMIT_S = 240.0
LOOK_S = 2.0


def recover(operation, found, patience_s: float) -> tuple:
    """(started, dead): names of nodes."""
    asked = _start(operation, found.start)
    started = _await(operation, asked, START_LIMIT_S, "started instances") if asked else set()
    back = _await(operation, found.silent, patience_s, "nodes that do not answer") if found.silent else set()
    dead = sorted((set(found.start) - started) | (set(found.silent) - back))
    for name in dead:
        operation.say(f"{name} is dead: {'it does not start' if name in found.start else 'no answer'}")
    return sorted(started), dead


def _start(operation, names) -> list:
    """Ask for stopped instances to be started; the names of those that ECS will start. The others are told."""
    asked = []
    for name in names:
        instance = _by_name(operation).get(name)
        if instance is None:
            continue
        try:
            if instance.get("Status") == "Stopped":
                operation.changed = True
                start_instances(operation.client, [instance["InstanceId"]])
            operation.say(f"starting {name} ({instance['InstanceId']}), which was {instance.get('Status')}")
            asked.append(name)
        except EmrError as error:
            operation.say(f"{name} cannot be started: {error.message}")
    return asked


def _by_name(operation) -> dict:
    return {i.get("InstanceName", ""): i for i in cluster_instances(operation.client, operation.name)}


def _await(operation, names, limit_s: float, what: str) -> set:
    """Those of the nodes that run and answer on port 22 before the limit."""
    end, told, answering = time.monotonic() + limit_s, time.monotonic(), set()
    while set(names) - answering:
        known = _by_name(operation)
        rest = {name: known[name] for name in names if name in known and name not in answering}
        running = {name: node_address(i, operation.address) for name, i in rest.items() if i.get("Status") == "Running"}
        with ThreadPoolExecutor(min(16, len(running) or 1)) as pool:
            answers = list(pool.map(_answers, running.values()))
        answering |= {name for name, answer in zip(running, answers) if answer}
        if time.monotonic() > end:
            break
        if time.monotonic() - told > 15:
            told = time.monotonic()
            silent = sorted(set(rest) - answering)
            states = ", ".join(f"{name} is {rest[name].get('Status')}" for name in silent)
            operation.say(f"waiting for {what}, {end - told:.0f} s at most: {states or 'gone'}")
        if set(names) - answering:
            time.sleep(LOOK_S)
    return answering


def _answers(address: str) -> bool:
    """Whether sshd sends its greeting: an open port alone may be a host that hangs."""
    try:
        with socket.create_connection((address, 22), timeout=3) as link:
            link.settimeout(5)
            return link.recv(4) == b"SSH-"
    except OSError:
        return False


def release(operation, names) -> list:
    """Release the instances of dead nodes and wait until they are gone."""
    gone = release_nodes(operation.client, operation.found(), names, names, operation.lock, operation.say)
    operation.changed = operation.changed or bool(gone)
    return gone
