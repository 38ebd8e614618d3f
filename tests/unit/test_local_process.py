"""Starting the server of a local ECS."""
from __future__ import annotations

from types import SimpleNamespace

import pytest

from emrctl.local import process
from emrctl.local.nulldriver import DriverError


@pytest.fixture
def server(monkeypatch, tmp_path):
    """``found``: process ids that are found, look by look, the last one for ever; ``launched``: how often one was started."""
    it = SimpleNamespace(settings=SimpleNamespace(port=1, folder=tmp_path), found=[None], launched=0)
    (tmp_path / "server.log").write_text("last words\n")

    def launch(_settings):
        it.launched += 1
        it.found = [42]
        return 42

    monkeypatch.setattr(process, "find", lambda _settings: it.found.pop(0) if len(it.found) > 1 else it.found[0])
    monkeypatch.setattr(process, "_launch", launch)
    monkeypatch.setattr(process, "answers", lambda _port: it.found == [42])
    return it


def test_one_that_was_killed_and_is_not_gone_yet_is_replaced(server):
    server.found = [7, 7, None]
    assert process.start(server.settings) == 42 and server.launched == 1


def test_one_that_runs_is_left_alone(server):
    server.found = [42]
    assert process.start(server.settings) == 42 and server.launched == 0


def test_one_that_ends_at_once_is_not_started_again_and_again(server, monkeypatch):
    def launch(_settings):
        server.launched += 1
        return 42

    monkeypatch.setattr(process, "_launch", launch)
    with pytest.raises(DriverError, match="last words"):
        process.start(server.settings)
    assert server.launched == 1
