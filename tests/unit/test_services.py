"""Engines name no service and no component: what one service alone knows is in its home. And a home of one's own is found and used."""
from __future__ import annotations

import ast
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS, SERVICES
from emrctl import runner
from tests.lab import until

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "collection/plugins"
NAMES = {*SERVICES, *COMPONENTS}
# Rooms of things that only these services have: no engine looks in there, and they name no other service.
ROOMS = {
    "backup, restore and repair of the file system, its balance and its files": (("hdfs",), (
        "action/backup.py", "action/balance.py", "action/data.py", "action/repair_nodes.py", "action/restore.py", "domain/backup/", "domain/repair/",
        "node/backup/", "node/daemons/format.py", "node/files/", "node/hdfs/", "node/health/copies.py", "plugin_utils/data_hdfs.py")),
    "jobs: programs on YARN with files in HDFS, its histories, and Spark's own launcher": (("yarn", "hdfs", "mapreduce", "spark"), (
        "action/job.py", "domain/jobs/", "node/jobs/", "node/oss/role_provider.py")),
    "transfers: DistCp on YARN, to and from HDFS": (("yarn", "hdfs"), ("domain/transfer/", "node/transfer/")),
    "benchmarks of the four, with an artifact of that name": (("yarn", "hdfs", "mapreduce", "spark"), ("action/bench.py", "domain/bench/", "node/bench/")),
    "queues and users of YARN, and their homes in HDFS": (("yarn", "hdfs"), ("domain/people/", "domain/spec/rules_people.py", "node/people/")),
    "notices of spot nodes, which YARN drains": (("yarn",), ("domain/scale/reclaim.py", "node/scale/reclaim_program.py")),
    "figures, which Prometheus keeps": (("monitoring",), ("action/metrics.py", "domain/monitoring/", "node/monitoring/")),
    "a node's own figures: backups and safe mode of HDFS, and what sends alerts": (("monitoring", "hdfs"), ("domain/figures/", "node/figures/")),
    "the files of a release, which are called like what they hold": (("spark", "metastore", "monitoring"), ("domain/install/releases.py",)),
    "the only ways to Hadoop's programs and daemons": (("yarn", "hdfs"), ("node/hadoop_cli.py", "node/hadoop_http.py")),
}


def names_of(services) -> set:
    """Names of these services and of their components."""
    return {*services, *(row.name for row in COMPONENTS.values() if row.service in services)}


def named(path: Path, names=frozenset(NAMES)) -> int:
    """How often the code of a file names a service or a component, without what documents it."""
    tree = ast.parse(path.read_text())
    documents = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and node.body
                 and isinstance(node.body[0], ast.Expr)}
    return sum(isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names and id(node) not in documents
               for node in ast.walk(tree))


def modules() -> dict:
    """{name: path} of all code of the collection but homes, hooks and the documentation of modules."""
    return {path.relative_to(PLUGINS).as_posix().removeprefix("module_utils/"): path for path in sorted(PLUGINS.rglob("*.py"))
            if "services" not in path.relative_to(PLUGINS).parts[:-1] and path.parent != PLUGINS / "modules"}


def engines() -> dict:
    """The same without the rooms of single services."""
    rooms = tuple(place for _services, places in ROOMS.values() for place in places)
    return {name: path for name, path in modules().items() if not name.startswith(rooms)}


def test_engines_name_no_service():
    found = {name: count for name, path in engines().items() for count in [named(path)] if count}
    assert not found, f"say it in the home of the service instead (services/): {found}"


@pytest.mark.parametrize("reason", ROOMS)
def test_a_room_names_no_service_but_its_own(reason):
    services, places = ROOMS[reason]
    there = {name: path for name, path in modules().items() if name.startswith(places)}
    assert not [place for place in places if not any(name.startswith(place) for name in there)], "a room that is not there"
    others = {name: count for name, path in there.items() for count in [named(path, NAMES - names_of(services))] if count}
    assert not others


def test_the_engines_of_configuration_name_none_at_all():
    rooms = ("domain/config/", "domain/daemons/", "domain/health/", "domain/topology/", "cloud/cluster/", "cloud/purchase/", "node/daemons/roll",
             "node/daemons/health", "node/daemons/stale")
    assert not [name for name, path in engines().items() if name.startswith(rooms) and named(path)]


def test_hooks_travel_with_the_module_of_the_nodes():
    hooks = {path.stem for path in (PLUGINS / "module_utils/node/services").glob("*.py")} & {service.replace("-", "_") for service in SERVICES}
    tree = ast.parse((PLUGINS / "modules/node.py").read_text())
    assert hooks <= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module.endswith("node.services") for alias in node.names}


def run(code: str, homes: str, *arguments: str) -> subprocess.CompletedProcess:
    """Code in a process of its own, which looks for homes in this folder as well."""
    head = "from ansible_collections.emr.cluster.plugins.module_utils.services import registry\n"
    return subprocess.run([sys.executable, "-c", head + code, *arguments], cwd=ROOT, env={**os.environ, "EMR_SERVICES_PATH": homes}, text=True,
                          capture_output=True, timeout=60, check=False)


def test_a_home_in_a_folder_of_ones_own_is_found():
    done = run("import json; print(json.dumps([list(registry.SERVICES), registry.COMPONENTS['beacon'].service, 'beacon' in registry.STEMS]))",
               str(ROOT / "tests/services"))
    assert done.returncode == 0, done.stderr
    services, owner, stem = json.loads(done.stdout)
    assert set(services) == {*SERVICES, "beacon"} and services.index("beacon") > services.index("hdfs") and owner == "beacon" and stem


