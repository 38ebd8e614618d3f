"""The release catalogue: tested sets of versions, the one place with versions and checksums.

A node installs an artifact from any of its sources (``domain/install/sources.py``) and accepts it by
SHA-512 alone, so a mirror needs no trust. The artifacts are those that ``emrctl dist build`` assembles; they have no address of
their own (``urls`` is empty) until somebody publishes them.

Apache's own tarballs are no source by themselves: with other launchers they have another SHA-512, so a cluster that got them
because a mirror was silent today would reinstall and restart tomorrow. Who wants them names them in the spec's ``artifacts``,
where the choice is kept (docs/cloud.md).
"""
from __future__ import annotations

import difflib
from dataclasses import dataclass

from ..errors import Refused


@dataclass(frozen=True)
class Artifact:
    """A tarball: ``file`` name, pinned ``sha512``, full ``urls`` of its own beside all mirrors.

    ``on_demand``: made only when it is named, since few clusters want it.
    """

    component: str
    version: str
    file: str
    sha512: str
    urls: tuple = ()
    on_demand: bool = False

    @property
    def top(self) -> str:
        """Name of the top folder in the tarball, and of the installation below /opt/emr."""
        return f"{self.component}-{self.version}"


@dataclass(frozen=True)
class Release:
    """A tested set. ``components`` maps component -> version, ``artifacts`` component -> Artifact.

    ``architecture``, as DescribeImages names it: jars of the release hold native code (leveldbjni, RocksDB, zstd), which is
    tested on this one alone. ``disks``: the form of what its daemons keep on disks; from one release to another with the same form there is a way
    back with all data. ``offered``: proven on hosts; the others can be built and looked at, and no spec may name them.
    """

    name: str
    artifacts: dict
    java: str = "17"
    architecture: str = "x86_64"
    notes: tuple = ()
    disks: str = "NameNode -67, DataNode -57"
    offered: bool = True

    @property
    def components(self) -> dict:
        return {name: artifact.version for name, artifact in self.artifacts.items()}

    def version(self, component: str) -> str:
        """Version of a component. Raises KeyError."""
        return self.artifacts[component].version


def _own(component: str, version: str, sha512: str, on_demand: bool = False) -> Artifact:
    return Artifact(component, version, f"{component}-{version}.tar.gz", sha512, on_demand=on_demand)


_FIRST = Release(
    "emr-1.0",
    {"hadoop": _own(
        "hadoop", "3.4.2",
        "90dbafe51ec3c564fda763c7f67c27b9cd6a6747ea5f311e9629ef2a6ca7ebc7"
        "ffb2b240530b497f2f21e7021913a4c88deeab2b1565fc6b2f2e7cdf6014ca74"),
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
        "7561c027cd616b881852af92b1ac41daf686d7bfe4582d0e8ac18627adb85006"),
     "monitoring": _own(
        "monitoring", "2.42.0",
        "8f6d5a6a417563e4bff1d26b237acedaf1a11aad9c5f45614250886e89b74467"
        "78d99c98da551cf6829a6cfed8e8e980ea15ec66ed3530a4f0e82e066b3a96a5"),
     "bench": _own(
        "bench", "1.0",
        "901d70aa35ae97e6cbfdb2ab8c9a57d4a5bb4e1a6898990f75cbda92f4f3189c"
        "2dd29b709affd8239c34a088712cdba762e5a3cb6db4ad5f4e87840be89dffd3",
        on_demand=True),
     "native": _own(
        "native", "1.2.0",
        "f28bbcfe7ce84e9726a969a7a923f23d62aa56e85afc6d62d15c5a59ca82b846"
        "7c70853e4c8735c2af78c772e19efb6ae1efb86168aacff5b5cbda335d6d2a5e",
        on_demand=True),
     "iceberg": _own(
        "iceberg", "1.12.0",
        "e9cf241c4cc749a7ed42372e9e4395a5193a82fe6eec21b8b905f9d1898b9785"
        "71cbd6bbf0911ad6cdd7b6c75ec9c8de64c1d00a6d1e4d266a616174ce3ff497",
        on_demand=True),
     "delta": _own(
        "delta", "4.4.0",
        "0fac7e4fc4679644c837c8646de5bd6dc647ac135f4e0b4bc644982cfcccd7bf"
        "246b0a945f25f0864a69391ff899676aa03e306d8f9f51bbb1ff23d781641354",
        on_demand=True)},
    notes=("Hadoop's native library is Apache's build as Trino publishes it: checksums, zlib, zstd, bzip2 and domain sockets; no ISA-L.",
           "Spark without its YARN shuffle service jar: dynamic allocation uses shuffle tracking.",
           "Spark without the Kubernetes client and the Connect shell.",
           "Spark's Kafka source is that of 4.1.1, the newest of its line that is published with all it needs.",
           "Hive's metastore 3.1, the newest line that Spark's own Hive client talks to; its drivers are MariaDB's and PostgreSQL's."))


def _same(*components) -> dict:
    """Artifacts that are those of the first release."""
    return {name: _FIRST.artifacts[name] for name in components}


_ROWS = (
    _FIRST,
    Release(
        "emr-1.1",
        {**_same("metastore", "monitoring", "bench"),
         "hadoop": _own(
            "hadoop", "3.4.3",
            "41edf1020f4427c6c52e41959d7c7d5cfa216528e26c18ec773d15d4dc42194c"
            "33d54d84c666de3d9863f2ed55adcdf675a5db055816c2347309962840ccf4ee"),
         "spark": _own(
            "spark", "4.2.1",
            "d0b7ef7e2c73b0244e851f3c63c8f04011fc189695a42f67ae682af86cb281d6"
            "ae7eedd35f71279f8f8f56a536acad2d7b4c5c9bca31585ea3a084090e68892b"),
         "connectors": _own(
            "connectors", "1.1",
            "52ad1c213462b54f99d16f58e15e77e76df7acccbb5a07e00b9d9e4c5eb6e438"
            "51e9d7ba1b58c6927725d2a1f73ea7816328eb071028284071147cb90c74ac6f")},
        notes=("Hadoop's examples and Hadoop Streaming are those of 3.4.2, the last that are published.",
               "Spark's own client of Hadoop is 3.5.0, which its package comes with.",
               "Spark's Kafka source is that of 4.2.0, the newest of its line that is published with all it needs.",
               "Without the native engine, of which nothing is published that fits this Spark."),
        offered=False),
)
RELEASES = {row.name: row for row in _ROWS}
DEFAULT = "emr-1.0"
OFFERED = tuple(row.name for row in _ROWS if row.offered)


def release(name: str) -> Release:
    """The release of this name. Raises Refused, with the nearest name, when there is none."""
    if name in RELEASES:
        return RELEASES[name]
    near = difflib.get_close_matches(str(name), RELEASES, 1, 0.5)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise Refused(f"there is no release {name!r}", f"{hint}Releases: {', '.join(RELEASES)}")
