"""Flows: jobs that wait for each other, written in a YAML file. Definition and check of that file.

``FLOW`` is the one definition of the keys: the check, the JSON Schema and the table in the documentation are read from it.
"""
from __future__ import annotations

import re

from ..errors import SpecError, SpecProblem
from ..jobs import parameters
from ..jobs.options import IN_FLOWS
from ..spec.check import BAD, Checker
from ..spec.field import Field
from ..spec.reader import Kind, read_data, read_yaml
from ..text import credential_words
from ..text.names import instead
from .plan import cycle

NAME = r"[A-Za-z][A-Za-z0-9_-]{0,39}"
PARAMETER = r"[A-Za-z_][A-Za-z0-9_]{0,39}"
MAX_JOBS, MAX_PARALLEL = 200, 32
KIND = Kind("flow", "a flow", "Start from the example in docs/flows.md.", "Keep one flow in a file")
_BINARY = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def _pairs(name: str, doc: str, example: str) -> Field:
    return Field(name, "map", doc, default={}, most=200, form="parameters", example=example, expect="names with one value each",
                 item=Field("value", "scalar", "One value.", example="1"))


JOB = Field(
    "job", "object", "One job.", example="{type: SHELL, args: 'hdfs dfs -ls /'}",
    fields=(
        *IN_FLOWS,
        Field("after", "list", "Names of the jobs that must have ended first.", default=(), most=MAX_JOBS, unique=True, single=True,
              item=Field("job", "text", "The name of a job.", pattern=NAME, expect="the name of a job", example="load"),
              example="[load]"),
        Field("on_failure", "text", "What to do when it fails: `stop` ends the flow, `continue` lets the jobs after it run.",
              choices=("stop", "continue"), default="stop", example="continue"),
    ),
    aliases={"depends_on": "after", "needs": "after", "depends": "after", "arguments": "args", "command": "args", "kind": "type",
             "conf": "properties", "config": "properties", "env": "environment", "retry": "retries", "script": "files",
             "file": "files", "wait": "retry_interval", "limit": "timeout", "failure": "on_failure"})

_TRANSFER_FROM = Field("from", "text", "Where it is.", least=1, most=4096, required=True, expect="a path", example="flights.csv")
_TRANSFER_TO = Field("to", "text", "Where it goes.", least=1, most=4096, required=True, expect="a path", example="/user/emr/flights.csv")

FLOW = Field(
    "flow", "object", "A flow.",
    fields=(
        Field("name", "text", "Its name.", required=True, pattern=NAME, expect="up to 40 letters, digits, - and _, with a letter first",
              example="daily"),
        Field("jobs", "map", "The jobs, by name.", required=True, least=1, most=MAX_JOBS, form="jobs", item=JOB,
              expect="jobs by name", example="{load: {type: SHELL, args: 'hdfs dfs -mkdir -p /user/emr/in'}}"),
        _pairs("parameters", "Names that stand for text: `${day}` in arguments, properties and variables. A value may hold times such "
               "as `${yyyyMMdd-1}`, and other parameters.", "{day: '${yyyyMMdd-1}'}"),
        Field("parallel", "int", "Most jobs that run at the same time.", least=1, most=MAX_PARALLEL, default=4, example="2"),
        Field("put", "list", "For `run-flow`: local files to put into HDFS first. A folder is put with everything below it.", default=(),
              most=100, example="[{from: flights.csv, to: /user/emr/flights.csv}]",
              item=Field("put", "object", "One file or folder.", fields=(_TRANSFER_FROM, _TRANSFER_TO),
                         example="{from: flights.csv, to: /user/emr/flights.csv}", aliases={"source": "from", "target": "to"})),
        Field("get", "list", "For `run-flow`: what to fetch from HDFS afterwards, also after a failure if it is there.",
              default=(), most=100, example="[{from: /user/emr/daily, to: daily}]",
              item=Field("get", "object", "One file or folder.", fields=(_TRANSFER_FROM, _TRANSFER_TO),
                         example="{from: /user/emr/daily, to: daily}", aliases={"source": "from", "target": "to"})),
        Field("keep_on_failure", "bool", "For `run-flow`: keep the cluster when the flow failed.", default=False, example="true"),
    ),
    aliases={"job": "jobs", "steps": "jobs", "tasks": "jobs", "params": "parameters", "variables": "parameters", "inputs": "put",
             "outputs": "get", "results": "get", "concurrency": "parallel", "keep": "keep_on_failure"})
_KEYS = {"jobs": (NAME, "a job", "up to 40 letters, digits, - and _, with a letter first", "load"),
         "parameters": (PARAMETER, "a parameter or variable", "up to 40 letters, digits and _, no digit first", "day")}


