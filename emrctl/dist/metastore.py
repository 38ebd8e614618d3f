"""The metastore's distribution: Hive's standalone metastore with what Hadoop's jars do not have, and its schema scripts.

Hive 3.1 is the newest line that Spark's own Hive client (2.3) can talk to: 4.0 took the call get_table away. The server runs
on Hadoop's class path, so that only what is missing there is in the tarball.
"""
from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

from . import fetch
from .lock import Locked, sha512_of
from .pack import Entry
from .paths import FILES

HIVE = "org.apache.hive:hive-standalone-metastore"
# What the server needs besides Hadoop's jars (tried out: it starts, and Spark's statements run). Derby in the version that
# Spark has, since Hive's own is older than Java 17. The drivers are those of the
# connectors.
JARS = ("org.apache.hive:hive-storage-api:2.7.0", "org.apache.thrift:libthrift:0.9.3", "org.apache.thrift:libfb303:0.9.3",
        "org.datanucleus:datanucleus-core:4.1.17", "org.datanucleus:datanucleus-api-jdo:4.2.4",
        "org.datanucleus:datanucleus-rdbms:4.1.19", "org.datanucleus:javax.jdo:3.2.0-m3", "javax.transaction:transaction-api:1.1",
        "org.antlr:antlr-runtime:3.5.2", "commons-collections:commons-collections:3.2.2", "commons-dbcp:commons-dbcp:1.4",
        "commons-pool:commons-pool:1.5.4", "org.apache.logging.log4j:log4j-api:2.17.1",
        "org.apache.logging.log4j:log4j-core:2.17.1", "sqlline:sqlline:1.3.0", "jline:jline:2.14.3",
        "org.apache.derby:derby:10.16.1.1", "org.apache.derby:derbyshared:10.16.1.1", "org.apache.derby:derbytools:10.16.1.1",
        "org.mariadb.jdbc:mariadb-java-client:3.5.11", "org.postgresql:postgresql:42.7.14")
DATABASES = ("derby", "mysql", "postgres")
SCRIPTS = "scripts/metastore/upgrade"
# PostgreSQL 12 took this setting away; it was the default since 8.1.
GONE = "SET default_with_oids = false;\n"


def resolve(version: str, say) -> list[Locked]:
    """The inputs of this version as Maven delivers them now. For ``lock`` only."""
    say(f"downloading Hive's metastore {version} with Maven")
    coordinates = [f"{HIVE}:{version}", *JARS]
    with tempfile.TemporaryDirectory(prefix="emr-lock-") as folder:
        wanted = [Locked("jar", name, "", 0, "lib") for name in coordinates]
        wanted.append(Locked("tar", f"{HIVE}:{version}:bin", "", 0, SCRIPTS))
        fetch.copy_artifacts(fetch.pom(fetch.exact(item) for item in wanted), Path(folder))
        found = [(item, Path(folder) / item.cached.removeprefix("maven/")) for item in wanted]
        return [Locked(item.kind, item.coordinates, sha512_of(path), path.stat().st_size, item.place) for item, path in found]


def entries(version: str, inputs: list[Locked], files: dict[str, Path]) -> list[Entry]:
    """Members of the tarball."""
    made = [Entry(f"{item.place}/{item.file}", source=files[item.coordinates]) for item in inputs if item.kind == "jar"]
    for item in inputs:
        if item.kind == "tar":
            made += scripts(files[item.coordinates])
    for path in sorted(p for p in (FILES / "metastore").rglob("*") if p.is_file()):
        data = path.read_bytes()
        made.append(Entry(str(path.relative_to(FILES / "metastore")), data=data, executable=data.startswith(b"#!")))
    made.append(Entry("VERSION", data=f"{version}\n".encode()))
    return made


def scripts(archive: Path) -> list[Entry]:
    """The scripts that make and upgrade the schema, of the databases that are offered."""
    made = []
    with tarfile.open(archive) as tar:
        for member in tar:
            path = member.name.partition("/")[2]
            database = path.removeprefix(f"{SCRIPTS}/").split("/")[0]
            if member.isfile() and path.startswith(f"{SCRIPTS}/") and database in DATABASES:
                data = tar.extractfile(member).read()
                made.append(Entry(path, data=whole(data) if database == "postgres" and "/hive-schema-" in path else data))
    return made


def whole(script: bytes) -> bytes:
    """A script for PostgreSQL as one transaction: one that is interrupted leaves nothing behind."""
    text = script.decode()
    return ("BEGIN;\n" + text.replace(GONE, "") + "\nCOMMIT;\n").encode()
