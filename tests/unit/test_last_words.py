"""What a failed program said itself, in logs as Spark, Hadoop Streaming and YARN write them."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain import last_words

SHUTDOWN = "26/11/26 01:28:54 INFO SparkContext: Invoking stop() from shutdown hook\n" * 5
DRIVER = """10
Traceback (most recent call last):
  File "/var/lib/emr/jobs/j/work/fail.py", line 6, in <module>
    deep(3)
    ~~~~^^^
ValueError: the column flights is missing: 3
"""
EXECUTOR = """py4j.protocol.Py4JJavaError: An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times: org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/worker.py", line 2232, in main
    process()
RuntimeError: row 0 cannot be read

\tat org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(PythonRunner.scala:581)
\tat java.base/java.lang.Thread.run(Thread.java:840)

Driver stacktrace:
\tat org.apache.spark.scheduler.DAGScheduler.failJobAndIndependentStages(DAGScheduler.scala:2898)
"""
STREAMING = """26/11/26 01:30:00 INFO mapreduce.Job:  map 0% reduce 0%
26/11/26 01:30:10 INFO mapreduce.Job: Task Id : attempt_1_0001_m_000000_0, Status : FAILED
Error: java.lang.RuntimeException: PipeMapRed.waitOutputThreads(): subprocess failed with code 1
\tat org.apache.hadoop.streaming.PipeMapRed.waitOutputThreads(PipeMapRed.java:326)
26/11/26 01:30:10 ERROR streaming.StreamJob: Job not successful!
Streaming Command Failed!
"""
CLUSTER = """26/11/26 01:30:10 INFO Client: Application report for application_1_0001 (state: FINISHED)
Exception in thread "main" org.apache.spark.SparkException: Application application_1_0001 finished with failed status
\tat org.apache.spark.deploy.yarn.Client.run(Client.scala:1394)
26/11/26 01:30:11 INFO ShutdownHookManager: Shutdown hook called
"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: no such airline
\tat Main.main(Main.java:3)
Caused by: java.io.FileNotFoundException: /in/airlines.csv
\t... 1 more
"""
YARN = """Container: container_1_0001_01_000002 on slave_8041
LogAggregationType: AGGREGATED
======================================================================
LogType:stderr
LogLength:7216
LogContents:
Traceback (most recent call last):
  File "mapper.py", line 2, in <module>
    sys.exit(dict()["no such key"])
KeyError: 'no such key'

End of LogType:stderr
***********************************************************************

Container: container_1_0001_01_000003 on slave_8041
======================================================================
LogType:stderr
LogContents:
log4j:WARN No appenders could be found for logger

End of LogType:stderr
"""


@pytest.mark.parametrize(("text", "rank", "first", "last"), [
    (DRIVER + SHUTDOWN, 2, "Traceback (most recent call last):", "ValueError: the column flights is missing: 3"),
    (EXECUTOR + SHUTDOWN, 2, "Traceback (most recent call last):", "RuntimeError: row 0 cannot be read"),
    (JAVA, 2, "Caused by: java.io.FileNotFoundException: /in/airlines.csv", "Caused by: java.io.FileNotFoundException: /in/airlines.csv"),
    ("some words\nbash: line 1: nosuch: command not found\n", 1, "some words", "bash: line 1: nosuch: command not found"),
    (SHUTDOWN, 0, "", ""), ("", 0, "", ""), (STREAMING, 0, "", ""), (CLUSTER, 0, "", ""),
    ("Traceback (most recent call last):\n  File \"x\", line 1\npkg.Wrong: first line\nsecond line\n\nlater\n", 2,
     "Traceback (most recent call last):", "second line"),
])
def test_the_words_of_the_program(text, rank, first, last):
    found, lines = last_words.of_program(text)
    assert (found, (lines or [""])[0], (lines or [""])[-1]) == (rank, first, last)


@pytest.mark.parametrize(("kind", "texts", "needed"), [
    ("PYSPARK", [DRIVER, SHUTDOWN], False), ("HADOOP_STREAMING", ["", STREAMING], True), ("SPARK", ["", CLUSTER], True),
    ("SHELL", ["", "no such file\n"], False), ("SHELL", ["", STREAMING], True), ("MR", ["", JAVA], False)])
def test_when_containers_are_asked(kind, texts, needed):
    assert last_words.needs_containers(kind, texts) is needed


def test_the_error_ends_with_what_a_container_said():
    rows = last_words.containers(YARN)
    assert [(row[0], row[1]) for row in rows] == [("container_1_0001_01_000002", "stderr"), ("container_1_0001_01_000003", "stderr")]
    words = last_words.choose([(f"{name} of {container}", text) for container, name, text in rows])
    assert words[0] == "stderr of container_1_0001_01_000002"
    text = last_words.error("", last_words.plain(STREAMING), words).splitlines()
    assert text[-1] == "KeyError: 'no such key'" and "Streaming Command Failed!" in text
    assert not any(line.startswith("\tat") for line in text)


def test_without_words_the_launcher_is_heard():
    assert last_words.choose([("stderr", CLUSTER)]) is None
    assert "finished with failed status" in last_words.error("why", last_words.plain(CLUSTER), None)
