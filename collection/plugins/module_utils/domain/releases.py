"""The release catalogue: tested sets of versions, the one place with versions and checksums.

Pure Python: no Ansible import. A node installs an artifact from any of its URLs and accepts it by SHA-512 alone, so a
mirror needs no trust. The primary artifacts are those that ``emrctl dist build`` assembles (``urls`` is empty: they
come from the spec's ``mirrors``); ``alternatives`` are Apache's own tarballs, for a spec's ``artifacts`` key.
"""
from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from .errors import Refused

# Where Apache's tarballs are to be had: current releases, a mirror inside Alibaba Cloud's networks, all old releases.
APACHE_MIRRORS = ("https://mirrors.aliyun.com/apache", "https://downloads.apache.org",
                  "https://archive.apache.org/dist")


@dataclass(frozen=True)
class Artifact:
    """A tarball: ``file`` name, pinned ``sha512``, full ``urls`` beside the spec's mirrors. Its top folder is the file
    name without ``.tar.gz``."""

    component: str
    version: str
    file: str
    sha512: str
    urls: tuple = ()

    @property
    def top(self) -> str:
        """Name of the top folder in the tarball, and of the installation below /opt/emr."""
        return self.file.removesuffix(".tar.gz")

    def locations(self, mirrors=()) -> tuple:
        """URLs to try in order: the file below each mirror, then its own URLs."""
        return tuple(f"{m.rstrip('/')}/{self.file}" for m in mirrors) + tuple(self.urls)


@dataclass(frozen=True)
class Release:
    """A tested set. ``components`` maps component -> version, ``artifacts`` component -> Artifact."""

    name: str
    artifacts: dict
    alternatives: dict = field(default_factory=dict)
    java: str = "17"
    notes: tuple = ()

    @property
    def components(self) -> dict:
        return {name: artifact.version for name, artifact in self.artifacts.items()}

    def version(self, component: str) -> str:
        """Version of a component. Raises KeyError."""
        return self.artifacts[component].version


def _own(component: str, version: str, sha512: str) -> Artifact:
    return Artifact(component, version, f"{component}-{version}.tar.gz", sha512)


def _apache(component: str, version: str, path: str, sha512: str) -> Artifact:
    return Artifact(component, version, path.rsplit("/", 1)[1], sha512,
                    tuple(f"{mirror}/{path}" for mirror in APACHE_MIRRORS))


_ROWS = (
    Release(
        "emr-1.0",
        {"hadoop": _own(
            "hadoop", "3.4.2",
            "8953edc83bfd77c6e7b9827c8bda13b1c2e16613c5afa3608168bf6d594af714"
            "81aa1e8500b81900a942f90796f2739bc2ac60b3f91cd53d77135ed06c174f82"),
         "spark": _own(
            "spark", "4.1.4",
            "a50b35a911c90f6379acffda4a9a3ba183a2e400af9c6ff4859ac429e9d65632"
            "d58f91475f97f956f4d71ca6f9ad2e8d50b20b76025075ba590420aa82e8608e"),
         "connectors": _own(
            "connectors", "1.0",
            "e5f284df0a1ac80b49a8b907ad4be1a1f1d1e70c43033dbd7f412402b3a40bf3"
            "cba2f5324bc3f0f03ff9c949e42d6aebca022232d43708af1dc52f1c6685ed10"),
         "metastore": _own(
            "metastore", "3.1.3",
            "a3d300a907ce2262422d0aa237c6952d075700cef7be777e2a428882cc49785b"
            "7561c027cd616b881852af92b1ac41daf686d7bfe4582d0e8ac18627adb85006")},
        {"hadoop": _apache(
            "hadoop", "3.4.2", "hadoop/common/hadoop-3.4.2/hadoop-3.4.2.tar.gz",
            "79a383e156022d6690da359120b25db8146452265d92a4e890d9ea78c2078a01"
            "b661daf78163ee9b4acef7106b01fd5c8d1a55f7ad284f88b31ab3f402ae3acf")},
        notes=("Hadoop without native libraries: the Java implementations of codecs and checksums are used.",
               "Spark without its YARN shuffle service jar: dynamic allocation uses shuffle tracking.",
               "Spark without the Kubernetes client and the Connect shell.",
               "Spark's Kafka source is that of 4.1.1, the newest of its line that is published with all it needs.",
               "Hive's metastore 3.1, the newest line that Spark's own Hive client talks to; its drivers are MariaDB's and PostgreSQL's.")),
)
RELEASES = {row.name: row for row in _ROWS}
DEFAULT = "emr-1.0"


def release(name: str) -> Release:
    """The release of this name. Raises Refused, with the nearest name, when there is none."""
    if name in RELEASES:
        return RELEASES[name]
    near = difflib.get_close_matches(str(name), RELEASES, 1, 0.5)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise Refused(f"there is no release {name!r}", f"{hint}Releases: {', '.join(RELEASES)}")
