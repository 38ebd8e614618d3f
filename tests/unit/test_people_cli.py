"""The verbs for users and for removed services: what they ask, what they hand to the playbooks."""
from __future__ import annotations

import pytest

from emrctl import views_people
from tests.unit.test_cli import call, runs  # noqa: F401


def test_only_what_is_named_changes_and_none_takes_it_away(monkeypatch, runs):  # noqa: F811
    call(monkeypatch, "user", "add", "sales", "alice", "--queue", "night")
    call(monkeypatch, "user", "add", "sales", "alice", "--space-quota", "none")
    assert [(name, given["emr_user_settings"]) for name, given in runs] == [
        ("user_add", {"queue": "night"}), ("user_add", {"space_quota": None})]


@pytest.mark.parametrize("argv", [("user", "remove", "sales", "alice"), ("service", "remove", "sales", "spark")])
def test_a_removal_asks_and_data_is_a_question_of_its_own(monkeypatch, runs, capsys, argv):  # noqa: F811
    assert call(monkeypatch, *argv) == 3
    assert call(monkeypatch, *argv, "--yes", "--delete-data") == 3
    assert f"--confirm-delete {argv[-1]}" in capsys.readouterr().err
    assert call(monkeypatch, *argv, "--yes", "--delete-data", "--confirm-delete", "other") == 3
    assert runs == []
    assert call(monkeypatch, *argv, "--yes") == 0
    assert call(monkeypatch, *argv, "--yes", "--delete-data", "--confirm-delete", argv[-1]) == 0
    assert [given.get("emr_delete_data") for _name, given in runs] == [None, argv[-1]]


def test_data_of_everybody_is_never_deleted_with_a_service(monkeypatch, runs, capsys):  # noqa: F811
    assert call(monkeypatch, "service", "remove", "sales", "hdfs", "--yes", "--delete-data", "--confirm-delete", "hdfs") == 3
    assert runs == [] and "emrctl release" in capsys.readouterr().err


def test_a_job_runs_as_a_user_and_in_a_queue(monkeypatch, runs):  # noqa: F811
    call(monkeypatch, "submit", "sales", "--type", "SHELL", "--user", "alice", "--queue", "night", "--", "true")
    assert (runs[0][1]["emr_job_user"], runs[0][1]["emr_job_queue"]) == ("alice", "night")


def test_users_are_shown_with_their_space_and_what_is_missing():
    rows = [{"name": "alice", "uid": 20001, "queue": "night", "space_used": 3 << 29, "space_quota": 500 << 30, "applications": 2,
             "here": True}, {"name": "bob", "uid": 20002, "queue": "default", "space_quota": -1, "applications": 0, "here": False}]
    head, alice, bob = views_people.users("sales", rows).splitlines()
    assert "1.5 GiB" in alice and "500.0 GiB" in alice and "NOTE" in head
    assert bob.split()[3:5] == ["-", "-"] and "emrctl apply" in bob
    assert "emrctl user add sales" in views_people.users("sales", [])
