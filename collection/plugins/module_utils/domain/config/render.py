"""The configuration files of a node as text: sorted, deterministic."""
from __future__ import annotations

from ...services.registry import FILES, HOMES, components_on
from .. import paths
from ..resident.clients import client_files
from ..resident.files import root_file
from ..topology import record as node_record
from . import texts
from .settings import facts_of


def render_conf(effective, spec, topology, node, draining=(), release=None) -> list:
    """Files of a node: list of {path, content, owner, group, mode}, sorted by path.

    ``draining``: Nodes that are not part of the topology any more, but must stay admitted until they are drained. Draining
    itself is not configuration: the exclude files are empty here, and whoever writes the files keeps what is in them.
    """
    facts = facts_of(spec, topology, node, release, draining)
    rows = [root_file(node_record.PATH, node_record.text(topology, facts.services)), *client_files(),
            root_file(paths.JOURNAL_LIMIT, texts.JOURNAL)]
    here = {c.name for c in components_on(facts.services, topology, node)}
    for home in HOMES.values():
        there = home.bundle or home.name in facts.services
        rows += [root_file(file.path, file.write(effective.get(file.stem, {}))) for file in home.files if _wanted(file, node, here, there)]
        rows += [root_file(file.path, file.make(facts, effective), file.mode) for file in home.texts if _wanted(file, node, here, there)]
    return sorted(rows, key=lambda row: row["path"])


def _wanted(file, node, here, there) -> bool:
    return bool(there or file.everywhere) and bool(here & set(file.at) if file.at else node.role in file.roles)


def rendered_on(node, stem: str) -> bool:
    """Whether nodes of this role have this file of settings, when its service is there."""
    return stem not in FILES or node.role in FILES[stem].roles
