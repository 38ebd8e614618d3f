"""Whole files to and from OSS, compared by CRC-64. Runs on nodes and on the controller."""
from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from .client import OssError
from .crc64 import combine, crc64

# Bytes of a part, the number of parts that OSS takes at most (with a reserve), and parts that are on their way at once.
PART, PARTS, THREADS = 16 << 20, 9000, 4
BLOCK = 1 << 20
# Bytes of an object's name at most.
KEY_MAX = 1023


def crc64_of(path):
    """CRC-64 of a local file, as OSS computes it."""
    value = 0
    with open(path, "rb") as content:
        for block in iter(lambda: content.read(BLOCK), b""):
            value = crc64(block, value)
    return value


def put_file(oss, bucket, key, path, told=lambda count: None):
    """A local file to an object, which appears when all of it is there. ``told(bytes)`` gets progress. Raises OssError."""
    size = os.path.getsize(path)
    with open(path, "rb") as source:
        if size <= PART:
            data = source.read()
            found, wanted = oss.put(bucket, key, data), crc64(data)
            told(len(data))
        else:
            found, wanted = _put_parts(oss, bucket, key, source, size, told)
    if found != wanted:
        raise OssError(f"oss://{bucket}/{key}: arrived with the CRC-64 {found}, expected {wanted}. Next: run the same command again")


def _put_parts(oss, bucket, key, source, size, told):
    """(CRC-64 of the object, CRC-64 of what was sent)."""
    step = max(PART, -(-size // PARTS))
    upload = oss.begin(bucket, key)

    def send(number):
        data = os.pread(source.fileno(), step, (number - 1) * step)
        etag = oss.put_part(bucket, key, upload, number, data)[0]
        told(len(data))
        return etag, crc64(data), len(data)

    try:
        with ThreadPoolExecutor(THREADS) as pool:
            parts = list(pool.map(send, range(1, -(-size // step) + 1)))
        wanted = 0
        for _etag, crc, length in parts:
            wanted = combine(wanted, crc, length)
        return oss.complete(bucket, key, upload, [part[0] for part in parts]), wanted
    except BaseException:
        oss.abort(bucket, key, upload)
        raise


def get_file(oss, bucket, key, path):
    """An object to a new local file. Raises OssError when it is gone or what came is not what OSS has."""
    head = oss.head(bucket, key)
    if head is None:
        raise OssError(f"oss://{bucket}/{key} is not there")
    with open(path, "xb") as out:
        oss.get(bucket, key, out.write, 0, head["size"], head["etag"])
    check(path, bucket, key, head["crc64"])


def check(path, bucket, key, wanted):
    """Raises OssError unless a file here has the CRC-64 that OSS has of the object (``wanted``; None: OSS has none)."""
    found = crc64_of(path) if wanted is not None else None
    if found != wanted:
        raise OssError(f"oss://{bucket}/{key}: arrived with the CRC-64 {found}, OSS has {wanted}. Next: run the same command again")


def clashes(names):
    """Those names that are a file and the folder of another, as objects may be and files may not: [(name, name below it)]."""
    names = set(names)
    rows = ((name[:at], name) for name in sorted(names) for at, char in enumerate(name) if char == "/")
    return [(folder, name) for folder, name in rows if folder in names]
