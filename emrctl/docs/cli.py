"""docs/reference/cli.md: every command, as its own --help has it."""
from __future__ import annotations

import inspect

import typer.main

from emrctl.docs import table


def page() -> str:
    """The page."""
    from emrctl.main import GROUPS, VERBS, build

    rows = ["# Commands", "", "Made from `emrctl --help`. Every command takes `--help`.",
            "Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused before any change,",
            "4 host unreachable, 5 a task, a job or a daemon failed, 10 `plan --gate` sees something to do, 130 cancelled.", ""]
    for name in [*VERBS, *GROUPS]:
        command = typer.main.get_command(build([name])).commands[name]
        rows += _group(name, command) if hasattr(command, "commands") else _command(name, command, "##")
    return "\n".join(rows).rstrip() + "\n"


def _group(name: str, group) -> list:
    rows = [f"## emrctl {name}", "", group.help or "", ""]
    for part, command in group.commands.items():
        rows += _command(f"{name} {part}", command, "###")
    return rows


def _command(name: str, command, level: str) -> list:
    context = command.make_context(f"emrctl {name}", [], resilient_parsing=True)
    rows = [f"{level} emrctl {name}", "", "    " + " ".join([f"emrctl {name}", *map(_piece, command.collect_usage_pieces(context)[1:])]), "",
            inspect.cleandoc(command.help or "").replace("\b\n", ""), ""]
    told = [record for record in (row.get_help_record(context) for row in command.params) if record and not record[0].endswith("--help")]
    return rows + (table(["Argument or option", "Meaning"], [[f"`{words}`", meaning] for words, meaning in told]) if told else [])


def _piece(piece: str) -> str:
    """An argument of the line of usage, as people write it: NAME, or [NAME]."""
    return piece.upper().replace("{", "").replace("}", "")
