"""The program that a job's type stands for. Pure Python, 3.8 and newer."""
from __future__ import annotations

TYPES = ("MR", "HADOOP_STREAMING", "SPARK", "PYSPARK", "SPARK_SQL", "SPARK_STREAMING", "SHELL")
SPARK_TYPES = ("SPARK", "PYSPARK", "SPARK_SQL", "SPARK_STREAMING")
HADOOP, SPARK = "/opt/emr/hadoop/bin", "/opt/emr/spark/bin"


def command(kind, args, files, archives=()):
    """The program and arguments of a job. ``files``, ``archives``: names of what came with it, in its working directory.

    Without arguments the first file is the program.
    """
    args, files = list(args), list(files)
    if kind == "SHELL":
        if not args:
            return ["bash", files[0]]
        if len(args) == 1 and args[0] not in files:
            return ["bash", "-c", args[0]]
        return ["bash"] + args if args[0] in files else args
    if kind == "SPARK_SQL":
        scripts = [name for name in files if name.endswith(".sql")]
        if not {"-f", "-e"} & set(args) and scripts:
            args += ["-f", scripts[0]]
        return [f"{SPARK}/spark-sql"] + args
    if kind in SPARK_TYPES:
        return [f"{SPARK}/spark-submit"] + (args or [files[0]])
    if kind == "HADOOP_STREAMING":
        # The mapper and reducer run in containers; generic options, so they stand before the program's own ones.
        if archives and "-archives" not in args:
            args = ["-archives", ",".join(archives)] + args
        if files and "-files" not in args:
            args = ["-files", ",".join(files)] + args
        return [f"{HADOOP}/mapred", "streaming"] + args
    return [f"{HADOOP}/yarn", "jar"] + (args or [files[0]])
