"""From YAML text (or plain data) to a small tree that knows the line of everything. YAML is imported late.

The tree is what makes good messages possible: the type of each value as written, so that ``"3"`` is not 3 and ``yes``
is not text, and keys that occur twice.
"""
from __future__ import annotations

from ..errors import SpecError, SpecProblem

MAX_TEXT = 128 * 1024
MAX_ITEMS = 5000
MAX_DEPTH = 12
_TAG = "tag:yaml.org,2002:"
_SCALARS = {"str": "str", "int": "int", "float": "float", "bool": "bool", "null": "null", "timestamp": "str",
            "value": "str"}


class Kind:
    """A kind of document, for messages: the key that stands for the whole of it, what it is, where an example is, how many
    there may be in a file."""

    def __init__(self, key: str, what: str, example: str, one: str):
        self.key, self.what, self.example, self.one = key, what, example, one


SPEC_KIND = Kind("spec", "a cluster spec", "Start from an example: emrctl local example prints one.", "Keep one cluster in a file")


class Item:
    """One value. ``kind``: map, list, str, int, float, bool or null. ``text`` is a scalar as it was written.

    ``value`` of a map is a list of (key, line of the key, Item); of a list a list of Items; else the Python value.
    """

    def __init__(self, kind: str, value, line=None, text: str = ""):
        self.kind, self.value, self.line, self.text = kind, value, line, text

    def get(self, key: str):
        """The Item under a key of a map, or None."""
        if self.kind == "map":
            for name, _line, item in self.value:
                if name == key:
                    return item
        return None

    def describe(self) -> str:
        """What was found, in words."""
        if self.kind == "map":
            return "a mapping"
        if self.kind == "list":
            return "a list"
        if self.kind == "null":
            return "nothing"
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        names = {"str": f'the text "{shown}"', "int": f"the number {shown}", "float": f"the number {shown}",
                 "bool": f"the truth value {shown}"}
        return names[self.kind]


def fail(source: str, key: str, message: str, remedy: str, line=None) -> SpecError:
    """A SpecError with one problem, for text that cannot be read any further."""
    return SpecError([SpecProblem(key, message, remedy, line, source)])


def read_yaml(text: str, source: str, kind: Kind = SPEC_KIND) -> tuple:
    """(Item of the document, problems found while reading). Raises SpecError when the text is not YAML at all."""
    import yaml

    if len(text) > MAX_TEXT:
        raise fail(source, kind.key, f"the text has {len(text)} characters, expected at most {MAX_TEXT}",
                   f"{kind.what.capitalize()} is a page or two: check that this is the right file.")
    try:
        node = yaml.compose(text, Loader=_shallow_loader(yaml, source, kind))
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text, source, kind) from None
    except yaml.YAMLError as error:
        raise fail(source, kind.key, f"not readable as YAML: {str(error).splitlines()[0]}",
                   "Save the file as UTF-8 text without control characters.",
                   _line_of(text, getattr(error, "position", None))) from None
    if node is None:
        raise fail(source, kind.key, f"the text is empty, expected {kind.what}", kind.example, 1)
    builder = _Builder(source, kind)
    try:
        item = builder.build(node, "", 0)
    except yaml.YAMLError as error:
        raise fail(source, kind.key, str(error), "Write plain YAML.", node.start_mark.line + 1) from None
    return item, builder.problems


def read_texts(text: str, source: str, kind: Kind) -> dict:
    """{key: text} of a file with one text for each key, each as it was written: 0123, yes and ~ are texts. Empty values are left out.

    Raises SpecError, whose messages quote no value.
    """
    import yaml

    try:
        item, problems = read_yaml(text, source, kind)
    except SpecError as error:
        raise fail(source, kind.key, "not YAML", kind.example, error.problems[0].line) from None
    if problems or item.kind != "map" or any(value.kind in ("map", "list") for _key, _line, value in item.value):
        line = problems[0].line if problems else item.line
        raise fail(source, kind.key, "expected one text for each key, each key once", kind.example, line)
    for _key, value in yaml.compose(text).value:
        rest = text[value.end_mark.index:].split("\n", 1)[0]
        if value.style is None and rest.lstrip().startswith("#"):
            raise fail(source, kind.key, "for YAML what follows a blank and # is a comment and no part of the value",
                       "Put the value in quotes, or the comment on a line of its own.", value.start_mark.line + 1)
    return {key: value.text for key, _line, value in item.value if value.text}


def _shallow_loader(yaml, source: str, kind: Kind):
    """A loader that stops at once at deep nesting: PyYAML's time grows with the square of it."""

    class Loader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent, index):
            self.depth += 1
            if self.depth > 2 * MAX_DEPTH:
                raise fail(source, kind.key, "nested too deeply", "Remove the brackets that are not needed.",
                           self.peek_event().start_mark.line + 1)
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    return Loader


def _line_of(text: str, position) -> int | None:
    """Line (from 1) of a character position, when the reader told one."""
    return None if position is None else text.count("\n", 0, position) + 1


