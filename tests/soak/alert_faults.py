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

ALERTS = {alert.name: alert for home in HOMES.values() for alert in home.alerts}
# Thresholds that a test can reach on hosts that share a machine's disk and memory; all others are the rules' own.
REACHED = {"JobFailed.at": "1", "FlowFailed.at": "1", "NodeRestarted.at": "1", "OutOfMemory.at": "1", "JobsWait.at": "15", "NameNodeEditsLong.at": "200",
           "YarnApplicationsFail.at": "0", "ContainersFail.at": "0", "HdfsDeletionsPending.at": "0", "NodeFiguresOld.at": "90", "BackupTooOld.at": "0.5",
           "MemoryPressure.at": "1", "StreamRestarts.at": "1", "DiskOutOfInodes.at": "{inodes}",
           # It cannot be computed while two units of one node have failed.
           "Broken.expr": "emr_unit_failed * on (node) emr_unit_failed > 1"}
# What the hosts of a test have from their machine, whatever runs there.
OF_THE_MACHINE = ("CpuPressure", "DiskBusy", "MemoryPressure", "MemoryLow", "DiskFullSoon", "BackupTooOld")
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
        if expr != alert.expr:
            found[f"{alert.name}.expr"] = expr
    return {**found, **{key: value for key, value in REACHED.items() if "{" not in value}}


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
            there = there | {node} if on else there - {node}
            if when >= moment and bool(there) == fires and found is None:
                found = when
            elif when >= moment and bool(there) != fires and not fires:
                found = None
        if found is None and bool(there) == fires and not any(row[1] == alert and row[0] >= moment for row in self.rows):
            return moment
        return found


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


