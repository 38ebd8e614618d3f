"""emrctl's runner with the real ansible-runner, on small playbooks for localhost."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emrctl import paths, runner
from emrctl.failures import explain

HEAD = "- name: {name}\n  hosts: {hosts}\n  connection: local\n  gather_facts: false\n  tasks:\n"
SECRET = "s3cr3t-of-the-cloud-key"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EMR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET)
    monkeypatch.delenv("ANSIBLE_HOST_KEY_CHECKING", raising=False)
    return tmp_path / "cache"


def play(folder: Path, tasks: str, hosts: str = "localhost", name: str = "Play") -> str:
    path = folder / "play.yml"
    path.write_text(HEAD.format(name=name, hosts=hosts) + tasks)
    return str(path)


def test_results_are_merged_in_order_and_handlers_restored(tmp_path):
    path = play(tmp_path, "    - set_fact: {emr_result: {job: {id: j1, state: RUNNING}}}\n"
                          "    - set_fact: {emr_result: {job: {state: \"{{ emr_state }}\"}, n: 1}}\n")
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    result = runner.run_playbook(path, {"emr_state": "SUCCEEDED"})
    assert (result.exit_code, result.data) == (0, {"job": {"id": "j1", "state": "SUCCEEDED"}, "n": 1})
    assert result.stats["ok"] == {"localhost": 2}
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_failed_task_is_5_and_told_with_its_node(tmp_path):
    path = play(tmp_path, "    - name: Start the DataNode\n      fail: {msg: 'port 9866 is in use'}\n")
    result = runner.run_playbook(path)
    assert result.exit_code == 5
    text = explain(result, "emrctl create x.yml")
    for part in ("Start the DataNode", "port 9866 is in use", str(result.log), "Next: emrctl create x.yml"):
        assert part in text
    assert "port 9866" in result.log.read_text()


def test_ignored_and_rescued_failures_are_no_failure(tmp_path):
    path = play(tmp_path, "    - fail: {msg: a}\n      ignore_errors: true\n"
                          "    - block: [{fail: {msg: b}}]\n      rescue: [{debug: {msg: c}}]\n")
    assert runner.run_playbook(path).exit_code == 0


def test_an_unreachable_host_is_4(tmp_path):
    hosts = ("far ansible_host=127.0.0.1 ansible_port=1 ansible_connection=ssh "
             "ansible_ssh_common_args='-o ConnectTimeout=2'\n")
    path = tmp_path / "play.yml"
    path.write_text("- hosts: far\n  gather_facts: false\n  tasks: [{ping: }]\n")
    result = runner.run_playbook(str(path), inventory=hosts)
    assert result.exit_code == 4
    assert "Unreachable on far" in explain(result)


def test_a_refusal_is_3(tmp_path):
    plugins = tmp_path / "action_plugins"
    plugins.mkdir()
    (plugins / "refuse.py").write_text(
        "from ansible.plugins.action import ActionBase\n"
        "class ActionModule(ActionBase):\n"
        "    def run(self, tmp=None, task_vars=None):\n"
        "        return {'failed': True, 'emr_refused': True, 'msg': 'cluster.yml:3: regio: unknown key'}\n")
    result = runner.run_playbook(play(tmp_path, "    - refuse:\n"))
    assert result.exit_code == 3
    assert explain(result).splitlines() == ["Refused; nothing was changed:", "  cluster.yml:3: regio: unknown key"]


def test_a_broken_playbook_is_1_and_shows_the_output(tmp_path):
    path = tmp_path / "play.yml"
    path.write_text("- hosts: localhost\n  tsks: []\n")
    result = runner.run_playbook(str(path))
    assert result.exit_code == 1
    assert "tsks" in explain(result)


def test_nothing_of_the_environment_is_left_in_the_run_folder(tmp_path, cache):
    path = play(tmp_path, "    - debug: {msg: hello}\n")
    result = runner.run_playbook(path, {"emr_spec": "name: x"})
    assert result.exit_code == 0
    left = [p for p in cache.rglob("*") if p.is_file()]
    assert left and not any(SECRET in p.read_text() for p in left)
    assert not any(p.name == "command" for p in cache.rglob("*"))
    for folder in [p for p in (cache / "runs").rglob("*") if p.is_dir()][:1]:
        assert folder.stat().st_mode & 0o077 == 0


def test_settings_hold_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = "import json, os; print(json.dumps(dict(os.environ)))"
    path = play(tmp_path, f"    - command: {{argv: [{sys.executable}, -c, '{script}']}}\n      register: out\n"
                          "    - set_fact: {emr_result: \"{{ out.stdout | from_json }}\"}\n")
    env = runner.run_playbook(path).data
    assert env["ANSIBLE_HOST_KEY_CHECKING"] == "True" and env["ANSIBLE_PIPELINING"] == "True"
    assert env["ANSIBLE_COLLECTIONS_PATH"].startswith(str(paths.collections_root()))
    assert env["PATH"].startswith(os.path.dirname(sys.executable))


def test_a_watcher_that_breaks_does_not_end_the_run(tmp_path):
    class Broken:
        def handle(self, event):
            raise BrokenPipeError

        def close(self):
            raise AssertionError("not to be called")

    assert runner.run_playbook(play(tmp_path, "    - debug: {msg: hello}\n"), watch=Broken()).exit_code == 0


def test_old_runs_are_removed_but_not_running_ones(cache, monkeypatch):
    monkeypatch.setattr(paths, "RUNS_KEPT", 3)
    first = paths.new_run_dir("busy")
    (first / "pid").write_text(str(os.getpid()))
    made = [paths.new_run_dir("old") for _ in range(5)]
    assert first.exists() and made[-1].exists() and not made[0].exists()
    assert len(list((cache / "runs").iterdir())) == 4


DRIVER = """
import sys
from emrctl import runner
result = runner.run_playbook(sys.argv[1], {})
sys.exit(result.exit_code)
"""


def drive(folder: Path, seconds: int = 60) -> tuple[subprocess.Popen, int]:
    """Start a run whose task sleeps; returns the driver and the process id of ansible-playbook, once the task runs."""
    marker = folder / "started"
    path = play(folder, f"    - shell: 'touch {marker}; sleep {seconds}; touch {folder}/survived'\n")
    process = subprocess.Popen([sys.executable, "-c", DRIVER, path], start_new_session=True)
    deadline = time.monotonic() + 30
    while not marker.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    pid = int(next((folder / "cache" / "runs").glob("*/pid")).read_text())
    return process, pid


def gone(pid: int, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


def workers(pid: int) -> list[int]:
    """Children of a process, at any depth."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *workers(int(child))]
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_the_playbook_and_is_130(tmp_path, number):
    process, pid = drive(tmp_path)
    below = workers(pid)
    process.send_signal(number)
    assert process.wait(timeout=20) == 130
    assert all(gone(p, 5) for p in [pid, *below])
    assert not (tmp_path / "survived").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")
