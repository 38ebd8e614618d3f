"""Log lines of daemons and hosts from all nodes as one stream. On the controller alone, in a play on localhost."""
from __future__ import annotations

import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from ansible.utils.display import Display

from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons.units import log_file
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import parameters
from ansible_collections.emr.cluster.plugins.module_utils.domain.logs.lines import LEVELS, RECORDS, SYSTEM, Newest
from ansible_collections.emr.cluster.plugins.module_utils.domain.text import durations
from ansible_collections.emr.cluster.plugins.module_utils.domain.text.names import instead
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS
from ansible_collections.emr.cluster.plugins.plugin_utils.log_streams import Followed, Gathered, command
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction
from ansible_collections.emr.cluster.plugins.plugin_utils.reachability import silence
from ansible_collections.emr.cluster.plugins.plugin_utils.results import DOOR_BYTES, STREAM

# What is told when nobody says since when: the last hour, or while it is followed the last minute.
SINCE = {False: "1h", True: "1m"}


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "logs"
    REFUSES = True
    _requires_connection = False

    def work(self, context, args):
        follow = bool(args.get("follow"))
        request = asked(args, follow)
        hosts = chosen("node", args.get("node"), sorted(context.hosts))
        if not hosts:
            raise Refused("there are no nodes", "See emrctl list")
        # Whoever is followed may come back.
        silent = {} if follow else quiet(context, hosts)
        commands = {host: command(self, context, host) for host in hosts if host not in silent}
        with sink(follow) as told:
            return {"result": followed(commands, request, told) if follow else gathered(commands, request, told, silent)}


def asked(args: dict, follow: bool, now=time.time) -> dict:
    """The request to each node. Raises Refused."""
    names = chosen("component", args.get("component"), [*COMPONENTS, SYSTEM])
    level = str(args.get("level") or "").upper()
    if level and level not in LEVELS:
        raise Refused(f"level: {args['level']!r} does not exist", f"Levels are {', '.join(LEVELS)}")
    grep, regex = str(args.get("grep") or ""), bool(args.get("regex"))
    if regex:
        try:
            re.compile(grep)
        except re.error as error:
            raise Refused(f"grep: {grep!r} is not a regular expression: {error}", "Correct it, or look for it as it is: without --regex") from error
    rows = {name: {"unit": COMPONENTS[name].unit, "path": log_file(COMPONENTS[name])} for name in names if name != SYSTEM}
    return {"components": rows, "system": SYSTEM in names, "since": since(str(args.get("since") or SINCE[follow]), now()), "level": level,
            "grep": grep, "regex": regex, "most": int(args.get("lines") or RECORDS), "follow": follow}


def chosen(what: str, given, known: list) -> list:
    """Those of ``known`` that are named, all when none is. Raises Refused for another name."""
    for name in given or ():
        if name not in known:
            raise Refused(f"{what}: there is no {name}", instead(str(name), known))
    return list(dict.fromkeys(given)) if given else known


def quiet(context, hosts: list) -> dict:
    """{host: why} of those that nobody answers at: they cost seconds, not the time-outs of ssh."""
    with ThreadPoolExecutor(32) as pool:
        found = pool.map(lambda host: silence(SimpleNamespace(host=host, get=context.get)), hosts)
        return {host: why for host, why in zip(hosts, found, strict=True) if why}


def since(text: str, now: float) -> float:
    """A moment that is written as how long ago, or as a time. Raises Refused."""
    try:
        return now - durations.seconds(text)
    except ValueError:
        try:
            return parameters.read(text, "UTC").timestamp()
        except ValueError as error:
            raise Refused(f"since: {error}", "Write 2h for two hours ago, or a time in UTC") from error


def gathered(commands: dict, request: dict, told, silent: dict) -> dict:
    """What is there now, the newest of it. ``silent``: nodes that are not asked, {name: why}."""
    found = Gathered(commands, request)
    found.silent.update(silent)
    newest = Newest(request["most"])
    try:
        for record in found:
            newest.add(record)
    finally:
        for stream in found.streams:
            stream.stop()
    if len(found.silent) == len(commands) + len(silent):
        raise EmrError("\n".join(f"{node}: {why}" for node, why in sorted(found.silent.items())), "Look with emrctl status")
    for record in newest.rows:
        told.record(*record)
    left_out = found.left_out + newest.left_out
    summary = {"records": len(newest.rows), "left_out": left_out, "silent": found.silent}
    return {"changed": False, **summary, **told.result(), "emr_result": summary}


def followed(commands: dict, request: dict, told) -> dict:
    """Until the run is cancelled, or nobody reads any more."""
    found = Followed(commands, request)
    try:
        for record in found:
            if isinstance(record, str):
                told.note(record)
            elif record:
                told.record(*record)
    except BrokenPipeError:
        return {"changed": False}
    finally:
        for stream in found.streams:
            stream.stop()


def sink(follow: bool):
    """Where records go: to emrctl, which reads along; else into the result, and those that are followed to the screen of ansible-playbook."""
    path = os.environ.get(STREAM)
    return Stream(path) if path else Screen(follow)


class Stream:
    """A pipe of emrctl's, a line of JSON for each record."""

    def __init__(self, path: str):
        self.path = path

    def __enter__(self):
        self.out = open(self.path, "w", encoding="utf-8", errors="replace")
        return self

    def __exit__(self, *_error) -> None:
        self.out.close()

    def record(self, moment, node, component, level, text) -> None:
        """One record."""
        self._write({"time": moment, "node": node, "component": component, "level": level, "text": text})

    def note(self, text: str) -> None:
        """Something about the nodes themselves."""
        self._write({"note": text})

    def _write(self, row: dict) -> None:
        self.out.write(json.dumps(row) + "\n")
        self.out.flush()

    def result(self) -> dict:
        """What of it belongs into the result."""
        return {}


class Screen:
    """For doors other than emrctl: the newest lines in the result, within what an event may have; what is followed on the screen."""

    def __init__(self, follow: bool):
        self.follow, self.newest = follow, Newest(RECORDS, DOOR_BYTES)

    def __enter__(self):
        return self

    def __exit__(self, *_error) -> None:
        pass

    def record(self, moment, node, component, level, text) -> None:
        """One record."""
        words = line(moment, node, component, level, text)
        if self.follow:
            Display().display(words)
        else:
            self.newest.add([words])

    def note(self, text: str) -> None:
        """Something about the nodes themselves."""
        Display().display(f"emr: {text}")

    def result(self) -> dict:
        """What of it belongs into the result."""
        return {"lines": [row[0] for row in self.newest.rows]}


def line(moment, node, component, level, text) -> str:
    """A record for people."""
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment * 1000) % 1000:03d}Z"
    return f"{when} {node} {component} {level} {text}"
