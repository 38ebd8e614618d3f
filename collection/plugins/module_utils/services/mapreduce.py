"""MapReduce: the history server, and the sizes of tasks."""
from __future__ import annotations

from ..domain.config import kinds
from ..domain.paths import HADOOP_CONF, HADOOP_HOME
from ..domain.sizing.rules import quick_flags, shapes_of
from ..domain.text import durations
from . import reasons
from .alerts import down
from .hadoop import OPENS, PROXY_USERS, xml_aliases
from .hdfs import OF_HDFS
from .model import Component, ConfFile, Health, Heap, History, Metrics, Proof, Refresh, Service, first
from .yarn import FILES_OF_YARN, LOG_AGE, NODEMANAGER, OF_NODEMANAGER, OF_RESOURCEMANAGER, job_sizing

NOT_OF_HISTORY = ("mapred-site", (
    r"(?!mapreduce\.(jobhistory|cluster|shuffle|ssl|job\.acl)|yarn\.app\.mapreduce\.am\.staging-dir$)"))
HISTORY_ADMINS = ("mapred-site", r"mapreduce\.jobhistory\.admin\.acl$")

EXAMPLES = f"{HADOOP_HOME}/share/hadoop/mapreduce/hadoop-mapreduce-examples"
HISTORYSERVER = Component(
    "historyserver", first("master"), "mapred", ("mapred", "historyserver"), {"http": 19888, "ipc": 10020, "admin": 10033},
    Heap(0.04, 128, 4096), Health("http", "http", "/ws/v1/history/info"), FILES_OF_YARN | {"mapred-site"}, ("namenode",),
    "MAPRED_HISTORYSERVER_OPTS", OPENS, "MapReduce JobHistoryServer", "http",
    (*OF_HDFS, OF_RESOURCEMANAGER, OF_NODEMANAGER, NOT_OF_HISTORY),
    (Refresh("proxyusers", ("mapred", "hsadmin", "-refreshSuperUserGroupsConfiguration"), (PROXY_USERS,)),
     Refresh("acls", ("mapred", "hsadmin", "-refreshAdminAcls"), (HISTORY_ADMINS,)),
     Refresh("log-age", ("mapred", "hsadmin", "-refreshLogRetentionSettings"), (LOG_AGE,))), metrics=Metrics())


def _defaults(facts) -> dict:
    home = f"HADOOP_MAPRED_HOME={HADOOP_HOME}"
    return {"yarn-site": {"yarn.nodemanager.aux-services": "mapreduce_shuffle",
                          "yarn.log.server.url": f"http://{facts.endpoint(HISTORYSERVER).authority}/jobhistory/logs"},
            "mapred-site": {
                "mapreduce.framework.name": "yarn",
                "mapreduce.application.classpath":
                    "$HADOOP_HOME/share/hadoop/mapreduce/*,$HADOOP_HOME/share/hadoop/mapreduce/lib/*,"
                    # DistCp's containers read and write oss://
                    "$HADOOP_HOME/share/hadoop/tools/lib/*",
                "yarn.app.mapreduce.am.env": home, "mapreduce.map.env": home, "mapreduce.reduce.env": home,
                "mapreduce.jobhistory.address": facts.endpoint(HISTORYSERVER, "ipc").authority, "mapreduce.jobhistory.bind-host": "0.0.0.0",
                "mapreduce.jobhistory.webapp.address": facts.endpoint(HISTORYSERVER).authority,
                "mapreduce.jobhistory.admin.address": facts.endpoint(HISTORYSERVER, "admin").authority,
                "mapreduce.jobhistory.max-age-ms": str(durations.seconds(facts.spec.logs.keep) * 1000),
                # With the default directories the history server closes /tmp/hadoop-yarn for every other user.
                "yarn.app.mapreduce.am.staging-dir": "/user",
                "mapreduce.jobhistory.intermediate-done-dir": "/mr-history/tmp",
                "mapreduce.jobhistory.done-dir": "/mr-history/done",
                "mapreduce.shuffle.port": str(NODEMANAGER.ports["shuffle"]),
                # Reducers that wait for maps would hold memory the maps need.
                "mapreduce.job.reduce.slowstart.completedmaps": "0.8",
                "mapreduce.client.completion.pollinterval": "1000"}}


