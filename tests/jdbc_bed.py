"""Real MariaDB and PostgreSQL and a real Spark, without a cluster: the program of imports and exports on one machine in seconds.

Requests are those of domain/transfer/jdbc.py and Spark gets the very settings of the job; only YARN and HDFS are missing (paths are
folders of this machine).
"""
from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.emr.cluster.plugins.module_utils.domain.transfer import (
    jdbc as transfer_jdbc,
    request as transfer,
)
from tests.databases import Alone, MariaDb, Postgres
from tests.lab import REPO, tarball

CACHE = Path.home() / ".cache" / "emr"
MARK = "answer: "


def unpacked(name: str, folder: Path) -> Path:
    """Folder of a distribution of the default release below ``folder``; it is unpacked once."""
    archive = tarball(name)
    found = folder / archive.name.removesuffix(".tar.gz")
    if not found.exists():
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="fully_trusted")
    return found


class Bed:
    """A running session of Spark beside both servers: ``mysql`` and ``postgresql``, servers of tests/databases.py."""

    def __init__(self, folder: Path, space: Alone, mysql: MariaDb, postgresql: Postgres, tables: dict):
        self.folder, self.space, self.mysql, self.postgresql = folder, space, mysql, postgresql
        self.tables, self.child = tables, None

    def __enter__(self):
        home, jars = unpacked("spark", CACHE / "databases"), unpacked("connectors", CACHE / "databases")
        options = transfer_jdbc.submit_options("none", "*.jar", bool(self.tables))
        path = ":".join([f"{jars}/jdbc/*", *(f"{unpacked(name, CACHE / 'databases')}/lib/*" for name in self.tables)])
        options = [word.replace(f"{transfer_jdbc.CONNECTORS}/*.jar", f"{jars}/jdbc/*.jar").replace(f"{transfer_jdbc.CONNECTORS}/*", path) for word in options]
        options += [word for conf in self.tables.values() for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
        words = ["--master", "local[2]", "--driver-memory", "1g", "--conf", "spark.ui.enabled=false", "--conf", "spark.driver.host=127.0.0.1", "--conf",
                 "spark.driver.bindAddress=127.0.0.1", "--conf", f"spark.local.dir={self.folder}", "--conf", "spark.sql.codegen.wholeStage=false",
                 *options, "pyspark-shell"]
        (zip_file,) = (home / "python/lib").glob("py4j-*.zip")
        env = {**os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable, "PYSPARK_SUBMIT_ARGS": shlex.join(words), "SPARK_LOCAL_IP": "127.0.0.1",
               # Tables of some rows: compiling well would take longer than all the work.
               "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
               "PYTHONPATH": f"{home}/python:{zip_file}:{REPO}"}
        self.log = (self.folder / "spark.log").open("ab")
        self.child = subprocess.Popen(self.space.command([sys.executable, REPO / "tests/jdbc_driver.py"]), env=env, cwd=self.folder, text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, start_new_session=True)
        assert self._answer() == "ready"
        return self

    def __exit__(self, *_error):
        self.child.stdin.close()
        self.space.end(self.child)
        self.log.close()

    def _answer(self):
        for line in self.child.stdout:
            if line.startswith(MARK):
                return json.loads(line[len(MARK):])
        raise AssertionError(f"Spark has ended:\n{(self.folder / 'spark.log').read_text()[-3000:]}")

    def ask(self, **line):
        """What the driver answers to this."""
        self.child.stdin.write(json.dumps(line) + "\n")
        self.child.stdin.flush()
        return self._answer()

    def path(self, name: str) -> str:
        return name if self.tables else str(self.folder / "files" / name)

    def transfer(self, direction: str, server, name: str, address: str = "", password: str = "", **options) -> dict:
        """One import or export of the path ``name``: {"result": …} or {"failed": what a person reads}."""
        outside = address or server.address
        source, target = (outside, self.path(name)) if direction == "import" else (self.path(name), outside)
        kind = transfer.kind_of(direction, source, target)
        found = kind.request({"direction": direction, "source": source, "target": target, "options": transfer.known_options(kind, options),
                              "credentials": {"password": password or server.password}, "provider": "none", "secret_file": "", "user": "emr"})
        return self.ask(request=json.loads(found["files"][transfer_jdbc.REQUEST]), password=password or server.password)

    def imported(self, server, name: str, **options) -> dict:
        """{"types": [(name, type)], "rows": [[text or None]]} of an import that must succeed."""
        done = self.transfer("import", server, name, **options)
        assert "result" in done, done
        return self.ask(read=done["result"]["path"], format="table" if self.tables else options.get("format", "parquet"))

    def refused(self, direction: str, server, name: str, **options) -> str:
        """The words of a transfer that must not succeed, and that leaves nothing behind."""
        done = self.transfer(direction, server, name, **options)
        assert "failed" in done, done
        return done["failed"]

    def data(self, name: str, sql: str) -> str:
        """Write the rows of a query of Spark as Parquet to the path ``name``."""
        self.ask(write=self.path(name), sql=sql)
        return name


@contextmanager
def bed(folder: Path, name: str, tables: dict | None = None):
    """Both databases and Spark in a namespace of this name. All of it ends with the context.

    ``tables``: {artifact: settings of Spark} of formats of tables; names in the cluster are those of tables then.
    """
    (folder / "files").mkdir(parents=True)
    with Alone(folder / "servers", name) as space, MariaDb(space) as mysql, Postgres(space) as postgresql, \
            Bed(folder, space, mysql, postgresql, tables or {}) as found:
        yield found
