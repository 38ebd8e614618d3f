"""The program emr-files on a master: many files in and out of HDFS as one stream.

The controller starts it over SSH; messages (node/files/frames.py) go both ways over its standard input and output. The first names the operation:

    put   {target, into, ...}: rows of what there is here, then the content of what HDFS has not
    get   {path}: rows of what there is, then the content of what the controller asks for
    read  {path}: then ranges of this one file

It works as the HDFS user that the request names, through WebHDFS, in parallel: the time of one small file is that of some answers, and
those of others overlap with it.
"""
from __future__ import annotations

import contextlib
import sys

from ..common import NodeError
from ..hdfs.client import WebHdfs
from .frames import HELLO, failure, receive, send
from .get import Get, read
from .put import Put


def main(_arguments):
    """Serve one request. Returns the exit code."""
    source, out = sys.stdin.buffer, sys.stdout.buffer
    send(out, HELLO)
    request = receive(source)[0]
    if request is None:
        return 1
    client = WebHdfs(request["namenode"], request["user"])
    try:
        if request["op"] == "put":
            Put(client, source, out, request).perform()
        elif request["op"] == "get":
            Get(client, source, out, request).perform()
        else:
            read(client, source, out, request["path"])
    except (NodeError, OSError) as error:
        with contextlib.suppress(OSError):
            send(out, failure(error))
        return 1
    return 0
