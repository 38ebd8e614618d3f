"""Edits of a stored spec, the difference of two, the revisions that are kept, and names of properties."""
from __future__ import annotations

import hashlib
import json
import sys

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.config import property_names
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec import edits, history
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.difference import difference, sentences
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec, spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.node.host import bootstrap as node_bootstrap
from tests.unit.spec_samples import FULL

SPEC = parse_spec(FULL, environ={})


def edited(edit: dict, newest: dict | None = None):
    return spec_from_dict(edits.apply_edit(SPEC.to_dict(), edits.check_edit(edit), newest))


def rows(edit: dict) -> dict:
    return {r["key"]: (r["from"], r["to"]) for r in difference(SPEC.to_dict(), edited(edit).to_dict())}


def test_counts_and_settings_change_nothing_else():
    assert rows({"groups": {"slave": 5, "night": "2"}}) == {"node_groups.slave.count": (3, 5), "node_groups.night.count": (0, 2)}
    assert rows({"config": {"hdfs-site": {"dfs.replication": "3"}}}) == {"config.hdfs-site.dfs.replication": ("2", "3")}
    assert rows({"config": {"hdfs-site": {"dfs.replication": None}}}) == {"config.hdfs-site.dfs.replication": ("2", None)}
    group = rows({"group_config": {"slave": {"yarn-site": {"yarn.nodemanager.resource.memory-mb": 9000}}}})
    assert group == {"node_groups.slave.config.yarn-site.yarn.nodemanager.resource.memory-mb": ("20000", "9000")}
    assert rows({"config": {"hdfs-site": {"dfs.nothing.here": None}}}) == {}
    assert SPEC.node_groups["slave"].count == 3, "the spec that was edited is another one now"


@pytest.mark.parametrize(("edit", "says"), [
    ({"groups": {"slvae": 4}}, "Did you mean slave"), ({"groups": {"slave": -1}}, "not a number of nodes"),
    ({"groups": {"slave": True}}, "not a number of nodes"), ({"group": {}}, "Did you mean groups"),
    ({"config": {"hdsf-site": {"a.b": 1}}}, "Did you mean hdfs-site"), ({"config": {"hdfs-site": {}}}, "nothing to set"),
    ({"config": {"hdfs-site": {"dfs.namenode.name.dir": "/x"}}}, "name.dir"), ({"add_services": ["sprak"]}, "Did you mean spark"),
    ({"remove_nodes": ["other-slave-001"]}, "not a node of cluster sales"), ({"groups": {"master": 2}}, "master")])
def test_what_does_not_exist_is_refused_with_the_nearest_name(edit, says):
    with pytest.raises(Refused, match=says):
        edited(edit)


def test_a_named_node_lowers_its_group_once():
    edit = {"remove_nodes": ["sales-slave-002"]}
    assert edited(edit).node_groups["slave"].count == 2
    assert edited(edit, {"edit": edit}).node_groups["slave"].count == 3, "an interrupted run has counted it already"
    both = {"remove_nodes": ["sales-slave-002"], "groups": {"slave": 3}}
    assert edited(both).node_groups["slave"].count == 3, "the group was named: the node is replaced"


def test_services_are_added_once():
    assert edited({"add_services": ["spark", "hdfs"]}).services == SPEC.services


def test_why_is_what_was_typed():
    edit = {"groups": {"slave": 5}, "config": {"hdfs-site": {"dfs.replication": 2, "a.b": None}}, "add_services": ["spark"]}
    assert edits.describe(edit) == "scale slave=5; configure hdfs-site dfs.replication=2 --unset a.b; service add spark"
    assert len(edits.describe({"config": {"hdfs-site": {f"a.b{i}": "x" for i in range(99)}}})) == 200


def test_a_difference_says_nothing_of_mirrors_and_revision():
    other = parse_spec(FULL.replace("mirror.example.com/dist", "m.example.com") + "revision: 7\n", environ={})
    assert difference(SPEC.to_dict(), other.to_dict()) == [] and other.revision == 7
    assert other.digest() == SPEC.digest()
    assert sentences([{"key": "a", "from": None, "to": ["x"]}] * 3, 2) == ["a: (not set) -> [x]"] * 2 + ["and 1 more"]


