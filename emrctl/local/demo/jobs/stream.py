"""Structured streaming: counts flights per month as files arrive, until a number of flights was seen.

Arguments: folder to watch, folder for the results, number of flights, seconds to wait at most.
"""
import sys
import time

from pyspark.sql import SparkSession

SCHEMA = ("year INT, month INT, day INT, dep_time STRING, sched_dep_time INT, dep_delay STRING, arr_time STRING, "
          "sched_arr_time INT, arr_delay STRING, carrier STRING, flight INT, tailnum STRING, origin STRING, dest STRING, "
          "air_time STRING, distance INT, hour INT, minute INT, time_hour STRING")


def main(source: str, target: str, expected: int, limit: float) -> None:
    spark = SparkSession.builder.appName("flights as they arrive").getOrCreate()
    total = 0

    def report(counts, batch: int) -> None:
        """Write the totals so far: one folder per batch, so that the growth can be followed."""
        nonlocal total
        rows = sorted((row["month"], row["count"]) for row in counts.collect())
        lines = spark.createDataFrame([(f"{month},{count}",) for month, count in rows], "value STRING")
        lines.coalesce(1).write.mode("overwrite").text(f"{target}/batch={batch:03d}")
        total = sum(count for _, count in rows)
        print(f"batch {batch}: {total} flights", flush=True)

    flights = spark.readStream.schema(SCHEMA).option("header", "true").csv(source)
    query = (flights.groupBy("month").count().writeStream.outputMode("complete").trigger(processingTime="1 second")
             .option("checkpointLocation", f"{target}-checkpoint").foreachBatch(report).start())
    deadline = time.monotonic() + limit
    while total < expected and time.monotonic() < deadline:
        query.awaitTermination(1)  # raises what the query failed with
    query.stop()
    spark.stop()
    if total < expected:
        sys.exit(f"only {total} of {expected} flights came within {limit:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
