"""systemd units and the files around them, derived from the component catalogue.

A unit copies the digests of the configuration it is about to read to ``/run`` when it starts. A daemon is stale when
that copy differs from the digest that ``configure`` wrote last, or when its marker asks for a restart; the unit itself
removes the marker. So an interrupted run never loses a restart. Settings that a command refreshes have digests of their own.
"""
from __future__ import annotations

import hashlib
import json
import re

from ...services.model import GROUP
from ...services.registry import COMPONENTS, FILES, HOMES, JOB_USER, SOFTWARE, homes
from .. import paths
from ..config import writers
from ..paths import HADOOP_CONF, HADOOP_HOME, STATE
from ..resident.files import root_file

UNIT_DIR = paths.UNITS
DIGEST_DIR = paths.DIGESTS
ENV_DIR = paths.UNIT_ENV
# A file here asks for a restart of the component of this name.
MARK_DIR = paths.RESTART_MARKS
# Stands in files for the JAVA_HOME of the node that they are written on: only there it is known.
JAVA_MARK = "@JAVA_HOME@"
LOG_ROOT = paths.LOG
# Figures computed from the number of nodes: they change with every scale, and do not merit a restart of what runs. The next
# start takes them over. A value that the spec sets is another matter.
COUNTED = frozenset(key for file in FILES.values() for key in file.counted)


def home_of(component) -> str:
    """Folder with the ``bin`` that starts this component."""
    return SOFTWARE[component.software]


def log_dir(component) -> str:
    """Folder of the component's log files."""
    return f"{LOG_ROOT}/{component.service}"


def log_file(component) -> str:
    """The component's own log file."""
    return f"{log_dir(component)}/{component.name}.log"


def started_path(component_name: str) -> str:
    """Where the running unit keeps the digest of the configuration that it read."""
    return f"{paths.RUN}/{component_name}/config-digest"


def refreshed_path(component_name: str) -> str:
    """Where the digests of the settings that the running daemon has, read or refreshed, are kept: lines ``name digest``."""
    return f"{paths.RUN}/{component_name}/refresh-digest"


def environment(component, java_home: str) -> dict:
    """Environment variables of a component's unit."""
    env = {
        "JAVA_HOME": java_home,
        "HADOOP_HOME": HADOOP_HOME,
        "HADOOP_COMMON_HOME": HADOOP_HOME,
        "HADOOP_HDFS_HOME": HADOOP_HOME,
        "HADOOP_YARN_HOME": HADOOP_HOME,
        "HADOOP_MAPRED_HOME": HADOOP_HOME,
        "HADOOP_CONF_DIR": HADOOP_CONF,
        "HADOOP_LOG_DIR": log_dir(component),
        "HADOOP_LOGFILE": f"{component.name}.log",
        "HADOOP_ROOT_LOGGER": "INFO,RFA",
        "HADOOP_PID_DIR": f"{paths.RUN}/{component.name}",
        "LANG": "C.UTF-8",
    }
    return {**env, **{key: value.format(log_dir=log_dir(component)) for key, value in component.env.items()}}


def env_text(component, java_home: str) -> str:
    """Content of the unit's EnvironmentFile."""
    return writers.environment_file(environment(component, java_home))


