"""Scripts that came from Windows: told before they fail on the cluster with words that name no cause."""
from __future__ import annotations

import os

# Bytes from the beginning in which line ends are looked for.
LOOK = 65536
SHELLS = (".sh", ".bash")
REMEDY = "Take them away, for example with dos2unix or sed -i 's/\\r$//'"


def windows_line_ends(path: str) -> str:
    """What is wrong with a script whose lines end as on Windows, '' for anything that runs with them.

    The first line names a program whose name ends in a carriage return then, and a shell takes it for a part of each last word.
    Python, SQL and data do not mind.
    """
    with open(path, "rb") as handle:
        first = handle.readline(LOOK)
        begin = first + handle.read(LOOK)
    name = os.path.basename(path)
    if first.startswith(b"#!") and first.endswith(b"\r\n"):
        return f"{name} has Windows line ends (CR LF): its first line asks for {first[2:-2].decode(errors='replace').strip()!r} with a carriage return"
    if name.endswith(SHELLS) and b"\r\n" in begin:
        return f"{name} has Windows line ends (CR LF), which a shell takes for parts of words"
    return ""
