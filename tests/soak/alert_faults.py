"""Real faults for alerts: what is done to which node, what undoes it, and the alerts that have to come and go with it.

A watcher on the control node writes down each second which alerts fire, so that the seconds are Prometheus' own and no time of ssh.
"""
from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.emr.cluster.plugins.module_utils.services.registry import HOMES

# How long a wave waits until none of its alerts fires.
SILENCE_S = 180
ALERTS = {alert.name: alert for home in HOMES.values() for alert in home.alerts}
# Thresholds that a test can reach on hosts that share a machine's disk and memory; all others are the rules' own.
REACHED = {"JobFailed.at": "1", "FlowFailed.at": "1", "NodeRestarted.at": "1", "OutOfMemory.at": "1", "JobsWait.at": "15", "NameNodeEditsLong.at": "200",
           "YarnApplicationsFail.at": "0", "ContainersFail.at": "0", "HdfsDeletionsPending.at": "0", "NodeFiguresOld.at": "90", "BackupTooOld.at": "1.2",
           "NameNodeSlow.at": "10", "DiskBusy.at": "50", "StreamRestarts.at": "1", "CpuPressure.at": "95",
           # It cannot be computed while two units of one node have failed.
           "Broken.expr": "emr_unit_failed * on (node) emr_unit_failed > 1"}
WATCHER = """import json, time, urllib.request
known = {}
while True:
    try:
        rows = json.load(urllib.request.urlopen("http://127.0.0.1:9090/api/v1/alerts", timeout=5))["data"]["alerts"]
    except OSError:
        rows = None
    if rows is not None:
        found = {(r["labels"]["alertname"], r["labels"].get("node", "")) for r in rows if r["state"] == "firing"}
        for key in found ^ set(known):
            print(json.dumps([round(time.time(), 1), *key, key in found]), flush=True)
            known.pop(key, None) if key not in found else known.update({key: 1})
    time.sleep(1)
"""


def shortened() -> dict:
    """Settings of the file alerts: every wait is 15 s, every window a minute or two."""
    found = {}
    for alert in ALERTS.values():
        if alert.for_s > 15:
            found[f"{alert.name}.for"] = "15s"
        expr = re.sub(r"\[(5|15)m\]", "[1m]", re.sub(r"\[(30m|1h)\]", "[2m]", alert.expr)).replace(" + 900", "")
        expr = expr.replace("[6h]", "[3m]").replace("offset 90m", "offset 4m")
        # The root of all hosts is the machine's disk, which other tests fill and empty.
        expr = expr.replace("node_filesystem_avail_bytes", 'node_filesystem_avail_bytes{mountpoint!="/"}') if "predict_linear" in expr else expr
        if expr != alert.expr:
            found[f"{alert.name}.expr"] = expr
    return {**found, **REACHED}


@dataclass
class Fault:
    """``do`` and ``undo``: shell commands on a node, or words for emrctl here where ``node`` is empty. ``alerts``: what has to fire; ``limit_s`` until all do, and until all are gone."""

    what: str
    node: str
    do: str
    undo: str
    alerts: tuple
    limit_s: int = 180
    moments: dict = field(default_factory=dict)


class Watch:
    """The watcher's lines, read over ssh. ``ssh(node, command)`` gives what a command prints, ``emrctl(words)`` runs emrctl here."""

    def __init__(self, ssh, emrctl, control: str):
        self.ssh, self.emrctl, self.control, self.rows = ssh, emrctl, control, []
        ssh(control, f"cat > /root/watch.py <<'E'\n{WATCHER}E\nsystemctl stop watch 2>/dev/null; systemd-run --unit watch sh -c "
            "'exec python3 -u /root/watch.py > /root/watch.log'")

    def look(self) -> None:
        """Read all lines anew."""
        self.rows = [json.loads(line) for line in self.ssh(self.control, "cat /root/watch.log").splitlines() if line.startswith("[")]

    def after(self, alert: str, moment: float, fires: bool):
        """The first time after a moment that an alert fires anywhere, or is gone everywhere; None when it does not."""
        there, found = set(), None
        for when, name, node, on in self.rows:
            if name != alert:
                continue
            if when >= moment and bool(there) == fires and found is None:
                found = moment
            there = there | {node} if on else there - {node}
            if when >= moment and bool(there) == fires and found is None:
                found = when
            elif when >= moment and bool(there) != fires and not fires:
                found = None
        return moment if found is None and bool(there) == fires else found

    def firing(self) -> set:
        """The alerts that fire now."""
        there: dict = {}
        for _when, name, node, on in self.rows:
            there.setdefault(name, set()).add(node) if on else there.get(name, set()).discard(node)
        return {name for name, nodes in there.items() if nodes}


def run(faults: list, watch: Watch, say) -> list:
    """Do all faults of a wave at once, wait for their alerts, undo them, wait until all are gone. Returns rows of the table."""
    def step(key: str, command: str) -> None:
        def act(fault):
            fault.moments[key] = _acted(watch, fault.node, getattr(fault, command), key == "done")
            say(f"{command}: {fault.what}")

        # What emrctl makes is there before something on a node is done to it.
        ours, theirs = [f for f in faults if not f.node], [f for f in faults if f.node]
        for part in (ours, theirs) if command == "do" else (theirs, ours):
            with ThreadPoolExecutor(max_workers=1 if part is ours else 6) as pool:
                list(pool.map(act, part))

    def wait(key: str, fires: bool) -> dict:
        limit, found = time.time() + max(fault.limit_s for fault in faults), {}
        while True:
            watch.look()
            found = {(fault.what, name): watch.after(name, fault.moments[key], fires) for fault in faults for name in fault.alerts}
            if all(found.values()) or time.time() > limit:
                say(f"{'not fired' if fires else 'not cleared'}: {[name for (_what, name), when in found.items() if not when]}")
                return found
            time.sleep(3)

    # What fires already proves nothing.
    wanted, limit = {name for fault in faults for name in fault.alerts}, time.time() + SILENCE_S
    while watch.look() or watch.firing() & wanted:
        if time.time() > limit:
            say(f"fire before their faults: {sorted(watch.firing() & wanted)}")
            break
        time.sleep(3)
    step("done", "do")
    fired = wait("done", True)
    step("undone", "undo")
    cleared = wait("undone", False)
    return [{"alert": name, "fault": fault.what, "fires_s": _seconds(fired[fault.what, name], fault.moments["done"]),
             "clears_s": _seconds(cleared[fault.what, name], fault.moments["undone"])} for fault in faults for name in fault.alerts]


def _acted(watch: Watch, node: str, command: str, begin: bool) -> float:
    """The moment at which a command began or ended on its node, by the clock that all hosts of a machine share."""
    if not node:
        began = time.time()
        watch.emrctl(command)
        return began if begin else time.time()
    told = watch.ssh(node, f"date +%s.%N; {command}; date +%s.%N")
    moments = [float(line) for line in told.splitlines() if re.fullmatch(r"\d{10}\.\d+", line)]
    return moments[0] if begin else moments[-1]


def _seconds(when, since):
    return None if when is None else round(when - since, 1)


def table(rows: list) -> str:
    """The rows as a table of Markdown."""
    lines = ["| alert | fault | seconds to fire | seconds to clear |", "| --- | --- | ---: | ---: |"]
    return "\n".join([*lines, *(f"| {r['alert']} | {r['fault']} | {_shown(r['fires_s'])} | {_shown(r['clears_s'])} |" for r in rows)])


def _shown(value) -> str:
    return "-" if value is None else f"{value:.0f}"