def waves(master: str, first: str, second: str) -> list:
    """Faults of a cluster with one master and two slaves, those of a wave at the same time."""
    def signalled(unit, alerts, node, what, limit_s=180):
        return Fault(f"kill -STOP of {what}", node, f"systemctl kill -s STOP emr-{unit}", f"systemctl kill -s CONT emr-{unit}", alerts, limit_s)

    def served(port, body):
        program = ("import http.server,time\nclass H(http.server.BaseHTTPRequestHandler):\n def do_GET(self):\n  self.send_response(200); self.end_headers(); "
                   f"self.wfile.write({body})\nhttp.server.ThreadingHTTPServer(('',{port}),H).serve_forever()")
        return f"sleep 2; systemd-run -q --unit fake{port} python3 -c \"{program}\""

    user = "runuser -u emr --"
    hdfs = "runuser -u hdfs -- /opt/emr/hadoop/bin/hdfs"
    damage = ("f=$(grep -rlaF --include='blk_*' {word} /data/1/dfs/data | head -1); printf 0000 | dd of=$f bs=1 seek=2 conv=notrunc status=none; "
              f"{hdfs} dfs -cat /{{word}} > /dev/null 2>&1; true")
    put = f"echo {{word}}{{word}}{{word}} | {hdfs} dfs -D dfs.replication={{copies}} -put -f - /{{word}}"
    jar = "/opt/emr/hadoop/share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar"
    java = "env JAVA_HOME=$(grep -h JAVA_HOME /etc/emr/units/emr-datanode.env | cut -d= -f2)"
    streaming = "/opt/emr/hadoop/share/hadoop/tools/lib/hadoop-streaming-*.jar"
    prices = "/var/lib/emr/cluster/prices.json"
    dear = (f"cp -p {prices} {prices}.before; python3 -c \"import json; rows = json.load(open('{prices}')); "
            f"json.dump([dict(rows[-1], since=rows[0]['since'] - 3600, hourly=1e9), *rows], open('{prices}', 'w'))\"")
    return [
        [signalled("datanode", ("DataNodeDown", "DataNodesStale", "DataNodesDead", "HdfsUnderReplicated"), second, "a DataNode", 300),
         signalled("nodemanager", ("NodeManagerDown",), first, "a NodeManager"),
         signalled("historyserver", ("JobHistoryDown",), master, "the job history server"),
         signalled("metastore", ("MetastoreDown",), master, "the metastore"),
         signalled("spark-historyserver", ("SparkHistoryDown",), master, "Spark's history server"),
         Fault("stop of Alertmanager", master, "systemctl stop emr-alertmanager", "systemctl start emr-alertmanager", ("AlertmanagerDown",)),
         Fault("stop of node_exporter", first, "systemctl stop emr-node-exporter", "systemctl start emr-node-exporter", ("HostFiguresDown",)),
         Fault("stop of the timer of a node's own figures", second, "systemctl stop emr-figures.timer", "systemctl start emr-figures.timer", ("NodeFiguresOld",))],
        [signalled("namenode", ("NameNodeDown",), master, "the NameNode"), signalled("resourcemanager", ("ResourceManagerDown",), master, "the ResourceManager")],
        [Fault("dfsadmin -safemode enter, and a backup meanwhile", first, f"{hdfs} dfsadmin -safemode enter; runuser -u hdfs -- /opt/emr/libexec/emr-backup; true",
               f"{hdfs} dfsadmin -safemode leave; runuser -u hdfs -- /opt/emr/libexec/emr-backup; true", ("HdfsSafeMode", "BackupFailed")),
         Fault("stop of both NodeManagers", second, "systemctl stop emr-nodemanager", "systemctl start emr-nodemanager", ()),
         Fault("stop of both NodeManagers", first, "systemctl stop emr-nodemanager", "systemctl start emr-nodemanager", ("YarnNoNodes",)),
         Fault("two units that fail, and a rule that cannot be computed", second, "systemd-run -q --unit broken1 false; systemd-run -q --unit broken2 false; true",
               "systemctl reset-failed broken1 broken2", ("UnitFailed", "RulesFail")),
         Fault("a daemon that is killed three times", second, "for i in 1 2 3; do systemctl kill -s KILL emr-node-exporter; sleep 11; done", "true", ("DaemonRestarts",), 240),
         Fault("a program beyond its memory", first, "systemd-run -q --wait -p MemoryMax=40M -p MemorySwapMax=0 python3 -c 'x = bytearray(200 << 20)'; true", "true", ("OutOfMemory",), 240),
         Fault("a mount that is read-only", first, "mkdir -p /srv/ro; mount --bind /var/tmp /srv/ro; mount -o remount,bind,ro /srv/ro", "umount /srv/ro", ("DiskReadOnly",)),
         Fault("a store that is full", master, "fallocate -l 1000M /var/lib/emr/monitoring/prometheus/full", "rm -f /var/lib/emr/monitoring/prometheus/full",
               ("FiguresStoreSmall",))],
        [Fault("one damaged copy of two", first, f"{put.format(word='zebra', copies=2)}; sleep 3; {damage.format(word='zebra')}", f"{hdfs} dfs -rm -f -skipTrash /zebra", ("HdfsCorruptBlocks",), 240),
         Fault("a damaged copy that is the only one", first, f"{put.format(word='okapi', copies=1)}; sleep 3; {damage.format(word='okapi')}", f"{hdfs} dfs -rm -f -skipTrash /okapi",
               ("HdfsMissingBlocks",), 240),
         Fault("300 new folders", first, f"{hdfs} dfs -mkdir -p $(seq -f /many/%g 300)", "runuser -u hdfs -- /opt/emr/libexec/emr-backup; true", ("NameNodeEditsLong",)),
         Fault("disks of both slaves filled", second, "fallocate -l $(( $(df --output=avail -B1 /data/1 | tail -1) * 94 / 100 )) /data/1/full", "rm -f /data/1/full", ("DiskFull", "DataNodeFull"), 400),
         Fault("disks of both slaves filled", first, "fallocate -l $(( $(df --output=avail -B1 /data/1 | tail -1) * 94 / 100 )) /data/1/full", "rm -f /data/1/full",
               ("HdfsFull", "DiskFullSoon", "HdfsFullSoon", "NodeManagerDisksBad", "YarnNodesUnhealthy"), 400),
         Fault("a clock that is 30 s ahead, and no figures of its own", first, "systemctl stop emr-node-exporter; " + served(9100, "('node_time_seconds %f\\\\n' % (time.time()+30)).encode()"),
               "systemctl stop fake9100; systemctl start emr-node-exporter", ("ClockOff", "NodeFiguresMissing")),
         Fault("a job history server whose /prom is empty", master, "systemctl stop emr-historyserver; " + served(19888, "b''"),
               "systemctl stop fake19888; systemctl start emr-historyserver", ("DaemonWithoutFigures",))],
        [Fault("a schedule whose job fails", "", "schedule add NAME --at *:0/1 --name bad -t SHELL -- false", "schedule remove NAME bad",
               ("ScheduleFailed", "FlowFailed", "JobFailed"), 300),
         Fault("a schedule", "", "schedule add NAME --at daily --name idle -t SHELL -- true", "schedule remove NAME idle", ()),
         Fault("a timer of a schedule that does not run", master, "systemctl stop emr-schedule-idle.timer", "true", ("ScheduleStopped",), 240),
         Fault("a stream that fails again and again", "", "submit NAME --type SHELL --keep-running -- sh -c false", "jobs list NAME", ()),
         Fault("a stream that fails again and again", master, "true", "for j in $(ls /var/lib/emr/jobs); do /opt/emr/libexec/emr-jobs kill $j; done > /dev/null 2>&1; true",
               ("StreamRestarts",), 300)],
        [Fault("four jobs of MapReduce at once", second, f"for i in 1 2 3 4; do systemd-run -q --unit pi$i {user} env JAVA_HOME=$(grep -h JAVA_HOME /etc/emr/units/emr-datanode.env | cut -d= -f2) "
               f"sh -c '/opt/emr/hadoop/bin/yarn jar {jar} pi 60 100000'; done", "systemctl stop pi1 pi2 pi3 pi4; for a in $(/opt/emr/hadoop/bin/yarn application -list 2>/dev/null | "
               "grep -o 'application_[0-9_]*'); do runuser -u yarn -- /opt/emr/hadoop/bin/yarn application -kill $a; done; true", ("YarnApplicationsWait", "YarnMemoryShort"), 300),
         ],
        [Fault("a job of MapReduce whose mapper fails", first, f"{user} sh -c 'date | {hdfs.rpartition(' ')[2]} dfs -put -f - /user/emr/one'; {user} {java} "
               f"sh -c '/opt/emr/hadoop/bin/yarn jar {streaming} -D mapreduce.map.maxattempts=2 -input /user/emr/one -output /user/emr/none -mapper false -numReduceTasks 0' "
               "> /dev/null 2>&1; true", "true", ("YarnApplicationsFail", "ContainersFail"), 300),
         Fault("a price that is beyond all budgets", master, dear, f"mv {prices}.before {prices}", ("BudgetNear", "BudgetSpent"), 240)],
        [Fault("reboot of a slave", second, "systemd-run -q --on-active=1 systemctl reboot", "true", ("NodeRestarted",), 240)],
        [Fault("poweroff of a slave", second, "systemd-run -q --on-active=1 systemctl poweroff", "true", ("NodeDown",), 600),
         Fault("what makes it whole again", "", "jobs list NAME", f"repair NAME --node {second} --yes", ())],
    ]