HOOKED = """
from ansible_collections.emr.cluster.plugins.module_utils.node.services import hooks
hooks.learn(registry.own_hooks())
print(hooks.hook("beacon.served", "READERS")({"greeting": "hello", "notes": 2}), hooks.hook("beacon.beacon", "TURNS").__mro__[1].__name__)
"""


def test_hooks_beside_such_a_home_come_with_the_operation():
    done = run(HOOKED, str(ROOT / "tests/services"))
    assert done.stdout == "(True, '2 notes') Turn\n", done.stderr
    assert run("print(registry.own_hooks())", "").stdout == "{}\n"


RESIDENT = """
import subprocess, sys
from pathlib import Path
from ansible_collections.emr.cluster.plugins.module_utils.domain.resident import package as resident
folder = Path(sys.argv[1])
for name, text in resident.package().items():
    target = folder / name.removeprefix(resident.LIB + "/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
code = "from emr_node.node.services.hooks import asked; print(asked({'beacon': sys.argv[1]}, 'at_work')['beacon'][0]['name'])"
subprocess.run([sys.executable, "-S", "-I", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {code}", sys.argv[2]], check=True)
"""


def test_hooks_beside_such_a_home_lie_where_programs_ask_them(tmp_path):
    """The programs that stay on nodes, with a real daemon of the service."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "beacon.ini").write_text(f"[server]\nport = {port}\ngreeting = good evening\nfolder = {tmp_path}\npeers =\n")
    daemon = subprocess.Popen([sys.executable, ROOT / "tests/services/beacon_daemon.txt", tmp_path / "beacon.ini"], stderr=subprocess.DEVNULL)
    try:
        until(lambda: not socket.socket().connect_ex(("127.0.0.1", port)), "the beacon listens", 20)
        done = run(RESIDENT, str(ROOT / "tests/services"), str(tmp_path / "lib"), f"http://127.0.0.1:9,http://127.0.0.1:{port}")
    finally:
        daemon.kill()
        daemon.wait()
    assert done.stdout == "good evening\n", done.stderr


def test_hooks_that_are_no_python_are_refused(tmp_path):
    (tmp_path / "other.py").write_text('from .model import Service\nSERVICE = Service("an-other")\n')
    (tmp_path / "node").mkdir()
    (tmp_path / "node/an_other.py").write_text("def half(:\n")
    refused = run("registry.own_hooks()", str(tmp_path)).stderr
    assert "an_other.py: SyntaxError" in refused and "Correct these hooks" in refused


def test_a_role_of_such_a_service_says_that_the_cluster_has_it():
    code = ("from ansible_collections.emr.cluster.plugins.module_utils.domain.config.role_variables import services_of, ALL\n"
            "print(services_of(['beacon']), services_of(['mine.own.beacon']), services_of(['hdfs']), 'beacon_config' in ALL)")
    done = run(code, str(ROOT / "tests/services"))
    assert done.stdout == "['hdfs', 'beacon'] ['hdfs', 'beacon'] [] True\n", done.stderr


def test_its_role_is_complete_as_those_of_the_collection_are():
    ours, own = ROOT / "collection/roles/metastore", ROOT / "tests/services/roles/beacon"
    files = {path.relative_to(ours) for path in ours.rglob("*.yml")}
    assert {path.relative_to(own) for path in own.rglob("*.yml")} == files
    specs = [yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"] for role in (ours, own)]
    assert list(specs[0]) == list(specs[1]) and {name for name in specs[1]["main"]["options"]} == set(yaml.safe_load((own / "defaults/main.yml").read_text()))


def test_a_folder_that_is_not_there_and_a_name_that_is_taken_are_refused(tmp_path):
    assert "No such file" in run("", str(tmp_path / "none")).stderr
    (tmp_path / "other.py").write_text('from .model import Service\nSERVICE = Service("hdfs")\n')
    assert "there is a service hdfs already" in run("", str(tmp_path)).stderr
    (tmp_path / "other.py").write_text('from .model import Service\nSERVICE = Service("other", needs=("nowhere",))\n')
    assert "needs nowhere, which no home describes" in run("", str(tmp_path)).stderr


def test_a_home_that_cannot_be_read_is_named_with_its_fault(tmp_path):
    (tmp_path / "other.py").write_text("SERVICE = 1 / 0\n")
    assert f"{tmp_path}/other.py: ZeroDivisionError: division by zero" in run("", str(tmp_path)).stderr


@pytest.mark.parametrize("text, said", [(None, "none: No such file or directory"), ("SERVICE = 1 / 0\n", "other.py: ZeroDivisionError")])
def test_the_command_refuses_homes_that_it_cannot_use_before_anything_runs(tmp_path, text, said):
    folder = tmp_path / "none"
    if text:
        folder.mkdir()
        (folder / "other.py").write_text(text)
    # A folder is meant from where the command is typed.
    done = subprocess.run([sys.executable, "-m", "emrctl", "status", "sales"], cwd=tmp_path, text=True, capture_output=True, timeout=60, check=False,
                          env={**os.environ, "EMR_SERVICES_PATH": "none", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)})
    assert done.returncode == 3 and said in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_folders_of_homes_are_absolute_for_ansible(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMR_SERVICES_PATH", "mine:/other")
    assert runner.environment()["EMR_SERVICES_PATH"] == f"{tmp_path}/mine:/other"
