"""YARN: ResourceManager and NodeManagers, and the sizes of containers."""
from __future__ import annotations

from dataclasses import dataclass

from ..domain.config import kinds, writers
from ..domain.config.folders import data_dirs
from ..domain.paths import HADOOP_CONF, YARN_STATE
from ..domain.people.accounts import scheduler_settings
from ..domain.sizing.rules import clamp, floor, shapes_of, small
from ..domain.text import durations
from . import alerts_yarn, findings_yarn, panels_yarn, reasons, yarn_ha
from .hadoop import FILES, OPENS, PROXY_USERS, xml_aliases
from .hdfs import LISTING, OF_HDFS
from .model import Component, ConfFile, Draining, Figures, Health, Heap, Metrics, Refresh, Service, TextFile, on
from .zookeeper import connect_string

# Keys of another daemon: pairs of a file's stem and a pattern, matched from a key's beginning.
OF_RESOURCEMANAGER = ("yarn-site", (
    r"yarn\.(scheduler\.|admin\.acl$|resourcemanager\."
    r"(nodemanagers|nodes|scheduler|recovery|store|fs|am|max-completed-applications)\b)"))
OF_NODEMANAGER = ("yarn-site", (
    r"yarn\.nodemanager\.(resource|local-dirs|log-dirs|vmem|pmem|disk-health|recovery|delete|localizer|health-checker|"
    r"container-manager|linux-container|address|hostname|bind-host)"))
LOG_AGE = ("yarn-site", r"yarn\.log-aggregation\.retain-")
# Of the settings of MapReduce nearly all are read by the jobs.
OF_JOBS = ("mapred-site", r"(?!mapreduce\.(shuffle|tasktracker|ssl)\.)")
QUEUES = ("capacity-scheduler",
          r"yarn\.scheduler\.capacity\.(?!resource-calculator$|schedule-asynchronously|per-node-heartbeat)")
ADMINS = ("yarn-site", r"yarn\.admin\.acl$")
FILES_OF_YARN = FILES | {"yarn-site"}


