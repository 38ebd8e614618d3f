"""Patterns for names of files, as Python's and Java's regular expressions.

``*`` and ``?`` stay within one name, ``**`` does not. A pattern without a slash is about names at any depth, one with a slash about
the path below the folder that is copied. What matches a folder holds for all below it.
"""
from __future__ import annotations

import re


def to_regex(pattern):
    """The regular expression of one pattern, for a whole relative path; the same in Python and Java."""
    parts, at, text = [], 0, pattern.strip("/")
    while at < len(text):
        if text.startswith("**", at):
            parts.append(".*")
            at += 2
            continue
        char = text[at]
        parts.append({"*": "[^/]*", "?": "[^/]"}.get(char) or (char if char.isalnum() or not char.isascii() else "\\" + char))
        at += 1
    before = "" if "/" in text else "(?:.*/)?"
    return f"{before}{''.join(parts)}(?:/.*)?"


def selects(include, exclude):
    """A function that tells whether a relative path is to be copied."""
    wanted = [re.compile(to_regex(pattern), re.DOTALL) for pattern in include]
    unwanted = [re.compile(to_regex(pattern), re.DOTALL) for pattern in exclude]
    return lambda path: ((not wanted or any(regex.fullmatch(path) for regex in wanted))
                         and not any(regex.fullmatch(path) for regex in unwanted))


def distcp_filters(root, include, exclude):
    """Lines of a filter file for DistCp: what matches one of them is left out. ``root``: the folder's path without its file system."""
    plain = "".join(char if char.isalnum() or char == "/" or not char.isascii() else "\\" + char for char in root.rstrip("/"))
    base = f"(?s)[^/]+://[^/]*{plain}/"
    lines = [base + to_regex(pattern) for pattern in exclude]
    if include:
        lines.append(f"{base}(?!(?:{'|'.join(to_regex(pattern) for pattern in include)})$).*")
    return lines
