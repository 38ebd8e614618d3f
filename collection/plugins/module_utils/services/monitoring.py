"""Monitoring: Prometheus with its alerts and the cluster's page on the control node, and an exporter of each host's figures.

Prometheus rather than a lighter store, since it alone keeps to a size on the disk. What is scraped, what alerts and what is drawn comes
from the homes of all services.
"""
from __future__ import annotations

import hashlib
import re

from ..domain.config import writers
from ..domain.config.folders import data_dirs
from ..domain.paths import (
    ALERTMANAGER as ALERTMANAGER_PROGRAM,
    FIGURES,
    MONITORING_CONF,
    MONITORING_HOME,
    MONITORING_SECRETS,
    MONITORING_SETTINGS,
    PAGE,
    PAGE_PROGRAM,
    PAGE_SETTINGS,
    PROMETHEUS as PROMETHEUS_PROGRAM,
    WORK_PROGRAM,
    WORK_SOCKET,
)
from ..domain.sizing.rules import clamp
from . import alerts_hosts, alerts_monitoring, monitoring_files, page_files, panels_hosts, receivers
from .model import Component, ConfFile, Health, Heap, Metrics, Secret, Service, TextFile, first, on

ROLES = ("master", "slave", "task", "gateway")
USER = "monitor"
STEM, ALERTS = "monitoring", "alerts"
# Collectors that rules and panels use; all others cost memory, CPU and room.
COLLECTORS = ("cpu", "diskstats", "filefd", "filesystem", "loadavg", "meminfo", "netdev", "pressure", "stat", "textfile", "time", "timex",
              "vmstat")
# What is no disk of the host's own: the exporter's own list, with memory and without overlay, which the root of an image may be.
NO_FILE_SYSTEM = ("^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|proc|procfs|pstore|ramfs|"
                  "rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tmpfs|tracefs)$")
NO_DISK = "^/(dev|proc|run|sys|var/lib/(docker|containers)/.+)($|/)"

NODE_EXPORTER = Component(
    "node-exporter", on(*ROLES), USER,
    ("node_exporter", "--web.listen-address=:9100", "--collector.disable-defaults", *(f"--collector.{name}" for name in COLLECTORS),
     f"--collector.textfile.directory={FIGURES}", f"--collector.filesystem.mount-points-exclude={NO_DISK}",
     f"--collector.filesystem.fs-types-exclude={NO_FILE_SYSTEM}",
     "--collector.netdev.device-exclude=^lo$", "--web.disable-exporter-metrics"),
    {"http": 9100}, Heap(0.005, 16, 32), Health("http", "http", "/"), frozenset(), label="Host figures", group=USER, jvm=False,
    metrics=Metrics(path="/metrics"))
PROMETHEUS = Component(
    "prometheus", first("master"), USER, (PROMETHEUS_PROGRAM,), {"http": monitoring_files.PROMETHEUS_PORT}, Heap(0.02, 100, 4096),
    Health("http", "http", "/-/ready"), frozenset({STEM, ALERTS}), label="Prometheus", storage=((STEM, "store.dir"),), storage_mode="0750", group=USER,
    jvm=False, ignores=((STEM, r"alertmanager\."),),
    metrics=Metrics(path="/metrics"))
ALERT_MANAGER = Component(
    "alertmanager", first("master"), USER, (ALERTMANAGER_PROGRAM,), {"http": monitoring_files.ALERTMANAGER_PORT}, Heap(0.005, 24, 64),
    Health("http", "http", "/-/ready"), frozenset({STEM}), label="Alertmanager", storage=((STEM, "alertmanager.dir"),), storage_mode="0750", group=USER,
    jvm=False, ignores=((STEM, r"(scrape|retention|remote_write|store|kept)\.|cluster$"),),
    metrics=Metrics(path="/metrics"))
# Python, which takes about 20 MiB. It serves without Prometheus, so nobody waits for that before it.
CLUSTER_PAGE = Component(
    "cluster-page", first("master"), USER, (PAGE_PROGRAM, "9080"), {"http": 9080}, Heap(0.005, 24, 32), Health("http", "http", "/"), frozenset(),
    label="Cluster page", web="http", front=True, group=USER, jvm=False, asks=((WORK_SOCKET, WORK_PROGRAM),))

