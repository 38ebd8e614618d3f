"""What the only ResourceManager keeps of applications in files, and several keep in ZooKeeper: the same records, under the same names.

The files are those of FileSystemRMStateStore, the records those of ZKRMStateStore (Hadoop 3.4).
"""
from __future__ import annotations

import os

from ...domain import paths
from .zookeeper_records import Records

FILES, RECORDS = f"{paths.YARN_STATE}/rmstore/FSRMStateRoot", "/rmstore/ZKRMStateRoot"
APPLICATIONS, EPOCH, TOKENS = "RMAppRoot", "EpochNode", "AMRMTokenSecretManagerRoot"
# Made by the first ResourceManager that keeps its records there.
VERSION = f"{RECORDS}/RMVersionNode"


def records(folder):
    """{path of the record: its bytes} of what applications go on with, those above others first."""
    found = {}
    for name, path in ((EPOCH, f"{folder}/{EPOCH}"), (TOKENS, f"{folder}/{TOKENS}/AMRMTokenSecretManagerNode")):
        data = _content(path)
        if data is not None:
            found[name] = data
    for application in _names(f"{folder}/{APPLICATIONS}"):
        own = f"{APPLICATIONS}/{application}"
        data = _content(f"{folder}/{own}/{application}")
        if data is None:
            # Its own record is written first: without it nothing of the application was acknowledged.
            continue
        found[own] = data
        for attempt in _names(f"{folder}/{own}"):
            if attempt.startswith("appattempt_"):
                found[f"{own}/{attempt}"] = _content(f"{folder}/{own}/{attempt}")
    return found


def _names(folder):
    """Names of records in a folder: without checksums, and halves of what was being written."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted({name[:-4] if name.endswith(".new") else name for name in names if not name.startswith(".") and not name.endswith(".tmp")})


def _content(path):
    """The bytes of a record. One that was about to be replaced is there under another name, as a whole."""
    for name in (f"{path}.new", path):
        try:
            with open(name, "rb") as handle:
                return handle.read()
        except FileNotFoundError:
            pass
    return None


def carry_over(url):
    """Give ZooKeeper the records of the files, unless a ResourceManager keeps its own there by now. How many applications there were, or None."""
    with Records(url) as keeper:
        if keeper.there(VERSION):
            return None
        found = records(FILES)
        for name, data in found.items():
            keeper.put(f"{RECORDS}/{name}", data)
    return sum(name.count("/") == 1 for name in found)
