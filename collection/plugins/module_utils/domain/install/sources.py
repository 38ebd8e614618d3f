"""Where each artifact of a cluster may come from, in order. Nobody is asked here.

Nodes are given the addresses and try them in this order; ``cloud/install/sources.py`` asks them before anything is bought. The last
source has no address: it is the cache of the machine that runs the operation, from which the first node is given the file.
"""
from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace

from ...services.registry import components_for, expand_services, homes
from ..errors import Refused
from .releases import Artifact, release

# The kinds of sources in order, in the words of plans and messages.
ARTIFACTS, MIRRORS, ENVIRONMENT, RELEASE, CLUSTER, CACHE = (
    "artifacts", "mirrors", "EMR_MIRRORS", "release", "cluster", "this machine")
VARIABLE = "EMR_MIRRORS"
SCHEMES = ("http://", "https://", "oss://")


@dataclass(frozen=True)
class Source:
    """One place that may have a file: ``kind`` is one of the words above, ``address`` its URL (http, https or oss)."""

    kind: str
    address: str


def needed(services, role: str | None = None) -> tuple:
    """Components whose artifact nodes of this role (without one: the whole cluster) have to have, in order."""
    services = expand_services(services)
    names: list = []
    for home in homes(services):
        if home.bundle or (home.clients and role in (None, *home.clients)):
            names += [home.software, *home.more_software]
    return tuple(names + sorted({c.software for c in components_for(services, role) if c.software} - set(names)))


def artifacts(spec, role: str | None = None) -> tuple:
    """The artifacts themselves, as the spec or else its release has them."""
    row = release(spec.release)
    asked = [more for home in homes(spec.expanded_services) for more in home.also(spec, role)]
    names = [name for name in (*needed(spec.expanded_services, role), *asked) if name in row.artifacts]
    # Who brings a Spark of their own and no mirror brings its connectors along, or does without.
    without = {more for home in homes(spec.expanded_services) if home.software in spec.artifacts and not spec.mirrors
               for more in home.more_software if more not in spec.artifacts}
    names = [name for name in names if name not in without]
    return tuple(_own(row.artifacts[name], spec.artifacts.get(name)) for name in names)


def _own(artifact: Artifact, own: dict | None) -> Artifact:
    """The artifact, or the spec's file in its place."""
    if not own:
        return artifact
    urls = tuple(str(url) for url in own["urls"])
    return replace(artifact, file=posixpath.basename(urls[0]), sha512=str(own["sha512"]), urls=urls)


def sources(spec, artifact: Artifact, mirrors: str = "") -> tuple:
    """All sources with an address of one of these artifacts, in the order in which they are tried.

    ``mirrors``: what EMR_MIRRORS holds on this machine; the spec's own mirrors come first.
    """
    if artifact.component in spec.artifacts:
        return tuple(Source(ARTIFACTS, url) for url in artifact.urls)
    rows = [Source(MIRRORS, f"{base.rstrip('/')}/{artifact.file}") for base in spec.mirrors]
    rows += [Source(ENVIRONMENT, f"{base}/{artifact.file}") for base in environment_mirrors(mirrors)
             if base not in [m.rstrip("/") for m in spec.mirrors]]
    return tuple(rows + [Source(RELEASE, url) for url in artifact.urls])


def environment_mirrors(text: str) -> tuple:
    """The base addresses in EMR_MIRRORS, with commas between them. Raises Refused for what is not an address."""
    found = tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
    for mirror in found:
        if not mirror.startswith(SCHEMES) or "@" in mirror:
            raise Refused(f"the variable {VARIABLE} holds something else than http://, https:// or oss:// addresses without "
                          "credentials", f"Correct or unset {VARIABLE}")
    return found