def test_a_killed_emrctl_takes_the_playbook_with_it(tmp_path):
    process, pid = drive(tmp_path)
    below = workers(pid)
    assert below
    process.kill()
    process.wait(timeout=10)
    assert all(gone(p, 10) for p in [pid, *below])


def test_extra_vars_are_not_on_any_command_line(tmp_path):
    path = play(tmp_path, "    - command: cat /proc/{{ lookup('pipe', 'echo $PPID') }}/cmdline\n      register: out\n"
                          "    - set_fact: {emr_result: {line: \"{{ out.stdout }}\"}}\n")
    line = runner.run_playbook(path, {"emr_word": "visible-word"}).data["line"]
    assert "ansible-playbook" in line and "visible-word" not in line


LARGE = 800_000  # characters: more than an event of ansible-runner takes


def own_action(folder: Path) -> None:
    """An action that gives what it has found as ours do."""
    plugins = folder / "action_plugins"
    plugins.mkdir()
    (plugins / "found.py").write_text(
        "from ansible.plugins.action import ActionBase\n"
        "from ansible_collections.emr.cluster.plugins.plugin_utils.results import hand_over\n"
        "class ActionModule(ActionBase):\n"
        "    def run(self, tmp=None, task_vars=None):\n"
        "        return hand_over({'changed': False, 'emr_result': {self._task.args['name']: 'x' * self._task.args['size'], 'last': self._task.args['name']}})\n")


def test_a_result_of_any_size_arrives_and_no_copy_of_it_stays(tmp_path, cache, monkeypatch):
    own_action(tmp_path)
    text = "".join(f"    - found: {{name: {name}, size: {size}}}\n" for name, size in (("one", 10), ("two", 3 * LARGE), ("three", LARGE)))
    monkeypatch.setattr(runner, "_take", lambda event, result, events, take=runner._take: take(_as_ours(event), result, events))
    result = runner.run_playbook(play(tmp_path, text))
    assert (result.exit_code, result.lost) == (0, [])
    assert {key: len(value) for key, value in result.data.items()} == {"one": 10, "two": 3 * LARGE, "three": LARGE, "last": 5}
    assert result.data["last"] == "three"
    assert not list(cache.rglob("results/*"))


def _as_ours(event: dict) -> dict:
    """The event as it is for an action of the collection; the test's own one stands beside its playbook."""
    data = event.get("event_data") or {}
    if data.get("task_action") == "found":
        data["resolved_action"] = "emr.cluster.found"
    return event


def test_a_result_that_the_runner_drops_is_an_error(tmp_path):
    result = runner.run_playbook(play(tmp_path, f"    - name: Look\n      set_fact: {{emr_result: {{text: \"{{{{ 'x' * {LARGE} }}}}\"}}}}\n"))
    assert (result.exit_code, result.data) == (1, {})
    assert "too large" in explain(result) and "Look on localhost" in explain(result)


def test_a_failure_with_too_much_to_say_points_to_the_log(tmp_path):
    result = runner.run_playbook(play(tmp_path, f"    - name: Look\n      fail: {{msg: \"{{{{ 'x' * {LARGE} }}}}\"}}\n"))
    assert result.exit_code == 5 and "message is too long to show" in explain(result) and str(result.log) in explain(result)
