"""Spark's distribution: PyPI's pyspark source package, rearranged into the layout of Apache's tarball."""
from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from . import fetch
from .lock import Locked, sha512_of
from .pack import Entry

# Source folder in the package -> folder in the distribution.
MOVES = {"deps/bin": "bin", "deps/sbin": "sbin", "deps/jars": "jars", "deps/data": "data", "deps/licenses": "licenses",
         "deps/examples": "examples/src/main/python", "pyspark": "python/pyspark", "lib": "python/lib"}
SINGLE = {"LICENSE": "LICENSE", "NOTICE": "NOTICE", "README.md": "README.md"}
# Of no use on a YARN cluster on Linux: 100 MB less to unpack on each master and to put into HDFS.
LEFT_OUT_JARS = ("kubernetes-", "spark-kubernetes", "osx-", "windows-", "connect-repl/")
LEFT_OUT_BIN = (".cmd", "docker-image-tool.sh", "sparkR", "spark-connect-shell")


def resolve(version: str, say) -> list[Locked]:
    """The one input, as PyPI gives it now. For ``lock`` only."""
    say(f"downloading pyspark {version} with pip")
    path = fetch.fetch_sdist(f"pyspark:{version}")
    return [Locked("sdist", f"pyspark:{version}", sha512_of(path), path.stat().st_size, "-")]


def unpack(sdist: Path, folder: Path) -> None:
    """Extract the package without its top folder. Members that would leave the folder are refused by tarfile."""
    with tarfile.open(sdist) as tar:
        tar.extractall(folder, filter="data")


def entries(version: str, tree: Path) -> list[Entry]:
    """Members of the tarball, from the unpacked source package."""
    top = tree / f"pyspark-{version}"
    made = []
    for source in sorted(p for p in top.rglob("*") if p.is_file()):
        target = destination(source.relative_to(top).as_posix())
        if target:
            runs = target.startswith(("bin/", "sbin/"))
            made.append(Entry(target, source=source, executable=runs))
    made.append(Entry("RELEASE", data=f"Spark {version} from the pyspark {version} package\n".encode()))
    return made


def destination(path: str) -> str:
    """Place of a file of the package in the distribution; empty when it is left out."""
    if path in SINGLE:
        return SINGLE[path]
    for source, target in MOVES.items():
        if path.startswith(source + "/"):
            rest = path[len(source) + 1:]
            if target == "jars" and any(word in rest for word in LEFT_OUT_JARS):
                return ""
            if target == "bin" and rest.endswith(LEFT_OUT_BIN):
                return ""
            # The package installs a Python-side copy of these for `pip install`; the distribution has bin/.
            if target == "python/pyspark" and PurePosixPath(rest).parts[0] == "python":
                return ""
            return f"{target}/{rest}"
    return ""
