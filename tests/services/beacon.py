"""A service of the tests' own: three daemons that keep notes, and pass them on before their node goes.

All that the project knows of it is in this folder, which EMR_SERVICES_PATH names: this home, its hooks in node/, and its role in roles/.
"""
from __future__ import annotations

import re
from pathlib import Path

from ..domain.config.folders import data_dirs
from ..domain.paths import LIBEXEC
from .model import Component, ConfFile, Drain, Health, Heap, Service, TextFile, on

CONF, PROGRAM = "/etc/emr/beacon/beacon.ini", f"{LIBEXEC}/beacon"

BEACON = Component(
    "beacon", on("slave"), "beacon", (PROGRAM, CONF), {"http": 9701}, Heap(0.01, 32, 64), Health("beacon.served", "http", "/state"),
    frozenset({"beacon"}), ("namenode",), label="Beacon", web="http", storage=(("beacon", "server.folder"),), storage_mode="0700",
    # Who its peers are is read anew at each request.
    ignores=(("beacon", r"server\.peers$"),), drain=Drain("http", "/drain"), turn="beacon.beacon")


def ini(settings) -> str:
    """A file of sections: the key server.greeting is ``greeting`` in ``[server]``."""
    sections: dict = {}
    for key, value in sorted(settings.items()):
        section, _dot, name = key.partition(".")
        sections.setdefault(section, []).append(f"{name} = {value}\n")
    return "".join(f"[{section}]\n{''.join(lines)}" for section, lines in sections.items())


def _defaults(facts) -> dict:
    peers = " ".join(e.authority for e in facts.topology.endpoints(BEACON) if e.host != facts.node.name)
    conf = {"server.port": str(BEACON.ports["http"]), "server.greeting": "good morning", "server.peers": peers}
    if facts.here(BEACON):
        conf["server.folder"] = data_dirs(facts.node, "beacon", "beacon", 1)
    return {"beacon": conf}


SERVICE = Service(
    name="beacon", needs=("hdfs",), software="", answers="beacon", components=(BEACON,), data=("beacon",),
    files=(ConfFile("beacon", CONF, ini, at=("beacon",), prefixes=("server.",), key=re.compile(r"^[a-z]+\.[a-z]+$"),
                    key_hint="Write section.name, for example server.greeting.",
                    reserved={"server.port": "clients and health checks know it", "server.folder": "it follows from the node's disks"}),),
    texts=(TextFile(PROGRAM, lambda *_: Path(__file__).with_name("beacon_daemon.txt").read_text(encoding="utf-8"), at=("beacon",), mode="0755"),),
    defaults=_defaults, hdfs_paths=(("/beacon", "beacon", "hadoop", "0755"),))
