"""Alerts of the figures themselves, and of jobs, flows and schedules."""
from __future__ import annotations

from .alerts import down
from .model import Alert, Component

_VALUE = "{{ printf \"%.0f\" $value }}"


def alerts(exporter: Component, alertmanager: Component) -> tuple:
    """All alerts of what watches the others."""
    return (
        down("HostFiguresDown", exporter, "No alert on its disks, memory and units is possible.", follows=("NodeDown",)),
        down("AlertmanagerDown", alertmanager, "No message is sent, whatever happens.", "critical"), *_FIGURES)


_FIGURES = (
    Alert("DaemonWithoutFigures", "max by (node, component) (scrape_samples_scraped) < {at} and max by (node, component) (up) == 1",
          "{{ $labels.component }} on {{ $labels.node }} answers and gives no figures, so nothing of it is watched.",
          "emrctl restart {cluster} --component {{ $labels.component }} --node {node}", "warning", 60, "10", "samples"),
    Alert("NodeFiguresOld", 'time() - max by (node) (node_textfile_mtime_seconds{file=~".*/emr.prom"}) > {at}',
          "{{ $labels.node }} has not looked at its daemons, jobs and backups for {{ humanizeDuration $value }}: alerts on those are blind.",
          "emrctl repair {cluster} --node {node}", "warning", 30, "180", "s"),
    Alert("NodeFiguresMissing", 'up{component="node-exporter"} == 1 unless on (node) max by (node) (emr_units_failed >= 0)',
          "{{ $labels.node }} gives no figures of its daemons, jobs and backups.", "emrctl repair {cluster} --node {node}", "warning", 120),
    Alert("FiguresStoreSmall", "100 * max by (node) (emr_store_bytes) / max by (node) (prometheus_tsdb_retention_limit_bytes > 0) > {at} "
          "and on () (time() - min(prometheus_tsdb_lowest_timestamp_seconds) < 604800)",
          f"The store of figures is {_VALUE} % full and holds less than a week: older ones are dropped.",
          "emrctl configure {cluster} monitoring retention.size=20GB", "warning", 60, "95", "%"),
    Alert("RulesFail", "max by (node) (increase(prometheus_rule_evaluation_failures_total[5m])) > 0",
          "A rule could not be computed, mostly one of your own: its alert is silent.", "emrctl logs {cluster} --component prometheus", "warning", 60),
    Alert("AlertsNotSent", "sum by (node, integration) (increase(alertmanager_notifications_failed_total[5m])) > 0",
          "Messages by {{ $labels.integration }} do not arrive.", "emrctl logs {cluster} --component alertmanager", "warning", 0),
)

JOBS = (
    Alert("JobFailed", "time() - max(emr_job_last_failure_seconds) < {at} * 60",
          "A job has failed within the last minutes.", "emrctl jobs list {cluster} --state FAILED", "warning", 0, "10", "min",
          follows=("NameNodeDown", "HdfsSafeMode", "ResourceManagerDown", "FlowFailed", "ScheduleFailed")),
    Alert("JobsWait", "max(emr_job_longest_wait_seconds) > {at}",
          "A job has waited for its turn on the master for {{ humanizeDuration $value }}.", "emrctl jobs list {cluster} --state SUBMITTED", "warning", 0,
          "1800", "s"),
    Alert("StreamRestarts", "max by (id, name) (changes(emr_stream_attempts[30m])) > {at}",
          f"{{{{ $labels.name }}}} ({{{{ $labels.id }}}}), which shall run on and on, was started anew {_VALUE} times within 30 minutes.",
          "emrctl jobs logs {cluster} {{ $labels.id }}", "warning", 0, "2", "times"),
    Alert("FlowFailed", "time() - max(emr_flow_last_failure_seconds) < {at} * 60",
          "A flow has failed within the last minutes.", "emrctl flow list {cluster}", "warning", 0, "10", "min", follows=("ScheduleFailed",)),
    Alert("ScheduleFailed", "max by (schedule) (emr_schedule_failed) > 0",
          "The last run of the schedule {{ $labels.schedule }} has failed.", "emrctl schedule show {cluster} {{ $labels.schedule }}", "critical", 0),
    Alert("ScheduleStopped", "max by (schedule) (emr_schedule_stopped) > 0",
          "The schedule {{ $labels.schedule }} is not paused, and its timer does not run: it starts nothing.",
          "emrctl schedule resume {cluster} {{ $labels.schedule }}", "critical", 60),
    Alert("BudgetNear", "max(emr_budget_share) and max(emr_budget_warns) > 0",
          "Of this month's budget {{ humanizePercentage $value }} are spent.", "emrctl report {cluster} --since 30d", "warning", 0, follows=("BudgetSpent",)),
    Alert("BudgetSpent", "max(emr_budget_share) >= 1",
          "The cluster has cost {{ humanizePercentage $value }} of this month's budget; new jobs are refused or task nodes released, if the spec says so.",
          "emrctl report {cluster} --since 30d", "critical", 0),
)
