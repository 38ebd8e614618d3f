"""Import from and export to MySQL and PostgreSQL: the request of a Spark job.

Spark's dialect for MySQL goes by the URL, MariaDB's driver takes it when told so. All of a transfer happens in UTC, so that no
summer time makes a moment come twice: columns without a zone keep what a clock showed, those with one the moment. Connections
wait while Spark works, so their sessions do not end after the server's usual time. MySQL 8's own way to sign on needs the server's
public key where there is no TLS: it is asked for.
"""
from __future__ import annotations

import json
import re
from urllib.parse import unquote, urlsplit

from .. import paths
from ..errors import Refused
from ..tables import names as table_names
from . import jdbc_types, sql_text
from .oss import hdfs_path
from .request import PROVIDER

NAME = "a database"
CREDENTIALS = {"user": "EMR_DB_USER", "password": "EMR_DB_PASSWORD"}
# Files, whose place in the cluster is a path; and tables of the metastore, whose place is a name.
FILES, TABLES = ("parquet", "orc", "csv", "json"), table_names.FORMATS
FORMATS = (*FILES, *TABLES)
MODES = ("append", "overwrite", "upsert")
OPTIONS: dict = {"table": "", "query": "", "where": "", "columns": [], "except": [], "types": [], "split_by": "", "parallel": 4, "format": "",
                 "incremental": "", "overwrite": False, "mode": "append", "key": [], "tls": False}
ONLY = {"import": ("query", "where", "split_by", "incremental", "overwrite"), "export": ("mode", "key")}
CONNECTORS = paths.DRIVERS
REQUEST = "request.json"
# Name of the password in the credential provider.
ALIAS = "emr.jdbc.password"
MOST_PARALLEL = 200
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
TYPE_OF_A_DATABASE = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?[A-Za-z ]*(\[\])?")
# Database -> port, driver, its jar, what is said to it in the URL, and what is added for TLS.
SYSTEMS = {
    "mysql": {"port": 3306, "driver": "org.mariadb.jdbc.Driver", "jar": "mariadb-java-client-*.jar",
              "say": "permitMysqlScheme&connectionTimeZone=UTC&forceConnectionTimeZoneToSession=true&yearIsDateType=false"
                     "&connectTimeout=20000&allowPublicKeyRetrieval=true"
                     "&sessionVariables=sql_mode='STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION',"
                     "wait_timeout=86400,net_read_timeout=3600,net_write_timeout=3600",
              "tls": "&sslMode=trust"},
    "postgresql": {"port": 5432, "driver": "org.postgresql.Driver", "jar": "postgresql-*.jar",
                   "say": "connectTimeout=20&tcpKeepAlive=true&ApplicationName=emr&stringtype=unspecified", "tls": "&sslmode=require"},
}


def request(wanted: dict) -> dict:
    """The job of this import or export. Raises Refused before anything is done."""
    direction, options = wanted["direction"], _checked(wanted["direction"], wanted["options"])
    outside, inside = (wanted["source"], wanted["target"]) if direction == "import" else (wanted["target"], wanted["source"])
    place = address(outside)
    user = wanted["credentials"].get("user") or place["user"]
    if not user or not wanted["credentials"].get("password"):
        raise Refused(f"no {'password' if user else 'user'} to log in to {place['host']}",
                      "Set EMR_DB_USER and EMR_DB_PASSWORD, or give --credentials FILE with the lines `user: …` and `password: …`")
    table = options["table"] or place["table"]
    if direction == "export" and not table or not (table or options["query"]) or (table and options["query"]):
        raise Refused("a transfer needs the name of a table" + ("" if direction == "export" else ", or a query in place of it"),
                      f"Give --table NAME{'' if direction == 'export' else ' or --query SQL'}")
    row = SYSTEMS[place["system"]]
    if options["where"].strip():
        options["where"] = sql_text.condition(options["where"], place["system"])
    if options["query"]:
        options["query"] = sql_text.query(options["query"], place["system"])
    what = {**options, "direction": direction, "table": table, "place": sql_text.table(table) if table else None,
            "path": _inside(inside, options["format"], wanted["user"]), "system": place["system"], "driver": row["driver"], "user": user, "alias": ALIAS,
            "url": f"jdbc:{place['system']}://{place['host']}:{place['port']}/{place['database']}?{row['say']}"
                   f"{row['tls'] if options['tls'] else ''}"}
    # An import is made beside its target and renamed.
    where = {"path": what["path"], "needs": "replace" if direction == "import" else "read"}
    if options["format"] in TABLES:
        where = {"table": what["path"], "needs": options["format"]}
    return {"place": where, "job": {"type": "PYSPARK", "name": f"{direction} {table or 'query'}",
                                    "args": [*submit_options(wanted["provider"], row["jar"], options["format"] in TABLES), paths.JDBC, REQUEST]},
            "files": {REQUEST: json.dumps(what, ensure_ascii=False, indent=1)},
            "secrets": {ALIAS: wanted["credentials"]["password"]}, "keep": PROVIDER}


