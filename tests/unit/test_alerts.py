"""Alerts: what homes say is valid, each rule fires and stays silent on small series, and the spec changes them. promtool is the judge."""
from __future__ import annotations

import json
import re
import subprocess
from types import SimpleNamespace

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.services import monitoring_files, page_files
from ansible_collections.emr.cluster.plugins.module_utils.services.model import Alert
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import HOMES
from emrctl.dist import build, fetch
from emrctl.dist.lock import parse_lock
from emrctl.dist.monitoring import LIBC, LIBRARY_FOLDER, LOADER
from emrctl.main import GROUPS, VERBS
from tests.alert_cases import CASES, LOOKS, NEVER, NOW
from tests.soak import alert_faults as faults, alert_waves as waves

ALERTS = {alert.name: alert for home in HOMES.values() for alert in home.alerts}


@pytest.fixture(scope="session")
def promtool(tmp_path_factory):
    """Runs promtool of the packages that the release is made of; returns (exit code, what it said)."""
    folder = tmp_path_factory.mktemp("promtool")
    inputs = parse_lock(next(build.LOCKS.glob("monitoring-*.lock")).read_text())
    wanted = [item for item in inputs if item.coordinates.startswith(("prometheus:", "libc6:"))]
    for path in fetch.fetch(wanted, print).values():
        subprocess.run(["dpkg-deb", "-x", str(path), str(folder)], check=True)
    library = folder / LIBRARY_FOLDER
    assert (library / LOADER).exists() and (library / LIBC).exists()

    def call(*words: str):
        done = subprocess.run([str(library / LOADER), "--library-path", str(library), str(folder / "usr/bin/promtool"), *words], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout
    return call


def rules_of(alerts) -> dict:
    """The rules of these alerts, as a spec without any of its own has them."""
    settings = {}
    for alert in alerts:
        settings.update(monitoring_files.settings_of(alert, "sales"))
    return json.loads(monitoring_files.rules_yml(settings))


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "rules.yml"
    path.write_text(json.dumps(rules_of(ALERTS.values())))
    return path


def test_there_are_enough_and_each_says_what_to_do():
    assert len(ALERTS) >= 30 and len(ALERTS) == sum(len(home.alerts) for home in HOMES.values()), "a name is there twice"
    for alert in ALERTS.values():
        assert alert.severity in ("critical", "warning") and alert.means.endswith("."), alert.name
        assert ("{at}" in alert.expr) == bool(alert.at), alert.name
        assert bool(alert.at) == bool(alert.unit), alert.name
        assert set(alert.follows) <= set(ALERTS), alert.name
        verb = re.match(r"emrctl ([a-z-]+)", alert.help)
        assert verb and verb[1] in {**VERBS, **GROUPS} and "{cluster}" in alert.help, alert.name


def test_promtool_takes_the_rules(promtool, rules):
    code, said = promtool("check", "rules", str(rules))
    assert code == 0 and f"{len(ALERTS)} rules found" in said, said


def test_promtool_takes_what_is_kept_for_long_pictures(promtool, tmp_path):
    told = page_files.kept_rules(SimpleNamespace(services=tuple(HOMES)))
    panels = [panel for home in HOMES.values() for panel in home.panels if panel.kept]
    assert "$" not in told and sum(len(panel.queries) for panel in panels) == told.count('"record"') > 3
    (tmp_path / "kept.yml").write_text(told)
    code, said = promtool("check", "rules", str(tmp_path / "kept.yml"))
    assert code == 0, said


def test_every_alert_has_series():
    assert set(CASES) == set(ALERTS)


def test_every_rule_fires_and_stays_silent_on_its_series(promtool, tmp_path):
    def group(name, series, number):
        return {"name": f"{name} {'fires' if number else 'stays silent'}", "interval": "15s",
                "input_series": [{"series": key, "values": values} for key, values in series.items()],
                "promql_expr_test": [{"expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)', "eval_time": f"{int(LOOKS.get(name, NOW))}s",
                                      "exp_samples": [{"labels": "{}", "value": number}]}]}
    # A file for each rule: promtool computes all rules of a file at each step of each test.
    for name, both in CASES.items():
        (tmp_path / f"{name}.rules").write_text(json.dumps(rules_of([ALERTS[name]])))
        (tmp_path / name).write_text(json.dumps({"rule_files": [f"{name}.rules"], "evaluation_interval": "15s", "tests": [
            group(name, series, number) for series, number in zip(both, (1, 0), strict=True)]}))
    code, said = promtool("test", "rules", *(str(tmp_path / name) for name in CASES))
    assert code == 0, said


def test_a_daemon_that_has_never_served_is_told_after_ten_minutes(promtool, tmp_path):
    path = tmp_path / "tests.yml"
    (tmp_path / "rules.yml").write_text(json.dumps(rules_of([ALERTS["MetastoreDown"]])))
    path.write_text(json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "15s", "tests": [{
        "interval": "15s", "input_series": [{"series": 'emr_daemon_up{node="m1",daemon="metastore"}', "values": NEVER}],
        "promql_expr_test": [{"expr": 'count(ALERTS{alertstate="firing"}) or vector(0)', "eval_time": f"{110 * 15 + minutes * 60}s",
                              "exp_samples": [{"labels": "{}", "value": number}]} for minutes, number in ((5, 0), (9, 0), (12, 1))]}]}))
    code, said = promtool("test", "rules", str(path))
    assert code == 0, said


