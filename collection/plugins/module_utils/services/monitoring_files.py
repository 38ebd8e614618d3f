"""The files of Prometheus and Alertmanager. They are YAML, of which JSON is a part that every writer gets right."""
from __future__ import annotations

import json
import re

from ..domain.config import writers
from ..domain.paths import MONITORING_CONF
from .receivers import WATCHDOG, receiver_of

SEVERITIES = ("critical", "warning", "none")
DURATION = re.compile(r"^(0s?|[1-9][0-9]*(s|m|h|d))$")
# The host and the process of a series are its node and component; Hadoop's own labels of the same meaning change with each failover. Others
# are figures themselves: a label that changes begins a new series, and an alert that waits would never fire.
NO_LABELS = "hostname|processname|sessionid|context|hastate|totalsynctimes|enabledecpolicies|storageinfo|clustermetrics|capacityschedulermetrics"
# How often who waits for a sign of life gets one.
SIGN_OF_LIFE = "5m"
# What Prometheus and Alertmanager listen at: the files here name them, and services/monitoring.py has their rows.
PROMETHEUS_PORT, ALERTMANAGER_PORT = 9090, 9093
STORE = f"http://127.0.0.1:{PROMETHEUS_PORT}"
NUMBER = re.compile(r"^-?[0-9]+(\.[0-9]+)?$")


def _text(value) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def prometheus_yml(settings) -> str:
    """What is scraped how often; the targets are in a file of their own, which is read again when it changes."""
    interval = str(settings.get("scrape.interval", "15s"))
    return _text({
        **_sent_on(settings),
        "global": {"scrape_interval": interval, "scrape_timeout": "10s" if seconds(interval) >= 10 else interval, "evaluation_interval": interval},
        "rule_files": [f"{MONITORING_CONF}/rules.yml", f"{MONITORING_CONF}/kept.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ALERTMANAGER_PORT}"]}]}]},
        "scrape_configs": [{
            "job_name": "emr", "file_sd_configs": [{"files": [f"{MONITORING_CONF}/targets.json"]}],
            "relabel_configs": [{"source_labels": ["component"], "target_label": "job"}],
            # Each container of YARN would leave its series behind.
            "metric_relabel_configs": [{"source_labels": ["containerresource"], "regex": ".+", "action": "drop"},
                                       {"regex": NO_LABELS, "action": "labeldrop"}]}]})


def _sent_on(settings) -> dict:
    """Where all samples go besides: a store of the user's own, or of the cloud's, whose password is in a file on the control node."""
    url, user = (str(settings.get(f"remote_write.{key}", "")) for key in ("url", "username"))
    if not url:
        return {}
    login = {"basic_auth": {"username": user, "password_file": str(settings.get("remote_write.login_file", ""))}} if user else {}
    # Labels by which the other side tells clusters apart, and a queue that cannot grow into the node's memory.
    return {"remote_write": [{"url": url, **login, "queue_config": {"capacity": 5000, "max_shards": 4},
                              "write_relabel_configs": [{"target_label": "cluster", "replacement": str(settings["cluster"])}]}]}


def seconds(duration: str) -> int:
    """Whole seconds of a duration as Prometheus writes it."""
    number, unit = re.match(r"^([0-9]+)(ms|s|m|h|d|w|y)$", duration).groups()
    return int(int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}[unit])


def targets(facts) -> str:
    """Every daemon of the cluster that shows figures, one row each, with where it is as labels."""
    from .registry import components_on

    rows = []
    for node in facts.topology.nodes:
        for component in components_on(facts.services, facts.topology, node):
            if component.metrics:
                rows.append(target(component, node.name, node.address, node.role, node.group))
    return _text(rows)


def target(component, node: str, address: str, role: str, group: str) -> dict:
    """One daemon as Prometheus' discovery by files and over HTTP reads it."""
    return {"targets": [f"{address}:{component.ports[component.metrics.port]}"], "labels": {
        "node": node, "component": component.name, "service": component.service, "role": role, "group": group, "__metrics_path__": component.metrics.path}}


def settings(facts, prometheus, alertmanager) -> str:
    """What the program for figures knows of its cluster: where they are, and who answers for each service."""
    from .registry import ANSWERING, COMPONENTS

    answers = {name: ",".join(row.url for row in facts.topology.endpoints(COMPONENTS[component])) for name, component in ANSWERING.items()
               if name in facts.services}
    return _text({"cluster": facts.topology.cluster, "store": facts.endpoint(prometheus).url,
                  "alertmanager": facts.endpoint(alertmanager).url, "answers": answers})