class FlowChecker(Checker):
    """Checks a flow: like a spec, but programs and their arguments may hold line breaks and braces."""

    def problem(self, key: str, message: str, remedy: str, line) -> None:
        super().problem(key or KIND.key, message, remedy, line)

    def plain_text(self, text: str, path: str, line) -> bool:
        """Notes text that no value may have: control characters and secrets."""
        if _BINARY.search(text):
            self.problem(path, "a control character in the text", "Write plain text; keep other data in a file.", line)
        elif credential_words.secret_value(text):
            self.problem(path, "this looks like a credential, and a flow is stored and shown in many places",
                         "Keep it in a file that only the job's user reads, and name that file.", line)
        else:
            return True
        return False

    def _scalar(self, _field: Field, item, path: str):
        """One word: text, or a number or truth value as it was written."""
        if item.kind in ("map", "list", "null"):
            self.problem(path, f"found {item.describe()}, expected one value",
                         'Write text or a number; an empty text as "", a list of words with a dash for each.', item.line)
            return BAD
        self.doubt(item, path)
        return item.text if self.plain_text(item.text, path, item.line) else BAD

    def _map_key(self, field: Field, key: str, where: str, line, item) -> bool:
        if field.form in _KEYS and not re.match(f"^(?:{_KEYS[field.form][0]})$(?!\n)", key):
            _pattern, what, expect, example = _KEYS[field.form]
            self.problem(where, f'"{key[:40]}" is not a name for {what}, expected {expect}', f"Choose a name such as {example}.", line)
            return False
        if credential_words.secret_key(key) and not credential_words.reference(item.text):
            self.problem(where, "this is named like a credential, and a flow is stored and shown in many places",
                         "Keep it in a file that only the job's user reads, and name that file.", line)
            return False
        return True


def parse_flow(text: str, source: str = "<flow>", lines: dict | None = None) -> dict:
    """The checked flow that this YAML text describes, as plain data with every key. Raises SpecError with all problems.

    ``lines``, when given, learns the line of each key.
    """
    item, problems = read_yaml(text, source, KIND)
    return _checked(item, source, problems, lines)


def load_flow(path, lines: dict | None = None) -> dict:
    """The flow in a file. Raises SpecError, also when the file cannot be read."""
    path = str(path)
    try:
        with open(path, encoding="utf-8-sig") as stream:
            return parse_flow(stream.read(), path, lines)
    except UnicodeDecodeError:
        raise _unreadable(path, "not UTF-8 text", "Save the file as UTF-8.") from None
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}", "Give the path of a readable flow file.") from None


def json_schema() -> dict:
    """JSON Schema of a flow, for editors. It knows single values; names of other jobs are checked when it is run."""
    from ..spec.docs import schema_of

    return schema_of(FLOW, "emr.cluster flow")


def flow_from(data: dict, source: str, lines: dict | None = None, odd: list | None = None) -> dict:
    """The checked flow of a mapping that somebody else read. Raises SpecError. ``odd`` learns of values that YAML may have changed."""
    try:
        item = read_data(data)
    except TypeError as error:
        raise _unreadable(source, f"found {error}, expected plain data", "Give the flow as text or as a file.") from None
    return _checked(item, source, [], lines, odd)


def flow_of_job(name: str, job: dict, odd: list | None = None) -> dict:
    """A flow with one job, for a schedule of a job. ``job`` has the keys of a job in a flow file. Raises SpecError."""
    return flow_from({"name": name, "jobs": {name: job}}, "<job>", odd=odd)


def _unreadable(path: str, message: str, remedy: str) -> SpecError:
    return SpecError([SpecProblem(KIND.key, message, remedy, None, path)])


def _checked(item, source: str, problems: list, lines: dict | None = None, odd: list | None = None) -> dict:
    checker = FlowChecker(source)
    checker.problems.extend(problems)
    data = checker.document(FLOW, item, "the flow's name, for example: name: daily", odd)
    if data is not BAD:
        _rules(data, checker)
    checker.tell(data)
    if lines is not None:
        lines.update(checker.lines)
    return plain(data)


def _rules(data: dict, checker: FlowChecker) -> None:
    """What no key can tell by itself: names of other jobs, circles, programs without anything to run."""
    jobs = data["jobs"]
    for name, job in jobs.items():
        where = f"jobs.{name}"
        for i, before in enumerate(job["after"]):
            key = f"{where}.after[{i}]"
            line = checker.lines.get(key) or checker.lines.get(f"{where}.after")
            if before == name:
                checker.problem(key, f"the job {name} waits for itself", "Remove it.", line)
            elif before not in jobs:
                checker.problem(key, f'there is no job "{before}" in this flow', instead(before, jobs), line)
        if not job["args"] and not job["files"]:
            checker.problem(where, "a job needs args or files, expected something to run", f"Add for example: args: {JOB.fields[1].example}",
                            checker.lines.get(where))
    around = parameters.circle(data["parameters"])
    if around:
        key = f"parameters.{around[0]}"
        checker.problem(key, f"parameters name each other in a circle: {' names '.join(around)}", "Give one of them a value of its own; "
                        f"$${{{around[0]}}} keeps ${{{around[0]}}} as it is.", checker.lines.get(key) or checker.lines.get("parameters"))
    circle = cycle({name: [n for n in job["after"] if n in jobs and n != name] for name, job in jobs.items()})
    if circle:
        checker.problem(f"jobs.{circle[0]}.after", f"jobs wait for each other in a circle: {' after '.join(circle)}",
                        "Take one of them out of `after`.", checker.lines.get(f"jobs.{circle[0]}.after"))


def plain(value):
    """Dicts, lists and scalars only; what was not given is left out of jobs."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value
