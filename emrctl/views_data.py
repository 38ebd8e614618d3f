"""Text forms of files in HDFS: listings, space used, and the beginning of a file, CSV as a table."""
from __future__ import annotations

import csv
import io
import stat
import time

from ansible_collections.emr.cluster.plugins.module_utils.domain.text.quantities import of_bytes
from emrctl.output import table

DELIMITERS = ",;\t|"
CSV_NAMES = (".csv", ".tsv")


def listing(data: dict) -> str:
    """What is in a folder."""
    rows = [{"mode": _mode(row), "owner": row["owner"], "group": row["group"], "copies": row["copies"],
             "size": of_bytes(row["bytes"]), "modified": _time(row["modified"]),
             "path": row["path"] + ("/" if row["type"] == "folder" else "")} for row in data["files"]]
    if not rows:
        return "The folder is empty."
    # OSS knows no owners
    columns = [name for name in rows[0] if name in ("size", "modified", "path") or any(row[name] is not None for row in data["files"])]
    return "\n".join([table(rows, columns), *_more(data)])


def _time(seconds) -> str | None:
    return None if seconds is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _mode(row: dict) -> str | None:
    return None if row["mode"] is None else stat.filemode((stat.S_IFDIR if row["type"] == "folder" else stat.S_IFREG) | int(row["mode"], 8))


def _more(data: dict) -> list:
    return ["The list is cut off: name a folder below, or give a larger --most."] if data["truncated"] else []


def used(data: dict) -> str:
    """Space of a path and its children, the largest first."""
    rows = [{"size": of_bytes(row["bytes"]), "all copies": of_bytes(row["bytes_of_copies"]), "files": row["files"],
             "path": row["path"]} for row in [*sorted(data["used"], key=lambda row: -row["bytes"]), data["total"]]]
    return "\n".join([table(rows, list(rows[0])), *_more(data)])


def is_csv(path: str) -> bool:
    """Whether a file's name says that it holds CSV."""
    return path.lower().endswith(CSV_NAMES)


def csv_rows(text: str, most: int) -> list[dict]:
    """The first rows of CSV as records. The first line gives the names unless it has a number or an empty field in it."""
    try:
        dialect = csv.Sniffer().sniff(text[:10000], DELIMITERS)
    except csv.Error:
        dialect = csv.excel
    lines = [line for _, line in zip(range(most + 1), csv.reader(io.StringIO(text), dialect), strict=False) if line]
    if not lines:
        return []
    first = lines[0]
    named = len(set(first)) == len(first) and all(field and not _number(field) for field in first)
    names = first if named else [f"_c{at}" for at in range(max(map(len, lines)))]
    return [dict(zip(names, line, strict=False)) for line in lines[1 if named else 0:][:most]]


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
