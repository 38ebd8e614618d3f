"""Every `emrctl …` that a message, a remedy, the documentation or a playbook tells people to type is one that the command line takes."""
from __future__ import annotations

import ast
import io
import itertools
import re
import subprocess
import tokenize
from functools import cache
from pathlib import Path

import typer
import typer.main

from emrctl import main

REPO = Path(__file__).resolve().parents[2]
PLACE = "\x00"
UsageError = typer.BadParameter.__base__
# Behind these emrctl is a command for certain; elsewhere it may be the subject of a sentence, unless a verb of its follows.
CALL = re.compile(r"(?:^|`|Next:|[Rr]un:|[Ww]ith:|[Tt]ry:|\$)\s*$")
# What ends a command in a sentence. None of these is an argument.
AFTER = ("shows", "lists", "tells", "prints", "gives", "waits", "brings", "with", "from", "which", "for", "and", "or", "of", "is", "in", "to", "by",
         "that", "then", "does", "would", "at", "on", "when", "once", "again")
# A command ends at the end of a line, a quotation, a sentence or a part of one. What is quoted in it is one word of it.
_WORDS = "|".join(AFTER)
END = re.compile(rf"""[`"'()|\n]| {{2,}}|;|,(?= |$)|[.:](?= |$)| \d?>| (?:#|/|--|&|&&|→|{_WORDS})(?= |$)""")
QUOTED = re.compile(r"""(?<=[\s=])(?:'(?!emrctl)[^'\n]*'|"(?!emrctl)[^"\n]*")""")


def texts(path: Path):
    """(line, text) of everything in a file that people may read: a Python file's texts and comments, another file's lines."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(source.replace("\\\n", " ").splitlines(), 1)
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            # What is filled in is a word where it begins one, and an ending, mostly none, behind another.
            parts = [part.value if isinstance(part, ast.Constant) else PLACE for part in node.values]
            yield node.lineno, re.sub(rf"(?<=\w){PLACE}", "", "".join(parts)).replace(PLACE, "PLACE")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, f" {node.value}"
    # A text may begin with a sentence about emrctl, a line of documentation that begins with it is a command.
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def commands(text: str):
    """The words behind `emrctl` for each command in a text; sentences about emrctl are left out."""
    # What Prometheus fills into the command of an alert is one word.
    parts = QUOTED.sub("QUOTED", re.sub(r"\{\{ \$[^}]*\}\}", "FILLED", text)).split("emrctl ")
    for before, part in itertools.pairwise(parts):
        words = END.split(part, maxsplit=1)[0].replace("[", "").replace("]", "").split()
        if words and re.fullmatch(r"[a-z][a-z-]*", words[0]) and (words[0] in main.VERBS or words[0] in main.GROUPS or CALL.search(before)):
            yield words


@cache
def every_text() -> tuple:
    """(file and line, text) of everything that people may read."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True).stdout.split("\0")
    found = []
    for name in listed:
        path = REPO / name
        if name.startswith(("tests/", "collection/changelogs/", "collection/CHANGELOG.md")) or path.suffix not in (".py", ".md", ".yml", ".yaml", ".j2", ".sh", ""):
            continue
        if not path.is_symlink() and path.is_file():
            found += [(f"{name}:{line}", text) for line, text in texts(path)]
    return tuple(found)


def told():
    for where, text in every_text():
        for words in commands(text):
            yield where, words


@cache
def application(words: tuple):
    """The command line as the program builds it for these first words."""
    return typer.main.get_command(main.build(list(words)))


def problem(words: list) -> str:
    """What the real parser says against a command; '' when it takes it. A group alone, or with its command, is a name that is told."""
    argv, _rest = main.split(words)
    found = application((argv[0],) if argv[0] not in main.GROUPS else tuple(argv[:2]))
    path: list = []
    while hasattr(found, "commands"):
        if len(path) == len(argv):
            return ""
        word = argv[len(path)]
        if word not in found.commands:
            return f"there is no {' '.join(['emrctl', *path, word])}; there is {', '.join(sorted(found.commands))}"
        path.append(word)
        found = found.commands[word]
    said = _parsed(found, path, argv[len(path):])
    # The value of a last option may have been cut off with what follows.
    return _parsed(found, path, [*argv[len(path):], "VALUE"]) if said and argv[-1].startswith("-") else said


def _parsed(command, path: list, words: list) -> str:
    try:
        context = command.make_context(" ".join(path), list(words), resilient_parsing=True)
    except UsageError as error:
        return error.format_message()
    return f"it takes no {context.args[0]}" if context.args else ""


def test_commands_that_people_are_told_to_type_exist():
    rows = list(told())
    wrong = sorted({f"{where}: emrctl {' '.join(words)}: {why}" for where, words in rows if (why := problem(words))})
    assert not wrong, "\n".join(wrong)
    # The test must see what it is for: a search that finds nothing proves nothing.
    assert len(rows) > 400 and {words[0] for _where, words in rows} >= set(main.VERBS) - {"connect"}


def test_what_people_are_told_to_read_and_to_call_in_ansible_exists():
    """Pages, targets of make, and playbooks, roles and plugins of the collection."""
    collection = REPO / "collection"
    there = {path.stem for folder in ("playbooks", "plugins/action", "plugins/modules", "plugins/inventory", "plugins/lookup", "plugins/filter",
                                            "plugins/doc_fragments")
             for path in (collection / folder).glob("*.*")} | {path.name for path in (collection / "roles").iterdir()}
    targets = set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.MULTILINE))
    wrong, found = set(), set()
    for where, text in every_text():
        for name in re.findall(r"(?<![\w./-])emr\.cluster\.([a-z_]+)\b(?![./*])", text):
            found.add("name")
            if name not in there and name != "all":
                wrong.add(f"{where}: emr.cluster.{name}")
        for page in re.findall(r"(?<![\w./-])docs/[\w./-]+\.(?:md|json)", text):
            found.add("page")
            if not (REPO / page).exists():
                wrong.add(f"{where}: {page}")
        for target in re.findall(r"`make ([a-z-]+)`", text):
            found.add("target")
            if target not in targets:
                wrong.add(f"{where}: make {target}")
    assert not wrong and found == {"name", "page", "target"}, "\n".join(sorted(wrong))
