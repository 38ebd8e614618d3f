"""The page of the alerts: what each one means and what to do, from the homes of the services."""
from __future__ import annotations

import re

from ansible_collections.emr.cluster.plugins.module_utils.services.registry import HOMES
from emrctl.docs import table

HEAD = """# Alerts

Made from the rules: `python -m emrctl.docs`.

A cluster with the service `monitoring` watches {count} rules. `emrctl alerts NAME` shows those that fire, what each means and the command that helps;
`--all` also shows those that are about to fire and those that follow from another one.

```
emrctl alerts sales
emrctl alerts sales --all -o json
```

- **for**: how long the rule has to hold before the alert fires. Prometheus looks every 15 s, the figures that nodes write themselves are up to 20 s old.
- **at**: the threshold.
- **critical** wants somebody now, **warning** within the day.

## Change them
Settings of the file `alerts` in the spec's `config`, each by the alert's name: `at`, `for` (`30s`, `5m`, `0`), `severity` (`critical`, `warning`, or `none`,
which switches it off), `expr`, `means`, `help`. A name of your own with an `expr` in PromQL is a rule of your own; `{{at}}` in it is its threshold.

```yaml
config:
  alerts:
    HdfsFull.at: 85
    DiskFullSoon.severity: none
    SalesLate.expr: time() - max(emr_job_last_failure_seconds{{}}) < 3600
    SalesLate.severity: critical
    SalesLate.means: A job of sales has failed within the last hour.
```

`emrctl configure sales alerts HdfsFull.at=85` does the same to a cluster that runs. A rule that Prometheus does not understand keeps it from starting, and
the command that brought it says so.

## Who gets messages
```yaml
monitoring:
  receivers:
    ops: {{type: webhook, url: https://hooks.example.com/emr}}
    group: {{type: dingtalk, severity: critical}}
    mail: {{type: email, to: [ops@example.com], sender: emr@example.com, smarthost: smtp.example.com:465, user: emr@example.com}}
    alive: {{type: webhook, url: https://watch.example.com/ping/1, severity: watchdog}}
```

Secrets (the token of a robot of DingTalk and behind a blank the key of its signatures, the password of `user`, the token of a webhook with `secret: true`) come from the
controller's variables `EMR_RECEIVER_GROUP`, `EMR_RECEIVER_MAIL`, … when they are needed first. Without them the plan ends with 3, before anything is bought.

**When nothing can be sent**: alerts are judged and sent on the control node, so nobody hears of its end from it. A receiver with `severity: watchdog` gets a message every
five minutes as long as Prometheus judges, Alertmanager sends and the network carries, and none of any alert. Point it at something outside of the cluster that tells you
when the messages stop: a service for heartbeats, or the Alertmanager of another cluster's operators.

## Storms
A node that is down silences what is wrong on it, and alerts that follow from another one (the column *follows*) send no message while that one fires. Messages
of one alert on many nodes are one message.

"""


def page() -> str:
    """Text of the page."""
    lines = [HEAD.format(count=sum(len(home.alerts) for home in HOMES.values()))]
    for home in HOMES.values():
        if home.alerts:
            lines += [f"## Service {home.name}\n", *table(["alert", "severity", "at", "for", "what it means", "what to do", "follows"],
                                                        [_row(alert) for alert in home.alerts])]
    return "\n".join(lines).rstrip() + "\n"


def _row(alert) -> tuple:
    at = f"{alert.at} {alert.unit}" if alert.at else ""
    return (f"`{alert.name}`", alert.severity, at, f"{alert.for_s} s" if alert.for_s else "at once", _plain(alert.means),
            f"`{_plain(alert.help).replace('{cluster}', 'NAME').replace('{node}', 'NODE')}`", ", ".join(alert.follows))


def _plain(text: str) -> str:
    """The templates of Prometheus as words."""
    text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: found[1].upper(), text)
    return re.sub(r"\{\{.*?\$value \}\}", "N", text)
