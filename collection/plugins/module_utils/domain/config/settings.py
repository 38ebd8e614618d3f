"""The configuration of a node: every value, and where it came from.

Release defaults < computed sizes < the spec's ``queues`` < its ``config`` < the node group's ``config``. The first three come from the
homes of the services (services/), which also say what the cluster decides itself, and the spec therefore may not set.
"""
from __future__ import annotations

from dataclasses import dataclass

from ...services.model import Facts
from ...services.registry import STEMS, components_on, homes
from ..sizing import memory as sizing
from ..sizing.rules import quick_flags
from ..spec.model import as_spec


@dataclass(frozen=True)
class Value:
    """A setting's text and its origin: default, sizing, queues, spec or group."""

    value: str
    origin: str

    def __str__(self) -> str:
        return self.value


def facts_of(spec, topology, node, release=None, draining=()) -> Facts:
    """What the homes may know of a cluster and a node. Raises ValueError when the topology has no master."""
    if not topology.masters:
        raise ValueError(f"cluster {topology.cluster} has no master")
    spec = as_spec(spec)
    return Facts(spec, topology, node, lambda artifact: _version(spec, release, artifact), tuple(draining))


def effective_config(spec, topology, node, release=None) -> dict:
    """{file: {key: Value}} for one node; files in the order of STEMS, keys sorted.

    ``spec``: Spec or its plain data; ``release``: a Release (or its name), needed for the versions of software.
    Raises ValueError when the topology has no master.
    """
    facts = facts_of(spec, topology, node, release)
    spec, there = facts.spec, homes(facts.services)
    layers = [("default", home.defaults(facts)) for home in there]
    layers += [("sizing", {"env": jvm_options(components_on(facts.services, topology, node), node)}), *(("sizing", home.sizes(facts)) for home in there)]
    layers += [("queues", home.queues(facts)) for home in there]
    layers.append(("spec", spec.config))
    if node.group in spec.node_groups:
        layers.append(("group", spec.node_groups[node.group].config))
    result: dict = {stem: {} for stem in STEMS}
    for origin, layer in layers:
        for stem, settings in layer.items():
            for key, text in settings.items():
                result[stem][key] = _merged(stem, key, str(text), origin, result[stem].get(key))
    return {stem: dict(sorted(settings.items())) for stem, settings in result.items()}


def _merged(stem: str, key: str, text: str, origin: str, before) -> Value:
    """A later layer replaces a value; JVM options are appended, since the last of two options counts."""
    if stem == "env" and before is not None and key.endswith("_OPTS"):
        text = f"{before.value} {text}".strip()
    return Value(text, origin)


def _version(spec, release, artifact: str) -> str:
    """Version of an artifact in this release, or an empty text when the release has none."""
    from ..install.releases import RELEASES

    found = RELEASES.get(spec.release if release is None else release) if not hasattr(release, "components") else release
    return found.components.get(artifact, "") if found else ""


# The OSS client reads errors with an XML binding that makes classes at run time, which Java 17 forbids: without this flag a
# busy service's answer ends the command instead of being tried again.
CLIENT_FLAGS = "--add-opens=java.base/java.lang=ALL-UNNAMED"


def jvm_options(components, node) -> dict:
    """{variable: options} of these daemons, which run on this node, and of the command-line clients."""
    options = {}
    quick = quick_flags(node.memory_mib)
    for component in components:
        size = sizing.heap(component.name, node.memory_mib)
        if not component.jvm_opts_env:
            # Spark takes the heap of its drivers from their settings; others are no JVM.
            continue
        # The launcher adds a class-data archive where there is one: naming a missing one costs the JVM its default.
        flags = quick + ("-XX:+ExitOnOutOfMemoryError",) + component.jvm_flags
        if component.heap_env:
            options[component.heap_env] = f"{size}m"
        else:
            flags = (f"-Xmx{size}m",) + flags
        options[component.jvm_opts_env] = " ".join(flags)
    client = 256 if sizing.small(node.memory_mib) else 512
    options["HADOOP_CLIENT_OPTS"] = " ".join((f"-Xmx{client}m",) + quick + (CLIENT_FLAGS,))
    return options
