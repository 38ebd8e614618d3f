"""Computes CRC-64 where the data is: a mapper of Hadoop Streaming.

Arguments: NAMENODE USER. Reads lines ``NUMBER OFFSET LENGTH PATH`` (tabs between them) and prints ``NUMBER OFFSET LENGTH CRC``.
"""
from __future__ import annotations

import json
import sys
import time

from ..common import NodeError, say
from ..oss.crc64 import crc64
from .client import WebHdfs

ATTEMPTS = 5


def of_hdfs(namenode, user, path, offset, length):
    """CRC of a range of a file in HDFS, read from a DataNode. Raises NodeError after some attempts, the last one's."""
    client = WebHdfs(namenode, user)
    for attempt in range(ATTEMPTS):
        value = 0

        def take(block):
            nonlocal value
            value = crc64(block, value)

        try:
            total = client.read(path, take, offset, length)
            if total != length:
                raise NodeError(f"{path}: {total} bytes from {offset}, expected {length}")
            return value
        except NodeError:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(2 ** attempt)


def main(arguments):
    """Work on the lines of standard input; a line on stderr for each keeps the task alive."""
    namenode, user = arguments
    for line in sys.stdin:
        number, offset, length, path = line.rstrip("\n").split("\t", 3)
        value = of_hdfs(namenode, user, json.loads(path), int(offset), int(length))
        # counted by the framework, so people see it move
        say(f"reporter:counter:verify,bytes,{length}", err=True)
        say(f"{number}\t{offset}\t{length}\t{value}")
