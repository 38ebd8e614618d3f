"""The variables of the roles: what a play says of a cluster of an inventory, in place of a spec. Pure Python: no Ansible import.

A role is called like its service, with _ for -, in this collection or, for a service of one's own, anywhere. Its variable ``<role>_config`` holds
settings as a spec's ``config`` does; those below are names for single settings.
"""
from __future__ import annotations

from ...services.registry import JOINING, OUTSIDE, SERVICES
from ..errors import Refused
from .settings import Value

# variable -> (file, key)
SETTINGS = {"hdfs_replication": ("hdfs-site", "dfs.replication"), "hdfs_block_size": ("hdfs-site", "dfs.blocksize"),
            "yarn_memory_mib": ("yarn-site", "yarn.nodemanager.resource.memory-mb"),
            "yarn_vcores": ("yarn-site", "yarn.nodemanager.resource.cpu-vcores")}
# variable -> (file, key, form of a path): lists of folders of a host. A spec may not have them, since those of bought nodes follow from
# their disks; hosts that were not bought have disks of which only their inventory knows.
FOLDERS = {"hdfs_data_dirs": ("hdfs-site", "dfs.datanode.data.dir", "file://{}"), "hdfs_name_dirs": ("hdfs-site", "dfs.namenode.name.dir", "file://{}"),
           "yarn_local_dirs": ("yarn-site", "yarn.nodemanager.local-dirs", "{}"), "yarn_log_dirs": ("yarn-site", "yarn.nodemanager.log-dirs", "{}")}


# Names of all of them.
ALL = frozenset({f"{service.replace('-', '_')}_config" for service in SERVICES} | set(SETTINGS) | set(FOLDERS))


def role_of(service: str) -> str:
    """Name of the role of a service, without its collection."""
    return service.replace("-", "_")


def services_of(roles) -> list:
    """The services whose roles are among these, by their full names, and what they need; without those that join by themselves.

    Roles of services from outside the collection are not in it either: what counts is their own name.
    """
    ours = {name.rpartition(".")[2] for name in roles if str(name).startswith("emr.cluster.")}
    own = {str(name).rpartition(".")[2] for name in roles}
    wanted = {service for service in SERVICES if role_of(service) in (own if service in OUTSIDE else ours)}
    return [service for service in SERVICES if service not in JOINING and (service in wanted or any(service in SERVICES[other] for other in wanted))]


def names() -> tuple:
    """All variables that say what a spec says otherwise."""
    return tuple([f"{role_of(service)}_config" for service in SERVICES] + list(SETTINGS))


def merged(config: dict, variable) -> dict:
    """``config`` of a spec with what the roles' variables say on top. ``variable(name)`` gives one, or None."""
    result = {stem: dict(rows) if isinstance(rows, dict) else rows for stem, rows in config.items()}
    for name in names():
        given = variable(name)
        if not given:
            continue
        if name in SETTINGS:
            stem, key = SETTINGS[name]
            given = {stem: {key: given}}
        if not isinstance(given, dict) or not all(isinstance(rows, dict) for rows in given.values()):
            raise Refused(f"{name}: {given!r} is not a map of files to settings", f"Write for example {name}: {{core-site: {{fs.trash.interval: 60}}}}")
        for stem, rows in given.items():
            result[stem] = {**(result.get(stem) or {}), **rows}
    return result


def with_folders(effective: dict, variable) -> dict:
    """The effective configuration of a node with the folders that its inventory names, where the node has the setting at all."""
    for name, (stem, key, form) in FOLDERS.items():
        given = variable(name)
        if not given or key not in effective.get(stem, {}):
            continue
        paths = [given] if isinstance(given, str) else given
        if not isinstance(paths, list) or not all(isinstance(path, str) and path.startswith("/") and "," not in path for path in paths):
            raise Refused(f"{name}: {given!r} is not a list of absolute paths", f"Write for example {name}: [/data/1/x, /data/2/x]")
        effective[stem][key] = Value(",".join(form.format(path) for path in paths), "inventory")
    return effective
