"""What the job of a benchmark runs on the control node: makes what is missing, measures, judges, and keeps the result in HDFS.

On a master this is /opt/emr/libexec/emr_bench.py; its argument is a file with the request (node/bench/operations.py). A summary of the
result is one line of JSON on stdout. The exit code is 1 when an answer is not the judge's.
"""
from __future__ import annotations

import io
import json
import os
import time

from ...domain.bench.request import results_folder
from ...domain.bench.results import SAME, summary
from ..common import NodeError, say
from ..hdfs.client import WebHdfs


def main(arguments):
    """Run the request. Returns the exit code."""
    with open(arguments[0], encoding="utf-8") as handle:
        request = json.load(handle)
    client = WebHdfs(request["namenode"], request["user"])
    try:
        found = _measured(request, client)
    except NodeError as error:
        _say(f"bench {request['kind']} failed: {error}")
        return 1
    result = {"id": os.environ["EMR_JOB_ID"], **{key: request[key] for key in (
        "kind", "scale", "streams", "rounds", "label", "properties", "hourly", "currency", "nodes", "release")}, **found}
    keep(client, request["user"], result)
    wrong = {name: step["answer"] for name, step in found["steps"].items() if step.get("answer") not in (None, SAME)}
    for name, answer in wrong.items():
        _say(f"{name}: {answer}")
    say(json.dumps(summary(result)))
    return 1 if wrong else 0


def _measured(request, client):
    """{started, seconds, steps, …} of the benchmark that is asked for."""
    if request["kind"] == "tpch":
        from .tpch import measure
    else:
        from .mapreduce import measure
    started = time.time()
    return {"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)), **measure(request, client, _say)}


def keep(client, user, result):
    """Write a result beside those of the user's other runs, in one step."""
    folder, text = results_folder(user), json.dumps(result).encode()
    client.make(folder, "755")
    client.write(f"{folder}/.{result['id']}", io.BytesIO(text), len(text))
    client.replace(f"{folder}/.{result['id']}", f"{folder}/{result['id']}.json")


def _say(line):
    say(line, err=True)
