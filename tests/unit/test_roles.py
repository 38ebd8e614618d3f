"""The roles: complete, documented, and in step with the catalogue."""
from __future__ import annotations

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.config import role_variables
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import Value
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology import record
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import SERVICES
from tests import role_readme

OF_SERVICES = [role_variables.role_of(service) for service in SERVICES]
ENTRIES = ["main", "install", "configure", "start", "stop", "restart", "health_check", "remove"]


def read(role, path):
    return yaml.safe_load((role_readme.ROLES / role / path).read_text())


@pytest.mark.parametrize("role", role_readme.roles())
def test_the_readme_is_made_of_the_specs(role):
    assert (role_readme.ROLES / role / "README.md").read_text() == role_readme.readme(role), "run: python -m tests.role_readme"


@pytest.mark.parametrize("role", role_readme.roles())
def test_defaults_and_specs_agree(role):
    defaults = read(role, "defaults/main.yml")
    assert {name: row["default"] for name, row in role_readme.specs(role)["main"]["options"].items()} == defaults
    assert all(name.startswith(role) for name in defaults)
    assert all(set(spec.get("options", {})) <= set(defaults) for spec in role_readme.specs(role).values())


def test_every_service_has_a_role():
    assert sorted([*OF_SERVICES, "hadoop", "host"]) == role_readme.roles()


@pytest.mark.parametrize("service", SERVICES)
def test_a_role_of_a_service_is_complete(service):
    role = role_variables.role_of(service)
    assert list(role_readme.specs(role)) == ENTRIES
    for entry in ENTRIES:
        tasks = read(role, f"tasks/{entry}.yml")
        named = [task["emr.cluster.service"]["services"] for task in tasks if "emr.cluster.service" in task]
        assert all(names == [service] for names in named)
    tags = [task["tags"] for task in read(role, "tasks/main.yml")]
    assert tags == [[role, f"{role}_{step}"] for step in ("install", "configure", "start")]
    handlers = read(role, "handlers/main.yml")
    assert handlers[0]["emr.cluster.roll"]["scope"] == {"services": [service]} and handlers[1]["throttle"] == 1
    assert read(role, "tasks/start.yml")[-1]["notify"] in handlers[1]["listen"]


@pytest.mark.parametrize("role", OF_SERVICES)
def test_each_role_has_a_scenario_of_molecule(role):
    folder = role_readme.ROLES.parent / "extensions/molecule" / role
    plays = {name: yaml.safe_load((folder / f"{name}.yml").read_text())[0] for name in ("converge", "verify")}
    assert plays["converge"]["roles"] == [f"emr.cluster.{role}"]
    asked = [task["ansible.builtin.include_role"] for task in plays["verify"]["tasks"]]
    assert {row["name"] for row in asked} == {f"emr.cluster.{role}"} and {row["tasks_from"] for row in asked} == {"health_check", "restart"}
    scenario = yaml.safe_load((folder / "molecule.yml").read_text())
    assert "idempotence" in scenario["scenario"]["test_sequence"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_role_depends_on_what_its_service_needs(service):
    def needs(role):
        found = {row["role"].rpartition(".")[2] for row in read(role, "meta/main.yml")["dependencies"]}
        return found | {other for name in found for other in needs(name)}
    assert needs(role_variables.role_of(service)) == {role_variables.role_of(other) for other in SERVICES[service]}


def test_the_variables_of_the_table_are_those_of_the_roles():
    named = {name for role in OF_SERVICES for name in read(role, "defaults/main.yml") if name in role_variables.ALL}
    assert named == role_variables.ALL


def test_services_follow_from_the_roles_of_a_play():
    assert role_variables.services_of(["emr.cluster.hdfs", "other.yarn", "emr.cluster.host"]) == ["hdfs"]
    assert role_variables.services_of(["emr.cluster.spark_thrift"]) == ["hdfs", "yarn", "spark", "spark-thrift"]


def test_settings_come_together():
    given = {"hdfs_config": {"hdfs-site": {"dfs.blocksize": "1"}}, "hdfs_replication": 1}
    found = role_variables.merged({"hdfs-site": {"dfs.blocksize": "2", "a.b": "3"}}, given.get)
    assert found == {"hdfs-site": {"dfs.blocksize": "1", "a.b": "3", "dfs.replication": 1}}
    with pytest.raises(Refused, match="yarn_config: .* is not a map of files"):
        role_variables.merged({}, {"yarn_config": {"yarn.acl.enable": "true"}}.get)


def test_folders_come_from_the_inventory():
    effective = {"hdfs-site": {"dfs.datanode.data.dir": Value("file:///var/lib/emr/hdfs/data", "default")}}
    given = {"hdfs_data_dirs": ["/disk/1", "/disk/2"], "hdfs_name_dirs": ["/disk/1/name"]}
    found = role_variables.with_folders(effective, given.get)
    assert found == {"hdfs-site": {"dfs.datanode.data.dir": Value("file:///disk/1,file:///disk/2", "inventory")}}
    with pytest.raises(Refused, match="not a list of absolute paths"):
        role_variables.with_folders(effective, {"hdfs_data_dirs": ["disk"]}.get)


def test_the_record_knows_the_services():
    import json
    text = record.text(Topology("lab", "emr-1", (Node("m1", "master", "master", "10.0.0.1", 1024, 1),)), ["hdfs"])
    assert record.services(json.loads(text), "lab") == ("hdfs",) and record.services(json.loads(text), "other") == ()
    assert record.services({"cluster": "lab", "nodes": []}) == () == record.services(None)


class _Role:
    def __init__(self, name, entry="main"):
        self.name, self._from_files = name, {"tasks": entry}

    def get_name(self):
        return self.name


def test_what_another_role_needs_rests_when_a_single_entry_point_is_asked_for():
    from types import SimpleNamespace

    from ansible_collections.emr.cluster.plugins.plugin_utils.roles_said import only_needed

    def task(own, *asking):
        return SimpleNamespace(_role=own, get_dep_chain=lambda: [*asking, own])
    hdfs, stopped, whole = _Role("emr.cluster.hdfs"), _Role("emr.cluster.mapreduce", "stop.yml"), _Role("emr.cluster.mapreduce")
    assert only_needed(task(hdfs, stopped)) and not only_needed(task(hdfs, whole))
    assert not only_needed(task(stopped)) and not only_needed(SimpleNamespace(_role=None, get_dep_chain=lambda: None))