def unit_text(component, cluster: str, mounts=(), words=()) -> str:
    """Text of a component's unit. ``mounts``: mount points of data disks without which it must not start; ``words``: more of its command."""
    requires = f"RequiresMountsFor={' '.join(sorted(mounts))}\n" if mounts else ""
    kill_mode = "process" if component.survive else "control-group"
    refreshed = ""
    if component.refreshes:
        refreshed = f"ExecStartPre=/bin/cp {DIGEST_DIR}/{component.name}.refresh {refreshed_path(component.name)}\n"
    first = component.command[0]
    command = " ".join((first if first.startswith("/") else f"{home_of(component)}/bin/{first}", *component.command[1:], *words))
    return f"""[Unit]
Description={component.label or component.name} of cluster {cluster}
After=network-online.target
Wants=network-online.target
{requires}
[Service]
User={component.user}
Group={component.group}
EnvironmentFile={ENV_DIR}/{component.unit}.env
RuntimeDirectory=emr/{component.name}
WorkingDirectory={log_dir(component)}
ExecStartPre=+/bin/rm -f {MARK_DIR}/{component.name}
ExecStartPre=/bin/cp {DIGEST_DIR}/{component.name} {started_path(component.name)}
{refreshed}ExecStart={command}
SuccessExitStatus=143
Restart=on-failure
RestartSec=5
KillMode={kill_mode}
TimeoutStopSec=60
LimitNOFILE=65536
LimitNPROC=65536
NoNewPrivileges=yes
UMask=0022

[Install]
WantedBy=multi-user.target
"""


def component_digest(component, effective: dict, unit: str, env: str, versions: dict) -> str:
    """Digest of everything for which a component has to restart.

    ``effective``: {stem: {key: Value or str}}; only the stems that the catalogue says it reads, and its own JVM
    options, count, without keys that it ignores or that a command refreshes. ``versions``: {artifact: sha512} of the
    software that it runs from.
    """
    refreshed = tuple(row for refresh in component.refreshes for row in refresh.keys)
    reads = {stem: {key: str(getattr(value, "value", value)) for key, value in effective.get(stem, {}).items()
                    if not (fits(component.ignores + refreshed, stem, key) or _counted(key, value))}
             for stem in sorted(component.reads)}
    jvm = effective.get("env", {}).get(component.jvm_opts_env, "")
    software = versions.get(component.software, "")
    parts = [reads, str(getattr(jvm, "value", jvm)), unit, env, software]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def fits(rows, stem: str, key: str) -> bool:
    """Whether one of these rows (pairs of a file's stem and a pattern, matched from the beginning) names the key."""
    return any(stem == s and re.match(pattern, key) for s, pattern in rows)


def _counted(key: str, value) -> bool:
    """Whether a value follows from the number of nodes alone; the next start is early enough for it."""
    return key in COUNTED and getattr(value, "origin", "") == "sizing"


def refresh_digests(component, effective: dict) -> dict:
    """{name of a refresh: digest of the settings that its command makes the running daemon read again}."""
    result = {}
    for refresh in component.refreshes:
        found = [(stem, key, str(getattr(value, "value", value))) for stem in sorted(component.reads)
                 for key, value in sorted(effective.get(stem, {}).items()) if fits(refresh.keys, stem, key)]
        result[refresh.name] = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    return result


def node_units(components, effective: dict, cluster: str, java_home: str, versions: dict) -> list:
    """Units of the components of one node: list of {component, unit, text, env, digest, refresh}, in start order."""
    result = []
    for component in components:
        mounts = mounts_of(storage_dirs(component.name, effective))
        text, env = unit_text(component, cluster, mounts, component.words(effective)), env_text(component, java_home)
        result.append({"component": component.name, "unit": component.unit, "text": text, "env": env,
                       "digest": component_digest(component, effective, text, env, versions),
                       "refresh": refresh_digests(component, effective)})
    return result


def unit_files(units) -> list:
    """The files of ``node_units`` as {path, content, owner, group, mode}; digests come last, and that order matters.

    A daemon that starts between the two writes then looks stale and is restarted; the other order would lose it.
    """
    files = []
    for unit in units:
        files.append(root_file(f"{UNIT_DIR}/{unit['unit']}.service", unit["text"]))
        files.append(root_file(f"{ENV_DIR}/{unit['unit']}.env", unit["env"]))
    for unit in units:
        if unit["refresh"]:
            lines = "".join(f"{name} {digest}\n" for name, digest in sorted(unit["refresh"].items()))
            files.append(root_file(f"{DIGEST_DIR}/{unit['component']}.refresh", lines))
        files.append(root_file(f"{DIGEST_DIR}/{unit['component']}", f"{unit['digest']} {JAVA_MARK}\n"))
    return files


