"""The faults for all alerts, in waves of those that do not disturb each other, on a cluster with one master and two slaves of two disks each."""
from __future__ import annotations

from pathlib import Path

from tests.soak.alert_faults import ALERTS, Fault

# Who gets the messages: a server on the control node, which a fault stops.
HOOK = ("systemd-run -q --unit hook python3 -c \"import http.server\nclass H(http.server.BaseHTTPRequestHandler):\n def do_POST(self):\n"
        "  self.rfile.read(int(self.headers['Content-Length'])); self.send_response(200); self.end_headers()\n"
        "http.server.ThreadingHTTPServer(('127.0.0.1',8099),H).serve_forever()\"")
RECEIVER = {"hook": {"type": "webhook", "url": "http://127.0.0.1:8099/"}}
# Settings of the cluster itself without which a fault could not be seen in minutes, or would stop a daemon.
CLUSTER = {"monitoring": {"retention.size": "1GB"},
           "hdfs-site": {"dfs.datanode.failed.volumes.tolerated": "1", "dfs.datanode.disk.check.min.gap": "10s",
                         # The NameNode takes no image of a backup that brings less within 45 minutes.
                         "dfs.namenode.checkpoint.txns": "200",
                         "dfs.namenode.startup.delay.block.deletion.sec": "150"}}
# A flow of more jobs at once than a master of 4 GiB has memory for; it lies beside the spec.
WIDE = {"name": "wide", "jobs": {f"j{number}": {"type": "SHELL", "args": ["sleep 90"]} for number in range(40)}}

# Holds all but 80 MiB of its host's memory, and reads a file that is larger than that over and over, in four processes.
PRESS = """import mmap, os
group = "/sys/fs/cgroup/memory/memory."
used = int(dict(line.split() for line in open(group + "stat"))["total_rss"])
with open("/data/1/pages", "wb") as file:
    for _ in range(400): file.write(os.urandom(1 << 20))
held = bytearray(int(open(group + "limit_in_bytes").read()) - used - (80 << 20))
pages = mmap.mmap(os.open("/data/1/pages", os.O_RDONLY), 0, prot=mmap.PROT_READ)
for _ in range(3):
    if not os.fork(): break
while True:
    for at in range(0, len(pages), 4096): pages[at]
"""

# Rules that this cluster of one master does not have: tests/soak/test_failover.py loses a master with all that is on it.
ELSEWHERE = {"ZooKeeperDown"}

USER, HDFS = "runuser -u emr --", "runuser -u hdfs -- /opt/emr/hadoop/bin/hdfs"
YARN = "/opt/emr/hadoop/bin/yarn"
JAVA = "env JAVA_HOME=$(grep -h JAVA_HOME /etc/emr/units/emr-datanode.env | cut -d= -f2)"
EXAMPLES = "/opt/emr/hadoop/share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar"
PRICES = "/var/lib/emr/cluster/prices.json"
BACK_UP = "runuser -u hdfs -- /opt/emr/libexec/emr-backup"
END_WORK = ("for f in $(ls /var/lib/emr/flows); do /opt/emr/libexec/emr-flow kill $f; done > /dev/null 2>&1; "
            "for j in $(ls /var/lib/emr/jobs); do /opt/emr/libexec/emr-jobs kill $j; done > /dev/null 2>&1; true")


def waves(master: str, first: str, second: str) -> list:
    """Faults of a cluster with these nodes, those of a wave at the same time."""
    return [_daemons(master, first, second), _masters(master), _units(master, first, second), _disks(master, first, second),
            [*_blocks(first), *_jobs(master), *_failures(master, first)], _queue(second), _machine(first, second), _waiting(master, first, second), _slow(master, first),
            [*_deletions(master), Fault("reboot of a slave", second, "systemd-run -q --on-active=1 systemctl reboot", "true", ("NodeRestarted",), 240)],
            _memory(first),
            [Fault("poweroff of a slave", "", f"ssh NAME {second} -- systemd-run -q --on-active=1 systemctl poweroff", f"repair NAME --node {second} --yes",
                   ("NodeDown",), 600)]]


def memory_left() -> float:
    """Percent of the machine's memory that are available: its hosts see no other figure."""
    rows = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return 100 * int(rows["MemAvailable"].split()[0]) / int(rows["MemTotal"].split()[0])


