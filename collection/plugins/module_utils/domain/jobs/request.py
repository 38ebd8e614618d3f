"""What may be asked for in a job, and what follows from it."""
from __future__ import annotations

import os
import re
import shlex

from .. import paths
from ..config import writers
from ..text.credential_words import reference, secret_key, secret_value
from . import admission, lists as job_lists, parameters
from .command import SPARK_TYPES, TYPES
from .options import OPTIONS

# What a caller need not say: of the options, and of what our own programs add.
DEFAULTS = {**{option.request_key: option.unset for option in OPTIONS}, "user": "emr", "who": "", "wait": False, "wait_limit_s": 86400,
            "secrets": None, "retry_of": ""}
# Kinds of resources: files of any sort, and those that a program loads.
RESOURCES = ("files", "jars", "py_files", "archives")
# Those that the record keeps; the environment's values are for root alone, and those of properties may be. It has a name in any case.
KEPT = tuple(key for key in DEFAULTS if key not in ("name", "properties", "environment", "parameters", "wait", "wait_limit_s"))
# The folder of a packed Python environment, on the master and in containers.
PYTHON_ENV = "environment"
# A query that comes with a job gets its parameters filled in, unless it is larger than this.
QUERY_BYTES = 1 << 20
SCHEMES = ("hdfs", "oss")
OWN = ("HADOOP_CONF_DIR", "YARN_CONF_DIR", "SPARK_CONF_DIR", "HOME", "USER", "LOGNAME", "EMR_JOB_ID", "EMR_JOB_ATTEMPT")
_KEY = re.compile(r"[A-Za-z][\w.\-]*")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")
_NUMBERS = {option.request_key: option.most for option in OPTIONS if option.kind == "int" or option.form == "duration"}
# Memory of a container that its heap leaves to the rest of the JVM, as domain/sizing/memory.py does.
LEAST_MIB, BESIDE_MIB, HEAP_SHARE = 256, 160, 0.8


def remote(resource):
    """Whether a resource lies elsewhere (hdfs://, oss://) and not in a file of this machine."""
    return "://" in resource


def name_of(resource):
    """Name of a resource's file in the job's folder, without its alias."""
    return os.path.basename(resource.split("#")[0].rstrip("/"))


def alias_of(resource):
    """Resource with the name that its content has in containers: x.tar.gz#env; '' when it has none of its own."""
    return resource.split("#", 1)[1] if "#" in resource else ""


def problems(params):
    """Everything that is wrong with a request, as texts. ``params`` has all of DEFAULTS."""
    found = []
    if params["type"] not in TYPES:
        found.append(f"unknown type of job {params['type']}: expected one of {', '.join(TYPES)}")
    elif not params["args"] and not params["files"]:
        found.append(f"a job of type {params['type']} needs arguments or a file to run")
    found += [f"{key}: {params[key]} is not from 0 to {most}" for key, most in _NUMBERS.items()
              if params[key] is not None and not 0 <= int(params[key]) <= most]
    if params["memory"] and admission.mebibytes(params["memory"]) < LEAST_MIB:
        found.append(f"memory: {params['memory']} is not at least {LEAST_MIB}m; write it as 512m or 2g")
    found += _resources(params) + _texts(params)
    if params["keep_running"] and params["retries"]:
        found.append("retries: a job with keep_running is started again anyway; leave them out")
    if len(params["token"]) > 200:
        found.append("token: it is longer than 200 characters")
    return found


def _resources(params):
    every = [row for kind in RESOURCES for row in params[kind]] + ([params["python_env"]] if params["python_env"] else [])
    found = [f"{row}: a resource is a file, or lies at {' or '.join(f'{s}://' for s in SCHEMES)}" for row in every
             if remote(row) and row.split("://")[0] not in SCHEMES]
    names = [name_of(row) for row in every]
    found += [f"{row}: it has no file name" for row, name in zip(every, names) if name in ("", ".", "..")]
    found += [f"two resources are called {name}: give them different names" for name in sorted({n for n in names if names.count(n) > 1})]
    found += _unlisted(params)
    packed = params["python_env"]
    if packed and not name_of(packed).endswith((".tar.gz", ".tgz", ".zip")):
        found.append(f"{packed}: a packed Python environment is a .tar.gz, .tgz or .zip (venv-pack and conda-pack make them)")
    return found


def _unlisted(params):
    """Names of resources that a list of Hadoop or Spark would carry and cannot; a shell's files and main programs are in none."""
    rows = [*params["jars"], *params["py_files"], *params["archives"], *([params["python_env"]] if params["python_env"] else [])]
    rows = rows if params["type"] != "SHELL" else params["jars"]  # its jars are on a class path
    if params["type"] == "HADOOP_STREAMING" or (params["type"] in SPARK_TYPES and len(params["files"]) > 1):
        rows = rows + list(params["files"])
    return [trouble for row in rows for trouble in _unwritable(writers.listed, name_of(row))]


