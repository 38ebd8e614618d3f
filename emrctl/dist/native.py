"""The native engine for Spark SQL: Apache DataFusion Comet.

Its jar holds a library of 145 MB for each architecture, which every process would unpack to its temporary folder. Here the library of the release's
architecture lies beside the jar: processes load it from there, and those of one node share it in memory.
"""
from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from . import fetch
from .lock import Locked, sha512_of
from .pack import Entry, rezip

# version of this distribution, which is Comet's -> coordinates of the build for this Spark. What it depends on, it holds or Spark has.
PARTS = {"1.2.0": "org.apache.datafusion:comet-spark-spark4.1_2.13:1.2.0"}
LIBRARIES, LIBRARY = "org/apache/comet/linux/", "amd64/libcomet.so"


def resolve(version: str, say) -> list[Locked]:
    """The one input, with the checksum of what Maven delivers now. For ``lock`` only."""
    say("resolving Comet with Maven")
    item = Locked("jar", PARTS[version], "", 0, "lib")
    with tempfile.TemporaryDirectory(prefix="emr-lock-") as folder:
        fetch.copy_artifacts(fetch.pom([fetch.exact(item)]), Path(folder))
        jar = Path(folder) / item.cached.removeprefix("maven/")
        return [Locked(item.kind, item.coordinates, sha512_of(jar), jar.stat().st_size, item.place)]


def entries(version: str, inputs: list[Locked], files: dict[str, Path]) -> list[Entry]:
    """Members of the tarball."""
    (item,) = inputs
    with zipfile.ZipFile(files[item.coordinates]) as members:
        library = members.read(LIBRARIES + LIBRARY)
    return [Entry("VERSION", data=f"{version}\n".encode()), Entry(f"{item.place}/{Path(LIBRARY).name}", data=library),
            Entry(f"{item.place}/{item.file}", data=rezip(files[item.coordinates], "", (LIBRARIES,)))]
