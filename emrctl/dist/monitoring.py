"""Monitoring's distribution: Prometheus, Alertmanager and node_exporter as Debian packages them, for any system.

Debian's builds need the glibc of Debian 12; older systems (Debian 11, Alibaba Cloud Linux 3) have none that is new enough. So the tarball
carries that library and its loader, and the programs are started by it, on every system alike.
"""
from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from pathlib import Path

from .lock import DEB_ARCHITECTURE, Locked, sha512_of
from .pack import Entry

# package -> {name of a program in the tarball: its path in the package}
PROGRAMS = {"prometheus": {"prometheus": "usr/bin/prometheus"},
            "prometheus-alertmanager": {"alertmanager": "usr/bin/prometheus-alertmanager"},
            "prometheus-node-exporter": {"node_exporter": "usr/bin/prometheus-node-exporter"}}
LIBRARY = "libc6"
LOADER, LIBC = "ld-linux-x86-64.so.2", "libc.so.6"
LIBRARY_FOLDER = "lib/x86_64-linux-gnu"
# exec -a: the program's own name in ps and top. Go's own resolver: the other would load libraries of the system into this glibc.
LAUNCHER = """#!/bin/bash
# Starts {name} with the C library of this folder.
home=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
export GODEBUG=netdns=go
exec -a {name} "$home/lib/{loader}" --library-path "$home/lib" "$home/libexec/{name}" "$@"
"""


def resolve(version: str, say) -> list[Locked]:
    """The inputs of this version of Prometheus as apt delivers them now. For ``lock`` only."""
    say("downloading Prometheus, Alertmanager and node_exporter with apt")
    with tempfile.TemporaryDirectory(prefix="emr-lock-") as folder:
        subprocess.run(["apt-get", "download", "-q", *PROGRAMS, LIBRARY], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        found = []
        for path in sorted(Path(folder).glob(f"*_{DEB_ARCHITECTURE}.deb")):
            package, full, _architecture = path.name.split("_")
            found.append(Locked("deb", f"{package}:{full.replace('%3a', ':')}", sha512_of(path), path.stat().st_size, "libexec" if package in PROGRAMS else "lib"))
        return found


def entries(version: str, inputs: list[Locked], files: dict[str, Path]) -> list[Entry]:
    """Members of the tarball."""
    made = [Entry("VERSION", data=f"{version}\n".encode())]
    for item in inputs:
        package = item.coordinates.partition(":")[0]
        members = _members(files[item.coordinates])
        made.append(Entry(f"licenses/{package}", data=members[f"usr/share/doc/{package}/copyright"]))
        if package == LIBRARY:
            made += [Entry(f"{item.place}/{name}", data=members[f"{LIBRARY_FOLDER}/{name}"], executable=True) for name in (LOADER, LIBC)]
            continue
        for name, path in PROGRAMS[package].items():
            made.append(Entry(f"{item.place}/{name}", data=members[path], executable=True))
            made.append(Entry(f"bin/{name}", data=LAUNCHER.format(name=name, loader=LOADER).encode(), executable=True))
    return made


def _members(package: Path) -> dict:
    """{path: content} of the files in a package that can be wanted here."""
    done = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], check=True, stdout=subprocess.PIPE)
    found = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        for member in tar:
            name = member.name.removeprefix("./")
            if member.isfile() and (name.startswith(("usr/bin/", f"{LIBRARY_FOLDER}/")) or name.endswith("/copyright")):
                found[name] = tar.extractfile(member).read()
    return found


__all__ = ["PROGRAMS", "entries", "resolve"]
