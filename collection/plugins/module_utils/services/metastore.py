"""The Hive metastore: the tables that Spark's sessions share."""
from __future__ import annotations

from ..domain import paths
from ..domain.config.folders import data_dirs
from ..domain.paths import HADOOP_CONF, METASTORE_HOME
from ..domain.spec.field import Field
from . import reasons
from .alerts import down
from .hadoop import FILES, PROXY_USERS
from .hdfs import OF_HDFS
from .model import Component, ConfFile, Health, Heap, Secret, Service, first

# The password of a database of the user's own: where it is kept, and the controller's variable that it comes from.
PASSWORD_FILE = paths.METASTORE_PASSWORD
PASSWORD_VARIABLE = "EMR_METASTORE_PASSWORD"
_CONNECTION = "javax.jdo.option.Connection"
WAREHOUSE = "/hive/warehouse"

DATABASE = Field(
    "database", "object", "A database of your own in place of the one on the master's disk. Its password is taken from the "
    "variable EMR_METASTORE_PASSWORD when it is needed first, and kept where the metastore's user alone reads it.", default=None,
    example="{url: mysql://db.example.com/metastore, user: hive}",
    fields=(
        Field("url", "text", "Address of the database. Make it first, empty.", required=True, least=1, most=400,
              pattern=r"(mysql|postgresql)://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?/[A-Za-z0-9_-]+",
              expect="mysql://HOST[:PORT]/DATABASE or postgresql://HOST[:PORT]/DATABASE",
              example="mysql://db.example.com:3306/metastore"),
        Field("user", "text", "User of that database, who may create tables there.", required=True,
              pattern=r"[A-Za-z_][A-Za-z0-9_.-]{0,62}", expect="the name of a user", example="hive"),
    ), aliases={"username": "user", "address": "url"})

SPEC = Field(
    "metastore", "object", "The service `metastore`, which keeps the tables of Spark SQL.", default={},
    example="{database: {url: mysql://rm-bp1example.mysql.rds.aliyuncs.com/metastore, user: hive}}",
    fields=(DATABASE,), aliases={"db": "database"})

METASTORE = Component(
    "metastore", first("master"), "hive", ("metastore",), {"thrift": 9083}, Heap(0.05, 192, 4096), Health("metastore.metastore", "thrift"),
    FILES | {"metastore-site"}, ("namenode",), "METASTORE_OPTS", (), "Hive metastore", "", (*OF_HDFS, PROXY_USERS),
    storage=(("metastore-site", "emr.metastore.dir"),), storage_mode="0700")


def database(url: str) -> dict:
    """Settings for a database of the user's own, with MariaDB's driver for MySQL as well."""
    kind, _colon, place = url.partition(":")
    if kind == "postgresql":
        return {_CONNECTION + "URL": f"jdbc:{url}", _CONNECTION + "DriverName": "org.postgresql.Driver"}
    # Hive goes by the name that the driver gives, and knows none but MySQL.
    return {_CONNECTION + "URL": f"jdbc:mariadb:{place}?useMysqlMetadata=true", _CONNECTION + "DriverName": "org.mariadb.jdbc.Driver"}


def metastore_site(folder: str, own=None) -> dict:
    """metastore-site of the master; ``folder`` is the one on its disk, ``own`` the spec's Database or None."""
    conf = {
        "emr.metastore.dir": folder, "metastore.thrift.port": str(METASTORE.ports["thrift"]),
        "metastore.warehouse.dir": WAREHOUSE,
        _CONNECTION + "URL": f"jdbc:derby:{folder}/db",
        _CONNECTION + "DriverName": "org.apache.derby.jdbc.EmbeddedDriver",
        # The default comes with Hive's own engine, which is not here; Spark sends filters as text.
        "metastore.expression.proxy": "org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy",
        # The default starts threads for Hive's transactions and compactions as well.
        "metastore.task.threads.always": "org.apache.hadoop.hive.metastore.events.EventCleanerTask",
        # 200 idle threads by default.
        "metastore.server.min.threads": "4", "metastore.server.max.threads": "200",
    }
    if own:
        conf.update(database(own.url))
        conf.update({_CONNECTION + "UserName": own.user, "hadoop.security.credential.provider.path": f"localjceks://file{PASSWORD_FILE}"})
    return conf


def _defaults(facts) -> dict:
    if not facts.here(METASTORE):
        return {}
    return {"metastore-site": metastore_site(data_dirs(facts.node, "metastore", "metastore", 1), facts.spec.metastore.database)}


def _secrets(spec) -> tuple:
    own = spec.metastore.database
    return (Secret("metastore.database", f"the password of {own.user} at {own.url}", PASSWORD_FILE, PASSWORD_VARIABLE, METASTORE.name,
                   "javax.jdo.option.ConnectionPassword"),) if own else ()


SERVICE = Service(
    name="metastore", secrets=_secrets, used_by=(("SPARK",), ("SPARK", "PYSPARK", "SPARK_SQL", "SPARK_STREAMING")), needs=("hdfs",),
    software="metastore", home=METASTORE_HOME, components=(METASTORE,), spec=(SPEC,), data=("metastore",),
    files=(ConfFile(
        "metastore-site", f"{HADOOP_CONF}/metastore-site.xml", at=("metastore",), takes=("core-site",),
        prefixes=("metastore.", "javax.jdo.", "datanucleus."),
        reserved={"metastore.thrift.port": reasons.ADDRESS, "metastore.warehouse.dir": reasons.PATHS, "emr.metastore.dir": reasons.DIRS,
                  **dict.fromkeys((_CONNECTION + "URL", _CONNECTION + "DriverName", _CONNECTION + "UserName"), reasons.DATABASE)}),),
    defaults=_defaults, alerts=(down("MetastoreDown", METASTORE, "No table is found: SQL fails.", "critical"),),
    # As in /tmp: everybody makes tables, and only their owners take them away.
    hdfs_paths=(("/hive", "hive", "hadoop", "0755"), (WAREHOUSE, "hive", "hadoop", "1777")))
