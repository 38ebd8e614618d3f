"""Where HDFS keeps the copies of its blocks, and whether it has healed."""
from __future__ import annotations

import re

from ..common import NodeError, wait_until
from ..daemons.health import hdfs_summary
from ..hadoop_http import HttpError, NameNode
from .details import hdfs_details

_BLOCK = re.compile(rb"^\d+\. \S*blk_")
_PLACE = re.compile(rb"\[(\d{1,3}(?:\.\d{1,3}){3}):\d+,")
_FILE = re.compile(rb"^(/.*) \d+ bytes, (?:replicated|erasure-coded)")
NAMED = 20


def perform(params, _check=False):
    """With ``dead`` (addresses) the blocks that only these have; else the numbers of HDFS."""
    if not params.get("dead"):
        return {"changed": False, "hdfs": hdfs_details(params["namenode"])}

    def unknown():
        found = hdfs_summary(params["namenode"])
        # A NameNode in safe mode does not know yet who has what.
        return "it does not answer" if not found else "it is in safe mode" if found["safe_mode"] else ""
    try:
        wait_until(params["limit_s"], "the NameNode", unknown, 1, lambda seen: NodeError(
            f"the NameNode cannot tell after {params['limit_s']} s: {seen}"))
    except NodeError as error:
        return {"changed": False, "copies": {"error": str(error)}}
    copies = sole_copies(params["namenode"], params["dead"], params["limit_s"])
    datanodes = (hdfs_details(params["namenode"]) or {}).get("datanodes", [])
    return {"changed": False, "copies": dict(copies, datanodes=datanodes)}


def sole_copies(base, dead, limit_s):
    """{blocks, files, checked}: blocks without a copy elsewhere, and the first files with such. Or {error}.

    The NameNode's fsck page is what `hdfs fsck` prints; it is read as it comes, without a JVM and without keeping it.
    """
    try:
        with NameNode(base).fsck(limit_s, path="/", files=1, blocks=1, locations=1, openforwrite=1) as answer:
            return count_sole(answer, dead)
    except HttpError as error:
        return {"error": str(error)}


def count_sole(lines, dead):
    """The same of the lines of fsck (bytes)."""
    gone, blocks, checked, files, name, ended = {d.encode() for d in dead}, 0, 0, [], b"", False
    for line in lines:
        match = _FILE.match(line)
        if match:
            name = match.group(1)
        elif _BLOCK.match(line):
            checked += 1
            if not set(_PLACE.findall(line)) - gone:
                blocks += 1
                if name.decode("utf-8", "replace") not in files and len(files) < NAMED:
                    files.append(name.decode("utf-8", "replace"))
        ended = ended or line.startswith((b"The filesystem under path", b"Status: "))
    if not ended:
        return {"error": "the answer of the NameNode's fsck was cut off"}
    return {"blocks": blocks, "files": files, "checked": checked}
