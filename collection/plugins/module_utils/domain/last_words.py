"""What a program itself said when it failed, found in its logs. Pure Python, 3.8 and newer.

Launchers bury it: Spark prints a driver's traceback before pages about its own shutdown (and on stdout), Hadoop Streaming
says only that a subprocess ended, and a driver in a container leaves nothing but its exit code here.
"""
from __future__ import annotations

import re

LINES = 25
_TRACEBACK = "Traceback (most recent call last):"
# A line of a framework's own log: 26/11/26 01:28:54 INFO x, or 2026-11-26 01:28:54,123 INFO [main] x.
_LOGGED = re.compile(r"^(\d\d/\d\d/\d\d|\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d\S* (TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b")
_QUIET = re.compile(r"^(WARNING: |log4j:|SLF4J|Picked up |OpenJDK 64-Bit|\s*$)")
_FRAME = re.compile(r"^\s+(at \S+\(.*\)|\.\.\. \d+ more)\s*$")
_JAVA = re.compile(r"^(?:Caused by: |Exception in thread \"[^\"]*\" |Error: )?([a-zA-Z_$][\w$]*(?:\.[\w$]+)+(?:Exception|Error|Throwable|Failure)\w*)"
                   r"(?::|$)")
# What launchers say of a program, not the program itself.
_LAUNCHER = re.compile(r"Application application_\d+_\d+ (finished with failed|failed \d+ times)|PipeMapRed|subprocess failed with code|"
                       r"SparkUserAppException|User application exited with|exitCode: |Shell\$ExitCodeException|"
                       r"Job not successful|Streaming Command Failed|Broken pipe|ExitCodeException|Job aborted due to stage failure")
# The other side of a connection that went with the program: it says nothing about why.
_ECHO = re.compile(r"py4j\.protocol\.Py4JNetworkError|ConnectionRefusedError|Connection (reset|refused)")


def of_program(text):
    """(rank, lines): what the program said last in this text; rank 0 is nothing, 1 plain lines, 2 an exception.

    A Python traceback is given whole, of a Java exception its message and causes without frames.
    """
    lines = text.splitlines()
    for find in (_python, _java):
        found = find(lines)
        if found:
            return 2, found[-LINES:]
    plain = [line.rstrip() for line in lines if not (_LOGGED.match(line) or _QUIET.match(line) or _FRAME.match(line))]
    if plain and _LAUNCHER.search("\n".join(plain[-3:])):
        return 0, []
    return (1, plain[-LINES:]) if plain else (0, [])


def _python(lines):
    """The last traceback of Python whose end is no echo."""
    starts = [at for at, line in enumerate(lines) if line.rstrip().endswith(_TRACEBACK)]
    for at in reversed(starts):
        block = [lines[at][lines[at].rindex("Traceback"):].rstrip()]
        for line in lines[at + 1:]:
            block.append(line.rstrip())
            if line.strip() and not line.startswith((" ", "\t")):
                break
        if len(block) > 1 and not _ECHO.search(block[-1]):
            return _message(lines, at + len(block), block)
    return []


def _message(lines, after, block):
    """The block with the further lines of a message that has several."""
    for line in lines[after:after + 8]:
        if not line.strip() or _LOGGED.match(line) or _FRAME.match(line) or _TRACEBACK in line or line.startswith(("During handling", ")")):
            break
        block.append(line.rstrip())
    return block


def _java(lines):
    """The last exception of Java with its causes, without frames; none that a launcher threw."""
    for at in range(len(lines) - 1, -1, -1):
        text = lines[at].strip()
        if not _JAVA.match(text) or _LAUNCHER.search(text):
            continue
        block = [text]
        for line in lines[at + 1:at + 6]:
            if not line.strip() or _FRAME.match(line) or _LOGGED.match(line) or _JAVA.match(line.strip()):
                break
            block.append(line.rstrip())
        return block
    return []


def needs_containers(kind, texts):
    """Whether the program's own words are in its containers alone. ``texts``: its output on the master."""
    rank = max((of_program(text)[0] for text in texts), default=0)
    if any(re.search(r"PipeMapRed|subprocess failed with code", text) for text in texts):
        return True
    return rank < 2 and kind != "SHELL"


def containers(text):
    """[(container, file, content)] of the output of ``yarn logs``."""
    rows, container, name, body = [], "", "", None
    for line in text.splitlines():
        if line.startswith("Container: "):
            container = line.split()[1]
        elif line.startswith("LogType:") and body is None:
            name = line[len("LogType:"):].strip()
        elif line.startswith("LogContents:") and body is None:
            body = []
        elif body is not None and line.startswith(f"End of LogType:{name}"):
            rows.append((container, name, "\n".join(body)))
            body = None
        elif body is not None:
            body.append(line)
    return rows


def choose(texts):
    """(place, lines) of the best of [(place, text)]: an exception rather than plain lines, then the last one; None: nothing."""
    best = None
    for place, text in texts:
        rank, lines = of_program(text)
        if rank and (best is None or rank >= best[0]):
            best = (rank, place, lines)
    return best[1:] if best else None


def error(reason, client, words):
    """Text of a job's error: what is known besides, then the program's own last words. ``words``: (place, lines) or None."""
    parts = [reason] if reason else []
    if words:
        own = [line for line in client if line not in words[1]]
        return "\n".join(parts + own[-4:] + ([f"{words[0]} ends with:"] if parts or own else []) + words[1])
    return "\n".join(parts + client[-12:])


def plain(text):
    """The lines of a launcher's output that people read: without its own log and without frames."""
    return [line.rstrip() for line in text.splitlines()
            if not (_FRAME.match(line) or _QUIET.match(line) or (_LOGGED.match(line) and " INFO " in line))]
