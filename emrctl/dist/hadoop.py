"""Hadoop's distribution: which artifacts, where they go, in which order they are on the class path."""
from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from . import fetch
from .lock import Locked, sha512_of
from .pack import Entry, rezip
from .paths import FILES

GROUP = "org.apache.hadoop"
ROOTS = ("hadoop-common", "hadoop-hdfs", "hadoop-hdfs-client", "hadoop-yarn-server-resourcemanager",
         "hadoop-yarn-server-nodemanager", "hadoop-yarn-server-timelineservice", "hadoop-yarn-client",
         "hadoop-mapreduce-client-app", "hadoop-mapreduce-client-jobclient", "hadoop-mapreduce-client-hs",
         "hadoop-mapreduce-client-shuffle", "hadoop-mapreduce-examples", "hadoop-streaming", "hadoop-distcp",
         "hadoop-aliyun")
# Not published after 3.4.2, whose jars run on what is newer.
LAST = {"hadoop-mapreduce-examples": "3.4.2", "hadoop-streaming": "3.4.2"}
TOOLS = ("hadoop-streaming", "hadoop-distcp", "hadoop-aliyun", "aliyun-", "ini4j", "jdom2", "opentracing-")
# Needed by YARN's daemons only; HDFS's start a little sooner without them in front.
YARN_LIBS = ("guice", "jersey-guice", "javax.websocket", "websocket-", "javax-websocket", "fst", "ehcache", "HikariCP",
             "jna", "objenesis", "jline", "java-util", "json-io", "asm-", "cache-api", "jetty-annotations",
             "jetty-client", "jetty-jndi", "jetty-plus", "codemodel", "jsonschema2pojo")
# Coverage agent, another vendor's driver, natives of systems that ECS does not run.
LEFT_OUT = ("org.jacoco", "mssql-jdbc", "osx-", "riscv64", "windows", "-macos", "kqueue")
# Hadoop's native library (libhadoop) is published with Trino's client of HDFS alone: Apache's own builds for both architectures,
# which need glibc 2.12. Member -> file below lib/native, where Hadoop and Spark look; the other architecture has a folder.
NATIVE = "io.trino.hadoop:hadoop-apache:3.4.3-1"
NATIVE_PLACE = "lib/native"
NATIVE_FILES = {"nativelib/Linux-amd64/libhadoop.so": "libhadoop.so", "nativelib/Linux-aarch64/libhadoop.so": "aarch64/libhadoop.so",
                "META-INF/LICENSE.txt": "LICENSE.txt", "META-INF/NOTICE.txt": "NOTICE.txt"}
PLACES = ("share/hadoop/common", "share/hadoop/hdfs", "share/hadoop/yarn", "share/hadoop/mapreduce",
          "share/hadoop/common/lib", "share/hadoop/yarn/lib", "share/hadoop/tools/lib")
LINKS = {"bin/hdfs": "hadoop", "bin/yarn": "hadoop", "bin/mapred": "hadoop"}


def resolve(version: str, say) -> list[Locked]:
    """The inputs of this version as Maven resolves them now, in class-path order. For ``lock`` only."""
    roots = [fetch.dependency(GROUP, name, LAST.get(name, version)) for name in ROOTS]
    roots.append(fetch.dependency(GROUP, "hadoop-hdfs", version, "tests"))
    with tempfile.TemporaryDirectory(prefix="emr-lock-") as folder:
        say(f"resolving Hadoop {version} with Maven")
        fetch.copy_artifacts(fetch.pom(roots), Path(folder))
        found = [_locked(Path(folder), jar) for jar in Path(folder).rglob("*.jar")]
        native = _native(Path(folder))
    return [*sorted((item for item in found if item), key=_order), native]


def _native(folder: Path) -> Locked:
    """The input with the native library; nothing that it depends on is wanted."""
    group, artifact, version = NATIVE.split(":")
    fetch.copy_artifacts(fetch.pom([fetch.dependency(group, artifact, version, alone=True)]), folder / "native")
    jar = next((folder / "native").rglob("*.jar"))
    return Locked("native", NATIVE, sha512_of(jar), jar.stat().st_size, NATIVE_PLACE)


def _locked(root: Path, jar: Path) -> Locked | None:
    *group, artifact, version, file = jar.relative_to(root).parts
    classifier = file.removesuffix(".jar").removeprefix(f"{artifact}-{version}").removeprefix("-")
    coordinates = ":".join(filter(None, (".".join(group), artifact, version, classifier)))
    if any(word in coordinates for word in LEFT_OUT):
        return None
    size, digest = jar.stat().st_size, sha512_of(jar)
    if classifier == "tests":  # only its web pages: the rest of the tests has no business on a cluster
        return Locked("webapps", coordinates, digest, size, f"share/hadoop/hdfs/hadoop-hdfs-{version}-webapps.jar")
    return Locked("jar", coordinates, digest, size, place(".".join(group), artifact))


def place(group: str, artifact: str) -> str:
    """Folder of a jar in the Apache layout."""
    if artifact.startswith(TOOLS):
        return "share/hadoop/tools/lib"
    if group == GROUP:
        for word in ("hdfs", "yarn", "mapreduce"):
            if artifact.startswith(f"hadoop-{word}"):
                return f"share/hadoop/{word}"
        if artifact in ("hadoop-common", "hadoop-registry"):
            return "share/hadoop/common"
    return "share/hadoop/yarn/lib" if artifact.startswith(YARN_LIBS) else "share/hadoop/common/lib"


def _order(item: Locked) -> tuple:
    folder = item.place.rsplit("/", 1)[0] if item.kind == "webapps" else item.place
    return PLACES.index(folder), item.file


def entries(version: str, inputs: list[Locked], files: dict[str, Path]) -> list[Entry]:
    """Members of the tarball."""
    made = []
    for item in inputs:
        if item.kind == "webapps":
            made.append(Entry(item.place, data=rezip(files[item.coordinates], "webapps/")))
        elif item.kind == "native":
            made += _native_files(item, files[item.coordinates])
        else:
            made.append(Entry(f"{item.place}/{item.file}", source=files[item.coordinates]))
    made += own_files()
    made.append(Entry("libexec/hadoop.classpath", data=classpath(inputs).encode()))
    streaming = next(i for i in inputs if i.coordinates.startswith(f"{GROUP}:hadoop-streaming:"))
    made.append(Entry("share/hadoop/tools/lib/hadoop-streaming.jar", link=streaming.file))
    made.append(Entry("VERSION", data=f"{version}\n".encode()))
    return made


def _native_files(item: Locked, jar: Path) -> list[Entry]:
    with zipfile.ZipFile(jar) as members:
        return [Entry(f"{item.place}/{file}", data=members.read(member)) for member, file in NATIVE_FILES.items()]


def own_files() -> list[Entry]:
    """The launcher, its links, its table of programs and the default configuration."""
    root = FILES / "hadoop"
    files = {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}
    # By content, not by mode: a wheel does not keep modes.
    made = [Entry(path, data=data, executable=data.startswith(b"#!")) for path, data in files.items()]
    return made + [Entry(name, link=target) for name, target in LINKS.items()]


def classpath(inputs: list[Locked]) -> str:
    """Shell code that sets CORE and TOOLS, the class paths in lock order, from H, the installation's real path."""
    core, tools = [], []
    for item in inputs:
        if item.kind == "native":
            continue
        path = item.place if item.kind == "webapps" else f"{item.place}/{item.file}"
        (tools if "/tools/" in path else core).append(f"$H/{path}")
    return f'CORE="{":".join(core)}"\nTOOLS="{":".join(tools)}"\n'
