"""TPC-H through Spark SQL: the tables are made once for each scale, with the judge's answers; then all queries are timed and judged."""
from __future__ import annotations

import datetime
import decimal
import io
import json
import os
import re
import time

from ...domain.bench.queries import TABLES, queries
from ...domain.bench.request import data_folder
from ...domain.bench.results import same
from ..common import NodeError
from ..hdfs.checksums import package_zip
from ..hdfs.client import forget
from . import judge, maker

MADE, ANSWERS, CODE = "_made.json", "_answers.json", "emr_node.zip"
# An operator of a plan as its text shows it, and those that only carry others.
OPERATOR = re.compile(r"^[\s:|+*()\d-]*([A-Z]\w+)", re.MULTILINE)
FRAME = re.compile(r"AdaptiveSparkPlan|\w+QueryStage|AQEShuffleRead|InputAdapter|WholeStageCodegen")


def measure(request, client, say):
    """{steps, seconds, made_s, engine} of all queries. Raises NodeError when there is no data to ask."""
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName(f"bench tpch {request['scale']:g}").getOrCreate()
    try:
        return Tpch(spark, request, client, say).run()
    finally:
        spark.stop()


class Tpch:
    """One run. ``say`` takes a line of progress."""

    def __init__(self, spark, request, client, say):
        self.spark, self.request, self.client, self.say = spark, request, client, say
        self.scale, self.data = request["scale"], data_folder(request["user"], request["scale"])
        self.texts = queries(self.scale)

    def run(self):
        begun = time.monotonic()
        self._make()
        made_s = time.monotonic() - begun
        expected = self._expected()
        for table in TABLES:
            self.spark.read.parquet(f"hdfs://{self.data}/{table}").createOrReplaceTempView(table)
        steps = {name: {"seconds": [], "answer": ""} for name in self.texts}
        begun = time.monotonic()
        for number in range(self.request["rounds"]):
            self.say(f"round {number + 1} of {self.request['rounds']}")
            self._round(steps, expected)
        conf = self.spark.sparkContext.getConf()
        shown = ("spark.executor.cores", "spark.executor.memory", "spark.executor.memoryOverhead", "spark.executor.extraJavaOptions", "spark.plugins")
        return {"steps": steps, "seconds": round(time.monotonic() - begun, 3), "made_s": round(made_s, 3), "engine": f"spark {self.spark.version}",
                "settings": {key: conf.get(key) for key in shown if conf.get(key)}}

    def _round(self, steps, expected):
        """All queries once in each stream, each stream beginning with another one."""
        from pyspark import InheritableThread

        names, streams = list(self.texts), self.request["streams"]

        def stream(number):
            self.spark.sparkContext.setLocalProperty("spark.scheduler.pool", f"stream-{number}")
            at = number * len(names) // streams
            for name in names[at:] + names[:at]:
                self._ask(name, steps[name], expected[name])

        if streams == 1:
            stream(0)
            return
        threads = [InheritableThread(target=stream, args=(number,)) for number in range(streams)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _ask(self, name, step, expected):
        """Time a query and judge its answer; one that fails is told and the others go on."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        self.spark.sparkContext.setJobDescription(name)
        begun = time.monotonic()
        try:
            frame = self.spark.sql(self.texts[name])
            rows = frame.collect()
        except (PySparkException, Py4JError) as error:
            step["answer"] = f"failed: {str(error).strip().splitlines()[0][:300]}"
            return
        seconds = time.monotonic() - begun
        step["seconds"].append(round(seconds, 3))
        step["native"] = native_share(frame._jdf.queryExecution().executedPlan().toString())
        judged = same(expected, [[_plain(value) for value in row] for row in rows])
        # What was wrong once stays wrong.
        step["answer"] = step["answer"] if step["answer"] not in ("", "same") else judged
        self.say(f"{name}  {seconds:.2f} s  {judged}")

    def _make(self):
        """The tables, where they are not there as a whole."""
        if self.client.status(f"{self.data}/{MADE}"):
            return
        forget(self.client, self.data)
        for table in TABLES:
            self.client.make(f"{self.data}/{table}", "755")
        context = self.spark.sparkContext
        # The code of the tasks: containers have nothing of this package.
        package_zip(CODE, "bench.program")
        context.addPyFile(os.path.abspath(CODE))
        rows = maker.pieces(self.scale, max(2, self.request["slots"]))
        self.say(f"making {len(rows)} files of TPC-H at scale {self.scale:g}")
        context.setJobDescription("make the tables")
        scale, data, namenode, user = self.scale, self.data, self.request["namenode"], self.request["user"]
        made = context.parallelize(rows, len(rows)).map(lambda piece: maker.make(piece, scale, data, namenode, user)).sum()
        self._put(MADE, {"bytes": made, "files": len(rows)})

    def _expected(self):
        """The judge's answers, made once for this data."""
        if not self.client.status(f"{self.data}/{ANSWERS}"):
            size, free = self.client.summary(self.data)["length"], judge.room()
            if size * 2 > free:
                raise NodeError(f"the answers need {size * 2 / 1e9:.1f} GB on the control node's disk, it has {free / 1e9:.1f}")
            self._put(ANSWERS, judge.answers(self.spark.sparkContext._jvm, self.client, self.data, self.scale, self.say))
        out = io.BytesIO()
        self.client.read_to(f"{self.data}/{ANSWERS}", out)
        return json.loads(out.getvalue())

    def _put(self, name, value):
        """Write a file of the data in one step, so that half of one never counts."""
        text = json.dumps(value).encode()
        self.client.write(f"{self.data}/.{name}", io.BytesIO(text), len(text))
        self.client.replace(f"{self.data}/.{name}", f"{self.data}/{name}")


def native_share(plan):
    """[operators that ran in native code, all] of the text of a plan: of the last one, where Spark changed it on the way."""
    names = [name for name in OPERATOR.findall(plan.split("== Initial Plan ==")[0]) if not FRAME.fullmatch(name)]
    return [sum(name.startswith("Comet") for name in names), len(names)]


def _plain(value):
    """A value of Spark's as the judge's answers have it."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime.date) else value
