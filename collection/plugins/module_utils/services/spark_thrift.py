"""The Spark Thrift server: SQL over JDBC."""
from __future__ import annotations

from .spark_server import server

SERVICE = server("spark-thrift", "Spark Thrift server", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", 10000,
                 "spark.hadoop.hive.server2.thrift.port", {"spark.hadoop.hive.server2.thrift.bind.host": "0.0.0.0"})
