"""`emrctl logs`: log lines of daemons and hosts from all nodes, in one ordered stream."""
from __future__ import annotations

import json
import os
import sys
import time

import typer

from emrctl import failures
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, attempt, emit, stop

COMPONENT = typer.Option([], "--component", help="Show only this component, such as namenode; `system` is the journal of the hosts. Repeatable.")
NODE = typer.Option([], "--node", help="Show only this node; repeatable.")
SINCE = typer.Option(None, "--since", help="Begin so long ago, such as 2h, or at a time such as 2026-11-26 (default: 1h; with --follow 1m).")
LEVEL = typer.Option(None, "--level", help="Show only records of at least this level: DEBUG, INFO, WARN, ERROR or FATAL.")
GREP = typer.Option(None, "--grep", metavar="TEXT", help="Show only records with this text in them.")
REGEX = typer.Option(False, "--regex", help="Take the text of --grep for a regular expression of Python.")
LINES = typer.Option(None, "--lines", min=1, max=1_000_000, help="Show at most so many records, the newest (default: 10000).")
FOLLOW = typer.Option(False, "--follow", "-f", help="Go on with what is written from now on, until Ctrl-C.")


def logs(name: str = NAME, component: list[str] = COMPONENT, node: list[str] = NODE, since: str = SINCE, level: str = LEVEL, grep: str = GREP,
         regex: bool = REGEX, lines: int = LINES, follow: bool = FOLLOW, region: str = REGION, output: Format = OUTPUT,
         quiet: bool = QUIET) -> None:
    """Show log lines of daemons and hosts from all nodes, in order of time."""
    wanted = {"emr_name": name, "emr_region": region, "emr_logs_components": component or None, "emr_logs_nodes": node or None,
              "emr_logs_since": since, "emr_logs_level": level, "emr_logs_grep": grep, "emr_logs_regex": regex, "emr_logs_lines": lines,
              "emr_logs_follow": follow}
    rows: list = []
    # A list of all of them is one document; what is followed has no end, so each record is one.
    together = output is not Format.table and not follow
    # Lines as they come are progress enough.
    result = attempt("logs", wanted, quiet or not together, lambda line: _take(json.loads(line), output, rows if together else None))
    if result.cancelled:
        # By Ctrl-C, or since nobody reads any more (`| head`).
        raise typer.Exit(failures.CANCELLED)
    if not result.ok:
        stop(result)
    if together:
        emit(rows, output)
    silent, left_out = result.data.get("silent") or {}, result.data.get("left_out") or 0
    for host, why in sorted(silent.items()):
        print(f"{host}: {why}", file=sys.stderr)
    if left_out:
        print(f"{left_out:,} older records are left out. For others: --lines, --since, --level, --grep, --component, --node.", file=sys.stderr)
    if not result.data.get("records") and not silent:
        print("There are no such records. Look further back with --since.", file=sys.stderr)
    if silent:
        raise typer.Exit(failures.UNREACHABLE)


def _take(row: dict, output: Format, rows: list | None) -> None:
    """Print a record, or keep it."""
    if "note" in row:
        print(row["note"], file=sys.stderr, flush=True)
        return
    row["time"] = _moment(row["time"])
    if rows is not None:
        rows.append(row)
    elif output is Format.table:
        _write(text(row))
    else:
        _write(json.dumps(row, ensure_ascii=False) if output is Format.json else f"- {json.dumps(row, ensure_ascii=False)}")


def _write(line: str) -> None:
    try:
        print(line, flush=True)
    except BrokenPipeError:
        # What Python would flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def text(row: dict) -> str:
    """A record for people; a control character in a log must not steer the terminal."""
    words = "\n".join("".join(c if c.isprintable() or c == "\t" else " " for c in line) for line in row["text"].split("\n"))
    return f"{row['time']} {row['node']} {row['component']} {row['level']} {words}"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"
