"""Options of actions are those of their documentation, with its types and choices."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.plugin_utils.arguments import checked, options
from tests.lab import REPO

ACTIONS = sorted(path.stem for path in (REPO / "collection" / "plugins" / "action").glob("[!_]*.py"))


@pytest.mark.parametrize(("given", "said"), [
    ({"state": "restarted"}, "value of state must be one of: started, stopped, got: restarted"),
    ({"limit_s": "abc"}, "limit_s.*unable to convert to int"),
    ({"format": "yesplease"}, "not a valid boolean"),
    ({"stale": "maybe"}, "value of stale must be one of"),
    ({"scope": "datanode"}, "scope: 'datanode' is not a map"),
    ({"servics": ["hdfs"]}, "unknown option servics\n.*Did you mean services"),
])
def test_a_wrong_option_is_refused(given, said):
    with pytest.raises(Refused, match=said):
        checked("service", given)


def test_types_are_those_of_the_documentation():
    assert checked("service", {"services": "hdfs", "limit_s": "60", "format": "yes", "state": "", "stale": None, "scope": ""}) == {
        "services": ["hdfs"], "limit_s": 60, "format": True}
    assert checked("job", {"args": "a,b", "name": "$HOME", "type": "spark-sql"}) == {
        "args": ["a,b"], "name": "$HOME", "type": "SPARK_SQL"}, "one argument, not two"
    assert checked("bundle", {"out": "~/$HOME"}) == {"out": "~/$HOME"}


def test_an_action_without_options_says_so():
    with pytest.raises(Refused, match="push: unknown option x\n.*no options"):
        checked("push", {"x": 1})


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_documented(action):
    for name, row in options(action).items():
        assert row.get("type"), f"{action}: {name} has no type"
