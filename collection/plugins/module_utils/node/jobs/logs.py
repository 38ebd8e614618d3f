"""What a job has printed, with the logs of its containers and why it failed, as one text of any length.

A text that is short comes with the answer. A longer one is written to a file of its own here (.spool/ beside the jobs), from which the
caller takes page after page: a job may print meanwhile, and neither side holds all of it in memory.
"""
from __future__ import annotations

import base64
import os
import re
import tempfile
import time

from ...domain.text.ends import Ends
from ..common import NodeError
from . import yarn as job_yarn
from .record import JOBS, folder_of, settings

# Bytes: of a text that comes with the answer; of a page; of an application's containers at most.
INLINE_BYTES, PAGE_BYTES, CONTAINERS_BYTES = 256 << 10, 4 << 20, 32 << 20
# Seconds after which a text that nobody has taken goes.
LEFT_OVER_S = 3600
_NAME = re.compile(r"[a-z0-9_]+")


def logs(params, job):
    """{job, log} of a job as ``show`` tells it; with ``paged`` and a longer text {job, spool, size}, to be taken with ``page``.

    A paged text begins with the job's outputs: ``parts`` tells the bytes of stderr and then of stdout, and no byte of it is changed.

    ``limit_bytes``: of the text at most, its beginning and its end. ``attempt``: not the last one. ``yarn``: containers too.
    """
    number = params.get("attempt") or 0
    if number and not 1 <= number <= job["attempts"]:
        raise NodeError(f"job {job['id']} has no attempt {number}: it had {job['attempts']}")
    end = f".{number}" if number and number != job["attempts"] else ""
    limit = params.get("limit_bytes") or INLINE_BYTES
    blocks = _blocks(job, end, params.get("yarn"), limit)
    if params.get("paged"):
        return dict(_spooled(blocks), changed=False, job=job)
    ends = Ends(limit // 4, limit - limit // 4)
    for _part, block in blocks:
        ends.add(block)
    return {"changed": False, "job": job, "log": ends.content().decode(errors="replace")}


def _blocks(job, end, yarn, limit):
    folder = folder_of(job["id"])
    for name in ("stderr", "stdout"):
        try:
            with open(f"{folder}/{name}.log{end}", "rb") as handle:
                # What is added while this is read is left to the next reader.
                left = os.fstat(handle.fileno()).st_size
                while left > 0:
                    block = handle.read(min(left, 1 << 20))
                    left -= len(block) or left
                    yield name, block
        except FileNotFoundError:
            continue
    if yarn:
        for application in job["applications"]:
            yield "containers", job_yarn.logs(application, job["user"], settings()["environment"], max(limit, CONTAINERS_BYTES)).encode()
    if job.get("error") and not end:
        # What people look for stands at the end.
        yield "error", f"\n== {job['state']}\n{job['error']}\n".encode()


def _spooled(blocks):
    folder = f"{JOBS}/.spool"
    os.makedirs(folder, mode=0o700, exist_ok=True)
    for name in os.listdir(folder):
        if time.time() - os.stat(f"{folder}/{name}").st_mtime > LEFT_OVER_S:
            os.unlink(f"{folder}/{name}")
    handle, path = tempfile.mkstemp(dir=folder, prefix="")
    with os.fdopen(handle, "w+b") as out:
        try:
            parts = dict.fromkeys(("stderr", "stdout"), 0)
            for part, block in blocks:
                out.write(block)
                parts[part] = parts.get(part, 0) + len(block)
            size = out.tell()
            if size > INLINE_BYTES:
                return {"spool": os.path.basename(path), "size": size, "parts": parts}
            out.seek(0)
            text = out.read().decode(errors="surrogateescape")
        except BaseException:
            os.unlink(path)
            raise
    os.unlink(path)
    return {"log": text, "parts": parts}


def page(params):
    """{data: base64} of a text from ``at`` on; with its last page the text is gone."""
    path = f"{JOBS}/.spool/{params['spool']}"
    if not _NAME.fullmatch(params["spool"]) or not os.path.isfile(path):
        raise NodeError("this text is not kept any more. Run the command again")
    with open(path, "rb") as handle:
        handle.seek(params["at"])
        data = handle.read(PAGE_BYTES)
        last = handle.tell() >= os.fstat(handle.fileno()).st_size
    if last:
        os.unlink(path)
    return {"changed": False, "data": base64.b64encode(data).decode()}
