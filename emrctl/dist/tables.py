"""Formats of tables for Spark: Apache Iceberg and Delta Lake, each a distribution of its own."""
from __future__ import annotations

import tempfile
from pathlib import Path

from . import fetch
from .lock import Locked, sha512_of
from .pack import Entry

# version of Iceberg, or of Delta Lake -> coordinates. What these depend on beyond them, Spark has. Delta's classes name those of its kernel and of a
# client of Unity Catalog, which is used only where a session says so.
PARTS = {
    "1.12.0": ("org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0",),
    "4.4.0": ("io.delta:delta-spark_4.1_2.13:4.4.0", "io.delta:delta-storage:4.4.0", "io.delta:delta-kernel-api:4.4.0",
              "io.delta:delta-kernel-defaults:4.4.0", "io.delta:delta-kernel-unitycatalog:4.4.0", "io.unitycatalog:unitycatalog-client:0.6.0",
              "io.unitycatalog:unitycatalog-hadoop:0.6.0"),
}


def resolve(version: str, say) -> list[Locked]:
    """The inputs of this version, with the checksums of what Maven delivers now. For ``lock`` only."""
    say(f"resolving {len(PARTS[version])} parts with Maven")
    wanted = [Locked("jar", coordinates, "", 0, "lib") for coordinates in PARTS[version]]
    with tempfile.TemporaryDirectory(prefix="emr-lock-") as folder:
        fetch.copy_artifacts(fetch.pom(fetch.exact(item) for item in wanted), Path(folder))
        found = [(item, Path(folder) / item.cached.removeprefix("maven/")) for item in wanted]
        return [Locked(item.kind, item.coordinates, sha512_of(jar), jar.stat().st_size, item.place) for item, jar in found]


def entries(version: str, inputs: list[Locked], files: dict[str, Path]) -> list[Entry]:
    """Members of the tarball."""
    return [Entry("VERSION", data=f"{version}\n".encode()), *(Entry(f"{item.place}/{item.file}", source=files[item.coordinates]) for item in inputs)]
