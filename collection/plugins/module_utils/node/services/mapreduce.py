"""MapReduce on a node: how it shows that it computes."""
from __future__ import annotations

import re

from .. import hadoop_cli
from ..common import NodeError


def prove(proof):
    """Run a small MapReduce program in one container: client, ResourceManager, NodeManager and HDFS all take part."""
    # Uber mode runs the tasks inside the application master, but only where they ask for no more memory than it has.
    options = {"mapreduce.job.ubertask.enable": "true", "mapreduce.map.memory.mb": "256", "mapreduce.reduce.memory.mb": "256"}
    words = ["jar", proof["jar"], "pi",
             *(word for key, value in options.items() for word in ("-D", f"{key}={value}")), "2", "100"]
    _code, out, err = hadoop_cli.run("yarn", words, proof["user"], proof["environment"], limit_s=proof["limit_s"])
    match = re.search(r"Estimated value of Pi is ([\d.]+)", out)
    if not match:
        raise NodeError("the computation gave no result: " + "\n".join((err or out).splitlines()[-15:]))
    application = re.search(r"application_\d+_\d+", err)
    return {"pi": float(match.group(1)), "application": application.group(0) if application else ""}
