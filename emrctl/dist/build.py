"""Building distributions: lock file -> verified inputs -> tarball whose SHA-512 the release catalogue knows."""
from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ansible_collections.emr.cluster.plugins.module_utils.cloud.install import dist_cache
from ansible_collections.emr.cluster.plugins.module_utils.cloud.install.dist_cache import sha512_of
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import Artifact, release

from . import bench, connectors, fetch as fetch_module, hadoop, metastore, monitoring, native, spark, tables
from .fetch import fetch
from .lock import Locked, format_lock, parse_lock
from .pack import write_tarball
from .paths import LOCKS, dist_dir

MAKERS = {"hadoop": hadoop, "spark": spark, "connectors": connectors, "metastore": metastore, "monitoring": monitoring, "bench": bench, "native": native,
          "iceberg": tables, "delta": tables}
# MiB on the disk while it is built.
SPACE = {"hadoop": 250, "spark": 1300, "connectors": 40, "metastore": 400, "monitoring": 200, "bench": 200, "native": 350, "iceberg": 110, "delta": 40}


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
    return dist_cache.stamped(dist_dir() / artifact.file) == artifact.sha512


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
    dist_cache.stamp(target, digest)
    return target, True


def check_machine(wanted: list[Artifact], force: bool = False) -> None:
    """Raises Refused, with all that is missing at once, when this machine cannot build these artifacts."""
    todo = [artifact for artifact in wanted if force or not built(artifact)]
    lacking = fetch_module.lacking([item for artifact in todo for item in read_lock(artifact)])
    # The tarball, its inputs where they are not here yet, and Spark's unpacked once.
    needed = sum(SPACE[artifact.component] for artifact in todo)
    dist_dir().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(dist_dir()).free >> 20
    if needed > free:
        lacking.append(f"{needed - free} MiB of room in {dist_dir()}: set EMR_CACHE to a folder with {needed} MiB")
    if lacking:
        raise Refused("Building " + ", ".join(a.file for a in todo) + " needs:\n" + "\n".join(f"  {line}" for line in lacking),
                      "Install that and run the same command again")


def _scratch() -> Path:
    """A folder on the cache's file system: /tmp may be small memory."""
    path = dist_dir().parent / "tmp"
    path.mkdir(parents=True, exist_ok=True)
    return path


def verify(artifact: Artifact) -> str:
    """Hash the tarball. Returns ``ok``, ``missing`` or ``differs``; refreshes the stamp when it is right."""
    path = dist_dir() / artifact.file
    if not path.exists():
        return "missing"
    digest = sha512_of(path)
    if digest != artifact.sha512:
        return "differs"
    dist_cache.stamp(path, digest)
    return "ok"


def artifacts(name: str, components=()) -> list[Artifact]:
    """The artifacts of a release that every cluster may want, or those of these components. Raises Refused for unknown names."""
    row = release(name)
    unknown = [c for c in components if c not in row.artifacts]
    if unknown:
        raise Refused(f"{row.name} has no {unknown[0]}", f"Choose from {', '.join(row.artifacts)}")
    return [a for c, a in row.artifacts.items() if c in components or not (components or a.on_demand)]