def kept(*specs) -> history.History:
    """A history of these specs, read back from what the command would print."""
    metas = [json.dumps({"number": n, "digest": s.digest(), "who": "me", "why": f"why{n}", "when": "now"})
             for n, s in enumerate(specs, 1)]
    text = "\n".join(metas) + f"\n=== {len(specs):06d}\nname: sales\n=== excluded\nb\na\nb\n"
    return history.parse(text)


def test_revisions_are_read_as_they_are_printed():
    found = kept(SPEC, edited({"groups": {"slave": 4}}))
    assert found.newest["number"] == 2 and found.text() == "name: sales\n" and found.excluded == ["a", "b"]
    assert [m["why"] for m in found.since(1)] == ["why2"]
    with pytest.raises(Refused, match="no revision 9"):
        found.text(9)
    assert history.parse("=== excluded\n").newest == {}
    with pytest.raises(EmrError, match="cannot be read"):
        history.parse("{broken\n")


def test_a_spec_of_an_older_revision_is_refused_with_what_it_would_take_back():
    four = edited({"groups": {"slave": 4}})
    found = kept(SPEC, four)
    with pytest.raises(Refused, match=r"of revision 1(.|\n)*why2(.|\n)*slave.count: 4 -> 3(.|\n)*emrctl revert sales 1"):
        history.check_base(SPEC, found, four.to_dict())
    named = parse_spec(FULL.replace("dfs.replication: 2", "dfs.replication: 3") + "revision: 1\n", environ={})
    with pytest.raises(Refused, match="of revision 1"):
        history.check_base(named, found, four.to_dict())
    grown = parse_spec(yaml.safe_dump({**four.to_dict(), "revision": 1}), environ={})
    with pytest.raises(Refused, match="of revision 2"):
        history.check_base(grown, kept(SPEC, four, SPEC), SPEC.to_dict())
    with pytest.raises(Refused, match="another cluster"):
        history.check_base(parse_spec(FULL + "revision: 9\n", environ={}), found, four.to_dict())


def test_a_spec_of_the_newest_revision_may_be_applied():
    four = edited({"groups": {"slave": 4}})
    history.check_base(four, kept(SPEC, four), four.to_dict())
    history.check_base(SPEC, kept(SPEC, four, SPEC), SPEC.to_dict())
    based = parse_spec(FULL.replace("dfs.replication: 2", "dfs.replication: 3") + "revision: 2\n", environ={})
    history.check_base(based, kept(SPEC, four), four.to_dict())
    back = parse_spec(yaml.safe_dump({**SPEC.to_dict(), "revision": 2}), environ={})
    history.check_base(back, kept(SPEC, four), four.to_dict())
    history.check_base(parse_spec(FULL.replace("team: data", "team: a"), environ={}), kept(SPEC, four), four.to_dict())


def test_misspelt_properties_get_the_nearest_name():
    names = {"dfs.replication", "dfs.blocksize", "yarn.acl.enable"}
    after = edited({"config": {"hdfs-site": {"dfs.replicaton": 2, "dfs.blocksize": 1048576},
                               "core-site": {"hadoop.proxyuser.ann.hosts": "*"}, "spark-defaults": {"spark.x.y": "1"}}})
    changed = property_names.changed_settings(SPEC.to_dict(), after.to_dict())
    found = property_names.unknown_names(changed, names)
    assert len(found) == 1 and "dfs.replicaton" in found[0] and "did you mean dfs.replication?" in found[0]
    assert property_names.unknown_names(changed, set()) == [], "where no jar could be read nothing is said"


def test_names_are_read_from_jars(tmp_path):
    import subprocess
    import zipfile

    folder = tmp_path / "hdfs"
    folder.mkdir()
    with zipfile.ZipFile(folder / "hadoop-hdfs-3.4.2.jar", "w") as jar:
        jar.writestr("hdfs-default.xml", "<configuration><property><name> dfs.a </name></property></configuration>")
        jar.writestr("other.xml", "<name>no</name>")
    command = property_names.names_command().replace("/opt/emr/hadoop/share/hadoop", str(tmp_path)).replace(paths.PYTHON, sys.executable)
    out = subprocess.run(["sh", "-c", f"echo before; {command}"], capture_output=True, text=True, check=True).stdout
    assert property_names.split_names(out) == ("before\n", {"dfs.a"})