def test_a_message_tells_node_value_and_command(promtool, tmp_path):
    path = tmp_path / "tests.yml"
    (tmp_path / "rules.yml").write_text(json.dumps(rules_of([ALERTS["DiskFull"]])))
    path.write_text(json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "15s", "tests": [{
        "interval": "15s", "input_series": [{"series": key, "values": values} for key, values in CASES["DiskFull"][0].items()],
        "alert_rule_test": [{"eval_time": "10m", "alertname": "DiskFull", "exp_alerts": [{
            "exp_labels": {"severity": "critical", "node": "s1", "mountpoint": "/data/1"},
            "exp_annotations": {"means": "Of the disk at /data/1 of s1 5 % are free. Daemons stop when nothing is left.",
                                "help": "emrctl check sales"}}]}]}]}))
    code, said = promtool("test", "rules", str(path))
    assert code == 0, said


def test_a_spec_changes_removes_and_adds_rules(promtool, tmp_path):
    settings = {**monitoring_files.settings_of(ALERTS["HdfsFull"], "sales"), "HdfsFull.at": "85", "HdfsFull.for": "2m",
                **monitoring_files.settings_of(ALERTS["DiskFull"], "sales"), "DiskFull.severity": "none",
                "Mine.expr": "up < {at}", "Mine.at": "1", "Mine.means": 'It "says" {{ $labels.node }}: ünïcode'}
    made = {rule["alert"]: rule for rule in json.loads(monitoring_files.rules_yml(settings))["groups"][0]["rules"]}
    assert set(made) == {"HdfsFull", "Mine"} and "> 85" in made["HdfsFull"]["expr"] and made["HdfsFull"]["for"] == "2m"
    assert made["Mine"]["expr"] == "up < 1" and made["Mine"]["labels"] == {"severity": "warning"}
    path = tmp_path / "rules.yml"
    path.write_text(monitoring_files.rules_yml(settings))
    code, said = promtool("check", "rules", str(path))
    assert code == 0, said


def test_the_names_that_a_node_is_replaced_in_are_prometheus_own():
    settings = monitoring_files.settings_of(Alert("A", "up == 0", "It is down.", "emrctl repair {cluster} --node {node}"), "sales")
    assert settings["A.help"] == "emrctl repair sales --node {{ $labels.node }}" and "A.at" not in settings


def test_every_rule_has_a_real_fault_in_the_long_runs():
    fired = {alert for wave in waves.waves("master", "first", "second") for fault in wave for alert in fault.alerts}
    assert fired == set(faults.ALERTS) - waves.ELSEWHERE and not fired & waves.ELSEWHERE
