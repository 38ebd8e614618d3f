"""What stays on nodes to work without Ansible: a Python package and its programs.

The package holds the same files as ``module_utils``, in folders of the same names, so that their relative imports hold. All
nodes have what configures them again; masters also have what runs jobs.
"""
from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache

from ...services.registry import ANSWERING, HOMES, module_name, own_hooks
from .. import paths
from ..paths import HADOOP_CONF, HADOOP_HOME, SPARK_CONF, SPARK_HOME
from .files import is_source, root_file, source

LIB = paths.LIB
PACKAGE = f"{LIB}/emr_node"
# Programs of the package: path -> module with a function main(arguments) that returns an exit code.
PROGRAMS = {paths.JOBS_PROGRAM: "jobs.program", paths.FLOWS_PROGRAM: "flows.program", paths.COPY: "transfer.oss", paths.LOGS_PROGRAM: "jobs.log_archive",
            paths.JDBC: "transfer.jdbc_program", paths.BENCH: "bench.program", paths.TABLES: "tables.program", paths.FILES: "files.program",
            paths.METRICS: "monitoring.program", paths.PAGE_PROGRAM: "page.program", paths.WORK_PROGRAM: "page.work"}
# What lies in no folder of the collection: the hooks of services of one's own.
_OWN = {f"node/services/{module_name(name)}.py": text for name, text in own_hooks().items()}


def _known(name: str) -> bool:
    return name in _OWN or is_source(name)


# Services with hooks (node/services/hooks.py) that the programs ask: somebody answers for them, or they keep histories.
HOOKED = tuple(name for name in HOMES if (name in ANSWERING or HOMES[name].history) and _known(f"node/services/{module_name(name)}.py"))
HOOKS = tuple(f"services.{module_name(name)}" for name in HOOKED)
# On every node: an operation that the module ``node`` would do as well, for a tenth of the CPU time, since nothing has to be
# packed, sent, unpacked and compiled. It does it only where its version is the one that was asked for.
NODE_MODULE, NODE_OPERATIONS = "node_program", ("configure",)
# All programs of every node.
NODE_PROGRAMS = {paths.NODE: NODE_MODULE, paths.LINES: "logs.program"}
VERSION = f"{PACKAGE}/VERSION"
# What programs get as environment on a node.
ENVIRONMENT = {
    "PATH": f"{HADOOP_HOME}/bin:{SPARK_HOME}/bin:/usr/local/bin:/usr/bin:/bin",
    "HADOOP_HOME": HADOOP_HOME, "HADOOP_CONF_DIR": HADOOP_CONF, "YARN_CONF_DIR": HADOOP_CONF,
    "SPARK_HOME": SPARK_HOME, "SPARK_CONF_DIR": SPARK_CONF, "HADOOP_LOG_DIR": "/tmp",
    "LANG": "C.UTF-8", "PYSPARK_PYTHON": paths.PYTHON,
    # Spark starts a JVM only to find out how to start the next one; it need not compile well.
    "SPARK_LAUNCHER_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
}


def node_files() -> list:
    """The files of the programs that every node has; their version comes last, when all of them is there."""
    texts = {**{path: program(module) for path, module in NODE_PROGRAMS.items()}, **_below(*NODE_PROGRAMS.values()), VERSION: f"{version()}\n"}
    return [row(path, text) for path, text in texts.items()]


def program_files(path: str, module: str) -> list:
    """The files of a program that only some nodes have, but for those that every node has.

    The program names the digest of all its code, so that a unit which restarts when its files change does so for each part of it.
    """
    common, code = {row["path"] for row in node_files()}, _below(module)
    return [root_file(path, f"{program(module)}# Code: {_digest(code)}\n", "0755")] + [
        root_file(*row) for row in code.items() if row[0] not in common]


@lru_cache(maxsize=1)
def version() -> str:
    """Digest of all that the programs of every node consist of."""
    return _digest(_below(*NODE_PROGRAMS.values()))


def _digest(texts: dict) -> str:
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()


def row(path: str, text: str) -> dict:
    """The row of a file of the package, or of one of its programs."""
    runs = path in PROGRAMS or path in NODE_PROGRAMS
    return root_file(path, text, "0755" if runs else "0644")


def package() -> dict:
    """{path: text} of the package: the modules of the masters' programs, what they import, and the hooks of services that they find by name."""
    return _below(*PROGRAMS.values(), *HOOKS)


@lru_cache(maxsize=4)
def _below(*modules: str) -> dict:
    """{path: text} of these modules of node/ and of all that they import."""
    found: dict = {}
    wanted = [("node", *module.split(".")) for module in modules]
    while wanted:
        module = wanted.pop()
        name = "/".join(module) + ".py"
        if name not in found:
            found[name] = _OWN[name] if name in _OWN else source(name)
            found.update({"/".join(module[:depth]) + "/__init__.py": "" for depth in range(1, len(module))})
            wanted += _imports(module[:-1], found[name])
    return {f"{PACKAGE}/{name}": text for name, text in sorted({"__init__.py": "", **found}.items())}


# A relative import, wherever it stands: its dots, the module, and the names. Parsing the files would take ten times as long.
_IMPORT = re.compile(r"^[ \t]*from (\.+)([\w.]*) import (\([^)]*\)|[^\n#]+)", re.MULTILINE)


def _imports(folder: tuple, text: str) -> list:
    """The modules, as tuples of folders and name, that the relative imports of a text name. ``folder``: of the text's own module."""
    rows = []
    for dots, module, names in _IMPORT.findall(text):
        base = (*folder[:len(folder) - len(dots) + 1], *filter(None, module.split(".")))
        # `from .room import a` names modules, `from .room.a import b` is a module with what is in it.
        rows += [base] if _known("/".join(base) + ".py") else [(*base, name.split()[0]) for name in names.strip("() \n").split(",") if name.strip()]
    return rows


def program(module: str) -> str:
    """Text of a program that runs ``main`` of a module of the package."""
    return f"""#!{paths.PYTHON}
import os
import sys

# Set, never inherited: a hardened node's own would hide what daemons and jobs have to read.
os.umask(0o022)
sys.path[0] = "{LIB}"
from emr_node.node.{module} import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
"""
