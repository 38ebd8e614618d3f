"""apply, configure, revert, history, export and clone on the command line; playbooks are replaced by recorded results."""
from __future__ import annotations

import pytest
import yaml

from emrctl import views_life
from tests.unit.test_cli import call, runs, spec  # noqa: F401

NODES = [{"node": f"sales-slave-00{n}", "does": "change", "restarts": ["datanode"], "starts": [], "stops": [],
          "refreshes": [{"component": "namenode", "name": "settings"}] if n == 1 else [],
          "settings": [{"file": "hdfs-site", "key": "dfs.replication", "from": "2", "to": "3"}]} for n in (1, 2)]
PLAN = {"plan": {"cluster": "sales", "digest": "d9", "buy": [], "leave": ["sales-slave-003"], "changes": [
    "sales-slave-001, sales-slave-002: set dfs.replication 2 -> 3; restart datanode"], "empty": False, "nodes": NODES}}


def test_settings_become_an_edit_for_all_nodes_or_for_a_group(monkeypatch, runs):  # noqa: F811
    assert call(monkeypatch, "configure", "sales", "hdfs-site", "a.b=1", "c.d=x=y", "--unset", "e.f", "--yes") == 0
    assert runs[0] == ("configure", {"emr_name": "sales", "emr_confirm": "yes", "emr_edit": {
        "config": {"hdfs-site": {"a.b": "1", "c.d": "x=y", "e.f": None}}}})
    assert call(monkeypatch, "configure", "sales", "yarn-site", "a.b=1", "--group", "slave", "--yes") == 0
    assert runs[1][1]["emr_edit"] == {"group_config": {"slave": {"yarn-site": {"a.b": "1"}}}}


@pytest.mark.parametrize("argv", [["configure", "sales", "hdfs-site"], ["configure", "sales", "hdfs-site", "a.b"],
                                  ["revert", "sales", "0"], ["revert", "sales", "x"], ["clone", "sales"]])
def test_wrong_words_are_usage_errors(monkeypatch, runs, argv):  # noqa: F811
    assert call(monkeypatch, *argv) == 2 and runs == []


def test_a_change_without_a_purchase_is_asked_for(monkeypatch, runs, spec, capsys):  # noqa: F811
    runs.answers = {"apply": {"data": PLAN}, "revert": {"data": {"plan": {**PLAN["plan"], "leave": []}}}}
    assert call(monkeypatch, "apply", spec) == 3
    err = capsys.readouterr().err
    assert "To drain and release: sales-slave-003" in err and "--confirm d9" in err
    assert call(monkeypatch, "revert", "sales", "4") == 3
    assert [r[1].get("emr_plan_only") for r in runs] == [True, True] and runs[1][1]["emr_edit"] == {"revert_to": 4}


def test_no_change_is_not_asked_for(monkeypatch, runs, spec):  # noqa: F811
    runs.answers = {"apply": {"data": {"plan": {"cluster": "sales", "digest": "d0", "empty": True, "buy": [], "changes": []}}}}
    assert call(monkeypatch, "apply", spec) == 0 and runs[1][1]["emr_confirm"] == "d0"


def test_the_plan_tells_each_setting_once_for_a_group_and_what_happens_to_daemons():
    text = views_life.plan(PLAN)
    assert text.count("dfs.replication") == 1 and "slave  hdfs-site  dfs.replication" in text
    assert "To restart: datanode on sales-slave-001, sales-slave-002" in text
    assert "To refresh: settings of namenode on sales-slave-001" in text


def test_an_export_can_be_read_back(monkeypatch, runs, capsys):  # noqa: F811
    from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
    from tests.unit.spec_samples import FULL

    wanted = parse_spec(FULL, environ={})
    meta = {"number": 4, "who": "me", "when": "now", "why": "apply"}
    runs.answers = {"history": {"data": {"spec": wanted.to_dict(), "revision": meta, "history": [meta]}}}
    assert call(monkeypatch, "export", "sales") == 0
    text = capsys.readouterr().out
    again = parse_spec(text, environ={})
    assert again.digest() == wanted.digest() and again.revision == 4 and yaml.safe_load(text)["name"] == "sales"
    assert call(monkeypatch, "history", "sales") == 0 and "apply" in capsys.readouterr().out


def test_a_clone_has_a_name_of_its_own(monkeypatch, runs):  # noqa: F811
    assert call(monkeypatch, "clone", "sales", "test", "--yes") == 0
    assert runs[0] == ("clone", {"emr_source": "sales", "emr_clone": "test", "emr_confirm": "yes"})


def test_a_new_file_is_told_by_the_number_of_its_settings():
    rows = [{"file": "spark-defaults", "key": f"spark.a{n}", "from": None, "to": "1"} for n in range(20)]
    node = {**NODES[0], "node": "sales-master-001", "settings": rows, "refreshes": []}
    found = views_life.settings({"cluster": "sales", "nodes": [node]})
    assert found == [{"group": "master", "file": "spark-defaults", "key": "(20 settings)", "to": "set"}]
