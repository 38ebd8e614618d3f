"""What one module alone may do on a node: talk to Hadoop's daemons, start Hadoop's programs, be another user."""
from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

NODE = Path(__file__).parents[2] / "collection/plugins/module_utils/node"
HTTP, CLI = "hadoop_http.py", "hadoop_cli.py"
# Who talks to something else: OSS, the metadata service (and one's own service for notices), places of artifacts.
OTHERS = {"oss/client.py", "host/instance_role.py", "scale/reclaim_program.py", "install/install.py"}
CONNECTIONS = {"http.client", "urllib.request", "socket.create_connection", "socket.socket", "requests"}
# A program by its path or name as the first word of a command, in code; what people read has it in backquotes.
PROGRAM = re.compile(r"/bin/(hadoop|hdfs|yarn|mapred|spark-\w+|beeline|pyspark)\b")
START = re.compile(r"^(hadoop|hdfs|yarn|mapred|spark-\w+|beeline|pyspark)$")
STARTERS = {"run", "Popen", "call", "check_call", "check_output"}
OTHER_USER = re.compile(r"^(runuser|su|sudo|setpriv)$|^--uid=")
BECOME = {"setuid", "setgid", "initgroups", "setreuid", "setresuid"}


def modules():
    return [(path.relative_to(NODE).as_posix(), ast.parse(path.read_text())) for path in sorted(NODE.rglob("*.py"))]


def imported(tree) -> set:
    """Modules, and names that are used of the module socket."""
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    found |= {f"{node.module}{end}" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level
              for end in ("", *(f".{alias.name}" for alias in node.names))}
    return found | {f"{node.value.id}.{node.attr}" for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)}


def texts(tree) -> list:
    """Texts in code, without what documents it."""
    documents = {id(node.body[0].value) for node in ast.walk(tree) if hasattr(node, "body") and isinstance(node.body, list) and node.body
                 and isinstance(node.body[0], ast.Expr)}
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents]


def starts(tree) -> set:
    """First words of commands that are started, as far as they are written there."""
    found = set()
    for node in ast.walk(tree):
        name = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else getattr(getattr(node, "func", None), "id", "")
        if isinstance(node, ast.Call) and name in STARTERS and node.args and isinstance(node.args[0], ast.List) and node.args[0].elts:
            first = node.args[0].elts[0]
            found |= {first.value} if isinstance(first, ast.Constant) else set()
    return found


def offenders(tree) -> dict:
    """What this module does that only a gateway may: {what: its words}."""
    used = imported(tree)
    return {"opens a connection": sorted(used & CONNECTIONS),
            "starts a program": sorted({text for text in texts(tree) if PROGRAM.search(text)} | {word for word in starts(tree) if START.match(word)}),
            "is another user": sorted({text for text in texts(tree) if OTHER_USER.match(text)} | {name for name in used if name.partition(".")[2] in BECOME})}


def test_nobody_but_the_gateways_does_it():
    allowed = {HTTP: {"opens a connection"}, CLI: {"starts a program", "is another user"}, **{name: {"opens a connection"} for name in OTHERS}}
    found = {(name, what): words for name, tree in modules() for what, words in offenders(tree).items()
             if words and what not in allowed.get(name, ())}
    assert found == {}


PLUGINS = NODE.parents[1]
PATHS = ("/etc/emr", "/opt/emr", "/var/lib/emr", "/run/emr", "/var/log/emr", "/var/cache/emr", "/run/lock/emr", "/etc/systemd/system", "/etc/profile.d/emr")


def test_one_module_alone_spells_paths():
    """What documents or is meant for people may have them: docstrings, and the documentation of modules."""
    sources = [path for path in sorted(PLUGINS.rglob("*.py")) if path.parent.name != "modules"]
    found = {path.relative_to(PLUGINS).as_posix() for path in sources for text in texts(ast.parse(path.read_text())) if any(part in text for part in PATHS)}
    assert found == {"module_utils/domain/paths.py"}


def test_the_gateways_are_what_they_are_said_to_be():
    found = {name: {what for what, words in offenders(tree).items() if words} for name, tree in modules()}
    assert "opens a connection" in found[HTTP] and "is another user" in found[CLI]
    assert all("opens a connection" in found[name] for name in OTHERS)


@pytest.mark.parametrize(("text", "what"), [
    ("import urllib.request", "opens a connection"), ("from http import client", "opens a connection"),
    ("import socket\nsocket.create_connection(1)", "opens a connection"), ("run(['hdfs', 'dfs'])", "starts a program"),
    ("X = f'{home}/bin/yarn'", "starts a program"), ("subprocess.Popen(['spark-submit'])", "starts a program"),
    ("run(['runuser', '-u'])", "is another user"), ("import os\nos.setuid(1)", "is another user"), ("X = '--uid=hdfs'", "is another user")])
def test_each_way_is_seen(text, what):
    assert [name for name, words in offenders(ast.parse(text)).items() if words] == [what]
