"""Configuration folders of a job's own, whatever program it runs.

A program's own options are not ours to change, and Hadoop and Spark name the same things differently. The job therefore
gets links to the cluster's files, except for the two files that name its queue, tag and properties.
"""
from __future__ import annotations

import os

from ...domain import paths
from ...domain.config import writers
from ..common import NodeError, read_text, write_atomic
from ..config.keys import keys_of

HADOOP, SPARK = paths.HADOOP_CONF, paths.SPARK_CONF
ROOT_QUEUES = "yarn.scheduler.capacity.root.queues"


def conf_environment(folder, final, wanted):
    """Make the folders below ``folder``, which will be called ``final``. Returns the variables that name them.

    ``wanted``: {tag, queue, hadoop: {key: value}, spark: {key: value}}.
    """
    # The tag is how a job's applications are known. A driver that goes without a word has failed, whatever Spark's default says.
    mapred = {**wanted["hadoop"], "mapreduce.job.tags": _tags(wanted["tag"], wanted["hadoop"].get("mapreduce.job.tags"))}
    spark = {"spark.yarn.am.clientModeTreatDisconnectAsFailed": "true", **wanted["spark"],
             "spark.yarn.tags": _tags(wanted["tag"], wanted["spark"].get("spark.yarn.tags"))}
    if wanted["queue"]:
        mapred["mapreduce.job.queuename"] = spark["spark.yarn.queue"] = wanted["queue"]
    text = read_text(f"{HADOOP}/mapred-site.xml") or "<configuration>\n</configuration>\n"
    _overlay(HADOOP, f"{folder}/conf/hadoop", "mapred-site.xml", writers.with_site_properties(text, mapred))
    variables = {"HADOOP_CONF_DIR": f"{final}/conf/hadoop", "YARN_CONF_DIR": f"{final}/conf/hadoop"}
    defaults = read_text(f"{SPARK}/spark-defaults.conf")
    if defaults is not None:
        _overlay(SPARK, f"{folder}/conf/spark", "spark-defaults.conf", defaults + writers.property_lines(spark))
        variables["SPARK_CONF_DIR"] = f"{final}/conf/spark"
    return variables


def _tags(own, others):
    return ",".join(filter(None, (own, others)))


def check_queue(queue):
    """Raises NodeError for a queue that is not there; YARN would refuse the job only after it has started."""
    text = keys_of(f"{HADOOP}/capacity-scheduler.xml").get(ROOT_QUEUES, "default")
    names = sorted(name.strip() for name in text.split(","))
    if queue not in names:
        raise NodeError(f"there is no queue {queue}. The cluster's queues: {', '.join(names)}")


def _overlay(source, target, name, content):
    """Links to everything in ``source``, but a file of its own under ``name``."""
    os.makedirs(target, mode=0o755)
    for entry in os.listdir(source):
        if entry != name and not entry.startswith("."):
            os.symlink(f"{source}/{entry}", f"{target}/{entry}")
    write_atomic(f"{target}/{name}", content)