def _hung(unit, alerts, node, what, limit_s=180):
    return Fault(f"kill -STOP of {what}", node, f"systemctl kill -s STOP emr-{unit}", f"systemctl kill -s CONT emr-{unit}", alerts, limit_s)


def _stopped(unit, alerts, node, what):
    return Fault(f"stop of {what}", node, f"systemctl stop emr-{unit}", f"systemctl start emr-{unit}", alerts)


def _served(port, body):
    """A server that answers every GET with a text of Python."""
    program = ("import http.server,time\nclass H(http.server.BaseHTTPRequestHandler):\n def do_GET(self):\n  self.send_response(200); self.end_headers(); "
               f"self.wfile.write({body})\nhttp.server.ThreadingHTTPServer(('',{port}),H).serve_forever()")
    return f"sleep 2; systemd-run -q --unit fake{port} python3 -c \"{program}\""


def _daemons(master, first, second):
    return [
        _hung("datanode", ("DataNodeDown", "DataNodesStale", "DataNodesDead", "HdfsUnderReplicated"), second, "a DataNode", 300),
        _hung("nodemanager", ("NodeManagerDown", "YarnNodesLost"), first, "a NodeManager", 300),
        _hung("historyserver", ("JobHistoryDown",), master, "the job history server"),
        _hung("metastore", ("MetastoreDown",), master, "the metastore"),
        _hung("spark-historyserver", ("SparkHistoryDown",), master, "Spark's history server"),
        # The kernel takes connections for a process that hangs, so a look at a port sees none.
        _stopped("spark-thrift", ("SparkThriftDown",), master, "the Spark Thrift server"),
        _stopped("spark-connect", ("SparkConnectDown",), master, "the Spark Connect server"),
        _stopped("alertmanager", ("AlertmanagerDown",), master, "Alertmanager"),
        _stopped("node-exporter", ("HostFiguresDown",), first, "node_exporter"),
        _stopped("figures.timer", ("NodeFiguresOld",), second, "the timer of a node's own figures"),
        Fault("stop of the timer of backups", first, "systemctl stop emr-backup.timer", f"systemctl start emr-backup.timer; {BACK_UP}", ("BackupTooOld",), 600)]


def _masters(master):
    return [_hung("namenode", ("NameNodeDown",), master, "the NameNode"), _hung("resourcemanager", ("ResourceManagerDown",), master, "the ResourceManager")]


def _units(master, first, second):
    return [
        Fault("dfsadmin -safemode enter, and a backup meanwhile", first, f"{HDFS} dfsadmin -safemode enter; {BACK_UP}; true",
              f"{HDFS} dfsadmin -safemode leave; {BACK_UP}; true", ("HdfsSafeMode", "BackupFailed")),
        Fault("stop of both NodeManagers", second, "systemctl stop emr-nodemanager", "systemctl start emr-nodemanager", ()),
        Fault("stop of both NodeManagers", first, "systemctl stop emr-nodemanager", "systemctl start emr-nodemanager", ("YarnNoNodes",)),
        Fault("two units that fail, and a rule that cannot be computed", second, "systemd-run -q --unit broken1 false; systemd-run -q --unit broken2 false; true",
              "systemctl reset-failed broken1 broken2", ("UnitFailed", "RulesFail")),
        Fault("a daemon that is killed three times", second, "for i in 1 2 3; do systemctl kill -s KILL emr-node-exporter; sleep 11; done", "true",
              ("DaemonRestarts",), 240),
        # Hosts have no control groups of their own below them, so the limit is the host's; the program asks to be the one that ends.
        Fault("a program that wants more memory than its host has", first, "systemd-run -q --wait -p OOMScoreAdjust=1000 python3 -c 'x = bytearray(6 << 30)'; true",
              "true", ("OutOfMemory",), 240),
        Fault("a mount that is read-only", first, "mkdir -p /srv/ro; mount --bind /var/tmp /srv/ro; mount -o remount,bind,ro /srv/ro", "umount /srv/ro",
              ("DiskReadOnly",)),
        Fault("stop of the server that messages go to", master, "systemctl stop hook", HOOK, ("AlertsNotSent",)),
        Fault("a store that is full", master, "fallocate -l 1000M /var/lib/emr/monitoring/prometheus/full", "rm -f /var/lib/emr/monitoring/prometheus/full",
              ("FiguresStoreSmall",))]