def _sizes(facts) -> dict:
    shapes = shapes_of(facts.topology)
    if not shapes:
        return {}
    job, flags = job_sizing(shapes), quick_flags(min(shapes)[0])
    return {"mapred-site": {
        "mapreduce.map.memory.mb": job.map_mb, "mapreduce.reduce.memory.mb": job.reduce_mb,
        "yarn.app.mapreduce.am.resource.mb": job.am_mb, "mapreduce.task.io.sort.mb": job.sort_mb,
        "mapreduce.map.java.opts": " ".join((f"-Xmx{job.map_heap}m",) + flags),
        "mapreduce.reduce.java.opts": " ".join((f"-Xmx{job.reduce_heap}m",) + flags),
        "yarn.app.mapreduce.am.command-opts": " ".join((f"-Xmx{job.am_heap}m",) + flags),
        "mapreduce.client.submit.file.replication": max(1, min(10, len(facts.topology.with_role("slave"))))}}


REMEDIES = {
    "skew": "A key, or an input file, is much larger than the others: combine before the shuffle, give the key a random part and sum in a second job, or "
            "write more and smaller files; more reduces (--property mapreduce.job.reduces=N) help against several large keys, not against one.",
    "straggler": "Let a second attempt race it: --property mapreduce.map.speculative=true --property mapreduce.reduce.speculative=true. If "
                 "it is always the same node: emrctl check NAME.",
    "containers": "Free memory was missing, or the application master was slow to start: a smaller --property mapreduce.map.memory.mb, or "
                  "more nodes (emrctl scale NAME).",
    "spill": "Enlarge the buffer for sorting, and the heap with it: --property mapreduce.task.io.sort.mb=N, --property "
             "mapreduce.map.java.opts=-Xmx…m; for reduces "
             "--property mapreduce.reduce.shuffle.input.buffer.percent and --property mapreduce.task.io.sort.factor=N.",
    "garbage": "Give tasks more heap: --property mapreduce.map.memory.mb=N and --property mapreduce.map.java.opts=-Xmx(0.8 N)m, the same for reduce.",
    "failed": "See why: emrctl jobs logs NAME JOB --yarn. Killed for their memory, they need --property mapreduce.map.memory.mb=N or "
              "mapreduce.reduce.memory.mb.",
    "memory": "--property mapreduce.map.memory.mb={wanted} and --property mapreduce.map.java.opts=-Xmx{heap}m, the same for reduce",
}

SERVICE = Service(
    history=History("mapreduce.applications", HISTORYSERVER.name, REMEDIES),
    name="mapreduce", used_by=(("MAPREDUCE",), ("MR", "HADOOP_STREAMING")), needs=("hdfs", "yarn"), components=(HISTORYSERVER,),
    rate=1.0, proof=Proof("computation", "a MapReduce program ran", lambda version: {"jar": f"{EXAMPLES}-{version('hadoop')}.jar"}),
    files=(ConfFile(
        "mapred-site", f"{HADOOP_CONF}/mapred-site.xml", everywhere=True, takes=("core-site",),
        prefixes=("mapreduce.", "mapred.", "yarn.app.mapreduce."), aliases=xml_aliases("mapred-site", "mapreduce", "mapred"),
        types={**dict.fromkeys(("mapreduce.client.submit.file.replication", "mapreduce.job.reduces", "mapreduce.job.maps",
                                "mapreduce.task.io.sort.mb", "mapreduce.task.io.sort.factor",
                                "mapreduce.reduce.shuffle.parallelcopies"), kinds.INT),
               "mapreduce.job.reduce.slowstart.completedmaps": kinds.SHARE},
        type_patterns=tuple((r"^mapreduce\.", kind) for kind in (kinds.MEGABYTES, kinds.ENABLED, kinds.MILLISECONDS)),
        reserved={"mapreduce.jobhistory.http.policy": reasons.SECURE, "mapreduce.framework.name": "jobs run on YARN",
                  "yarn.app.mapreduce.am.staging-dir": reasons.PATHS, "mapreduce.jobhistory.done-dir": reasons.PATHS,
                  "mapreduce.jobhistory.intermediate-done-dir": reasons.PATHS, "mapreduce.shuffle.port": reasons.ADDRESS},
        reserved_patterns=((r"^mapreduce\.jobhistory\.(.*[.-])?(address|bind-host|hostname)$", reasons.ADDRESS),)),),
    defaults=_defaults, sizes=_sizes,
    alerts=(down("JobHistoryDown", HISTORYSERVER, "Jobs of MapReduce run, and their histories and logs cannot be read."),),
    hdfs_paths=(("/mr-history", "mapred", "hadoop", "0755"), ("/mr-history/tmp", "mapred", "hadoop", "1777"),
                ("/mr-history/done", "mapred", "hadoop", "0770")))