DURATION = re.compile(r"^[1-9][0-9]*(ms|s|m|h|d|w|y)$")
URL = re.compile(r"^https?://[^@/\s]+(/\S*)?$")
FILE = re.compile(r"^/\S+$")
SIZE = re.compile(r"^[1-9][0-9]*(MB|GB|TB)$")
_TYPES = {"scrape.interval": (DURATION, "a duration", "15s"), "retention.time": (DURATION, "a duration", "30d"), "retention.size": (SIZE, "a size", "8GB"),
          "remote_write.url": (URL, "an address without a login", "https://metrics.example.com/api/v1/write"),
          "remote_write.login_file": (FILE, "the path of a file on the control node", f"{MONITORING_CONF}/remote-write-login")}

SETTINGS = (*_TYPES, "remote_write.username")
KEY = re.compile("^(" + "|".join(re.escape(key) for key in (*SETTINGS, "cluster", "store.dir", "alertmanager.dir", "kept.digest")) + ")$")


def _check(key: str, text: str) -> None:
    pattern, what, example = _TYPES.get(key, (None, "", ""))
    if pattern and not pattern.match(text):
        raise writers.Unwritable(f"{key}: found {text!r}, expected {what}", f"Write for example: {key}: {example}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _defaults(facts) -> dict:
    if not facts.here(PROMETHEUS):
        return {}
    folder = data_dirs(facts.node, "monitoring", "monitoring", 1)
    return {STEM: {"cluster": facts.topology.cluster, "scrape.interval": "15s", "retention.time": "30d",
                   "store.dir": f"{folder}/prometheus", "alertmanager.dir": f"{folder}/alertmanager",
                   # Alertmanager reads its file when it starts.
                   "alertmanager.digest": _digest(monitoring_files.alertmanager_yml(facts)),
                   # And Prometheus its rules.
                   "kept.digest": _digest(page_files.kept_rules(facts))},
            ALERTS: monitoring_files.alert_settings(facts)}


def _sizes(facts) -> dict:
    """Room for the figures: a twentieth of the disk that they are on, from 1 to 50 GB; about a month of 4 nodes takes 1."""
    if not facts.here(PROMETHEUS):
        return {}
    group = facts.spec.node_groups.get(facts.node.group)
    disk = facts.node.disks[0].size_gib if facts.node.disks else (group.system_disk.size_gib if group else 20)
    return {STEM: {"retention.size": f"{int(clamp(disk // 20, 1, 50))}GB"}}


def _program(name: str, options, exports=()) -> str:
    """A program that becomes the daemon, with these ``exports`` (NAME=value) in its environment. No option holds what a person wrote but for
    checked durations and sizes."""
    return "\n".join(["#!/bin/sh", *(f"export {row}" for row in exports), f"exec {MONITORING_HOME}/bin/{name} \\",
                      " \\\n".join(f"    {option}" for option in options), ""])


def _prometheus(facts, effective) -> str:
    conf = {key: str(value) for key, value in effective[STEM].items()}
    memory = int(clamp(0.02 * facts.node.memory_mib, 100, 4096))
    return _program("prometheus", (
        f"--config.file={MONITORING_CONF}/prometheus.yml", f"--storage.tsdb.path={conf['store.dir']}",
        f"--storage.tsdb.retention.time={conf['retention.time']}",
        f"--storage.tsdb.retention.size={conf['retention.size']}", "--storage.tsdb.wal-compression", f"--web.listen-address=:{PROMETHEUS.ports['http']}",
        # What one query may take, so that no page and no person takes the node's memory.
        "--query.max-samples=5000000", "--query.timeout=20s", "--query.max-concurrency=4", "--log.level=warn"),
        (f"GOMEMLIMIT={memory}MiB", "GOGC=60", "GOMAXPROCS=2"))


def _alertmanager(_facts, effective) -> str:
    return _program("alertmanager", (
        f"--config.file={MONITORING_CONF}/alertmanager.yml", f"--storage.path={effective[STEM]['alertmanager.dir']}", "--cluster.listen-address=",
        f"--web.listen-address=:{ALERT_MANAGER.ports['http']}", "--log.level=warn"))


def _secrets(spec) -> tuple:
    return tuple(Secret(f"monitoring.receivers.{r.name}", f"the secret of the receiver {r.name}", f"{MONITORING_SECRETS}/{r.name}", r.variable,
                        ALERT_MANAGER.name)
                 for r in spec.monitoring.receivers.values() if r.has_secret)


SERVICE = Service(
    name="monitoring", software="monitoring", home=MONITORING_HOME, components=(NODE_EXPORTER, ALERT_MANAGER, PROMETHEUS, CLUSTER_PAGE), data=("monitoring",),
    files=(ConfFile(STEM, f"{MONITORING_CONF}/prometheus.yml", monitoring_files.prometheus_yml, at=("prometheus",),
                    prefixes=("scrape.", "retention.", "remote_write."), key=KEY, check=_check,
                    key_hint=f"Choose from {', '.join(sorted(SETTINGS))}.",
                    reserved={"cluster": "it is the cluster's name", "store.dir": "it follows from the node's disks",
                              "alertmanager.dir": "it follows from the node's disks",
                              "alertmanager.digest": "it follows from the receivers", "kept.digest": "it follows from the panels"}),
           ConfFile(ALERTS, f"{MONITORING_CONF}/rules.yml", monitoring_files.rules_yml, at=("prometheus",),
                    key=re.compile(r"^[A-Z][A-Za-z0-9]+\.(expr|at|for|severity|means|help)$"), check=monitoring_files.check_alert,
                    key_hint="Write the alert's name and what of it: HdfsFull.at, HdfsFull.for, HdfsFull.severity; a rule of your own has an expr.")),
    texts=(TextFile(PROMETHEUS_PROGRAM, _prometheus, at=("prometheus",), mode="0755"),
           TextFile(ALERTMANAGER_PROGRAM, _alertmanager, at=("alertmanager",), mode="0755"),
           # Debian's build reads both at its start, from this folder alone; its own receivers' texts are not used here.
           *(TextFile(f"/usr/share/prometheus/alertmanager/{name}.tmpl", lambda *_: "{{/* Written by emr.cluster. */}}\n", at=("alertmanager",))
             for name in ("default", "email")),
           TextFile(MONITORING_SETTINGS, lambda facts, _effective: monitoring_files.settings(facts, PROMETHEUS, ALERT_MANAGER), at=("prometheus",)),
           TextFile(PAGE_SETTINGS, page_files.settings, at=(CLUSTER_PAGE.name,)),
           *(TextFile(f"{PAGE}/{name}", page_files.static(name), at=(CLUSTER_PAGE.name,)) for name in page_files.NAMES),
           TextFile(f"{MONITORING_CONF}/kept.yml", lambda facts, _effective: page_files.kept_rules(facts), at=("prometheus",)),
           TextFile(f"{MONITORING_CONF}/targets.json", lambda facts, _effective: monitoring_files.targets(facts), at=("prometheus",)),
           TextFile(f"{MONITORING_CONF}/alertmanager.yml", lambda facts, _effective: monitoring_files.alertmanager_yml(facts), at=("alertmanager",))),
    spec=(receivers.SPEC,), switch="monitoring", defaults=_defaults, sizes=_sizes, rules=lambda spec, _configs: receivers.check_receivers(spec),
    secrets=_secrets, secret_folder=(MONITORING_SECRETS, ALERT_MANAGER.name),
    alerts=(*alerts_monitoring.alerts(NODE_EXPORTER, ALERT_MANAGER), *alerts_hosts.HOSTS, *alerts_hosts.DISKS, *alerts_monitoring.JOBS),
    directories=((FIGURES, "root", "0755"), (MONITORING_CONF, "root", "0755"), (PAGE, "root", "0755")), panels=panels_hosts.PANELS)
