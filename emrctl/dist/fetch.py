"""Fetching inputs through the registries' ordinary clients: Maven, pip and apt. Nothing unverified is handed on."""
from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused

from .lock import Locked, check
from .paths import downloads_dir

DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
# A short life with little memory: a small heap, one collector thread, no optimising compiler.
MAVEN_JVM = "-Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
MAVEN_KINDS = ("jar", "webapps", "native", "tar")
TIMEOUT = 1800  # seconds for one run of a client


def fetch(inputs: list[Locked], say) -> dict[str, Path]:
    """Coordinates -> verified file for all inputs; downloads those that are missing.

    ``say`` takes a line of progress. Raises Refused for a file that is not the pinned one, EmrError when a client fails.
    """
    root = downloads_dir()
    missing = [item for item in inputs if not (root / item.cached).exists()]
    maven = [item for item in missing if item.kind in MAVEN_KINDS]
    debs = [item for item in missing if item.kind == "deb"]
    if maven:
        say(f"downloading {len(maven)} jars ({sum(i.size for i in maven) >> 20} MiB) with Maven")
        copy_artifacts(pom(exact(item) for item in maven), root / "maven")
    if debs:
        say(f"downloading {len(debs)} packages of Debian ({sum(i.size for i in debs) >> 20} MiB) with apt")
        fetch_debs([item.coordinates for item in debs])
    for item in missing:
        if item.kind in ("sdist", "wheel"):
            say(f"downloading {item.file} ({item.size >> 20} MiB) with pip")
            (fetch_sdist if item.kind == "sdist" else fetch_wheel)(item.coordinates)
    for item in inputs:
        path = root / item.cached
        if not path.exists():
            raise EmrError(f"{item.coordinates} was not delivered as {path}", "Look at the client's configuration")
        check(path, item)
    return {item.coordinates: root / item.cached for item in inputs}


def lacking(inputs: list[Locked]) -> list[str]:
    """Programs that fetching the missing ones of these inputs needs and that this machine has not, with how to get them."""
    missing = [item for item in inputs if not (downloads_dir() / item.cached).exists()]
    found = []
    if any(item.kind in MAVEN_KINDS for item in missing):
        if not shutil.which("mvn"):
            found.append("Maven (mvn): apt-get install maven, or dnf install maven")
        home = os.environ.get("JAVA_HOME")
        if not shutil.which("java") and not (home and os.access(f"{home}/bin/java", os.X_OK)):
            found.append("Java (java): apt-get install default-jdk-headless, or dnf install java-17-openjdk-headless")
    if any(item.kind in ("sdist", "wheel") for item in missing) and not importlib.util.find_spec("pip"):
        found.append(f"pip of {sys.executable}: python -m ensurepip, or install emrctl with pip into a virtual environment")
    if any(item.kind == "deb" for item in missing) and not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        found.append("apt-get and dpkg-deb of Debian 12, for programs that Debian packages: take the tarball from a machine that has them "
                     "(emrctl dist publish), or leave the service out")
    return found


def exact(item: Locked) -> str:
    """The dependency element of exactly this file: what it depends on is pinned by its own lines."""
    group, artifact, version, *classifier = item.coordinates.split(":")
    return dependency(group, artifact, version, classifier[0] if classifier else "", alone=True,
                      kind="tar.gz" if item.kind == "tar" else "")


def dependency(group: str, artifact: str, version: str, classifier: str = "", alone: bool = False, kind: str = "") -> str:
    """A <dependency> element; ``alone`` leaves out everything that the artifact depends on."""
    parts = [("groupId", group), ("artifactId", artifact), ("version", version), ("classifier", classifier), ("type", kind)]
    inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in parts if text)
    if alone:
        inner += "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    return f"<dependency>{inner}</dependency>"


def pom(dependencies) -> str:
    """A project that does nothing but depend on these."""
    return ('<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>emr</groupId><artifactId>distribution</artifactId><version>1</version>"
            f"<packaging>pom</packaging><dependencies>{''.join(dependencies)}</dependencies></project>\n")


def copy_artifacts(project: str, target: Path) -> None:
    """Let Maven put all runtime dependencies of the project below ``target``, in repository layout."""
    if not shutil.which("mvn"):
        raise Refused("Maven is needed to assemble this and is not installed", "apt-get install maven")
    with tempfile.TemporaryDirectory(prefix="emr-dist-") as folder:
        file = Path(folder) / "pom.xml"
        file.write_text(project)
        _run(["mvn", "-q", "-B", "-f", str(file), f"{DEPENDENCY_PLUGIN}:copy-dependencies", "-DincludeScope=runtime",
              "-Dmdep.useRepositoryLayout=true", f"-DoutputDirectory={target}"],
             {"MAVEN_OPTS": f"{MAVEN_JVM} {os.environ.get('MAVEN_OPTS', '')}".strip()})


def fetch_sdist(coordinates: str) -> Path:
    """Download a source package of PyPI (``project:version``) into the downloads folder."""
    project, version = coordinates.split(":")
    target = downloads_dir() / "pypi"
    target.mkdir(parents=True, exist_ok=True)
    # --no-binary for this project alone: pip builds its metadata in an environment of its own, made from wheels.
    _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", project,
          "--disable-pip-version-check", "-d", str(target), f"{project}=={version}"], {})
    return target / f"{project}-{version}.tar.gz"


def fetch_wheel(coordinates: str) -> Path:
    """Download a wheel of PyPI (``project:version:tag``) into the downloads folder, whatever this machine's own Python is."""
    project, version, tag = coordinates.split(":")
    target = downloads_dir() / "pypi"
    target.mkdir(parents=True, exist_ok=True)
    platforms = [word for name in tag.split("-")[-1].split(".") for word in ("--platform", name)]
    _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", *platforms,
          "--disable-pip-version-check", "-d", str(target), f"{project}=={version}"], {})
    return target / Locked("wheel", coordinates, "", 0, "").file


def fetch_debs(coordinates: list[str]) -> None:
    """Download packages of Debian (``package:version``) into the downloads folder. Installs nothing."""
    target = downloads_dir() / "debian"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="emr-dist-") as folder:
        wanted = [name.replace(":", "=", 1) for name in coordinates]
        try:
            _run(["apt-get", "download", "-q", *wanted], {}, folder)
        except EmrError:
            # A machine whose lists of packages are old or not there.
            _run(["apt-get", "update", "-q"], {})
            _run(["apt-get", "download", "-q", *wanted], {}, folder)
        for path in Path(folder).glob("*.deb"):
            shutil.move(path, target / path.name)


def _run(command: list[str], extra: dict, folder: str | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env={**os.environ, **extra}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=TIMEOUT, check=False)
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise EmrError(f"{command[0]} ended with {done.returncode}:\n{tail}", "Is the package registry reachable?")
