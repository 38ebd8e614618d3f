"""Nodes that were found a short while ago."""
from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from ansible_collections.emr.cluster.plugins.plugin_utils import node_cache

ARGUMENTS = {"name": "sales", "region": "cn-x", "remember_s": 300, "plan_only": False}


def operation(name="sales", region="cn-x", identity="key"):
    return SimpleNamespace(name=name, client=SimpleNamespace(region=region, credentials=SimpleNamespace(identity=identity)))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EMR_CACHE", str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_ENDPOINT", "http://a")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret")
    return tmp_path


def test_nodes_are_remembered_for_the_same_question_only(cache, monkeypatch):
    node_cache.keep(operation(), ARGUMENTS, {"nodes": [1]})
    assert node_cache.recall(ARGUMENTS) == {"nodes": [1]}
    for other in ({"name": "other"}, {"region": "cn-y"}, {"login": {"user": "ops"}}, {"lock": True}, {"remember_s": 0}, {"may_be_stopped": True},
                  {"spec": "name: sales"}):
        assert node_cache.recall({**ARGUMENTS, **other}) is None
    with monkeypatch.context() as another:
        another.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "else")
        assert node_cache.recall(ARGUMENTS) is None
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_ENDPOINT", "http://b")
    assert node_cache.recall(ARGUMENTS) is None
    [path] = (cache / "nodes").iterdir()
    assert path.stat().st_mode & 0o77 == 0


def test_they_are_forgotten_after_their_time_by_a_change_and_when_unreadable(cache):
    node_cache.keep(operation(), ARGUMENTS, {"nodes": [1]})
    [path] = (cache / "nodes").iterdir()
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(dict(kept, at=kept["at"] - 301)))
    assert node_cache.recall(ARGUMENTS) is None
    path.write_text("{")
    assert node_cache.recall(ARGUMENTS) is None
    node_cache.keep(operation(), ARGUMENTS, {"nodes": [2]})
    node_cache.forget(operation(), ARGUMENTS)
    assert node_cache.recall(ARGUMENTS) is None