def _blocks(first):
    put = f"echo {{word}}{{word}}{{word}} | {HDFS} dfs -D dfs.replication={{copies}} -put -f - /{{word}}"
    damage = ("f=$(grep -rlaF --include='blk_*' {word} /data/*/dfs/data | head -1); printf 0000 | dd of=$f bs=1 seek=2 conv=notrunc status=none; "
              f"{HDFS} dfs -cat /{{word}} > /dev/null 2>&1; true")
    return [
        Fault("one damaged copy of two", first, f"{put.format(word='zebra', copies=2)}; sleep 3; {damage.format(word='zebra')}", f"{HDFS} dfs -rm -f -skipTrash /zebra",
              ("HdfsCorruptBlocks",), 240),
        Fault("a damaged copy that is the only one", first, f"{put.format(word='okapi', copies=1)}; sleep 3; {damage.format(word='okapi')}",
              f"{HDFS} dfs -rm -f -skipTrash /okapi", ("HdfsMissingBlocks",), 240)]


def _disks(master, first, second):
    fill = "for d in 1 2; do fallocate -l $(( $(df --output=avail -B1M /data/$d | tail -1) - 500 ))M /data/$d/full; done"
    empty = "rm -f /data/1/full /data/2/full"
    return [
        Fault("300 new folders", first, f"{HDFS} dfs -mkdir -p $(seq -f /many/%g 300)", f"{BACK_UP}; true", ("NameNodeEditsLong",)),
        Fault("disks of both slaves filled", second, fill, empty, ("DiskFull", "DataNodeFull"), 400),
        Fault("disks of both slaves filled", first, fill, empty, ("HdfsFull", "DiskFullSoon", "HdfsFullSoon", "NodeManagerDisksBad", "YarnNodesUnhealthy"), 400),
        Fault("a clock that is 30 s ahead, and no figures of its own", first,
              "systemctl stop emr-node-exporter; " + _served(9100, "('node_time_seconds %f\\\\n' % (time.time()+30)).encode()"),
              "systemctl stop fake9100; systemctl start emr-node-exporter", ("ClockOff", "NodeFiguresMissing")),
        Fault("a job history server whose /prom is empty", master, "systemctl stop emr-historyserver; " + _served(19888, "b''"),
              "systemctl stop fake19888; systemctl start emr-historyserver", ("DaemonWithoutFigures",))]


def _jobs(master):
    return [
        Fault("a schedule whose job fails", "", "schedule add NAME --at *:0/1 --name bad -t SHELL -- false", "schedule remove NAME bad",
              ("ScheduleFailed", "FlowFailed", "JobFailed"), 300),
        Fault("a schedule", "", "schedule add NAME --at daily --name idle -t SHELL -- true", "schedule remove NAME idle", ()),
        Fault("a timer of a schedule that does not run", master, "systemctl stop emr-schedule-idle.timer", "true", ("ScheduleStopped",), 240),
        Fault("a stream that fails again and again", "", "submit NAME --type SHELL --keep-running -- sh -c false", "jobs list NAME", ()),
        Fault("a stream that fails again and again", master, "true", END_WORK, ("StreamRestarts",), 300)]


def _queue(second):
    pi = f"sh -c '{YARN} jar {EXAMPLES} pi -D yarn.app.mapreduce.am.resource.mb=1536 60 100000'"
    end = f"for a in $({YARN} application -list 2>/dev/null | grep -o 'application_[0-9_]*'); do runuser -u yarn -- {YARN} application -kill $a; done; true"
    return [Fault("four jobs of MapReduce at once", second, f"for i in 1 2 3 4; do systemd-run -q --unit pi$i {USER} {JAVA} {pi}; done",
                  f"systemctl stop pi1 pi2 pi3 pi4; {end}", ("YarnApplicationsWait", "YarnMemoryShort"), 300)]


def _failures(master, first):
    fails = f"{USER} {JAVA} sh -c '{YARN} jar {EXAMPLES} pi -D yarn.app.mapreduce.am.command-opts=-XX:NoSuchOption 1 1 > /dev/null 2>&1'; true"
    dear = (f"cp -p {PRICES} {PRICES}.before; python3 -c \"import json; rows = json.load(open('{PRICES}')); "
            f"json.dump([dict(rows[-1], since=rows[0]['since'] - 3600, hourly=1e9), *rows], open('{PRICES}', 'w'))\"")
    return [Fault("a job of MapReduce whose master does not start", first, fails, "true", ("YarnApplicationsFail", "ContainersFail"), 300),
            Fault("a price that is beyond all budgets", master, dear, f"mv {PRICES}.before {PRICES}", ("BudgetNear", "BudgetSpent"), 240)]


