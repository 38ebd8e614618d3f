"""What `emrctl bench` runs with: TPC-H's generator, DuckDB that judges the answers, and Hadoop's test of input and output.

DuckDB comes as its JDBC driver, which Spark's driver loads: it needs no Python of a certain version, as its wheels do.
"""
from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from . import fetch
from .lock import Locked, sha512_of
from .pack import Entry, rezip

# version of this distribution -> its parts: (kind, coordinates, folder)
PARTS = {
    "1.0": (("wheel", "tpchgen-cli:4.0.0:py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64", "bin"),
            ("jar", "org.duckdb:duckdb_jdbc:1.4.4.0", "duckdb"),
            ("jar", "org.apache.hadoop:hadoop-mapreduce-client-jobclient:3.4.2:tests", "dfsio")),
}
# Libraries of other systems in DuckDB's jar: 190 MB.
OTHER_SYSTEMS = ("libduckdb_java.so_osx", "libduckdb_java.so_windows", "libduckdb_java.so_linux_arm64")


def resolve(version: str, say) -> list[Locked]:
    """The inputs of this version, with the checksums of what Maven and PyPI deliver now. For ``lock`` only."""
    say(f"resolving {len(PARTS[version])} parts with Maven and pip")
    jars = [part for part in PARTS[version] if part[0] == "jar"]
    with tempfile.TemporaryDirectory(prefix="emr-lock-") as folder:
        fetch.copy_artifacts(fetch.pom(fetch.exact(Locked(*part[:2], "", 0, part[2])) for part in jars), Path(folder))
        return [_locked(Path(folder), *part) for part in PARTS[version]]


def _locked(root: Path, kind: str, coordinates: str, place: str) -> Locked:
    item = Locked(kind, coordinates, "", 0, place)
    path = fetch.fetch_wheel(coordinates) if kind == "wheel" else root / item.cached.removeprefix("maven/")
    return Locked(kind, coordinates, sha512_of(path), path.stat().st_size, place)


def entries(version: str, inputs: list[Locked], files: dict[str, Path]) -> list[Entry]:
    """Members of the tarball. Its jars have the same names in each version, since jobs name them."""
    made = [Entry("VERSION", data=f"{version}\n".encode())]
    for item in inputs:
        if item.kind == "wheel":
            made += _programs(item, files[item.coordinates])
        else:
            made.append(Entry(f"{item.place}.jar", data=rezip(files[item.coordinates], "", OTHER_SYSTEMS)))
    return made


def _programs(item: Locked, wheel: Path) -> list[Entry]:
    name = item.coordinates.partition(":")[0]
    with zipfile.ZipFile(wheel) as members:
        scripts = [member for member in members.namelist() if ".data/scripts/" in member]
        licence = next(member for member in members.namelist() if member.endswith("/LICENSE"))
        return [Entry(f"licenses/{name}", data=members.read(licence)),
                *(Entry(f"{item.place}/{Path(member).name}", data=members.read(member), executable=True) for member in scripts)]