def yarn_memory(memory_mib: int) -> int:
    """Memory that a node gives to YARN's containers.

    From 8 GiB up: RAM - clamp(RAM/4, 2 GiB, 8 GiB), which reproduces Amazon EMR's published table (8 -> 6 GiB,
    32 -> 24, 64 -> 56, 256 -> 248). Below: RAM - max(768, RAM/4), measured with DataNode and NodeManager beside it.
    """
    if small(memory_mib):
        return max(0, memory_mib - max(768, memory_mib // 4))
    return memory_mib - clamp(memory_mib // 4, 2048, 8192)


RESOURCEMANAGER = Component(
    "resourcemanager", on("master"), "yarn", ("yarn", "resourcemanager"),
    {"http": 8088, "ipc": 8032, "scheduler": 8030, "tracker": 8031, "admin": 8033}, Heap(0.08, 192, 8192),
    Health("yarn.resourcemanager", "http", "/ws/v1/cluster/metrics"), FILES_OF_YARN | {"capacity-scheduler"},
    jvm_opts_env="YARN_RESOURCEMANAGER_OPTS", jvm_flags=OPENS, label="YARN ResourceManager", web="http",
    ignores=(*OF_HDFS, OF_NODEMANAGER, LOG_AGE),
    refreshes=(Refresh("proxyusers", ("yarn", "rmadmin", "-refreshSuperUserGroupsConfiguration"), (PROXY_USERS,)),
               Refresh("acls", ("yarn", "rmadmin", "-refreshAdminAcls"), (ADMINS,)),
               Refresh("queues", ("yarn", "rmadmin", "-refreshQueues"), (QUEUES,), early=True)),
    storage=(("yarn-site", "yarn.resourcemanager.leveldb-state-store.path"),), lists=("yarn.include", "yarn.exclude"),
    turn="yarn.resourcemanager", native=True, metrics=Metrics(), after=("zookeeper",), becomes="yarn.resourcemanager")
NODEMANAGER = Component(
    "nodemanager", on("slave", "task"), "yarn", ("yarn", "nodemanager"), {"http": 8042, "ipc": 8041, "localizer": 8040, "shuffle": 13562},
    Heap(0.04, 128, 2048), Health("yarn.nodemanager", "http", "/ws/v1/node/info"), FILES_OF_YARN | {"mapred-site"}, ("resourcemanager",),
    "YARN_NODEMANAGER_OPTS", OPENS, "YARN NodeManager", "http", (*OF_HDFS, PROXY_USERS, OF_RESOURCEMANAGER, LOG_AGE, OF_JOBS),
    storage=(("yarn-site", "yarn.nodemanager.local-dirs"), ("yarn-site", "yarn.nodemanager.log-dirs"),
             ("yarn-site", "yarn.nodemanager.recovery.dir")),
    # A NodeManager that restarts finds its containers again, so systemd must not take them down with it.
    survive=True, counts=yarn_memory, work="compute", turn="yarn.nodemanager",
    native=True, metrics=Metrics())


@dataclass(frozen=True)
class JobSizing:
    """Sizes of containers, the same on all nodes since the submitting side chooses them. MiB, heaps too."""

    min_allocation: int
    max_allocation: int
    max_vcores: int
    map_mb: int
    reduce_mb: int
    am_mb: int
    map_heap: int
    reduce_heap: int
    am_heap: int
    sort_mb: int


def child_heap(container: int) -> int:
    """Heap of a task's JVM: 0.8 of its container, and at least 160 MiB less than it in small ones."""
    return min(int(container * 0.8), container - 160)


def job_sizing(shapes) -> JobSizing:
    """Container sizes for nodes of these (memory MiB, vCPUs): those of the smallest fit everywhere.

    Map about RAM_yarn / (2 x vCPU), 1 to 4 GiB (0.5 to 1 GiB on small nodes); reduce twice that, but so that a master and
    a reducer fit on one node; allocations are multiples of the least one.
    """
    shapes = sorted((yarn_memory(memory), max(1, vcpus), memory) for memory, vcpus in shapes)
    yarn, vcpus, memory = shapes[0]
    unit = 256 if small(memory) else 512
    least, most = (512, 1024) if small(memory) else (1024, 4096)
    map_mb = clamp(floor(yarn / (2 * vcpus), unit), least, most)
    map_mb = min(map_mb, max(unit, floor(yarn / 2, unit)))
    reduce_mb = max(map_mb, min(2 * map_mb, floor(yarn - map_mb, unit)))
    map_heap = child_heap(map_mb)
    return JobSizing(unit, shapes[-1][0], max(v for _y, v, _m in shapes), map_mb, reduce_mb, map_mb, map_heap,
                     child_heap(reduce_mb), child_heap(map_mb), clamp(int(map_heap * 0.4), 64, 1024))


def _manager(facts) -> dict:
    """Where the ResourceManager is, or who of several may be, and where it keeps what runs."""
    servers = connect_string(facts.topology)
    if servers:
        return yarn_ha.settings(facts, RESOURCEMANAGER, servers)
    return {"yarn.resourcemanager.hostname": facts.endpoint(RESOURCEMANAGER).host,
            "yarn.resourcemanager.store.class": "org.apache.hadoop.yarn.server.resourcemanager.recovery.FileSystemRMStateStore",
            "yarn.resourcemanager.fs.state-store.uri": f"file://{YARN_STATE}/rmstore"}


def _defaults(facts) -> dict:
    node, root = facts.node, "yarn.scheduler.capacity.root"
    conf = {
        **_manager(facts), "yarn.resourcemanager.bind-host": "0.0.0.0",
        "yarn.resourcemanager.nodes.include-path": f"{HADOOP_CONF}/yarn.include",
        "yarn.resourcemanager.nodes.exclude-path": f"{HADOOP_CONF}/yarn.exclude",
        # Running applications survive a restart of either daemon.
        "yarn.resourcemanager.recovery.enabled": "true",
        # A NodeManager that is gone is noticed after two minutes, not ten.
        "yarn.nm.liveness-monitor.expiry-interval-ms": "120000",
        # Nobody submits programs by HTTP: without authentication that is how clusters are misused.
        "yarn.webapp.enable-rest-app-submissions": "false",
        # So that queues may be kept for some users later without restarting anything; the queues admit everybody until then.
        "yarn.acl.enable": "true",
        # What a queue is sure of is taken back from those who borrowed it.
        "yarn.resourcemanager.scheduler.monitor.enable": "true",
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.log-aggregation-enable": "true" if facts.runs("hdfs") else "false",
    }
    if facts.runs("hdfs"):
        conf.update({"yarn.nodemanager.remote-app-log-dir": "/yarn/logs",
                     "yarn.log-aggregation.retain-seconds": str(durations.seconds(facts.spec.logs.keep))})
    if facts.here(NODEMANAGER):
        conf.update({
            "yarn.nodemanager.hostname": node.name, "yarn.nodemanager.bind-host": "0.0.0.0",
            # Recovery needs a port that stays the same.
            "yarn.nodemanager.address": f"{node.name}:{NODEMANAGER.ports['ipc']}",
            "yarn.nodemanager.recovery.enabled": "true", "yarn.nodemanager.recovery.supervised": "true",
            "yarn.nodemanager.recovery.dir": f"{YARN_STATE}/nm-recovery",
            "yarn.nodemanager.local-dirs": data_dirs(node, "yarn/local", "yarn/local"),
            "yarn.nodemanager.log-dirs": data_dirs(node, "yarn/log", "yarn/log"),
            "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "95",
            "yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb": "1024"})
    return {"yarn-site": conf, "capacity-scheduler": {
        f"{root}.queues": "default", f"{root}.default.capacity": "100", f"{root}.default.maximum-capacity": "100",
        f"{root}.default.state": "RUNNING", f"{root}.default.user-limit-factor": "1",
        # On a small cluster the default of 0.1 admits one job at a time.
        "yarn.scheduler.capacity.maximum-am-resource-percent": "0.5",
        "yarn.scheduler.capacity.maximum-applications": "10000",
        "yarn.scheduler.capacity.node-locality-delay": "40"}}


def _sizes(facts) -> dict:
    shapes = shapes_of(facts.topology)
    if not shapes:
        return {}
    job = job_sizing(shapes)
    conf = {"yarn.scheduler.minimum-allocation-mb": job.min_allocation,
            "yarn.scheduler.maximum-allocation-mb": job.max_allocation,
            "yarn.scheduler.minimum-allocation-vcores": 1,
            "yarn.scheduler.maximum-allocation-vcores": job.max_vcores,
            # Containers are given out on heartbeats: a few nodes can afford four a second.
            "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 250 if len(shapes) <= 20 else 1000}
    if facts.here(NODEMANAGER):
        conf["yarn.nodemanager.resource.memory-mb"] = yarn_memory(facts.node.memory_mib)
        conf["yarn.nodemanager.resource.cpu-vcores"] = max(1, facts.node.vcpus)
    return {"yarn-site": conf}


def _rules(spec, configs):
    """Settings of memory that contradict each other and stop the ResourceManager, and what several of them do not do yet."""
    for group in spec.node_groups.values():
        if group.spot is not None and spec.count(*RESOURCEMANAGER.roles) > 1:
            yield (f"node_groups.{group.name}.spot", "nodes that the cloud takes back are not drained yet where ResourceManagers stand by for each other",
                   "Remove spot, or set the count of the masters to 1.")
    for path, config in configs:
        yarn = config.get("yarn-site", {})
        for unit in ("mb", "vcores"):
            low, high = (yarn.get(f"yarn.scheduler.{end}-allocation-{unit}") for end in ("minimum", "maximum"))
            key = f"{path}.yarn-site.yarn.scheduler.minimum-allocation-{unit}"
            if low is not None and int(low) < 1:
                yield key, f"found {low}, expected at least 1", "Remove the line to have it computed."
            if low is not None and high is not None and int(low) > int(high):
                yield (key, f"{low} is above the maximum allocation of {high}",
                       "Lower it, or remove both lines to have them computed.")


def _offers(_spec, rows) -> dict:
    """Memory and cores for containers. ``rows``: (node, how many such, configuration)."""
    giving = [(number, conf["yarn-site"]) for node, number, conf in rows if node.role in NODEMANAGER.roles]
    return {f"yarn_{name}": sum(number * int(str(site[f"yarn.nodemanager.resource.{key}"])) for number, site in giving)
            for name, key in (("memory_mib", "memory-mb"), ("vcores", "cpu-vcores"))}


def _computing(facts, _effective) -> str:
    # A NodeManager is known by the name that its own resolver gives its address: admit it by either.
    nodes = [n for n in facts.topology.nodes + facts.draining if n.role in NODEMANAGER.roles]
    return writers.node_list({n for node in nodes for n in (node.name, node.address) if n})


def _running(row) -> str:
    if row.get("yarn", "-") in ("-", "decommissioned", "lost", "shutdown", "rebooted", "not there"):
        return ""
    # YARN also waits for applications whose intermediate data lies there.
    return f"{row['containers']} container{'' if row['containers'] == 1 else 's'}" if row["containers"] else "applications that ran there"


# Containers may take their time, up to the limit of the drain.
DRAINING = Draining(said=_running, sums=(("containers", "containers"),), moves=("yarn",), done=lambda row: True,
                    timed=lambda row: row.get("yarn") in ("decommissioning", "running", "unhealthy"),
                    weight=lambda told, name: (False, ((told.get("nodes") or {}).get(name) or {}).get("containers", 0)))
# Without the label user: of the queue itself, not of one user's share.
_ALL = '{user=""}'
FIGURES = (Figures("Queues", "queue", (
    ("share", f"max by (queue) (100 * queue_metrics_allocated_mb{_ALL} / (queue_metrics_allocated_mb{_ALL} + queue_metrics_available_mb{_ALL}))", "percent"),
    ("memory_used_mib", f"max by (queue) (queue_metrics_allocated_mb{_ALL})", ""),
    ("vcores_used", f"max by (queue) (queue_metrics_allocated_v_cores{_ALL})", ""),
    ("containers", f"max by (queue) (queue_metrics_allocated_containers{_ALL})", ""), ("running", f"max by (queue) (queue_metrics_apps_running{_ALL})", ""),
    ("waiting", f"max by (queue) (queue_metrics_apps_pending{_ALL})", ""))),)

SERVICE = Service(
    name="yarn", figures=FIGURES,
    pauses=lambda _spec: ["YARN: running applications go on, without new containers while the ResourceManager restarts; what is submitted then waits."],
    answers="resourcemanager", members="nodemanager", counted="active", draining=DRAINING, used_by=(None, None),
    components=(RESOURCEMANAGER, NODEMANAGER), data=("yarn",),
    files=(
        ConfFile("yarn-site", f"{HADOOP_CONF}/yarn-site.xml", everywhere=True, prefixes=("yarn.",), takes=("core-site",),
                 aliases=xml_aliases("yarn-site", "yarn"), counted=("yarn.resourcemanager.nodemanagers.heartbeat-interval-ms",),
                 types={"yarn.nodemanager.vmem-pmem-ratio": kinds.NUMBER, "yarn.log-aggregation.retain-seconds": kinds.NUMBER,
                        **dict.fromkeys(("yarn.log-aggregation-enable", "yarn.acl.enable", "yarn.nodemanager.vmem-check-enabled",
                                         "yarn.nodemanager.pmem-check-enabled"), kinds.BOOL)},
                 type_patterns=((r"^yarn\.", kinds.MEGABYTES), (r"^yarn\.", kinds.ENABLED), (r"^yarn\.", kinds.MILLISECONDS)),
                 reserved={
                     "yarn.http.policy": reasons.SECURE, "yarn.nodemanager.local-dirs": reasons.DIRS,
                     "yarn.nodemanager.log-dirs": reasons.DIRS, "yarn.nodemanager.recovery.dir": reasons.DIRS,
                     "yarn.resourcemanager.fs.state-store.uri": reasons.DIRS,
                     **dict.fromkeys(("yarn.resourcemanager.store.class", "yarn.resourcemanager.recovery.enabled",
                                      "yarn.nodemanager.recovery.enabled", "yarn.nodemanager.recovery.supervised"), reasons.RECOVERY),
                     "yarn.resourcemanager.nodes.include-path": reasons.LIST, "yarn.resourcemanager.nodes.exclude-path": reasons.LIST,
                     "yarn.resourcemanager.cluster-id": reasons.HA, "yarn.nodemanager.remote-app-log-dir": reasons.PATHS,
                     "yarn.nodemanager.aux-services": "the shuffle of MapReduce needs its own value",
                     "yarn.resourcemanager.scheduler.class": "the queues are those of the capacity scheduler",
                     "yarn.log.server.url": reasons.ADDRESS},
                 reserved_patterns=((r"^(yarn\.resourcemanager\.ha|hadoop\.zk\.address)\b", reasons.HA),
                                    (r"^yarn\.(resourcemanager|nodemanager)\.(.*[.-])?(address|bind-host|hostname)$", reasons.ADDRESS),)),
        ConfFile("capacity-scheduler", f"{HADOOP_CONF}/capacity-scheduler.xml", everywhere=True, takes=("core-site",),
                 prefixes=("yarn.scheduler.capacity.",), aliases=xml_aliases("capacity-scheduler"),
                 types={"yarn.scheduler.capacity.maximum-am-resource-percent": kinds.SHARE})),
    texts=(TextFile(f"{HADOOP_CONF}/yarn.include", _computing, at=LISTING, everywhere=True),
           TextFile(f"{HADOOP_CONF}/yarn.exclude", lambda *_: "", at=LISTING, everywhere=True)),
    defaults=_defaults, sizes=_sizes, queues=lambda facts: {"capacity-scheduler": scheduler_settings(facts.spec)}, rules=_rules, offers=_offers,
    findings=(("yarn", findings_yarn.yarn),), alerts=alerts_yarn.alerts(RESOURCEMANAGER, NODEMANAGER),
    hdfs_paths=(("/yarn", "yarn", "hadoop", "0755"), ("/yarn/logs", "yarn", "hadoop", "1777")),
    directories=((YARN_STATE, "yarn", "0755"),), panels=panels_yarn.PANELS)
