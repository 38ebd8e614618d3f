"""What a program itself said when it failed, found in its logs.

Launchers bury it: Spark prints a driver's traceback before pages about its own shutdown (and on stdout), Hadoop Streaming
says only that a subprocess ended, and a driver in a container leaves nothing but its exit code here. So the first question is
where the program speaks (``places``), the second whether that settles it (``settled``), the last what its containers add.
"""
from __future__ import annotations

import re
from itertools import groupby

from .command import SPARK_TYPES

# Lines of an exception and of a program's plain words that are shown at most.
LINES, PLAIN_LINES = 25, 12
NOTHING, PLAIN, EXCEPTION = 0, 1, 2
_TRACEBACK = "Traceback (most recent call last):"
# A line of a framework's own log: 26/11/26 01:28:54 INFO x, or 2026-11-26 01:28:54,123 INFO [main] x.
_LOGGED = re.compile(r"^(\d\d/\d\d/\d\d|\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d\S* (TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b")
# What the JVM, its logging libraries and Spark's shells print of themselves.
_QUIET = re.compile(r"^(WARNING: |INFO: |log4j:|SLF4J|Picked up |OpenJDK 64-Bit|Setting default log level to |To adjust logging level |"
                    r"Spark Web UI available at |Spark master: |Time taken: |[A-Z][a-z]{2} \d\d?, \d{4},? \d+:\d\d:\d\d \S?[AP]M \S+ \S+$|\s*$)")
_FRAME = re.compile(r"^\s+(at \S+\(.*\)|\.\.\. \d+ more)\s*$")
_JAVA = re.compile(r"^(?:Caused by: |Exception in thread \"[^\"]*\" |Error: )?([a-zA-Z_$][\w$]*(?:\.[\w$]+)+(?:Exception|Error|Throwable|Failure)\w*)"
                   r"(?::|$)")
# What launchers say of a program, not the program itself.
_LAUNCHER = re.compile(r"Application application_\d+_\d+ (finished with failed|failed \d+ times)|PipeMapRed|subprocess failed with code|"
                       r"SparkUserAppException|User application exited with|exitCode: |Shell\$ExitCodeException|"
                       r"Job not successful|Streaming Command Failed|Broken pipe|ExitCodeException|Job aborted due to stage failure")
# A driver of Spark that ends, in the log that it writes to stderr.
_SPARK = re.compile(r" INFO SparkContext: (Invoking stop\(\)|SparkContext is stopping)")
_MAIN = re.compile(r"^Exception in thread \"main\" (?!.*SparkUserAppException)", re.MULTILINE)
# What tells that the program's own words are in the containers of its tasks.
_TASKS = re.compile(r"PipeMapRed|subprocess failed with code|Job aborted due to stage failure")
# The other side of a connection that went with the program: it says nothing about why.
_ECHO = re.compile(r"py4j\.protocol\.Py4JNetworkError|ConnectionRefusedError|Connection (reset|refused)")
# How Spark's application master writes down how it starts containers, on many lines between two rules.
_LAUNCH, _RULE = "YARN executor launch context:", re.compile(r"^={20,}$")
# After the end of a sentence of Spark's about a query come lines of its plan.
_PLAN = re.compile(r"SQLSTATE: \w{5};( line \d+ pos \d+;)?$")
# The sentence with which our own programs for imports and exports end (jdbc_program, transfer_oss).
_SENTENCE = re.compile(r"^(import failed|export failed|emr): ")


def of_program(text):
    """(rank, lines): what the program said last in this text; NOTHING, PLAIN words, or an EXCEPTION.

    A Python traceback is given whole, of a Java exception its message and causes without frames.
    """
    lines = _without_launch(text.splitlines())
    for find in (_python, _java):
        found = _without_plan(find(lines))
        if found:
            return EXCEPTION, found[-LINES:]
    said = _without_plan(_plain(lines))[-PLAIN_LINES:]
    if said and _LAUNCHER.search("\n".join(said[-3:])):
        return NOTHING, []
    starts = [at for at, line in enumerate(said) if _SENTENCE.match(line)]
    return (PLAIN, said[starts[-1] if starts else 0:]) if said else (NOTHING, [])


def _without_plan(lines):
    """The lines up to the last sentence about a query, when that is near their end."""
    ends = [at for at, line in enumerate(lines) if _PLAN.search(line)]
    return lines[:ends[-1] + 1] if ends and len(lines) - ends[-1] <= LINES else lines


def _without_launch(lines):
    """The lines without the blocks that tell how containers are started."""
    if not any(_LAUNCH in line for line in lines):
        return lines
    kept, inside = [], False
    for line in lines:
        if _LAUNCH in line:
            inside = True
            if kept and _RULE.match(kept[-1]):
                kept.pop()
        elif inside and _RULE.match(line):
            inside = False
        elif not inside:
            kept.append(line)
    return kept


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
    """The last exception of Java with its causes, without frames; none that a launcher threw, and none that a framework has only
    logged as a warning while the program went on to say something else."""
    for at in range(len(lines) - 1, -1, -1):
        text = lines[at].strip()
        if not _JAVA.match(text) or _LAUNCHER.search(text):
            continue
        block = [text]
        for line in lines[at + 1:at + 6]:
            if not line.strip() or _FRAME.match(line) or _LOGGED.match(line) or _JAVA.match(line.strip()):
                break
            block.append(line.rstrip())
        if _warned(lines, at) and _plain(lines[at + len(block):]):
            return []
        return block
    return []


def _warned(lines, at):
    """Whether the exception at this line, or the one that it caused, is part of a line of a log below ERROR."""
    while at > 0:
        at -= 1
        if _LOGGED.match(lines[at]):
            return _LOGGED.match(lines[at]).group(2) not in ("ERROR", "FATAL")
        if not _FRAME.match(lines[at]) and not _JAVA.match(lines[at].strip()):
            return False
    return False


