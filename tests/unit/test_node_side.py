"""Side units: files, start, restart, removal."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node.daemons import side as node_side

UNIT = "emr-x.service"


@pytest.fixture
def systemctl(monkeypatch, tmp_path):
    """Calls of systemctl; ``states`` is what it says of units."""
    calls, states = [], ["active"]

    def run(argv, check=True):
        calls.append(argv[1:])
        return 0, "\n".join(states) + "\n", ""

    monkeypatch.setattr(node_side, "run", run)
    monkeypatch.setattr(node_side, "UNIT_DIR", str(tmp_path))
    return calls, states


@pytest.fixture
def row(tmp_path):
    files = [{"path": str(tmp_path / name)} for name in (UNIT, "program")]
    return {"unit": UNIT, "wanted": True, "files": files}


def test_a_new_unit_is_linked_and_started(systemctl, row, tmp_path):
    calls, states = systemctl
    states[:] = ["inactive"]
    assert node_side.settle([row], [str(tmp_path / UNIT)], False) == [f"{UNIT}: started"]
    assert (tmp_path / "multi-user.target.wants" / UNIT).is_symlink()
    assert calls[-1] == ["restart", "--", UNIT]


def test_the_second_run_only_looks(systemctl, row, tmp_path):
    calls, _ = systemctl
    node_side.settle([row], [], False)
    calls.clear()
    assert node_side.settle([row], [], False) == []
    assert calls == [["is-active", "--", UNIT]]


def test_a_changed_program_restarts(systemctl, row, tmp_path):
    assert node_side.settle([row], [str(tmp_path / "program")], False) == [f"{UNIT}: restarted"]


def test_check_mode_changes_nothing(systemctl, row, tmp_path):
    calls, states = systemctl
    states[:] = ["inactive"]
    assert node_side.settle([row], [], True) == [f"{UNIT}: started"]
    assert [c for c in calls if c[0] != "is-active"] == [] and list(tmp_path.iterdir()) == []


def test_a_timer_is_linked_to_the_timers(systemctl, tmp_path):
    node_side.settle([{"unit": "emr-x.timer", "wanted": True, "files": []}], [], False)
    assert (tmp_path / "timers.target.wants" / "emr-x.timer").is_symlink()


def test_one_that_is_not_wanted_any_more_goes_with_its_files(systemctl, row, tmp_path):
    calls, _ = systemctl
    row = dict(row, wanted=False)
    assert node_side.settle([row], [], False) == [] and calls == []
    (tmp_path / UNIT).write_text("")
    (tmp_path / "program").write_text("")
    assert node_side.settle([row], [], True) == [f"{UNIT}: removed"] and (tmp_path / UNIT).exists()
    assert node_side.settle([row], [], False) == [f"{UNIT}: removed"]
    assert [p.name for p in tmp_path.iterdir()] == [] and calls[0] == ["stop", "--", UNIT]
    assert node_side.wanted_files([row]) == []
