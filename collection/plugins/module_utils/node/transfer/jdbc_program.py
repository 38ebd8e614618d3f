"""What the job of an import from or an export to a database runs in Spark.

On a master this is /opt/emr/libexec/emr_jdbc.py; its argument is a file with the request of domain/transfer/jdbc.py. The password
comes out of the job's credential provider and goes to nothing but the drivers. Its result is one line of JSON on stdout.
"""
from __future__ import annotations

import json
import re

from ...domain.transfer.jdbc import TABLES
from ...domain.transfer.jdbc_errors import said
from ..common import say
from .jdbc_database import Database, TransferError
from .jdbc_export import Export
from .jdbc_import import Import
from .jdbc_tables import TableExport, TableImport
from .jdbc_values import complaint


class Files:
    """Paths of the cluster's file system, through Hadoop's own client."""

    def __init__(self, spark):
        self.jvm, self.conf = spark.sparkContext._jvm, spark.sparkContext._jsc.hadoopConfiguration()
        self.fs = self.jvm.org.apache.hadoop.fs.FileSystem.get(self.conf)
        self.context = self.jvm.org.apache.hadoop.fs.FileContext.getFileContext(self.conf)
        self.none = spark.sparkContext._gateway.new_array(self.jvm.org.apache.hadoop.fs.Options.Rename, 0)

    def _path(self, text):
        return self.jvm.org.apache.hadoop.fs.Path(text)

    def exists(self, path):
        return self.fs.exists(self._path(path))

    def names(self, path):
        """Names of what is directly below a folder; [] for anything else."""
        if not self.exists(path) or not self.fs.getFileStatus(self._path(path)).isDirectory():
            return []
        return [status.getPath().getName() for status in self.fs.listStatus(self._path(path))]

    def below(self, path):
        """(path, bytes, time) of all files below."""
        found, rows = self.fs.listFiles(self._path(path), True), []
        while found.hasNext():
            status = found.next()
            rows.append((status.getPath().toUri().getPath(), status.getLen(), status.getModificationTime()))
        return rows

    def read(self, path):
        stream = self.fs.open(self._path(path))
        try:
            return self.jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")
        finally:
            stream.close()

    def write(self, path, text):
        stream = self.fs.create(self._path(path), True)
        try:
            stream.write(bytearray(text.encode()))
        finally:
            stream.close()

    def make(self, path):
        self.fs.mkdirs(self._path(path))

    def delete(self, path):
        self.fs.delete(self._path(path), True)

    def rename(self, path, target):
        """One step, and never into a folder that is there already."""
        self.context.rename(self._path(path), self._path(target), self.none)


def main(arguments):
    """Run the request. Returns the exit code."""
    from pyspark.sql import SparkSession

    with open(arguments[0], encoding="utf-8") as handle:
        request = json.load(handle)
    spark = SparkSession.builder.appName(f"{request['direction']} {request['table'] or 'query'}").getOrCreate()
    try:
        secret = spark.sparkContext._jsc.hadoopConfiguration().getPassword(request["alias"])
        if secret is None:
            raise TransferError("the password of this job is gone: it is kept only until the job has ended. Next: submit the job again")
        result = perform(spark, request, "".join(secret))
    except TransferError as error:
        _say(f"{request['direction']} failed: {error}")
        return 1
    say(json.dumps(result))
    spark.stop()
    return 0


def perform(spark, request, password):
    """Do what is asked. Returns what is to be told; raises TransferError."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    database = None
    try:
        database = Database(spark, request, password)
        kinds = (TableImport, TableExport) if request["format"] in TABLES else (Import, Export)
        doing = kinds[0] if request["direction"] == "import" else kinds[1]
        result = doing(spark, request, database, Files(spark), _say).run()
        return {key: value for key, value in result.items() if value is not None}
    except Py4JJavaError as error:
        raise TransferError(told(_cause(error.java_exception), request)) from error
    except PySparkException as error:
        raise TransferError(told(str(error), request)) from error
    finally:
        if database:
            database.end()


def told(text, request):
    """What a person reads of a failure: the words of an import that found a value, else the driver's with the next step."""
    found = complaint(text)
    if found:
        name = re.match(r"column (.*?) has the value", found)
        return (f"{found}. Next: --column-type '{name[1]}=string' takes the column as text, --except leaves it out, --where leaves out rows"
                if name else found)
    text = text.split("\n\nJVM stacktrace")[0].strip()
    return said(text, request["url"].split("?")[0].partition("//")[2])


def _cause(error):
    """The innermost message of a Java exception; all of them where an import's own words are in there."""
    said_by, seen = [], error
    while seen is not None:
        text = seen.getMessage()
        if text and complaint(text):
            return text
        if text:
            said_by.append(f"{seen.getClass().getSimpleName()}: {text.splitlines()[0]}")
        seen = seen.getCause()
    return said_by[-1] if said_by else str(error.getClass().getName())


def _say(line):
    say(line, err=True)