def storage_dirs(component: str, effective: dict) -> list:
    """Local directories that this component keeps data in, as plain paths."""
    result = []
    for stem, key in COMPONENTS[component].storage:
        value = effective.get(stem, {}).get(key)
        text = str(getattr(value, "value", value)) if value is not None else ""
        result += [_plain(part) for part in text.split(",") if part.strip()]
    return result


def _plain(text: str) -> str:
    """A directory value without storage type (``[SSD]``) and scheme (``file://``)."""
    text = text.strip()
    if text.startswith("["):
        text = text[text.index("]") + 1:]
    return text.removeprefix("file://")


def mounts_of(paths) -> list:
    """Mount points of data disks (/data/N) among these paths."""
    return sorted({"/".join(path.split("/")[:3]) for path in paths if path.startswith("/data/")})


def base_directories() -> list:
    """Directories that every node has, as {path, owner, group, mode}, parents first. Those of a daemon's logs come with the daemon."""
    rows = [(paths.ROOT, "root", "0755"), (paths.LIB, "root", "0755"), (paths.LIBEXEC, "root", "0755"), (paths.ETC, "root", "0755"),
            (DIGEST_DIR, "root", "0755"), (ENV_DIR, "root", "0755"),
            (LOG_ROOT, "root", "0755"), (paths.CACHE, "root", "0755"), (paths.STATE, "root", "0755"),
            (paths.CLUSTER, "root", "0755"), (paths.JOBS, "root", "0755"), (MARK_DIR, "root", "0755"),
            *(row for home in HOMES.values() for row in home.directories)]
    return _directories(rows)


def _directories(rows) -> list:
    return [{"path": path, "owner": owner, "group": "root" if owner == "root" else GROUP, "mode": mode} for path, owner, mode in rows]


def log_directories(components) -> list:
    """Directories of the logs of these components, as {path, owner, group, mode}; a service's first component owns it."""
    owners = {}
    for component in COMPONENTS.values():
        owners.setdefault(log_dir(component), {"owner": component.user, "group": component.group})
    return [{"path": path, **owners[path], "mode": "0755"} for path in sorted({log_dir(component) for component in components})]


def node_directories(components, effective: dict) -> list:
    """Directories of one node's components, for logs and storage, as {path, owner, group, mode}. Those of logs go with a removed
    service's data, and are made again when it comes back."""
    result = log_directories(components)
    # A service that joins a cluster may be younger than its nodes, which have those of base_directories from their preparation.
    result += _directories(row for home in HOMES.values() if home.name in {c.service for c in components} for row in home.directories)
    for component in components:
        for path in storage_dirs(component.name, effective):
            result.append({"path": path, "owner": component.user, "group": component.group, "mode": component.storage_mode})
    return result


def service_users() -> list:
    """Accounts of all daemons as {name, group, home, shell}.

    The group ``hadoop`` is HDFS's group of superusers, so the user that runs jobs, and every daemon that needs no rights there, has another.
    """
    users = sorted({(component.user, component.group) for component in COMPONENTS.values() if component.user != JOB_USER})
    return [{"name": name, "group": group, "home": STATE, "shell": "/usr/sbin/nologin"} for name, group in users] + [
        {"name": JOB_USER, "group": JOB_USER, "home": f"/home/{JOB_USER}", "shell": "/bin/bash"}]


def hdfs_directories(services) -> list:
    """Directories that HDFS needs before the first job, as {path, owner, group, mode}, parents first."""
    return [{"path": path, "owner": owner, "group": group, "mode": mode}
            for home in homes(services) for path, owner, group, mode in home.hdfs_paths]


def hdfs_archives(services, effective: dict) -> list:
    """Folders that HDFS carries as one zip for all containers, as {source, path, owner}."""
    return [row for home in homes(services) for row in home.archives(effective)]