def _unwritable(writer, *texts):
    """Why a writer cannot write a text: no row when it can."""
    try:
        writer(*texts)
    except writers.Unwritable as error:
        return [f"{error.message}. {error.remedy}"]
    return []


def _settings(params):
    """What Hadoop's and Spark's files cannot hold of a request's properties and name."""
    rows = {f"property {key}": value for key, value in params["properties"].items() if "\n" not in str(value)}
    found = [text for key, value in {**rows, "name": params["name"]}.items() for text in _unwritable(writers.site_properties, {key: value})]
    spark = {key: value for key, value in rows.items() if params["type"] in SPARK_TYPES or key.startswith("property spark.")}
    return found + [text for key, value in spark.items() for text in _unwritable(writers.spark_value, key, str(value))]


def _texts(params):
    found = [f"property {key!r}: its name has letters, digits, dots, dashes and underscores" for key in params["properties"]
             if not _KEY.fullmatch(key)]
    found += [f"property {key}: its value has several lines" for key, value in params["properties"].items() if "\n" in str(value)]
    found += _settings(params)
    found += [f"environment {key!r}: its name has letters, digits and underscores" for key in params["environment"] if not _VARIABLE.fullmatch(key)]
    found += [f"environment {key}: the cluster sets this one itself" for key in params["environment"] if key in OWN]
    return found


def shown_credentials(params):
    """Which of the texts of a request that are kept and shown hold a credential, as names; its environment and properties are for root alone."""
    found = [f"args[{at}]" for at, text in enumerate(params.get("args") or ()) if secret_value(str(text))]
    found += [key for key in ("name", "on_failure") if secret_value(str(params.get(key) or ""))]
    return found + [f"parameters.{key}" for key, value in (params.get("parameters") or {}).items()
                    if secret_value(str(value)) or (secret_key(key) and not reference(str(value)))]


def filled(params, now):
    """(request with moments and parameters in their places, function that does so with a text). Raises ValueError.

    ``now``: the moment of a request that names none.
    """
    if params["retry_of"]:
        # The request on record, its files included, was filled in before; once more would fill what $${…} has kept.
        return params, str
    moment = parameters.read(params["time"], params["time_zone"]) if params["time"] else now.astimezone(parameters.zone(params["time_zone"]))
    known = parameters.resolved(params["parameters"], moment)

    def text(value):
        return parameters.fill(str(value), moment, known)

    more = {key: {name: text(value) for name, value in params[key].items()} for key in ("properties", "environment")}
    more.update({key: [text(row) for row in params[key]] for key in ("args", *RESOURCES)})
    return dict(params, time=moment.isoformat(), name=text(params["name"]), python_env=text(params["python_env"]), **more), text


def named(params, queries=()):
    """What stands in ``${…}`` in all that parameters are filled in: the request's texts, each other, and ``queries``."""
    rows = [params["name"], params["python_env"], *params["args"], *params["properties"].values(), *params["environment"].values(),
            *(row for kind in RESOURCES for row in params[kind]), *params["parameters"].values(), *queries]
    return {name for row in rows for name in parameters.names_in(row)}


def is_query(kind, path):
    """Whether a file of a job is a query that parameters are filled in. ``path`` is a file of this machine."""
    return kind == "SPARK_SQL" and path.endswith(".sql") and os.path.getsize(path) < QUERY_BYTES


def fetched(params):
    """Resources that have to be brought to the master before the program starts."""
    rows = list(params["files"])
    if params["type"] == "SHELL":
        rows += params["jars"] + params["py_files"] + params["archives"]
    if params["python_env"]:
        rows.append(params["python_env"])
    return [row.split("#")[0] for row in rows if remote(row)]


def prelude(params, hadoop):
    """Lines of a shell that prepare the working directory; '' when nothing is to be done. ``hadoop``: the program."""
    lines = []
    urls = fetched(params)
    if urls:
        lines.append(f"{hadoop} fs -get -f {' '.join(map(shlex.quote, urls))} .")
    if params["python_env"]:
        lines.append(f"[ -x {PYTHON_ENV}/bin/python ] || {_unpack(name_of(params['python_env']), PYTHON_ENV)}")
    if params["type"] == "SHELL":
        lines += [_unpack(name_of(row), alias_of(row) or name_of(row).split(".")[0]) for row in params["archives"]]
    return "\n".join(lines)


def _unpack(name, folder):
    source, target = shlex.quote(name), shlex.quote(folder)
    how = f"{paths.PYTHON} -m zipfile -e {source} {target}" if name.endswith((".zip", ".jar")) else f"tar -xf {source} -C {target}"
    return f"{{ mkdir -p {target} && {how}; }}"


