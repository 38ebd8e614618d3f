"""Edits of a stored spec: what the verbs scale, configure, service and others change in it."""
from __future__ import annotations

import copy

from ...services.registry import BUNDLES, JOINING, SERVICES, STEMS, expand_services
from ..errors import Refused
from ..install.releases import OFFERED, release
from ..text.names import nearest
from .services import without_services

KEYS = ("groups", "remove_nodes", "config", "group_config", "add_services", "remove_services", "revert_to", "users",
        "queues", "abort", "release", "rollback")


def check_edit(edit) -> dict:
    """The edit as a dictionary of known keys. Raises Refused."""
    if not isinstance(edit, dict):
        raise Refused(f"emr_edit is {type(edit).__name__}, expected a mapping", f"It may hold: {', '.join(KEYS)}")
    for key in edit:
        if key not in KEYS:
            near = nearest(str(key), KEYS)
            raise Refused(f"emr_edit has the unknown key {key!r}", f"Did you mean {near}?" if near else
                          f"It may hold: {', '.join(KEYS)}")
    return {key: value for key, value in edit.items() if value not in (None, {}, [], "", False)}


def apply_edit(data: dict, edit: dict, newest: dict | None = None) -> dict:
    """The spec's data (Spec.to_dict) with this edit. ``newest`` is the meta data of the newest revision: an edit that is
    repeated after an interruption must not count twice. Raises Refused for what does not exist."""
    data = copy.deepcopy(data)
    _groups(data, edit, newest or {})
    for stem, settings in (edit.get("config") or {}).items():
        _settings(data["config"], stem, settings)
    for group, stems in (edit.get("group_config") or {}).items():
        for stem, settings in stems.items():
            _settings(_group(data, group)["config"], stem, settings)
    if edit.get("release"):
        data["release"] = release(str(edit["release"])).name
        if data["release"] not in OFFERED:
            raise Refused(f"the release {data['release']} is not offered yet: no cluster of it has been proven on hosts", f"Offered: {', '.join(OFFERED)}")
    if edit.get("add_services"):
        data = with_services(data, [str(s) for s in edit["add_services"]])
    return _people(data, edit, (newest or {}).get("edit") or {})


def _people(data: dict, edit: dict, last: dict) -> dict:
    """Users, queues and services that go: the business of module people."""
    if not {"users", "queues", "remove_services"} & set(edit):
        return data
    from ..people import accounts as people

    if edit.get("users"):
        data = people.edit_users(data, edit["users"], last.get("users"))
    if edit.get("queues"):
        data = people.edit_queues(data, edit["queues"], last.get("queues"))
    if edit.get("remove_services"):
        data = without_services(data, list(edit["remove_services"]), last.get("remove_services") or ())
    return data


def _group(data: dict, name: str) -> dict:
    """A node group of the data. Raises Refused, with the nearest name, when there is none."""
    groups = data["node_groups"]
    if name not in groups:
        near = nearest(str(name), groups)
        raise Refused(f"there is no node group {name!r}", (f"Did you mean {near}? " if near else "") +
                      f"The cluster has: {', '.join(groups)}")
    return groups[name]


def _groups(data: dict, edit: dict, newest: dict) -> None:
    """Counts of node groups. Naming nodes to be removed lowers their group's count, unless that is named as well."""
    counts = edit.get("groups") or {}
    for name, count in counts.items():
        if isinstance(count, str) and count.isdigit():
            count = int(count)
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise Refused(f"group {name}: {count!r} is not a number of nodes", f"Write for example: {name}=3")
        _group(data, name)["count"] = count
    masters = {name: group["count"] for name, group in data["node_groups"].items() if group["role"] == "master"}
    if sum(masters.values()) > 1 and masters.keys() & counts.keys():
        # Whoever asks for a number of masters says nothing of backups, which several do not have.
        data["backup"]["enabled"] = False
    again = (newest.get("edit") or {}).get("remove_nodes") == edit.get("remove_nodes")
    for node in edit.get("remove_nodes") or []:
        name = group_of(data, str(node))
        if name not in counts and not again:
            group = _group(data, name)
            group["count"] = max(0, group["count"] - 1)


def group_of(data: dict, node: str) -> str:
    """The group in a node's name. Raises Refused when the name is none of this cluster."""
    cluster, (group, _dash, number) = data["name"], node.rpartition("-")
    group = group[len(cluster) + 1:] if group.startswith(f"{cluster}-") else ""
    if group not in data["node_groups"] or not number.isdigit():
        raise Refused(f"{node!r} is not a node of cluster {cluster}", f"emrctl show {cluster} nodes lists them")
    return group


def _settings(config: dict, stem: str, settings) -> None:
    """Set and unset (None) keys of one configuration file."""
    if stem not in STEMS:
        near = nearest(str(stem), STEMS)
        raise Refused(f"there is no configuration file {stem!r}", (f"Did you mean {near}? " if near else "") +
                      f"Files: {', '.join(STEMS)}")
    if not isinstance(settings, dict) or not settings:
        raise Refused(f"nothing to set in {stem}", "Write KEY=VALUE, for example dfs.replication=2")
    found = config.setdefault(stem, {})
    for key, value in settings.items():
        if value is None:
            found.pop(key, None)
        else:
            found[str(key)] = value
    if not found:
        del config[stem]


def with_services(data: dict, added) -> dict:
    """The spec's data with these services besides its own. Raises Refused for an unknown one."""
    known = list(BUNDLES) + [name for name in SERVICES if name not in JOINING]
    for name in added:
        if name not in known:
            near = nearest(str(name), known)
            raise Refused(f"there is no service {name!r}", (f"Did you mean {near}? " if near else "") +
                          f"Services: {', '.join(known)}")
    have = expand_services(data["services"])
    return dict(data, services=list(data["services"]) + [s for s in added if not set(expand_services([s])) <= set(have)])


def describe(edit: dict) -> str:
    """Why a revision came to be, in the words of the command line; at most 200 characters."""
    parts = []
    if edit.get("groups") or edit.get("remove_nodes"):
        words = [f"{name}={count}" for name, count in (edit.get("groups") or {}).items()]
        parts.append(" ".join(["scale", *words, *(f"--remove {n}" for n in edit.get("remove_nodes") or [])]))
    for group, stems in [("", edit.get("config") or {}), *(edit.get("group_config") or {}).items()]:
        for stem, settings in stems.items():
            words = [f"--unset {k}" if v is None else f"{k}={v}" for k, v in settings.items()]
            parts.append(" ".join(["configure", stem, *words, *([f"--group {group}"] if group else [])]))
    parts += [f"service {verb} {name}" for verb in ("add", "remove") for name in edit.get(f"{verb}_services") or []]
    parts += [f"{what} {', '.join(edit[what])}" for what in ("users", "queues") if edit.get(what)]
    parts += [f"revert to {edit['revert_to']}"] if edit.get("revert_to") else []
    parts += [f"upgrade {'--rollback to ' if edit.get('rollback') else ''}{edit['release']}"] if edit.get("release") else []
    parts += ["abort"] if edit.get("abort") else []
    text = "; ".join(parts)
    return text if len(text) <= 200 else text[:197] + "..."
