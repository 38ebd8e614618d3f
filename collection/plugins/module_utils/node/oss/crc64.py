"""CRC-64 as OSS keeps it for each object.

It is the CRC of xz as well, so liblzma, on which Python's module lzma stands, computes it with 3 GB a second.
"""
from __future__ import annotations

import ctypes

POLYNOMIAL = 0xC96C5795D7870F42


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