def alert_settings(facts) -> dict:
    """{key: text} of every alert of the cluster's services: what a spec may replace one by one."""
    from .registry import homes

    found = {}
    for home in homes(facts.services):
        for alert in home.alerts:
            found.update(settings_of(alert, facts.topology.cluster))
    if any(receiver.severity == WATCHDOG for receiver in facts.spec.monitoring.receivers.values()):
        found.update({"Watchdog.expr": "vector(1)", "Watchdog.for": "0s", "Watchdog.severity": WATCHDOG,
                      "Watchdog.means": f"The cluster {facts.topology.cluster} watches itself, and its messages arrive."})
    return found


def settings_of(alert, cluster: str) -> dict:
    """{key: text} of one alert."""
    texts = {"expr": alert.expr, "at": alert.at, "for": f"{alert.for_s}s", "severity": alert.severity, "means": alert.means,
             "help": alert.help.replace("{cluster}", cluster).replace("{node}", "{{ $labels.node }}")}
    return {f"{alert.name}.{key}": text for key, text in texts.items() if text}


def check_alert(key: str, text: str) -> None:
    """Raises Unwritable for a value that Prometheus would refuse at its start."""
    kind = key.rpartition(".")[2]
    if kind == "severity" and text not in SEVERITIES:
        raise writers.Unwritable(f"{key}: found {text!r}, expected {', '.join(SEVERITIES[:-1])} or none", f"Write {key}: none to switch the alert off.")
    if kind == "for" and not DURATION.match(text):
        raise writers.Unwritable(f"{key}: found {text!r}, expected a duration", f"Write for example: {key}: 30s, or 5m")
    if kind == "at" and not NUMBER.match(text):
        raise writers.Unwritable(f"{key}: found {text!r}, expected a number", f"Write for example: {key}: 85")


def rules_yml(settings) -> str:
    """The rules, from settings ``Name.expr``, ``.at``, ``.for``, ``.severity``, ``.means`` and ``.help``."""
    alerts: dict = {}
    for key, value in settings.items():
        name, _dot, part = key.rpartition(".")
        alerts.setdefault(name, {})[part] = str(value)
    rules = [_rule(name, parts) for name, parts in sorted(alerts.items()) if parts.get("expr") and parts.get("severity") != "none"]
    return _text({"groups": [{"name": "emr", "rules": rules}]})


def _rule(name: str, parts) -> dict:
    return {"alert": name, "expr": parts["expr"].replace("{at}", parts.get("at", "0")), "for": parts.get("for", "30s"),
            "labels": {"severity": parts.get("severity", "warning")},
            "annotations": {"means": parts.get("means", name), "help": parts.get("help", "")}}


def alertmanager_yml(facts) -> str:
    """Whom alerts go to, and which are not sent: a node that is down silences what is wrong on it, an alert what follows from it."""
    receivers = facts.spec.monitoring.receivers.values()
    alive = {"receiver": "none", "matchers": [f'severity="{WATCHDOG}"'], "group_interval": "1m", "repeat_interval": SIGN_OF_LIFE,
             "routes": [{"receiver": r.name, "continue": True} for r in receivers if r.severity == WATCHDOG]}
    routes = [alive, *({"receiver": r.name, "continue": True, **({"matchers": ['severity="critical"']} if r.severity == "critical" else {})}
                       for r in receivers if r.severity != WATCHDOG)]
    return _text({
        "route": {"receiver": "none", "group_by": ["alertname"], "group_wait": "10s", "group_interval": "1m", "repeat_interval": "4h", "routes": routes},
        "receivers": [{"name": "none"}, *({"name": r.name, **receiver_of(r)} for r in receivers)],
        "inhibit_rules": [{"source_matchers": ['alertname="NodeDown"'], "target_matchers": ['alertname!="NodeDown"'], "equal": ["node"]},
                          *_inhibitions(facts)]})


def _inhibitions(facts) -> list:
    from .registry import homes

    return [{"source_matchers": [f'alertname=~"{"|".join(alert.follows)}"'], "target_matchers": [f'alertname="{alert.name}"']}
            for home in homes(facts.services) for alert in home.alerts if alert.follows]