def _inside(text: str, kind: str, user: str) -> str:
    """The place in the cluster: a path of HDFS, or what sessions of Spark call a table. Raises Refused."""
    if kind not in TABLES:
        return hdfs_path(text, user)
    try:
        parts = table_names.parts_of(text)
    except ValueError:
        parts = ()
    if not parts or not text.isascii() or (text.startswith(f"{table_names.CATALOGUE}.") and kind != table_names.ICEBERG):
        raise Refused(f"{text!r} is not the name of a table of {kind}, as --format {kind} wants it", "Give TABLE or DATABASE.TABLE, such as default.trips")
    return ".".join([*([table_names.CATALOGUE] if kind == table_names.ICEBERG else []), *parts])


def submit_options(provider: str, jar: str, tables: bool = False) -> list:
    """Options of spark-submit. The password travels to the executors, so what travels, or is spilled, is encrypted. ``tables``: names of those that
    stay are wanted."""
    conf = {"spark.hadoop.hadoop.security.credential.provider.path": provider, "spark.authenticate": "true",
            "spark.network.crypto.enabled": "true", "spark.io.encryption.enabled": "true",
            "spark.driver.defaultJavaOptions": "-Duser.timezone=UTC", "spark.executor.defaultJavaOptions": "-Duser.timezone=UTC",
            "spark.sql.session.timeZone": "UTC", "spark.sql.catalogImplementation": "in-memory",
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS", "spark.sql.orc.impl": "native",
            "spark.sql.sources.partitionColumnTypeInference.enabled": "false", "spark.speculation": "false",
            # Tables of databases give native code nothing to read, and its shuffle knows no encryption.
            "spark.comet.enabled": "false"}
    if tables:
        del conf["spark.sql.catalogImplementation"]
    return ["--deploy-mode", "client", "--driver-class-path", f"{CONNECTORS}/*", "--jars", f"{CONNECTORS}/{jar}",
            *(word for key, value in conf.items() for word in ("--conf", f"{key}={value}"))]


def address(text: str) -> dict:
    """{system, host, port, database, user, table} of an address such as mysql://shop@db:3306/sales. Raises Refused."""
    form = "mysql://USER@HOST:PORT/DATABASE or postgresql://USER@HOST:PORT/DATABASE, optionally /TABLE behind it"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Refused("cannot read the address of the database", f"Give {form}") from None
    if parts.password is not None:  # not quoted: it would be read in a log
        raise Refused("the address of the database holds a password, which others can read on the command line",
                      "Give it in EMR_DB_PASSWORD or in a file named by --credentials, and change it")
    names = [unquote(name) for name in parts.path.strip("/").split("/") if name]
    if not HOST.fullmatch(parts.hostname or "") or parts.query or parts.fragment or not 1 <= len(names) <= 2 or \
            not re.fullmatch(r"[\w$-]+", names[0]):
        raise Refused(f"{text}: not the address of a database", f"Give {form}")
    return {"system": parts.scheme, "host": parts.hostname, "port": port or SYSTEMS[parts.scheme]["port"], "database": names[0],
            "user": unquote(parts.username or ""), "table": names[1] if len(names) > 1 else ""}


def _checked(direction: str, options: dict) -> dict:
    """The options, checked. Raises Refused."""
    other = "export" if direction == "import" else "import"
    strange = [name for name in ONLY[other] if options[name] != OPTIONS[name]]
    if strange:
        raise Refused(f"{direction} has no option {strange[0]}", f"It belongs to {other}")
    found = {**options, "parallel": int(options["parallel"]), "columns": sql_text.columns(options["columns"]),
             "except": sql_text.columns(options["except"]), "key": sql_text.columns(options["key"])}
    if not 1 <= found["parallel"] <= MOST_PARALLEL:
        raise Refused(f"parallel {found['parallel']}: expected 1 to {MOST_PARALLEL}", "It is the number of connections to the database")
    for name, choices in (("format", ("", *FORMATS)), ("mode", MODES)):
        if found[name] not in choices:
            raise Refused(f"{name} {found[name]}: expected one of {', '.join(filter(None, choices))}", f"Give --{name} {choices[-1]}")
    if found["format"] in TABLES and options["incremental"]:
        raise Refused(f"an incremental import keeps its runs in folders, which a table of {found['format']} has not",
                      "Import into files (without --format), and MERGE them into the table in Spark SQL")
    for name in ("split_by", "incremental"):
        found[name] = "".join(sql_text.columns([found[name]])[:1])
    types = options["types"]
    found["types"] = dict(_typed(direction, text) for text in ([types] if isinstance(types, str) else types))
    if (found["mode"] == "upsert") != bool(found["key"]):
        raise Refused("upsert goes by a key" if found["mode"] == "upsert" else f"mode {found['mode']} takes no key",
                      "Give --mode upsert --key COLUMN[,COLUMN]")
    if found["incremental"] and found["overwrite"]:
        raise Refused("an incremental import adds to what is there, so it cannot overwrite it", "Leave out one of the two")
    return found


def _typed(direction: str, text: str) -> tuple:
    """(column, type): Spark's type for an import, the database's for an export. Raises Refused."""
    name, _equals, kind = str(text).rpartition("=")
    if not name.strip() or not TYPE_OF_A_DATABASE.fullmatch(kind.strip()):
        raise Refused(f"type {text!r}: expected COLUMN=TYPE", "Give such as --column-type 'price=decimal(12,2)'")
    try:
        if direction == "import":
            jdbc_types.wanted(kind)
        return sql_text.columns([name])[0], " ".join(kind.split())
    except ValueError as error:
        raise Refused(str(error), "Give such as --column-type 'price=decimal(12,2)'") from None
