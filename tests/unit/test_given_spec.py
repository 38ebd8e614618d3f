"""A spec that is given, by whichever door: one reader for all of them."""
from __future__ import annotations

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.plugin_utils import given_spec
from ansible_collections.emr.cluster.plugins.plugin_utils.context import Context
from tests.unit.spec_samples import FULL


@pytest.fixture
def warned(monkeypatch):
    texts = []
    monkeypatch.setattr(given_spec.display, "warning", texts.append)
    return texts


def test_a_mapping_a_text_and_a_file_are_one_spec(tmp_path, monkeypatch, warned):
    (tmp_path / "cluster.yml").write_text(FULL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    wanted = given_spec.read_spec(FULL).to_dict()
    assert given_spec.read_spec(yaml.safe_load(FULL)).to_dict() == wanted
    assert given_spec.read_spec(None, "cluster.yml").to_dict() == given_spec.read_spec("", "~/cluster.yml").to_dict() == wanted
    assert given_spec.read_spec() is None and given_spec.read_spec({}) is None and given_spec.read_spec(" ", "") is None
    assert given_spec.read_spec(FULL, "nowhere.yml").to_dict() == wanted, "the text wins, as it does for every door"


@pytest.mark.parametrize("given", [[1], 5, ["name: x"], "- a", "name: [", True])
def test_what_is_no_spec_is_refused_and_not_taken_for_none(given):
    with pytest.raises(SpecError):
        given_spec.read_spec(given)


def test_values_that_yaml_changed_are_told_on_hosts_of_an_inventory_too(warned):
    data = yaml.safe_load(FULL)
    data.setdefault("config", {}).setdefault("hdfs-site", {})["dfs.umaskmode"] = 18
    given_spec.read_spec(data)
    told = list(warned)
    assert any("dfs.umaskmode" in text for text in told)
    hostvars = {"m1": {"group_names": ["master"], "ansible_host": "10.0.0.1", "emr_spec": data, "ansible_facts": {}}}
    found = Context({"hostvars": hostvars, "inventory_hostname": "m1", "groups": {}, "ansible_play_hosts_all": ["m1"]})
    assert found.spec.config["hdfs-site"]["dfs.umaskmode"] == "18"
    assert warned == told * 2
