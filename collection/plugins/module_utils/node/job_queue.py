"""Send a job to a queue of its own choosing, whatever program it is. Runs on Python 3.8 and newer.

A program's own options are not ours to change, and Hadoop and Spark name the queue differently. The job therefore gets
configuration folders of its own: links to the cluster's files, except for the one file that names the queue.
"""
from __future__ import annotations

import os

from .common import NodeError, read_text, write_atomic
from .configure import parse_keys

HADOOP, SPARK = "/etc/emr/hadoop", "/etc/emr/spark"
ROOT_QUEUES = "yarn.scheduler.capacity.root.queues"


def queue_environment(folder, queue):
    """Make the folders below the job's ``folder`` and return the variables that name them."""
    hadoop, spark = f"{folder}/conf/hadoop", f"{folder}/conf/spark"
    text = read_text(f"{HADOOP}/mapred-site.xml") or "<configuration>\n</configuration>\n"
    row = f"  <property><name>mapreduce.job.queuename</name><value>{queue}</value></property>\n"
    _overlay(HADOOP, hadoop, "mapred-site.xml", text.replace("</configuration>", row + "</configuration>"))
    variables = {"HADOOP_CONF_DIR": hadoop, "YARN_CONF_DIR": hadoop}
    defaults = read_text(f"{SPARK}/spark-defaults.conf")
    if defaults is not None:
        _overlay(SPARK, spark, "spark-defaults.conf", f"{defaults}spark.yarn.queue {queue}\n")
        variables["SPARK_CONF_DIR"] = spark
    return variables


def check_queue(queue):
    """Raises NodeError for a queue that is not there; YARN would refuse the job only after it has started."""
    text = parse_keys(read_text(f"{HADOOP}/capacity-scheduler.xml") or "").get(ROOT_QUEUES, "default")
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
