"""Connectors: the jars by which Spark reaches relational databases and Kafka, in one folder for each purpose.

The driver for MySQL is MariaDB's. MySQL's own is under the GPL, this one under the LGPL; it speaks to both servers, RDS MySQL's
logins included, while MySQL's does not support MariaDB. Spark's dialect for MySQL goes by the URL (``jdbc:mysql:``), the
driver takes such a URL when told ``permitMysqlScheme``: see ``domain/databases.py``. With ``jdbc:mariadb:`` Spark has no dialect
and quotes names as MySQL reads strings, so that every column would hold its own name.
"""
from __future__ import annotations

import tempfile
from pathlib import Path

from . import fetch
from .lock import Locked, sha512_of
from .pack import Entry

_JDBC = (("org.mariadb.jdbc", "mariadb-java-client", "3.5.11", "jdbc"), ("org.postgresql", "postgresql", "42.7.14", "jdbc"))


def _kafka(spark: str, clients: str, pool: str) -> tuple:
    """Of Spark's line the newest version whose token provider is published as well, since the two belong together; with what it was built for."""
    return (("org.apache.spark", "spark-sql-kafka-0-10_2.13", spark, "kafka"),
            ("org.apache.spark", "spark-token-provider-kafka-0-10_2.13", spark, "kafka"),
            ("org.apache.kafka", "kafka-clients", clients, "kafka"), ("org.apache.commons", "commons-pool2", pool, "kafka"))


# version of this distribution -> ((group, artifact, version, folder), ...), each without what it depends on: Spark has the rest.
PARTS = {"1.0": _JDBC + _kafka("4.1.1", "3.9.1", "2.12.1"), "1.1": _JDBC + _kafka("4.2.0", "3.9.2", "2.13.1")}


def resolve(version: str, say) -> list[Locked]:
    """The inputs of this version, with the checksums of what Maven delivers now. For ``lock`` only."""
    parts = PARTS[version]
    say(f"resolving {len(parts)} connectors with Maven")
    with tempfile.TemporaryDirectory(prefix="emr-lock-") as folder:
        fetch.copy_artifacts(fetch.pom(fetch.dependency(*part[:3], alone=True) for part in parts), Path(folder))
        return [_locked(Path(folder), *part) for part in parts]


def _locked(root: Path, group: str, artifact: str, version: str, place: str) -> Locked:
    item = Locked("jar", f"{group}:{artifact}:{version}", "", 0, place)
    jar = root / item.cached.removeprefix("maven/")
    return Locked(item.kind, item.coordinates, sha512_of(jar), jar.stat().st_size, place)


def entries(version: str, inputs: list[Locked], files: dict[str, Path]) -> list[Entry]:
    """Members of the tarball."""
    made = [Entry(f"{item.place}/{item.file}", source=files[item.coordinates]) for item in inputs]
    return [*made, Entry("VERSION", data=f"{version}\n".encode())]
