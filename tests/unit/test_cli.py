"""The command line itself: arguments, questions, exit codes. Playbooks are replaced by recorded results."""
from __future__ import annotations

import io
import json
import sys

import pytest

from emrctl import main as program, runner
from emrctl.failures import Failure
from emrctl.runner import Result

PLAN = {"plan": {"cluster": "sales", "digest": "d1", "price": {"hourly": 1.5, "currency": "CNY", "source": "local price list"},
                 "buy": [{"group": "slave", "role": "slave", "count": 3, "instance_type": "ecs.c6.large", "vcpus": 2,
                          "memory_gib": 4, "price_hour": 1.5}]}}


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Records (playbook, extra vars) of each run; ``runs.answers[playbook]`` is a dict of Result fields."""
    class Runs(list):
        """The runs so far, and what the next ones answer."""

    seen = Runs()
    seen.answers = {}

    def fake(name, extra_vars=None, *, watch=None, inventory=None):
        seen.append((name, extra_vars))
        fields = seen.answers.get(name, {})
        return Result(name, tmp_path / "stdout", **{"rc": 0, "status": "successful", **fields})

    monkeypatch.setattr(runner, "run_playbook", fake)
    monkeypatch.setenv("EMR_CACHE", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return seen


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "cluster.yml"
    path.write_text("name: sales\n")
    return path


def call(monkeypatch, *argv) -> int:
    monkeypatch.setattr(sys, "argv", ["emrctl", *map(str, argv)])
    with pytest.raises(SystemExit) as leaving:
        program.main()
    return leaving.value.code or 0


def test_without_a_terminal_a_purchase_needs_yes_or_a_digest(monkeypatch, runs, spec, capsys):
    runs.answers = {"create": {"data": PLAN}}
    assert call(monkeypatch, "create", spec) == 3
    out, err = capsys.readouterr()
    assert out == "" and "--yes" in err and "--confirm d1" in err and "1.5 CNY per hour (local price list)" in err
    assert runs == [("create", {"emr_spec_file": str(spec), "emr_plan_only": True})]


@pytest.mark.parametrize(("option", "sent"), [(["--yes"], "yes"), (["--confirm", "d1"], "d1")])
def test_confirmed_on_the_command_line_it_is_one_run(monkeypatch, runs, spec, option, sent):
    assert call(monkeypatch, "create", spec, *option) == 0
    assert runs == [("create", {"emr_spec_file": str(spec), "emr_confirm": sent})]


@pytest.mark.parametrize(("answer", "code", "count"), [("y\n", 0, 2), ("n\n", 3, 1), ("", 3, 1)])
def test_at_a_terminal_the_plan_is_shown_and_asked_for(monkeypatch, runs, spec, answer, code, count, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal(answer))
    runs.answers = {"create": {"data": PLAN}}
    assert call(monkeypatch, "create", spec) == code
    assert len(runs) == count and "ecs.c6.large" in capsys.readouterr().err
    if count == 2:
        assert runs[1][1]["emr_confirm"] == "d1"


def test_a_plan_without_purchase_is_not_asked_for(monkeypatch, runs, spec):
    runs.answers = {"create": {"data": {"plan": {"cluster": "sales", "digest": "d2", "buy": []}}}}
    assert call(monkeypatch, "create", spec) == 0
    assert runs[1][1]["emr_confirm"] == "d2"


def test_json_output_is_data_with_counters(monkeypatch, runs, spec, capsys):
    runs.answers = {"create": {"data": {"name": "sales"}, "stats": {"ok": {"n1": 3}, "changed": {"n1": 0}}}}
    assert call(monkeypatch, "create", spec, "-y", "-o", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["name"] == "sales" and data["stats"]["n1"] == {"ok": 3, "changed": 0, "failed": 0, "unreachable": 0}


def test_a_spec_on_standard_input(monkeypatch, runs):
    monkeypatch.setattr("sys.stdin", io.StringIO("name: sales\n"))
    assert call(monkeypatch, "plan", "-") == 0
    assert runs == [("plan", {"emr_spec": "name: sales\n"})]


def test_submit_hands_on_what_follows_the_dashes(monkeypatch, runs, tmp_path, capsys):
    job = {"id": "j1", "state": "FAILED", "type": "SHELL"}
    runs.answers = {"submit": {"data": {"job": job}}}
    file = tmp_path / "a.py"
    file.write_text("")
    code = call(monkeypatch, "submit", "sales", "-t", "shell", "-f", file, "--wait", "-o", "json", "--", "python3", "a.py",
                "--wait", "-x")
    assert code == 5 and json.loads(capsys.readouterr().out) == job
    sent = runs[0][1]
    assert sent["emr_job_args"] == ["python3", "a.py", "--wait", "-x"] and sent["emr_job_files"] == [str(file)]
    assert sent["emr_job_type"] == "SHELL" and sent["emr_job_wait"] is True


@pytest.mark.parametrize("argv", [["crate"], ["create"], ["submit", "sales", "-t", "NO", "--", "x"], ["list", "--nope"],
                                  ["list", "-o", "xml"]])
def test_usage_errors_are_2(monkeypatch, runs, argv, capsys):
    assert call(monkeypatch, *argv) == 2
    assert capsys.readouterr().out == "" and runs == []


def test_missing_files_are_refused_before_any_run(monkeypatch, runs, capsys):
    assert call(monkeypatch, "create", "nope.yml", "--yes") == 3
    assert call(monkeypatch, "submit", "sales", "-t", "SHELL", "-f", "nope.py") == 3
    assert call(monkeypatch, "put", "sales", "nope.csv", "/x") == 3
    assert runs == [] and "nope.py" in capsys.readouterr().err


def test_status_prints_its_data_even_when_something_is_down(monkeypatch, runs, capsys):
    down = {"components": [{"node": "n1", "component": "datanode", "state": "failed"}]}
    failure = Failure("n1", "status", "DataNode is down")
    runs.answers = {"status": {"data": down, "rc": 2, "failures": [failure]}}
    assert call(monkeypatch, "status", "sales", "-o", "json") == 5
    out, err = capsys.readouterr()
    assert json.loads(out) == down and "DataNode is down" in err


def test_release_and_stop_ask(monkeypatch, runs, capsys):
    runs.answers = {"release": {"data": {"plan": {"cluster": "sales", "digest": "d3", "release": ["n1", "n2"]}}}}
    assert call(monkeypatch, "release", "sales") == 3
    assert call(monkeypatch, "stop", "sales") == 3
    assert [name for name, _ in runs] == ["release"]
    assert "n1, n2" in capsys.readouterr().err


def test_errors_for_people_have_no_traceback(monkeypatch, capsys, tmp_path):
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_REGION_ID", "cn-hangzhou")
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    assert call(monkeypatch, "list") == 3
    err = capsys.readouterr().err
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in err and "Traceback" not in err


def test_every_verb_that_gives_data_can_be_quiet():
    import typer

    def leaves(command, words):
        if hasattr(command, "commands"):
            for name, child in command.commands.items():
                yield from leaves(child, [*words, name])
        else:
            yield " ".join(words), {option for parameter in command.params for option in parameter.opts}

    found = {}
    for verb in [*program.VERBS, *(g for g in program.GROUPS if g not in ("local", "dist"))]:
        found.update(leaves(typer.main.get_command(program.build([verb])).commands[verb], [verb]))
    assert len(found) > 40 and [name for name, options in found.items() if "-o" in options and "-q" not in options] == []


def test_former_names_of_verbs_still_work():
    assert program.split(["reconcile", "sales", "--dry-run"]) == (["maintain", "sales", "--dry-run"], [])
    assert set(program.ALIASES.values()) <= set(program.VERBS) and not set(program.ALIASES) & set(program.VERBS)
