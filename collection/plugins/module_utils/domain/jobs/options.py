"""The options of a job, each defined once. Terminal, playbook, module, flow file, node and documentation are made from this list.

Pure Python, 3.8 and newer: nodes have it too.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

from ..spec.field import QUEUE_NAME, USER_NAME, Field
from ..text import durations
from .command import TYPES


@dataclass(frozen=True)
class Option(Field):
    """``flags`` are those of emrctl, ``shown`` stands there for a value, ``flow``: whether a job in a flow file has it.

    Of a ``duration`` the node gets seconds, under the option's name with ``_s``; 0 is none.
    """

    flags: tuple = ()
    shown: str | None = None
    flow: bool = True

    @property
    def request_key(self) -> str:
        """Name in the request that the node gets."""
        return f"{self.name}_s" if self.form == "duration" else self.name

    @property
    def unset(self):
        """What the node takes when the option is not given."""
        if self.form == "duration":
            return durations.seconds(self.default) if self.default else 0
        return {"list": [], "map": {}, "bool": False, "text": self.default or ""}.get(self.kind, self.default)

    def help(self, code: str = r"\1") -> str:
        """The explanation, with what is marked as code written another way."""
        return re.sub(r"`([^`]+)`", code, self.doc)


def _files(name: str, doc: str, example: str, *flags: str, shown: str | None = None) -> Option:
    item = Field("file", "text", "A file.", least=1, most=4096, form="path", expect="the path of a file", example="count.py")
    return Option(name, "list", doc, default=(), most=100, single=True, item=item, example=example, flags=flags, shown=shown)


def _pairs(name: str, doc: str, example: str, *flags: str, shown: str, form: str = "", flow: bool = True) -> Option:
    return Option(name, "map", doc, default={}, most=200, form=form, example=example, expect="names with one value each",
                  item=Field("value", "scalar", "One value.", example="1"), flags=flags, shown=shown, flow=flow)


OPTIONS = (
    Option("type", "text", "Type of the job.", choices=TYPES, required=True, default="SHELL", expect="the type of the job", example="SHELL",
           flags=("--type", "-t")),
    Option("args", "list", "Arguments of the program. Without any, the first of `files` is run. In these, and in names, properties, "
           "variables, places of files and queries in `.sql` files, `${yyyy-MM-dd}` and its like are filled in; `${yyyyMMdd-1}` is the day before.",
           default=(), most=1000, single=True, item=Field("word", "scalar", "One argument.", example="/data/in"),
           example="[count.py, /user/emr/in]"),
    _files("files", "File for the job's working directory: on the controller, or at hdfs:// or oss://.", "[count.py]", "--file", "-f"),
    _files("archives", "Archive to unpack for the job, as the folder NAME.", "[venv.tar.gz]", "--archive", shown="FILE[#NAME]"),
    _files("py_files", "Python module or package (.py, .zip, .egg) for the driver and the executors.", "[helpers.py]", "--py-file"),
    Option("python_env", "text", "Packed Python environment (.tar.gz, .tgz, .zip) for the driver and the executors.", form="path",
           least=1, most=4096, default=None, expect="the path of an archive", example="venv.tar.gz", flags=("--python-env",), shown="FILE"),
    _files("jars", "Jar for the driver and the executors.", "[udf.jar]", "--jar"),
    Option("retries", "int", "Retries after a failure.", least=0, most=1000, default=0, example="2", flags=("--retries",)),
    Option("retry_interval", "text", "Pause before a retry.", form="duration", least=1, most=604800, default="30s",
           expect="a duration such as 30s", example="30s", flags=("--retry-interval",)),
    Option("timeout", "text", "Longest time for one attempt; then it is killed and has failed.", form="duration", least=1, most=31536000, default=None,
           expect="a duration such as 2h", example="2h", flags=("--timeout",)),
    Option("user", "text", "User of the cluster that it runs as. Default: emr.", pattern=USER_NAME, default=None,
           expect="the name of a user", example="alice", flags=("--user",)),
    Option("queue", "text", "YARN queue that it runs in. Default: the user's own.", pattern=QUEUE_NAME, default=None,
           expect="the name of a queue", example="analysts", flags=("--queue",)),
    Option("priority", "int", "Priority in the queue; a larger number goes first.", least=0, most=1000, default=None, example="5", flags=("--priority",)),
    Option("memory", "text", "Memory of each executor or task.", pattern=r"[1-9]\d{0,6}[kmgt]", default=None, expect="a size such as 2g",
           example="2g", flags=("--memory",)),
    Option("cores", "int", "Cores of each executor or task.", least=1, most=1024, default=None, example="2", flags=("--cores",)),
    _pairs("properties", "Setting of Hadoop (-D) or, beginning with `spark.`, of Spark (--conf) for this job.",
           "{spark.sql.shuffle.partitions: 8}", "--property", "-p", shown="KEY=VALUE"),
    _pairs("environment", "Variable of its environment. Without a value, it is taken from the controller's.", "{LC_ALL: C.UTF-8}",
           "--env", "-e", shown="NAME[=VALUE]", form="parameters"),
    _pairs("parameters", "Value for `${NAME}` in arguments, properties and queries.", "{day: '${yyyyMMdd-1}'}", "--parameter", shown="NAME=VALUE", flow=False),
    Option("time", "text", "Moment that `${yyyy-MM-dd}` and the like refer to. Default: now.", default=None, flags=("--time",), flow=False),
    Option("time_zone", "text", "Time zone of that moment, such as Asia/Shanghai, +08:00 or UTC.", default="UTC", flags=("--time-zone",), flow=False),
    Option("on_failure", "text", "Command to run on the master, as the job's user, after the last attempt has failed; it finds `EMR_JOB_ID` and "
           "`EMR_JOB_STATE`.", default=None, flags=("--on-failure",), shown="COMMAND", flow=False),
    Option("keep_running", "bool", "For a stream: start it again after a failure and after a reboot of the master.", default=False,
           flags=("--keep-running",), flow=False),
    Option("token", "text", "Idempotency key: one job per token.", default=None, flags=("--token",), flow=False),
    Option("name", "text", "Name of the job, for people.", default=None, flags=("--name",), flow=False),
)
BY_NAME = {option.name: option for option in OPTIONS}
# Those of a job in a flow file.
IN_FLOWS = tuple(option for option in OPTIONS if option.flow)


def in_seconds(values: dict) -> dict:
    """These values of options as the node wants them: durations in seconds, under the names that say so. Raises ValueError."""
    found = dict(values)
    for option in OPTIONS:
        if option.form == "duration":
            value = found.pop(option.name, option.default)
            try:
                found[option.request_key] = int(value) if str(value).isdigit() else durations.seconds(value) if value else 0
            except ValueError as error:
                raise ValueError(f"{option.name}: {error}") from error
    return found
