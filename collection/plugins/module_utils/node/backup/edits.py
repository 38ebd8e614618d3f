"""Segments of the NameNode's edits that a restore adds to a copy, made with Hadoop's own tools.

A restored NameNode counts on from the last block that the copy knows, and so would give new blocks the numbers of those
that DataNodes still have from the time after it. And a block that was appended to since then has a newer generation
stamp on the DataNodes, so that they would be taken for damaged. Two kinds of edits prevent both.
"""
from __future__ import annotations

import os
import re
import subprocess
import time

from ...domain.config.writers import xml_text
from .. import hadoop_cli
from ..common import NodeError
from ..hadoop_http import NameNode
from ..host.prepare import find_java

# No cluster writes that many blocks between two backups, and 64 bits have room for it two billion times.
AHEAD = 1 << 32


def environment():
    """What the environment of Hadoop's tools gets on this node: quiet, since what they log here is no news."""
    return {"JAVA_HOME": find_java(), "HADOOP_ROOT_LOGGER": "ERROR,console"}


def image_facts(image):
    """{genstamp, last_block} of an image, as Hadoop's own viewer tells them in its first lines."""
    viewer = hadoop_cli.start("hdfs", ["oiv", "-p", "XML", "-i", image, "-o", "-"], more=environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    try:
        text = b""
        # The whole image may be of many gigabytes; the facts are at its beginning.
        while b"</NameSection>" not in text and len(text) < 1 << 16:
            block = viewer.stdout.read1(4096)
            if not block:
                break
            text += block
    finally:
        viewer.kill()
        said = viewer.stderr.read().decode(errors="replace")
        viewer.wait()
    return parse_facts(text.decode(errors="replace"), said)


def parse_facts(text, said=""):
    """The facts in the viewer's text. Raises NodeError when they are not there."""
    found = {key: re.search(rf"<{tag}>(-?\d+)</{tag}>", text)
             for key, tag in (("genstamp", "genstampV2"), ("last_block", "lastAllocatedBlockId"))}
    if not all(found.values()):
        raise NodeError("the image cannot be read: " + (said.strip().splitlines() or ["no NameSection in it"])[-1])
    return {key: int(match.group(1)) for key, match in found.items()}


def ahead_rows(image):
    """Edits that let the NameNode go on counting where no DataNode has a block.

    Generation stamps stay: by them a NameNode knows blocks from after the copy, and refuses to leave safe mode by itself.
    """
    return [("OP_ALLOCATE_BLOCK_ID", f"<BLOCK_ID>{image['last_block'] + AHEAD}</BLOCK_ID>")]


def update_row(path, blocks):
    """The edit that gives a file these blocks: [(id, generation stamp, bytes)], all of them, in order."""
    rows = "".join(f"<BLOCK><BLOCK_ID>{number}</BLOCK_ID><NUM_BYTES>{size}</NUM_BYTES><GENSTAMP>{stamp}</GENSTAMP></BLOCK>"
                   for number, stamp, size in blocks)
    return "OP_UPDATE_BLOCKS", f"<PATH>{xml_text(path)}</PATH>{rows}<RPC_CLIENTID/><RPC_CALLID>-2</RPC_CALLID>"


def segment_xml(txid, rows, layout):
    """A whole segment after transaction ``txid`` as Hadoop's converter reads it, and its last transaction."""
    rows = [("OP_START_LOG_SEGMENT", ""), *rows, ("OP_END_LOG_SEGMENT", "")]
    records = "".join(f"<RECORD><OPCODE>{code}</OPCODE><DATA><TXID>{number}</TXID>{data}</DATA></RECORD>\n"
                      for number, (code, data) in enumerate(rows, txid + 1))
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<EDITS>\n<EDITS_VERSION>{layout}</EDITS_VERSION>\n{records}</EDITS>\n',
            txid + len(rows))


def write_segment(folder, txid, rows, layout):
    """Make a segment in ``folder`` with Hadoop's own converter. Returns its path."""
    text, last = segment_xml(txid, rows, layout)
    source = os.path.join(folder, "segment.xml")
    with open(source, "w", encoding="utf-8") as out:
        out.write(text)
    target = os.path.join(folder, f"edits_{txid + 1:019d}-{last:019d}")
    hadoop_cli.run("hdfs", ["oev", "-p", "binary", "-i", source, "-o", target], more=environment())
    if not os.path.exists(target) or os.path.getsize(target) < 32:
        raise NodeError("Hadoop's converter made no segment of edits")
    return target


def newest_replicas(reports, last_block):
    """{block: (generation stamp, bytes)} of blocks that the copy knows and that changed after it.

    ``reports``: of each DataNode a list of [block, generation stamp, bytes]. Of the replicas with the newest stamp the
    shortest counts: what is in all of them is good.
    """
    found = {}
    for number, stamp, size in (row for rows in reports for row in rows):
        if number <= last_block:
            before = found.get(number)
            if before is None or stamp > before[0]:
                found[number] = (stamp, size)
            elif stamp == before[0]:
                found[number] = (stamp, min(size, before[1]))
    return found


def owner_of(base, number, limit_s):
    """Path of the file that a block belongs to, or ''."""
    text = _fsck(base, limit_s, blockId=f"blk_{number}")
    match = re.search(r"^Block belongs to: (/.*)$", text, re.MULTILINE)
    return match.group(1).strip() if match else ""


def blocks_of(base, path, limit_s):
    """[(id, generation stamp, bytes)] of a file."""
    text = _fsck(base, limit_s, path=path, files="1", blocks="1")
    return [(int(m.group(1)), int(m.group(2)), int(m.group(3)))
            for m in re.finditer(r"^\d+\. \S*?blk_(-?\d+)_(\d+) len=(\d+)", text, re.MULTILINE)]


def _fsck(base, limit_s, **options):
    with NameNode(base).fsck(limit_s, **options) as answer:
        return answer.rest(time.monotonic() + limit_s).decode(errors="replace")


def rows_of_edits(base, changed, limit_s):
    """(edits, paths) that give files the newer last blocks which DataNodes have."""
    rows, paths = [], []
    for number, (stamp, size) in sorted(changed.items()):
        path = owner_of(base, number, limit_s)
        blocks = blocks_of(base, path, limit_s) if path else []
        # Only a file's last block is ever appended to; anything else is not what it seems.
        if blocks and blocks[-1][0] == number and blocks[-1][1] < stamp:
            rows.append(update_row(path, [*blocks[:-1], (number, stamp, size)]))
            paths.append(path)
    return rows, paths
