"""What no node of the cluster can give to a job."""
from __future__ import annotations

from . import admission
from .command import SPARK_TYPES
from .request import deploy_mode, option

# What Spark asks YARN for beside the heap of an executor or driver: a tenth, and at least so many MiB.
SPARK_SHARE, SPARK_LEAST = 0.1, 384
MOST_MIB, MOST_CORES = "yarn.scheduler.maximum-allocation-mb", "yarn.scheduler.maximum-allocation-vcores"


def refused(params, overlay, yarn, spark_defaults, master_mib):
    """A sentence for a request that no node can fulfil, or ''.

    ``overlay``: the properties of the job, {hadoop: {}, spark: {}}; ``yarn``, ``spark_defaults``: {key: value} of the cluster's
    configuration; ``master_mib``: memory of this master, 0 when it is not known.
    """
    most, cores = admission.mebibytes(yarn.get(MOST_MIB)), admission.mebibytes(yarn.get(MOST_CORES))
    for what, mib in _memory(params, overlay, spark_defaults):
        if most and mib > most:
            return (f"{what} needs containers of {mib} MiB, and no node of this cluster has more than {most} for one. Next: ask for less, or "
                    "add larger nodes (docs/scale.md)")
    for what, count in _cores(params, overlay):
        if cores and count > cores:
            return f"{what} asks for {count} cores in a container, and no node of this cluster has more than {cores}. Next: ask for less"
    if params["type"] in SPARK_TYPES and deploy_mode(params, spark_defaults) == "client":
        heap = admission.mebibytes(_spark(params, overlay, spark_defaults, "--driver-memory", "spark.driver.memory"))
        if master_mib and heap > master_mib:
            return (f"spark.driver.memory: a driver of {heap} MiB is larger than the master, which has {master_mib}. Next: ask for less, or run it "
                    "in a container: --property spark.submit.deployMode=cluster")
    return ""


def _spark(params, overlay, defaults, name, key):
    return option(params["args"], name, key, overlay["spark"]) or defaults.get(key, "")


def _memory(params, overlay, defaults):
    """(name of what asks, MiB of its containers)."""
    if params["type"] in SPARK_TYPES:
        rows = [("--executor-memory", "spark.executor.memory")]
        if deploy_mode(params, defaults) == "cluster":
            rows.append(("--driver-memory", "spark.driver.memory"))
        for name, key in rows:
            heap = admission.mebibytes(_spark(params, overlay, defaults, name, key))
            beside = admission.mebibytes(_spark(params, overlay, defaults, "", f"{key}Overhead"))
            yield key, heap + (beside or max(SPARK_LEAST, int(heap * SPARK_SHARE))) if heap else 0
        return
    if params["type"] in ("MR", "HADOOP_STREAMING"):
        for key in ("mapreduce.map.memory.mb", "mapreduce.reduce.memory.mb", "yarn.app.mapreduce.am.resource.mb"):
            yield key, admission.mebibytes(_defined(params["args"], key) or overlay["hadoop"].get(key))


def _cores(params, overlay):
    if params["type"] in SPARK_TYPES:
        found = option(params["args"], "--executor-cores", "spark.executor.cores", overlay["spark"])
        yield "spark.executor.cores", admission.mebibytes(found)
    elif params["type"] in ("MR", "HADOOP_STREAMING"):
        for key in ("mapreduce.map.cpu.vcores", "mapreduce.reduce.cpu.vcores"):
            yield key, admission.mebibytes(_defined(params["args"], key) or overlay["hadoop"].get(key))


def _defined(args, key):
    """The value of a property among the arguments of a program of Hadoop, as -D key=value or -Dkey=value; '' when it is not there."""
    words = [word[2:] for word in args if word.startswith("-D") and word != "-D"]
    words += [after for word, after in zip(args, args[1:]) if word == "-D"]  # noqa: RUF007 (pairwise came with Python 3.10)
    return next((word.split("=", 1)[1] for word in words if word.startswith(f"{key}=")), "")
