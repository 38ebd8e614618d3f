"""Lists of files that a job has twice: from its request, and among the arguments that a person wrote. Both are shipped.

Hadoop and Spark take an option in place of the property that we set, so the one would drop the other.
"""
from __future__ import annotations

# Option of the program -> the property that says the same.
HADOOP = {"files": "tmpfiles", "libjars": "tmpjars", "archives": "tmparchives"}
SPARK = {"files": "spark.files", "jars": "spark.jars", "py-files": "spark.submit.pyFiles", "archives": "spark.archives"}
KEYS = (*HADOOP.values(), *SPARK.values())
# Options of spark-submit and spark-sql that have no value.
_FLAGS = ("-h", "--help", "-v", "--verbose", "-S", "--silent", "-i", "--supervise", "--usage-error", "--version")


def joined(theirs, ours):
    """Both lists, as texts with commas, as one: what has the same name in containers as something of theirs is left out of ours."""
    rows = [row for row in theirs.split(",") if row]
    known = {_name(row) for row in rows}
    return ",".join(rows + [row for row in ours.split(",") if row and _name(row) not in known])


def _name(row):
    place, mark, alias = row.partition("#")
    return alias if mark else place.rstrip("/").rpartition("/")[2]


def hadoop(args, lists):
    """(arguments with our lists added to theirs, options of ours that they do not have). ``lists``: {option: text}."""
    args, left = list(args), {name: text for name, text in lists.items() if text}
    for at, word in enumerate(args):
        name, mark, value = word.partition("=")
        name = name.lstrip("-") if word.startswith("-") else ""
        if name in left and mark:
            args[at] = f"-{name}={joined(value, left.pop(name))}"
        elif name in left and at + 1 < len(args):
            args[at + 1] = joined(args[at + 1], left.pop(name))
    return args, left


def spark(args, lists):
    """Arguments of spark-submit or spark-sql with our lists added to theirs; what follows the program's file is its own."""
    args, at = list(args), 0
    while at < len(args) and args[at].startswith("-"):
        word, mark, value = args[at].partition("=")
        if args[at] in _FLAGS:
            at += 1
            continue
        place = at if mark else at + 1
        value = value if mark else "".join(args[at + 1:at + 2])
        text = lists.get(word[2:]) if word.startswith("--") else None
        if word in ("--conf", "-c"):
            key, _mark, old = value.partition("=")
            ours = next((lists[name] for name, wanted in SPARK.items() if wanted == key and lists.get(name)), None)
            new = value if ours is None else f"{key}={joined(old, ours)}"
        else:
            new = value if not text else joined(value, text)
        if place < len(args) and new != value:
            args[place] = f"{word}={new}" if mark else new
        at = place + 1
    return args