def overlay(params, work, current):
    """{hadoop: {key: value}, spark: {key: value}, environment: {…}} that a job adds to the cluster's configuration.

    ``work``: its working directory; ``current``: {key: value} of the cluster's mapred-site.
    """
    hadoop, spark = {}, {}
    for key, value in params["properties"].items():
        if key.startswith("spark."):
            spark[key] = str(value)
        else:
            hadoop[key] = spark[f"spark.hadoop.{key}"] = str(value)
    given_hadoop, given_spark = dict(hadoop), dict(spark)
    if params["name"]:
        hadoop["mapreduce.job.name"] = spark["spark.app.name"] = params["name"]
    if params["priority"] is not None:
        hadoop["mapreduce.job.priority"] = spark["spark.yarn.priority"] = str(params["priority"])
    hadoop.update(_sizes(params, current))
    spark.update(_spark_sizes(params))
    environment = _load(params, work, hadoop, spark)
    for ours, given in ((hadoop, given_hadoop), (spark, given_spark)):
        given.update({key: job_lists.joined(given[key], ours[key]) for key in job_lists.KEYS if ours.get(key) and given.get(key)})
    # What people write as a property wins over what follows from an option.
    return {"hadoop": {**hadoop, **given_hadoop}, "spark": {**spark, **given_spark}, "environment": environment}


def _sizes(params, current):
    rows, mib = {}, admission.mebibytes(params["memory"])
    for task in ("map", "reduce"):
        if mib:
            heap = min(int(mib * HEAP_SHARE), mib - BESIDE_MIB)
            rest = [word for word in current.get(f"mapreduce.{task}.java.opts", "").split() if not word.startswith("-Xmx")]
            rows[f"mapreduce.{task}.memory.mb"] = str(mib)
            rows[f"mapreduce.{task}.java.opts"] = " ".join([f"-Xmx{heap}m", *rest])
        if params["cores"]:
            rows[f"mapreduce.{task}.cpu.vcores"] = str(params["cores"])
    return rows


def _spark_sizes(params):
    rows = {}
    if params["memory"]:
        rows["spark.executor.memory"] = f"{admission.mebibytes(params['memory'])}m"
    if params["cores"]:
        rows["spark.executor.cores"] = str(params["cores"])
    return rows


def _load(params, work, hadoop, spark):
    """Have the programs load their resources: by keys of Spark and of MapReduce, and for what starts on the master by variables."""
    def place(row):
        return row if remote(row) else f"{work}/{row}"

    main = next((arg for arg in params["args"] if arg in params["files"]), (params["files"] or [""])[0] if not params["args"] else "")
    others = [f"{work}/{name_of(row)}" for row in params["files"] if row != main]
    archives = [place(row) for row in params["archives"]]
    environment = {}
    if params["python_env"]:
        archives.append(f"{place(params['python_env'].split('#')[0])}#{PYTHON_ENV}")
        environment["PATH_FIRST"] = f"{work}/{PYTHON_ENV}/bin"
        python = f"./{PYTHON_ENV}/bin/python"
        spark.update({"spark.pyspark.python": python, "spark.pyspark.driver.python": f"{work}/{PYTHON_ENV}/bin/python",
                      "spark.yarn.appMasterEnv.PYSPARK_PYTHON": python, "spark.yarn.appMasterEnv.PYSPARK_DRIVER_PYTHON": python})
        if deploy_mode(params) == "cluster":
            spark["spark.pyspark.driver.python"] = python
    if params["type"] in SPARK_TYPES:
        rows = {"spark.files": others, "spark.jars": [place(row) for row in params["jars"]],
                "spark.submit.pyFiles": [place(row) for row in params["py_files"]], "spark.archives": archives}
        spark.update({key: ",".join(values) for key, values in rows.items() if values})
    elif params["type"] in ("MR", "HADOOP_STREAMING"):
        rows = {"tmpjars": params["jars"], "tmpfiles": params["py_files"]}
        hadoop.update({key: ",".join(_uri(place(row)) for row in values) for key, values in rows.items() if values})
        if archives:
            hadoop["tmparchives"] = ",".join(map(_uri, archives))
    local = [f"{work}/{row}" for row in params["jars"] if not remote(row)]
    if local and params["type"] not in SPARK_TYPES:
        environment["HADOOP_CLASSPATH"] = ":".join(local)
    return environment


def _uri(place):
    return place if remote(place) else f"file://{place}"


def deploy_mode(params, defaults=()):
    """client or cluster: where Spark's driver runs. ``defaults``: {key: value} of the cluster's spark-defaults."""
    key = "spark.submit.deployMode"
    return option(params["args"], "--deploy-mode", key, params["properties"]) or dict(defaults).get(key) or "client"


def driver_memory(params, defaults):
    """Heap of Spark's driver. ``defaults``: {key: value} of the cluster's spark-defaults."""
    key = "spark.driver.memory"
    return option(params["args"], "--driver-memory", key, params["properties"]) or defaults.get(key, "")


def option(args, name, key, properties):
    """What a program of Spark is told of a key: by its own option, by --conf, or by a property of the job."""
    found = properties.get(key, "")
    for at, arg in enumerate(args):
        value = args[at + 1] if at + 1 < len(args) else ""
        if arg == name:
            found = value
        elif arg.startswith(f"{name}="):
            found = arg.split("=", 1)[1]
        elif arg == "--conf" and value.startswith(f"{key}="):
            found = value.split("=", 1)[1]
    return found