def _machine(first, second):
    # A disk of these hosts has one inode for each megabyte; 95 of 100 are taken.
    inodes = ("import os; s = os.statvfs('/data/2'); os.mkdir('/data/2/many'); "
              "[os.mknod(f'/data/2/many/{i}') for i in range(s.f_ffree - s.f_files // 20)]")
    return [
        Fault("32 programs that only compute", second, "for i in $(seq 32); do systemd-run -q --unit hog$i -p Nice=19 sh -c 'while :; do :; done'; done",
              "systemctl stop 'hog*'", ("CpuPressure",)),
        Fault("programs that leave 80 MiB for pages of a file of 400", first, f"cat > /root/press.py <<'E'\n{PRESS}E\n"
              "systemd-run -q --unit press -p OOMScoreAdjust=1000 python3 /root/press.py", "systemctl stop press; rm -f /data/1/pages", ("MemoryPressure",), 240),
        Fault("no inode left", second, f"python3 -c \"{inodes}\"", "rm -rf /data/2/many", ("DiskOutOfInodes",))]


def _waiting(master, first, second):
    blocks = "/data/2/dfs/data/current/BP-*/current"
    return [
        # Hosts see the machine's disk alone, and their roots are on it; what is written to their own disks waits in its memory.
        Fault("four writers past the page cache", first, "for i in $(seq 4); do systemd-run -q --unit busy$i sh -c "
              "\"while :; do dd if=/dev/zero of=/var/tmp/busy$i bs=4M count=50 oflag=direct status=none; done\"; done",
              "systemctl stop 'busy*'; rm -f /var/tmp/busy*", ("DiskBusy",), 240),
        Fault("more jobs at once than the master has memory for", "", "flow run NAME wide.yml", "flow list NAME", ()),
        Fault("more jobs at once than the master has memory for", master, "true", END_WORK, ("JobsWait",), 240),
        Fault("a disk that a DataNode may not write", second, f"chmod 0 {blocks}/finalized {blocks}/rbw; "
              f"for i in 1 2 3 4; do echo x | {HDFS} dfs -put -f - /spread$i; done; true",
              f"chmod 755 {blocks}/finalized {blocks}/rbw; systemctl restart emr-datanode; {HDFS} dfs -rm -f -skipTrash '/spread*'", ("DataNodeDiskFailed",), 300)]


def _slow(master, first):
    what = "a NameNode that hangs for 2 s again and again, while 64 threads write to it"
    loop = "p=$(systemctl show -p MainPID --value emr-namenode); while :; do kill -STOP $p; sleep 1.95; kill -CONT $p; sleep 0.05; done"
    write = (f"mkdir -p /tmp/tiny; cd /tmp/tiny; for i in $(seq 2000); do echo x > $i; done; "
             f"while :; do {HDFS} dfs -put -f -t 64 /tmp/tiny /slow; done")
    return [Fault(what, first, f"systemd-run -q --unit writes sh -c '{write}'", f"systemctl stop writes; {HDFS} dfs -rm -r -f -skipTrash /slow; true", ()),
            Fault(what, master, f"systemd-run -q --unit drag sh -c '{loop}'", "systemctl stop drag; systemctl kill -s CONT emr-namenode", ("NameNodeSlow",), 300)]


def _deletions(master):
    return [Fault("a file deleted while a NameNode that has just started holds deletions back", master,
                  f"systemctl restart emr-namenode; {HDFS} dfsadmin -safemode wait; echo x | {HDFS} dfs -put -f - /gone; {HDFS} dfs -rm -skipTrash /gone", "true",
                  ("HdfsDeletionsPending",), 300)]


def _memory(first):
    # Hosts see the memory of their machine. To fill it would end programs of other tests, so the threshold comes to where the machine is.
    told = "a program that takes 2 GiB, and a threshold just below what is free"
    return [Fault(told, "", f"configure NAME alerts MemoryLow.at={memory_left() - 4:.0f} --yes", f"configure NAME alerts MemoryLow.at={ALERTS['MemoryLow'].at} --yes", ()),
            Fault(told, first, "systemd-run -q --unit large python3 -c 'import time; x = bytearray(2 << 30); time.sleep(3600)'", "systemctl stop large",
                  ("MemoryLow",), 240)]
