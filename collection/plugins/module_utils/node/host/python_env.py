"""Whether the nodes have the Python that a packed environment was made for.

An environment of conda-pack brings its Python along. One of venv-pack has a link to that of the machine it was made on, and the libraries
of just that version: on nodes with another one a job would end after minutes with "No such file or directory" in its containers.
"""
from __future__ import annotations

import os
import re
import tarfile
import zipfile

_LIBRARY = re.compile(r"(?:^|/)lib/python(\d+\.\d+)/")
_PROGRAM = re.compile(r"(?:^|/)bin/(python[\d.]*)$")
WHERE = ("/usr/bin", "/usr/local/bin")


def trouble(path):
    """A sentence for an environment that cannot run here, or ''; what cannot be read is left to whoever unpacks it."""
    try:
        versions, own, links = _zipped(path) if path.endswith(".zip") else _packed(path)
    except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError):
        return ""
    if own or not versions:
        return ""
    version = max(versions)
    has = [found for found in _here() if found]
    name = os.path.basename(path)
    remedy = f"Next: pack one made with Python {' or '.join(has) or '3'}, or one of conda-pack, which brings its Python along"
    if version not in has:
        return f"{name} is made for Python {version}, which the nodes do not have; they have {', '.join(has) or 'none'}. {remedy}"
    missing = sorted(target for target in links if not os.path.exists(target))
    if missing and len(missing) == len(links):
        return f"{name} starts {missing[0]}, which the nodes do not have. {remedy}"
    return ""


def _here():
    """Versions of Python on this node, which are those of all nodes: they have the same image."""
    found = {match.group(1) for folder in WHERE if os.path.isdir(folder) for match in
             (re.fullmatch(r"python(\d+\.\d+)", name) for name in os.listdir(folder)) if match}
    return sorted(found, key=lambda text: tuple(map(int, text.split("."))))


def _packed(path):
    """(versions of its libraries, whether Python itself is in it, targets outside of the links in bin/)."""
    versions, own, links = set(), False, set()
    with tarfile.open(path, "r|*") as tar:
        for member in tar:
            own |= _note(member.name, versions)
            if _PROGRAM.search(member.name) and member.issym() and member.linkname.startswith("/"):
                links.add(member.linkname)
    return versions, own, links


def _zipped(path):
    versions = set()
    with zipfile.ZipFile(path) as archive:
        own = any(_note(name, versions) for name in archive.namelist())
    return versions, own, set()


def _note(name, versions):
    """Keep the version that a name tells; True when it is part of Python's own library."""
    found = _LIBRARY.search(name)
    if found:
        versions.add(found.group(1))
    return bool(found) and name.endswith(f"lib/python{found.group(1)}/os.py")
