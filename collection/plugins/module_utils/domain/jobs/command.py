"""The program that a job's type stands for."""
from __future__ import annotations

from .. import paths
from . import lists as job_lists

TYPES = ("MR", "HADOOP_STREAMING", "SPARK", "PYSPARK", "SPARK_SQL", "SPARK_STREAMING", "SHELL")
SPARK_TYPES = ("SPARK", "PYSPARK", "SPARK_SQL", "SPARK_STREAMING")
HADOOP, SPARK = paths.HADOOP_BIN, paths.SPARK_BIN


def command(kind, args, files, archives=(), overlay=None):
    """The program and arguments of a job. ``files``, ``archives``: names of what came with it, in its working directory.

    ``overlay``: properties of the job, {hadoop: {key: value}, spark: {key: value}}; lists of files among its arguments get those of them.
    Without arguments the first file is the program.
    """
    args, files = list(args), list(files)
    lists = {program: {option: (overlay or {}).get(program, {}).get(key, "") for option, key in options.items()}
             for program, options in (("hadoop", job_lists.HADOOP), ("spark", job_lists.SPARK))}
    if kind == "SHELL":
        if not args:
            return ["bash", files[0]]
        if len(args) == 1 and args[0] not in files:
            return ["bash", "-c", args[0]]
        return ["bash"] + args if args[0] in files else args
    if kind in SPARK_TYPES:
        args = job_lists.spark(args, lists["spark"])
    if kind == "SPARK_SQL":
        scripts = [name for name in files if name.endswith(".sql")]
        if not {"-f", "-e"} & set(args) and scripts:
            args += ["-f", scripts[0]]
        return [f"{SPARK}/spark-sql"] + args
    if kind in SPARK_TYPES:
        return [f"{SPARK}/spark-submit"] + (args or [files[0]])
    if kind == "HADOOP_STREAMING":
        # The mapper and reducer run in containers; generic options, so they stand before the program's own ones.
        ours = {"files": ",".join(filter(None, [*files, lists["hadoop"]["files"]])), "archives": ",".join(archives),
                "libjars": lists["hadoop"]["libjars"]}
        args, left = job_lists.hadoop(args, ours)
        # Beside an option of ours, the property of the same list would count for nothing.
        for option in ("archives", "files"):
            if left.get(option):
                args = [f"-{option}", left[option], *args]
        return [f"{HADOOP}/mapred", "streaming"] + args
    return [f"{HADOOP}/yarn", "jar"] + (job_lists.hadoop(args, lists["hadoop"])[0] or [files[0]])
