"""Files between this machine and HDFS or OSS (put, get), and a look at what is there (ls, du, cat)."""
from __future__ import annotations

import base64
import shutil
import sys
import tempfile
from pathlib import Path

import typer

from emrctl import failures, views_data
from emrctl.output import render
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, emit, run

LOCAL = typer.Argument(help="Local files and folders.")
PATH = typer.Argument("", help="Path in HDFS (default: the home of the user emr), or oss://BUCKET/PATH.", show_default=False)
SHOWN = typer.Argument(help="File or folder in HDFS, or oss://BUCKET/PATH.")
RECURSIVE = typer.Option(False, "--recursive", "-R", help="List everything below it.")
MOST = typer.Option(10000, "--most", min=1, max=100000, help="Stop after this many rows.")
HEAD = typer.Option(None, "--head", min=1, show_default=False, metavar="LINES",
                    help="Print only this many lines, as a table for .csv, .tsv and Parquet; of a folder, print its first file.")
USER = typer.Option(None, "--user", help="Act as this user in HDFS (default: emr).", show_default=False)
# What `cat --head` reads at most for the lines it is asked for.
HEAD_BYTES = 32 << 20
TARGET = typer.Argument(".", help="Local file or folder; an existing folder receives the source under its own name.")


def put(name: str = NAME, source: list[Path] = LOCAL,
        target: str = typer.Argument(help="Path in HDFS, or oss://BUCKET/PATH; a folder if there are several sources."),
        user: str = USER, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Copy local files and folders into HDFS or OSS. Skips what is already there."""
    missing = [str(s) for s in source if not s.exists()]
    if missing:
        failures.fail(f"no such file or folder: {', '.join(missing)}", failures.REFUSED)
    data = run("put", {"emr_name": name, "emr_region": region, "emr_put_files": [str(s.absolute()) for s in source],
                       "emr_put_target": target, **_user(user)}, quiet).data
    emit(data, output, f"{_counted(data)} in {target}")


def get(name: str = NAME, source: str = SHOWN,
        target: str = TARGET, user: str = USER,
        region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Fetch a file or folder from HDFS or OSS to this machine."""
    data = run("get", {"emr_name": name, "emr_region": region, "emr_get_source": source,
                       "emr_get_target": _here(target), **_user(user)}, quiet).data
    emit(data, output, f"{source} is in {target}: {_counted(data)}")


def ls(name: str = NAME, path: str = PATH, recursive: bool = RECURSIVE, most: int = MOST, user: str = USER, region: str = REGION,
       output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """List a folder of HDFS or OSS."""
    data = _look(name, region, quiet, "ls", path, user, emr_data_recursive=recursive, emr_data_most=most)
    emit(data, output, views_data.listing(data) if data else "")


def du(name: str = NAME, path: str = PATH, most: int = MOST, user: str = USER, region: str = REGION, output: Format = OUTPUT,
       quiet: bool = QUIET) -> None:
    """Show the space that a path of HDFS or OSS takes, as one copy and as all copies."""
    data = _look(name, region, quiet, "du", path, user, emr_data_most=most)
    emit(data, output, views_data.used(data) if data else "")


def cat(name: str = NAME, path: str = SHOWN, head: int = HEAD, user: str = USER, region: str = REGION, output: Format = OUTPUT,
        quiet: bool = QUIET) -> None:
    """Print a file of HDFS or OSS, or all files of a folder: a job's output, for example, one file after the other."""
    if head:
        _head(name, _look(name, region, quiet, "head", path, user, emr_data_rows=head, emr_data_bytes=HEAD_BYTES), head, output)
        return
    if output is not Format.table:
        failures.fail("-o needs --head, because a whole file is printed as it is", failures.USAGE)
    with tempfile.TemporaryDirectory(prefix="emr-cat-") as folder:
        run("get", {"emr_name": name, "emr_region": region, "emr_get_source": path, "emr_get_target": f"{folder}/", **_user(user)}, quiet)
        for file in sorted(found for found in Path(folder).rglob("*") if found.is_file()):
            if not file.name.startswith(("_", ".")):
                with file.open("rb") as source:
                    shutil.copyfileobj(source, sys.stdout.buffer)
    sys.stdout.flush()


def _here(target: str) -> str:
    """The full path of what a person names, with the slash at its end that tells a folder."""
    return str(Path(target).expanduser().absolute()) + ("/" if target.endswith("/") else "")


def _user(user: str | None) -> dict:
    return {"emr_data_user": user} if user else {}


def _counted(data: dict) -> str:
    """How many files, and how many of them were there already."""
    count, equal = data.get("files_count", 0), data.get("equal_files", 0)
    return f"{count:,} file{'' if count == 1 else 's'}" + (f" ({equal:,} there already)" if equal else "")


def _look(name: str, region: str | None, quiet: bool, operation: str, path: str, user: str | None, **options) -> dict:
    """Result of an operation that only looks."""
    wanted = {"emr_name": name, "emr_region": region, "emr_data_op": operation, "emr_data_path": path, **_user(user), **options}
    return run("look", wanted, quiet).data


def _head(name: str, data: dict, lines: int, output: Format) -> None:
    """Print the first lines of a file, CSV as a table."""
    raw = base64.b64decode(data["head"])
    path, whole = data["path"], len(raw) == data["bytes"]
    if "rows" in data:
        emit(data["rows"], output, render(data["rows"]) if data["rows"] else "The file has no rows.")
        return
    if b"\0" in raw[:4096]:
        failures.fail(f"{path} is not text. Next: read it with Spark, or fetch it: emrctl get {name} {path}", failures.FAILURE)
    if not whole:  # the last line may be cut, and with it a character
        raw = raw[:raw.rfind(b"\n") + 1] or raw
        if raw.count(b"\n") < lines:
            print(f"These are the first {len(raw):,} of {data['bytes']:,} bytes. Next, for all: emrctl get {name} {path}", file=sys.stderr)
    text = raw.decode("utf-8", "replace")
    if views_data.is_csv(path):
        rows = views_data.csv_rows(text, lines)
        emit(rows, output, render(rows) if rows else "The file is empty.")
        return
    # a control character in the data must not steer the terminal
    found = ["".join(c if c.isprintable() or c == "\t" else " " for c in line) for line in text.removesuffix("\n").split("\n")[:lines]]
    emit({"path": path, "lines": found}, output, "\n".join(found))