def _syntax(error, text: str, source: str, kind: Kind) -> SpecError:
    """A problem from PyYAML's own error, with a remedy for the usual mistakes."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else None
    what = error.problem or error.context or "syntax error"
    lines = text.splitlines()
    shown = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in shown[: len(shown) - len(shown.lstrip())] or "'\\t'" in what:
        return fail(source, kind.key, "a tab is used for indentation, YAML expects spaces",
                    "Replace the tab by spaces (two for each level).", line)
    if "{{" in shown or "{%" in shown:
        return fail(source, kind.key, f"a template is not a value: {kind.what} is plain data",
                    "Write the value itself in place of the braces.", line)
    if "single document" in what or "another document" in what:
        return fail(source, kind.key, "several documents in one file, expected one", f"{kind.one}: "
                    "remove the line --- and what follows it.", line)
    if "undefined alias" in what or "duplicate anchor" in what:
        return fail(source, kind.key, what, "Write the value itself in place of the alias.", line)
    return fail(source, kind.key, f"not YAML: {what}", f"Check the indentation, colons, brackets and quotes of line {line} "
                "and of the line before it.", line)


class _Builder:
    """Turns PyYAML's nodes into Items; counts them, so that aliases cannot blow up."""

    def __init__(self, source: str, kind: Kind):
        self.source, self.kind, self.problems, self.count = source, kind, [], 0

    def problem(self, key: str, message: str, remedy: str, line) -> None:
        self.problems.append(SpecProblem(key or self.kind.key, message, remedy, line, self.source))

    def build(self, node, path: str, depth: int) -> Item:
        line = node.start_mark.line + 1
        self.count += 1
        if self.count > MAX_ITEMS or depth > MAX_DEPTH:
            what = "nested too deeply" if depth > MAX_DEPTH else f"more than {MAX_ITEMS} values"
            raise fail(self.source, path or self.kind.key, f"{what}; aliases count each time they are used",
                       f"Write plain values: {self.kind.what} needs no deep nesting and no chains of aliases.", line)
        kind = type(node).__name__
        if kind == "MappingNode":
            self._plain_tag(node, "map", path, line)
            return Item("map", self._pairs(node, path, depth), line)
        if kind == "SequenceNode":
            self._plain_tag(node, "seq", path, line)
            items = [self.build(child, f"{path}[{i}]", depth + 1) for i, child in enumerate(node.value)]
            return Item("list", items, line)
        return self._scalar(node, path, line)

    def _plain_tag(self, node, expected: str, path: str, line: int) -> None:
        if node.tag != _TAG + expected:
            self.problem(path, f"the YAML tag {node.tag} is not allowed, expected plain data",
                         "Remove the tag and write the value itself.", line)

    def _pairs(self, node, path: str, depth: int) -> list:
        pairs, seen = [], {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if type(key_node).__name__ != "ScalarNode":
                self.problem(path, "a key is a list or mapping, expected a name",
                             "Write a plain name; quote a value that starts with a brace or bracket.", line)
                continue
            key = key_node.value
            where = f"{path}.{key}" if path else key
            if key_node.tag == _TAG + "merge":
                self.problem(where, "merge keys are not supported, expected the keys themselves",
                             "Write the merged keys out.", line)
                continue
            if key in seen:
                self.problem(where, f"the key occurs twice (first in line {seen[key]}), expected once",
                             "Keep one of the two and delete the other.", line)
                continue
            seen[key] = line
            item = self.build(value_node, where, depth + 1)
            if item.kind in ("map", "list", "null"):
                item.line = line  # where the reader sees its name, not where its first entry stands
            pairs.append((key, line, item))
        return pairs

    def _scalar(self, node, path: str, line: int) -> Item:
        tag = node.tag[len(_TAG):] if node.tag.startswith(_TAG) else ""
        if tag not in _SCALARS:
            self.problem(path, f"the YAML tag {node.tag} is not allowed, expected plain data",
                         "Remove the tag and write the value itself.", line)
            return Item("str", node.value, line, node.value)
        return scalar(_SCALARS[tag], node.value, line)


def scalar(kind: str, text: str, line=None) -> Item:
    """An Item of a scalar as written. Numbers that YAML 1.1 reads in surprising ways (010, 1:30) stay text."""
    if kind == "int":
        try:
            return Item("int", int(text.replace("_", ""), 10), line, text) if _plain_int(text) else Item(
                "str", text, line, text)
        except ValueError:
            return Item("str", text, line, text)
    if kind == "float":
        try:
            return Item("float", float(text.replace("_", "")), line, text)
        except ValueError:
            return Item("str", text, line, text)
    if kind == "bool":
        return Item("bool", text.lower() in ("yes", "true", "on", "y"), line, text)
    if kind == "null":
        return Item("null", None, line, text)
    return Item("str", text, line, text)


def _plain_int(text: str) -> bool:
    digits = text.lstrip("+-").replace("_", "")
    return digits == "0" or not digits.startswith("0")


def read_data(data, depth: int = 0) -> Item:
    """Item of plain data (what Spec.to_dict returns), without lines. Raises TypeError for anything else."""
    if depth > MAX_DEPTH:
        raise TypeError("nested too deeply")
    if isinstance(data, dict):
        return Item("map", [(str(k), None, read_data(v, depth + 1)) for k, v in data.items()])
    if isinstance(data, (list, tuple)):
        return Item("list", [read_data(v, depth + 1) for v in data])
    if data is None:
        return Item("null", None)
    if isinstance(data, bool):
        return Item("bool", bool(data), None, "true" if data else "false")
    if isinstance(data, int):
        return Item("int", int(data), None, str(int(data)))
    if isinstance(data, float):
        return Item("float", float(data), None, repr(float(data)))
    if isinstance(data, str):
        return Item("str", str(data), None, str(data))
    raise TypeError(f"not plain data: {type(data).__name__}")
