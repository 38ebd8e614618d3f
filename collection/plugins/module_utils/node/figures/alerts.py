"""The alerts of now, as Prometheus computes them and Alertmanager passes them on."""
from __future__ import annotations

from ..common import NodeError
from ..hadoop_http import Daemon, HttpError
from ..monitoring.program import settings
from ..monitoring.prometheus import Prometheus, alert_row, told_alerts

LIMIT_S = 10.0
# What an alert says in columns of its own.
OWN = ("alertname", "severity", "node")


def now():
    """{alerts, rules, passed_on}: each alert with {alert, severity, node, state, since, means, help, labels, quiet}.

    ``state``: firing or pending. ``quiet``: why no message is sent of it, such as another alert that explains it. ``passed_on``: whether
    Alertmanager answers.
    """
    where = settings()
    told, rules = _asked(where["store"])
    manager = Daemon(where["alertmanager"], name="Alertmanager").look("/api/v2/alerts", LIMIT_S)
    quiet = {_key(row["labels"]): _quiet(row["status"], manager) for row in manager or ()}
    rows = []
    for alert in told:
        row = alert_row(alert)
        rows.append({"alert": row.pop("name"), **row, "labels": {key: value for key, value in alert["labels"].items() if key not in OWN},
                     "quiet": quiet.get(_key(alert["labels"]), "")})
    return {"changed": False, "alerts": sorted(rows, key=_order), "rules": rules, "passed_on": manager is not None}


def _asked(address):
    """The alerts as this Prometheus tells them, and the number of rules."""
    store = Prometheus(address, LIMIT_S)
    try:
        rules = [rule for group in store.get("rules", type="alert")["groups"] for rule in group["rules"]]
        return told_alerts(store.get("alerts")["alerts"]), len(told_alerts(rules))
    except HttpError as error:
        raise NodeError(f"{error}. Next: emrctl repair NAME; emrctl status NAME tells what of the cluster runs")


def _key(labels):
    return tuple(sorted(labels.items()))


def _quiet(status, alerts):
    """The names of the alerts that explain this one, or that somebody has silenced it."""
    names = {row["fingerprint"]: row["labels"]["alertname"] for row in alerts}
    because = sorted({names.get(found, "another alert") for found in status.get("inhibitedBy", ())})
    if because:
        return f"follows from {', '.join(because)}"
    return "silenced" if status.get("silencedBy") else ""


def _order(row):
    return (row["state"] != "firing", bool(row["quiet"]), row["severity"] != "critical", row["since"], row["alert"], row["node"])
