"""What a failed program said itself, in logs as Spark, Hadoop Streaming and YARN write them."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import last_words

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
    assert last_words.needs_containers(kind, [], dict(zip(("stdout", "stderr"), texts, strict=True))) is needed


def test_the_error_ends_with_what_a_container_said():
    rows = last_words.containers(YARN)
    assert [(row[0], row[1]) for row in rows] == [("container_1_0001_01_000002", "stderr"), ("container_1_0001_01_000003", "stderr")]
    words = last_words.choose([(f"{name} of {container}", text) for container, name, text in rows])
    assert words[0] == "stderr of container_1_0001_01_000002"
    text = last_words.error("", last_words.launcher(STREAMING), words).splitlines()
    assert text[-1] == "KeyError: 'no such key'" and "Streaming Command Failed!" in text
    assert not any(line.startswith("\tat") for line in text)


def test_without_words_the_launcher_is_heard():
    assert last_words.choose([("stderr", CLUSTER)]) is None
    assert "finished with failed status" in last_words.error("why", last_words.launcher(CLUSTER), None)


LAUNCH = """26/11/29 09:53:50 INFO YarnAllocator: Resource profile 0 doesn't exist, adding it
===============================================================================
Default YARN executor launch context:
  env:
    CLASSPATH -> {{PWD}}<CPS>{{PWD}}/__spark_conf__

  command:
    {{JAVA_HOME}}/bin/java \\
      -server \\
      -XX:OnOutOfMemoryError='kill %p' \\
      2><LOG_DIR>/stderr
  resources:
    __spark_conf__ -> resource { scheme: "hdfs" host: "m" port: 8020 file: "/user/emr/x.zip" } size: 194883 type: ARCHIVE

