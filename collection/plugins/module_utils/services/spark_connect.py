"""The Spark Connect server: Spark's own clients over gRPC."""
from __future__ import annotations

from .spark_server import server

# Executors get Spark's Python library, for the functions of Python clients.
SERVICE = server("spark-connect", "Spark Connect server", "org.apache.spark.sql.connect.service.SparkConnectServer", 15002,
                 "spark.connect.grpc.binding.port", {"spark.yarn.isPython": "true"})
