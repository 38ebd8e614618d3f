"""The beginning and the end of a text that may be of any length, in a bounded space."""
from __future__ import annotations

from collections import deque


class Ends:
    """Takes blocks of bytes and keeps the first ``head`` and the last ``tail`` bytes of them; what is between is counted and forgotten."""

    def __init__(self, head, tail):
        self.head, self.tail = head, tail
        self.first, self.last = bytearray(), deque()
        self.size, self.held = 0, 0

    def add(self, block):
        """Take some more."""
        self.size += len(block)
        room = self.head - len(self.first)
        if room > 0:
            self.first += block[:room]
            block = block[room:]
        if block:
            self.last.append(bytes(block))
            self.held += len(block)
        while self.last and self.held - len(self.last[0]) >= self.tail:
            self.held -= len(self.last.popleft())

    @property
    def left_out(self):
        """How many bytes are not kept."""
        return self.size - len(self.first) - min(self.held, self.tail)

    def content(self):
        """What is kept, with a line in the place of what is not. Cut at lines where that is possible."""
        end = b"".join(self.last)[-self.tail:] if self.tail else b""
        return joined(bytes(self.first), end, self.left_out) if self.left_out else bytes(self.first) + end


def joined(first, last, left_out):
    """The beginning and the end of something, cut at whole lines, with a line in between that says how much is missing."""
    at, to = first.rfind(b"\n") + 1, last.find(b"\n") + 1
    # A beginning or end that is one long line is kept as it is.
    whole, rest = first[:at] or first, last[to:] or last
    left_out += len(first) - len(whole) + len(last) - len(rest)
    return whole + (b"" if whole.endswith(b"\n") or not whole else b"\n") + marker(left_out) + rest


def marker(left_out):
    """The line that stands for bytes that were left out."""
    return f"[… {left_out:,} bytes are left out here …]\n".encode()