def test_the_scripts_that_ran_on_the_master_are_read_with_the_revisions(tmp_path):
    import os

    for age, (name, text) in enumerate((("prepare.sh-" + "a" * 16, "old"), ("prepare.sh-" + "b" * 16, "new\n"), ("x.log", ""))):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (age, age))
    found = history.parse(kept_on(tmp_path))
    assert found.script("p/prepare.sh", ["p/prepare.sh"]) == "new\n"
    # Which of two scripts of that name it was, nobody wrote down then.
    assert found.script("p/prepare.sh", ["p/prepare.sh", "q/prepare.sh"]) is None


def kept_on(folder) -> str:
    """What a control node prints whose scripts lie in this folder."""
    import subprocess

    command = history.read_command().replace(history.SCRIPTS, str(folder)).replace(history.FOLDER, str(folder))
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout


def test_scripts_are_kept_by_place_and_content(tmp_path, monkeypatch):
    monkeypatch.setattr(node_bootstrap, "FOLDER", str(tmp_path))
    places = ("base/setup.sh", "monitor/setup.sh", "monitor/a b\n;$(touch x).sh", "other/setup.sh")
    scripts = [{"name": place.rpartition("/")[2], "place": place, "on_failure": "stop",
                "content": f"#!/bin/sh\necho {place.partition('/')[0]} >> {tmp_path}/ran\n"} for place in places]
    scripts[3]["content"] = scripts[0]["content"]
    assert len(node_bootstrap.run_scripts(scripts, False)[0]) == 4 and node_bootstrap.run_scripts(scripts, False)[0] == []
    assert (tmp_path / "ran").read_text().split() == ["base", "monitor", "monitor", "base"]
    found = history.parse(kept_on(tmp_path))
    assert {place: found.script(place, places) for place in places} == {row["place"]: row["content"] for row in scripts}


def test_scripts_that_came_with_a_change_are_kept_for_nodes_to_come(tmp_path, monkeypatch):
    """Scripts that `apply` brought to a running cluster ran nowhere, so a node that was bought later failed for want of them."""
    monkeypatch.setattr(node_bootstrap, "FOLDER", str(tmp_path))
    first, second = ({"name": "my set up.sh", "place": "a b/my set up.sh", "on_failure": "stop", "content": f"#!/bin/sh\ntouch {tmp_path}/ran{n}\n"}
                     for n in (1, 2))
    assert node_bootstrap.keep_scripts([first], True) == ["kept script a b/my set up.sh"] and not list(tmp_path.iterdir())
    for script in (first, second):
        assert node_bootstrap.keep_scripts([script], False) == ["kept script a b/my set up.sh"]
    assert node_bootstrap.keep_scripts([second], False) == [] and not list(tmp_path.glob("ran*"))
    assert history.parse(kept_on(tmp_path)).scripts == {"a b/my set up.sh": second["content"]}
    assert node_bootstrap.keep_scripts([first], False) == [], "an older version came back"
    assert history.parse(kept_on(tmp_path)).scripts == {"a b/my set up.sh": first["content"]}
    assert node_bootstrap.run_scripts([first], False)[0] == ["script a b/my set up.sh"] and (tmp_path / "ran1").exists(), "kept is not run"


def test_a_script_without_a_first_line_is_run_by_the_shell(tmp_path, monkeypatch):
    """As a person's own shell does it; the kernel alone says "Exec format error"."""
    monkeypatch.setattr(node_bootstrap, "FOLDER", str(tmp_path))
    row = {"name": "setup.sh", "place": "setup.sh", "content": f"echo here > '{tmp_path}/ran'\n", "on_failure": "stop"}
    assert node_bootstrap.run_scripts([row], False)[0] and (tmp_path / "ran").read_text() == "here\n"


def test_a_script_that_ran_before_places_were_kept_runs_no_second_time(tmp_path, monkeypatch):
    monkeypatch.setattr(node_bootstrap, "FOLDER", str(tmp_path))
    content = f"#!/bin/sh\ntouch {tmp_path}/ran\n"
    (tmp_path / f"setup.sh-{hashlib.sha256(content.encode()).hexdigest()[:16]}.done").write_text("then\n")
    row = {"name": "setup.sh", "place": "base/setup.sh", "content": content, "on_failure": "stop"}
    assert node_bootstrap.run_scripts([row], False)[0] == [] and not (tmp_path / "ran").exists()
