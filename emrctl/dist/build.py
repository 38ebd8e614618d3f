"""Building distributions: lock file -> verified inputs -> tarball whose SHA-512 the release catalogue knows."""
from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.releases import Artifact, release

from . import connectors, hadoop, metastore, spark
from .fetch import fetch
from .lock import Locked, format_lock, parse_lock, sha512_of
from .pack import write_tarball
from .paths import LOCKS, dist_dir

MAKERS = {"hadoop": hadoop, "spark": spark, "connectors": connectors, "metastore": metastore}


def lock_file(artifact: Artifact) -> Path:
    """The committed lock file of this distribution."""
    return LOCKS / f"{artifact.component}-{artifact.version}.lock"


def read_lock(artifact: Artifact) -> list[Locked]:
    """Inputs of this distribution. Raises Refused when there is no lock file or it is malformed."""
    path = lock_file(artifact)
    if not path.exists():
        raise Refused(f"there is no lock file {path}", f"emrctl dist lock {artifact.component} {artifact.version}")
    return parse_lock(path.read_text(), str(path))


def write_lock(component: str, version: str, say) -> Path:
    """Resolve the newest state of the inputs and write the lock file. Returns its path."""
    inputs = MAKERS[component].resolve(version, say)
    path = LOCKS / f"{component}-{version}.lock"
    path.write_text(format_lock(f"{component}-{version}.tar.gz", inputs))
    return path


def built(artifact: Artifact) -> bool:
    """Whether the finished tarball is there and unchanged since its SHA-512 was taken (size and time only: instant)."""
    path = dist_dir() / artifact.file
    try:
        known, stat = json.loads(_stamp(path).read_text()), path.stat()
    except (OSError, ValueError):
        return False
    return known == {"sha512": artifact.sha512, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _stamp(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def build(artifact: Artifact, say, force: bool = False, accept: bool = False) -> tuple[Path, bool]:
    """Make the tarball unless it is there. Returns its path and whether it was made now.

    ``say`` takes lines of progress. ``accept`` keeps a result that the release catalogue does not know (after a change
    of the lock or of our own files, to learn the new SHA-512). Raises Refused when the result differs, EmrError when a
    download fails.
    """
    target = dist_dir() / artifact.file
    if not force and built(artifact):
        return target, False
    inputs = read_lock(artifact)
    files = fetch(inputs, say)
    say(f"assembling {artifact.file}")
    top = artifact.file.removesuffix(".tar.gz")
    if artifact.component != "spark":
        digest = write_tarball(target, top, MAKERS[artifact.component].entries(artifact.version, inputs, files))
    else:
        with tempfile.TemporaryDirectory(prefix="emr-dist-", dir=_scratch()) as folder:
            spark.unpack(files[inputs[0].coordinates], Path(folder))
            digest = write_tarball(target, top, spark.entries(artifact.version, Path(folder)))
    if digest != artifact.sha512 and not accept:
        target.rename(target.with_name(target.name + ".rejected"))
        raise Refused(f"{artifact.file} came out with SHA-512 {digest[:16]}…, the release catalogue says "
                      f"{artifact.sha512[:16] or 'nothing'}…",
                      "Its parts changed: take the new SHA-512 into releases.py if that is intended (--accept shows it)")
    _write_stamp(target, digest)
    return target, True


def _scratch() -> Path:
    """A folder on the cache's file system: /tmp may be small memory."""
    path = dist_dir().parent / "tmp"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _write_stamp(path: Path, digest: str) -> None:
    stat = path.stat()
    _stamp(path).write_text(json.dumps({"sha512": digest, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}))


def verify(artifact: Artifact) -> str:
    """Hash the tarball. Returns ``ok``, ``missing`` or ``differs``; refreshes the stamp when it is right."""
    path = dist_dir() / artifact.file
    if not path.exists():
        return "missing"
    digest = sha512_of(path)
    if digest != artifact.sha512:
        return "differs"
    _write_stamp(path, digest)
    return "ok"


def artifacts(name: str, components=()) -> list[Artifact]:
    """The artifacts of a release, optionally of some components only. Raises Refused for unknown names."""
    row = release(name)
    unknown = [c for c in components if c not in row.artifacts]
    if unknown:
        raise Refused(f"{row.name} has no {unknown[0]}", f"Choose from {', '.join(row.artifacts)}")
    return [a for c, a in row.artifacts.items() if not components or c in components]


