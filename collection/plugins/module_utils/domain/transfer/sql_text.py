"""SQL and names of tables and columns as people write them.

What a person writes stands in brackets inside a statement of ours and goes through a driver of Java. So a query ends where its last
word ends, one statement is all there is, and what is an operator to PostgreSQL (``?``) is none of the driver's parameters.
"""
from __future__ import annotations

import re

from ..errors import Refused

# Texts, names and comments, in which nothing means anything. sql_mode of our sessions has neither ANSI_QUOTES nor
# NO_BACKSLASH_ESCAPES; comments of PostgreSQL hold others (three deep are known here).
_NESTED = r"/\*(?:[^*/]|\*(?!/)|/(?!\*)|{0})*\*/"
_DEEP = _NESTED.format(_NESTED.format(_NESTED.format(r"(?!)")))
_SKIPPED = {
    "mysql": re.compile(r"(?P<comment>--(?=\s|$)[^\n]*|\#[^\n]*|/\*.*?\*/)|"
                        r"(?P<quoted>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`]|``)*`)", re.DOTALL),
    "postgresql": re.compile(r"(?P<comment>--[^\n]*|" + _DEEP + r")|"
                             r"(?P<quoted>(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|"
                             r"(?<![\w$])\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)", re.DOTALL),
}
_OPEN = {"mysql": re.compile(r"['\"`]|/\*"), "postgresql": re.compile(r"['\"]|/\*|(?<![\w$])\$(?:[^\W\d]\w*)?\$")}
_PLAIN = re.compile(r"[\w$#@-]+")
_QUOTED = re.compile(r'"((?:[^"]|"")+)"|`((?:[^`]|``)+)`')
_PART = re.compile(rf"\s*(?:{_QUOTED.pattern}|([^\"`,.]*))\s*")


def _pieces(text, system):
    """(kind, piece) of a text: comment, quoted, or plain."""
    at = 0
    for found in _SKIPPED[system].finditer(text):
        if found.start() > at:
            yield "plain", text[at:found.start()]
        yield found.lastgroup if found.lastgroup != "tag" else "quoted", found[0]
        at = found.end()
    if at < len(text):
        yield "plain", text[at:]


def _judged(text, system, what):
    """The pieces, when they are one whole thing that can stand in brackets. Raises Refused."""
    if any(ord(char) < 32 and char not in "\t\r\n" for char in text):
        raise Refused(f"{what} has invisible characters", "Write it without them")
    pieces, depth = list(_pieces(text, system)), 0
    while pieces and (pieces[-1][0] == "comment" or not pieces[-1][1].strip(" \t\r\n;")):
        pieces.pop()
    if pieces and pieces[-1][0] == "plain":
        pieces[-1] = ("plain", pieces[-1][1].rstrip(" \t\r\n;"))
    plain = "".join(piece if kind == "plain" else " " for kind, piece in pieces)
    if not plain.strip() and not any(kind == "quoted" for kind, _piece in pieces):
        raise Refused(f"{what} is empty", "Write SQL, or leave the option out")
    opened = _OPEN[system].search(plain)
    if opened:
        raise Refused(f"{what} has an opening {opened[0]} that is not closed", "Close it")
    if ";" in plain:
        raise Refused(f"{what} has several statements", "Write one; prepare anything else beforehand")
    for char in plain:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            break
    if depth:
        raise Refused(f"{what} has brackets that do not match", "Close every bracket that you open, and no other")
    return pieces


def condition(text, system, what="--where"):
    """A condition, ready to stand in brackets of a statement of the driver, with a line's end behind it. Raises Refused."""
    pieces = _judged(text, system, what)
    # PostgreSQL's driver takes ? for a parameter and ?? for the operator.
    double = system == "postgresql"
    return "".join(piece.replace("?", "??") if double and kind == "plain" else piece for kind, piece in pieces) + "\n"


def query(text, system):
    """A query, ready as ``condition``. Raises Refused."""
    found = condition(text, system, "--query")
    first = re.match(r"[\s(]*(\w*)", "".join(piece for kind, piece in _pieces(found, system) if kind != "comment"))[1]
    if first.upper() not in ("SELECT", "WITH", "VALUES", "TABLE"):
        raise Refused(f"--query begins with {first or found[:1]}", "Give a query, such as 'SELECT a, b FROM t'")
    return found


def _parts(text, separator):
    """Names of a text, each plain or in quotes. Raises ValueError."""
    found, at = [], 0
    while True:
        part = _PART.match(text, at)
        double, back, plain = part.groups()
        if double or back:
            found.append(double.replace('""', '"') if double else back.replace("``", "`"))
        elif _PLAIN.fullmatch(plain.strip()):
            found.append(plain.strip())
        else:
            raise ValueError(plain.strip() or text)
        at = part.end()
        if at == len(text):
            return found
        if text[at] != separator:
            raise ValueError(text)
        at += 1


def table(text):
    """[schema or '', name] of NAME or SCHEMA.NAME. Raises Refused."""
    try:
        found = _parts(text, ".")
        if len(found) > 2:
            raise ValueError(text)
    except ValueError:
        raise Refused(f"table {text!r}: expected NAME or SCHEMA.NAME", "Write a name with other characters than letters, digits, _, $, #, @ "
                      "and - in double quotes, such as --table 'sales.\"2024.q1\"'") from None
    return ["", *found][-2:]


def columns(values):
    """Names of columns of A,B texts, or of one such text. Raises Refused."""
    found = []
    for text in [values] if isinstance(values, str) else values:
        try:
            found += _parts(str(text), ",") if str(text).strip() else []
        except ValueError as error:
            raise Refused(f"{str(error)!r} is not a valid column name", "Write a name with other characters than letters, digits, _, $, #, @ "
                          "and - in double quotes, such as --columns 'id,\"unit price\"'") from None
    return found