def _plain(lines):
    """The lines that are not framework's log, no frames and no chatter of the JVM."""
    found, logged = [], False
    for line in lines:
        # What is indented below a line of a log belongs to it, such as the report of an application.
        logged = bool(_LOGGED.match(line)) or (logged and line[:1] in (" ", "\t"))
        if not (logged or _QUIET.match(line) or _FRAME.match(line)):
            found.append(line.rstrip())
    return found


def places(kind, command):
    """Names of a program's outputs on the master, the one where it speaks for itself first."""
    # Spark writes what a Python driver says on its stderr to stdout.
    python = kind == "PYSPARK" or (kind in SPARK_TYPES and any(word.endswith(".py") for word in command))
    return ("stdout", "stderr") if python else ("stderr", "stdout")


def needs_containers(kind, command, texts, in_cluster=False, app_failed=True):
    """Whether the program's own words are in its containers alone.

    ``texts``: {name of an output on the master: text}. ``in_cluster``: Spark's driver is in a container, too. ``app_failed``: whether
    YARN says that an application of it has failed; where all succeeded, the program on the master has failed by itself.
    """
    if any(re.search(r"PipeMapRed|subprocess failed with code", text) for text in texts.values()):
        return True
    words = own(kind, command, texts)
    rank = of_program(texts[words[0]])[0] if words else NOTHING
    if rank == EXCEPTION:
        return False
    if rank == NOTHING or in_cluster:
        return True
    if kind in SPARK_TYPES:
        return bool(_TASKS.search(texts[words[0]]))
    return kind != "SHELL" and app_failed


def each_file(lines):
    """(container, file, content) of the lines that ``yarn logs`` prints, one after the other."""
    container, name, body = "", "", None
    for row in lines:
        line = row.rstrip("\n")
        if line.startswith("Container: "):
            container = line.split()[1]
        elif line.startswith("LogType:") and body is None:
            name = line[len("LogType:"):].strip()
        elif line.startswith("LogContents:") and body is None:
            body = []
        elif body is not None and line.startswith(f"End of LogType:{name}"):
            yield container, name, "\n".join(body)
            body = None
        elif body is not None:
            body.append(line)


def containers(text):
    """[(container, file, content)] of the output of ``yarn logs``."""
    return list(each_file(text.splitlines()))


def of_containers(kind, command, rows, in_cluster=False):
    """(place, lines) of the program's last words in its containers; None when there are none.

    ``rows``: of ``each_file``; those of one container are looked at at a time. Words of a task that has failed count more than those of
    others, and where Spark's driver is in a container, which is its application master, it is that one alone as long as it speaks.
    """
    best = None
    for container, files in groupby(rows, key=lambda row: row[0]):
        texts = {name: text for _container, name, text in files}
        master = bool(re.search(r"_0+1$", container))
        if in_cluster and master:
            found = own(kind, command, {"stdout": "", "stderr": "", **texts})
        else:
            found = _of_task(texts, plain_counts=not master and kind not in SPARK_TYPES)
        if found:
            failed = any(_TASKS.search(text) or "Exception running child" in text for text in texts.values())
            score = (in_cluster and master, failed, of_program(texts[found[0]])[0], container)
            if best is None or score >= best[0]:
                best = (score, f"{found[0]} of {container}", found[1])
    return best[1:] if best else None


def _of_task(texts, plain_counts):
    """(name of a file, lines) of what a task said last; its framework's own file counts least, and only with an exception."""
    rows = [(of_program(text), name) for name, text in texts.items()]
    rows = [(rank, name != "syslog", name == "stderr", name, lines) for (rank, lines), name in rows
            if rank == EXCEPTION or (rank == PLAIN and plain_counts and name != "syslog")]
    return max(rows)[3:] if rows else None


def choose(texts):
    """(place, lines) of the best of [(place, text)]: an exception rather than plain lines, then the last one; None: nothing."""
    best = None
    for place, text in texts:
        rank, lines = of_program(text)
        if rank and (best is None or rank >= best[0]):
            best = (rank, place, lines)
    return best[1:] if best else None


def own(kind, command, texts):
    """(name of an output, lines) of what a program said last; None: nothing. ``texts``: {name of an output: text}."""
    first, second = places(kind, command)
    if kind == "SHELL" and _SPARK.search(texts["stderr"]):
        # The script has started a driver, which very likely is what has failed; if in Java, it spoke on the other output.
        first, second = "stdout", "stderr"
    if first == "stdout" and of_program(texts[first])[0] == PLAIN and not _MAIN.search(texts[second]):
        # Beside a driver of Python, what Java logs on the other output is not a word of the program's.
        return choose([(first, texts[first])])
    return choose([(second, texts[second]), (first, texts[first])])


def error(reason, client, words):
    """Text of a job's error: what is known besides, then the program's own last words.

    ``words``: (place, lines), or None, then ``client`` is heard: what its launcher said.
    """
    parts = [reason] if reason else []
    if not words:
        return "\n".join(parts + client[-PLAIN_LINES:])
    said = [line for line in client if line not in words[1]][-4:]
    return "\n".join(parts + said + ([f"{words[0]} ends with:"] if parts or said else []) + words[1])


def launcher(text):
    """The lines of a launcher's output that people read: its warnings, without what it logs otherwise and without frames."""
    found, logged = [], False
    for line in text.splitlines():
        level = _LOGGED.match(line)
        logged = bool(level and level.group(2) in ("TRACE", "DEBUG", "INFO")) or (logged and line[:1] in (" ", "\t"))
        if not (logged or _QUIET.match(line) or _FRAME.match(line)):
            found.append(line.rstrip())
    return found