===============================================================================
26/11/29 09:53:51 INFO ApplicationMaster: Final app status: SUCCEEDED, exitCode: 0
"""
REPORT = """WARNING: Using incubator modules: jdk.incubator.vector
26/11/29 09:53:30 INFO Client:
\t client token: N/A
\t diagnostics: N/A
\t user: emr
26/11/29 09:53:43 WARN YarnSchedulerBackend$YarnSchedulerEndpoint: Attempted to request executors before the AM has registered!
"""
WARNED = """26/11/29 09:53:43 WARN TaskSetManager: Lost task 0.0 in stage 0.0 (TID 0)
java.io.IOException: Connection reset by peer
\tat x.Y.z(Y.java:1)
26/11/29 09:53:44 INFO DAGScheduler: done
"""
TABLE = "+---+\n| id|\n+---+\n|  0|\n+---+\n\n"
SPARK_CLIENT = ["spark-submit", "job.py"]


def container(number: int, **files: str) -> str:
    """What `yarn logs` prints of a container."""
    head = f"Container: container_1_0001_01_{number:06d} on slave_8041\nLogAggregationType: AGGREGATED\n====\n"
    return "".join(f"{head}LogType:{name}\nLogLength:1\nLogContents:\n{text}\nEnd of LogType:{name}\n***\n\n" for name, text in files.items())


@pytest.mark.parametrize(("kind", "stdout", "stderr", "place", "last"), [
    ("PYSPARK", TABLE + "no data for yesterday\n", REPORT, "stdout", "no data for yesterday"),
    ("PYSPARK", "no data for yesterday\n", REPORT + WARNED, "stdout", "no data for yesterday"),
    ("PYSPARK", "", REPORT + JAVA, "stderr", "Caused by: java.io.FileNotFoundException: /in/airlines.csv"),
    ("PYSPARK", "reading\n", REPORT + JAVA, "stderr", "Caused by: java.io.FileNotFoundException: /in/airlines.csv"),
    ("SPARK", "rows 5\n", REPORT + "no data for yesterday\n" + SHUTDOWN, "stderr", "no data for yesterday"),
    ("SPARK", "rows 5\n", WARNED + "no data for yesterday\n" + SHUTDOWN, "stderr", "no data for yesterday"),
    ("SPARK", "no data for yesterday\n", REPORT, "stdout", "no data for yesterday"),
    ("SPARK_SQL", "1\t2\n", REPORT + "Spark master: yarn, Application Id: application_1_0001\nTime taken: 3.4 seconds, Fetched 1 row(s)\n"
     "[UNRESOLVED_COLUMN] There is no `nope`. SQLSTATE: 42703; line 2 pos 7;\n'Project ['nope]\n+- LocalRelation [a#2]\n\n", "stderr",
     "[UNRESOLVED_COLUMN] There is no `nope`. SQLSTATE: 42703; line 2 pos 7;"),
    ("MR", "", "usage: Mr IN OUT\n", "stderr", "usage: Mr IN OUT"),
    ("SHELL", "step 1\n", "no file of today\n", "stderr", "no file of today"),
    ("SHELL", "no data for yesterday\n", REPORT, "stdout", "no data for yesterday"),
    ("SHELL", "no data for yesterday\n", "Output [1]: x\n" + SHUTDOWN, "stdout", "no data for yesterday"),
])
def test_a_sentence_of_the_program_on_the_master_wins(kind, stdout, stderr, place, last):
    texts, argv = {"stdout": stdout, "stderr": stderr}, SPARK_CLIENT if kind == "PYSPARK" else ["program"]
    words = last_words.own(kind, argv, texts)
    assert (words[0], words[1][-1]) == (place, last)
    assert not last_words.needs_containers(kind, argv, texts, app_failed=False)


@pytest.mark.parametrize("sentence", ["import failed: there is no table sales.orders in jdbc:mysql://db/sales. Next: look at its tables",
                                      "export failed: table t has no primary key.\nIt has: none. Next: append"])
def test_of_an_import_or_export_its_sentence_alone_is_heard(sentence):
    texts = {"stdout": f"reading in 4 parts\nwrote 3 files\n{sentence}\n", "stderr": REPORT}
    words = last_words.own("PYSPARK", ["spark-submit", "/opt/emr/libexec/emr_jdbc.py"], texts)
    assert last_words.error("", [], words) == sentence


def test_how_containers_are_started_is_no_word_of_the_program():
    assert last_words.of_program(LAUNCH)[0] == last_words.NOTHING
    rows = last_words.each_file(container(1, stderr=LAUNCH).splitlines())
    assert last_words.of_containers("PYSPARK", SPARK_CLIENT, rows, in_cluster=False) is None


def test_a_driver_in_a_container_is_heard_rather_than_its_executors():
    tried = container(2, stderr="26/11/29 ERROR Executor: Exception in task 0.0\njava.lang.RuntimeException: tried again\n\tat x.Y.z(Y.java:1)\n")
    driver = container(1, stdout=TABLE + "no data for yesterday", stderr=LAUNCH)
    for text in (driver + tried, tried + driver):
        words = last_words.of_containers("PYSPARK", SPARK_CLIENT, last_words.each_file(text.splitlines()), in_cluster=True)
        assert (words[0], words[1][-1]) == ("stdout of container_1_0001_01_000001", "no data for yesterday")


def test_of_many_tasks_the_one_that_failed_is_heard():
    fine = container(4, stderr="reporter:status:working", syslog="2026-11-29 09:53:43,123 INFO [main] Task: done")
    bad = container(3, stderr="line 1 has no airline", syslog="2026-11-29 09:53:43,123 WARN [main] org.apache.hadoop.mapred.YarnChild: "
                    "Exception running child : java.lang.RuntimeException: PipeMapRed.waitOutputThreads(): subprocess failed with code 1\n")
    master = container(1, stderr="Nov 29, 2026 9:53:44 AM com.sun.jersey.Guice load\nINFO: loaded\nlog4j:WARN x", syslog=WARNED)
    for text in (fine + bad + master, master + bad + fine):
        words = last_words.of_containers("HADOOP_STREAMING", ["mapred"], last_words.each_file(text.splitlines()))
        assert words == ("stderr of container_1_0001_01_000003", ["line 1 has no airline"])
