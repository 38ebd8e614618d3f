"""CRC-64 as OSS keeps it for each object, and the mapper that computes it where the data is. Runs on Python 3.8 and newer.

A file of its own, without imports of the project, since Hadoop Streaming ships it to containers:
``crc64.py NAMENODE USER`` reads lines ``NUMBER OFFSET LENGTH PATH`` (tabs between them) and prints ``NUMBER OFFSET LENGTH CRC``.

It is the CRC of xz as well, so liblzma, on which Python's module lzma stands, computes it with 3 GB a second.
"""
from __future__ import annotations

import ctypes
import json
import sys
import time
import urllib.parse
import urllib.request

POLYNOMIAL = 0xC96C5795D7870F42
BLOCK = 1 << 20
ATTEMPTS = 5


def _of_liblzma():
    """The function of liblzma, found through Python's own module; None when this Python came without it."""
    try:
        import _lzma

        function = ctypes.CDLL(_lzma.__file__).lzma_crc64
    except (ImportError, OSError, AttributeError):
        return None
    function.restype, function.argtypes = ctypes.c_uint64, [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
    return lambda data, before=0: function(data, len(data), before)


def _table():
    rows = []
    for value in range(256):
        for _bit in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
        rows.append(value)
    return rows


def slow(data, before=0):
    """The same without liblzma: right, and some hundred times slower."""
    rows, value = _table(), ~before & 0xFFFFFFFFFFFFFFFF
    for byte in data:
        value = rows[(value ^ byte) & 0xFF] ^ (value >> 8)
    return ~value & 0xFFFFFFFFFFFFFFFF


# crc64(data, before=0): the CRC of bytes that follow those whose CRC is ``before``.
crc64 = _of_liblzma() or slow


def combine(first, second, length):
    """The CRC of two pieces from theirs, ``length`` bytes being in the second.

    A zero byte appended is a linear map of the CRC's bits; squaring it again and again reaches any length in few steps.
    """
    step = [POLYNOMIAL] + [1 << bit for bit in range(63)]  # one zero bit
    for _power in range(3):
        step = _square(step)
    while length:
        if length & 1:
            first = _times(step, first)
        step, length = _square(step), length >> 1
    return first ^ second


def _times(matrix, vector):
    total, row = 0, 0
    while vector:
        if vector & 1:
            total ^= matrix[row]
        vector, row = vector >> 1, row + 1
    return total


def _square(matrix):
    return [_times(matrix, row) for row in matrix]


def of_hdfs(namenode, user, path, offset, length):
    """CRC of a range of a file in HDFS, read from a DataNode. Raises OSError after some attempts, the last one's."""
    query = urllib.parse.urlencode({"op": "OPEN", "user.name": user, "offset": offset, "length": length, "noredirect": "true"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for attempt in range(ATTEMPTS):
        try:
            with opener.open(f"{namenode}/webhdfs/v1{urllib.parse.quote(path)}?{query}", timeout=60) as answer:
                location = json.load(answer)["Location"]
            # The path as we know it, see hdfs.target_of.
            place = (f"{location.partition('/webhdfs/')[0]}/webhdfs/v1{urllib.parse.quote(path)}?"
                     + urllib.parse.quote(location.rpartition("?")[2], safe="%=&+:/,~"))
            value, total = 0, 0
            with opener.open(place, timeout=120) as answer:
                for block in iter(lambda: answer.read(BLOCK), b""):
                    value, total = crc64(block, value), total + len(block)
            if total != length:
                raise OSError(f"{path}: {total} bytes from {offset}, expected {length}")
            return value
        except (OSError, ValueError, KeyError) as error:
            if attempt == ATTEMPTS - 1:
                raise OSError(f"{path}: {error}")
            time.sleep(2 ** attempt)


def main():
    """Work on the lines of standard input; a line on stderr for each keeps the task alive."""
    namenode, user = sys.argv[1:3]
    for line in sys.stdin:
        number, offset, length, path = line.rstrip("\n").split("\t", 3)
        # counted by the framework, so people see it move
        value = of_hdfs(namenode, user, json.loads(path), int(offset), int(length))
        print(f"reporter:counter:verify,bytes,{length}", file=sys.stderr, flush=True)
        print(f"{number}\t{offset}\t{length}\t{value}", flush=True)


if __name__ == "__main__":
    main()
