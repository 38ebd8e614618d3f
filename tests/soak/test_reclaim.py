"""A spot node is taken back while a long job runs on it: the job ends right, and maintain buys another node."""
from __future__ import annotations

import json

import pytest

from tests.lab import lab, until

NAME, FILES = "spot", 30
NODE = f"{NAME}-night-001"
MAPPER = "#!/bin/bash\nsleep 12\nawk '{s+=$1; n++} END {print n, s}'\n"
REDUCER = "#!/bin/bash\nawk '{n+=$1; s+=$2} END {print n, s}'\n"
JOB = f"""#!/bin/bash
set -e
mkdir in; for i in $(seq 1 {FILES}); do seq $((i*1000)) $((i*1000+999)) > in/f$i; done
hdfs dfs -put in /user/emr/in
mapred streaming -D mapreduce.job.reduces=1 -D mapreduce.job.reduce.slowstart.completedmaps=0.2 \\
  -files mapper.sh,reducer.sh -mapper mapper.sh -reducer reducer.sh -input /user/emr/in -output /user/emr/out >&2
hdfs dfs -cat /user/emr/out/part-00000
"""


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("reclaim"), "soakspot", 141, 8041) as it:
        yield it


def ask(bed, path: str) -> dict:
    """An answer of the ResourceManager."""
    return json.loads(bed.ssh(NAME, f"{NAME}-master-001", f"curl -s 'localhost:8088/ws/v1/cluster/{path}'"))


def node(bed) -> dict:
    """What the ResourceManager says of the spot node."""
    found = [n for n in ask(bed, "nodes")["nodes"]["node"] if n["nodeHostName"] == NODE]
    return found[0] if found else {"state": "-", "numContainers": 0}


def test_a_job_survives_that_its_node_is_taken_back(bed):
    types = ["ecs.c6.large"]
    spec = bed.spec(NAME, node_groups={
        "master": {"count": 1, "instance_types": types}, "slave": {"count": 1, "instance_types": types},
        "night": {"role": "task", "count": 2, "instance_types": types, "spot": {}}})
    bed.emrctl("create", str(spec), "--yes")
    for name, text in (("mapper.sh", MAPPER), ("reducer.sh", REDUCER), ("job.sh", JOB)):
        (bed.folder / name).write_text(text)
    files = [word for name in ("job.sh", "mapper.sh", "reducer.sh") for word in ("-f", str(bed.folder / name))]
    job = bed.json("submit", NAME, "--type", "SHELL", *files, "--", "bash job.sh")
    until(lambda: node(bed)["numContainers"] > 0, "containers on the spot node", 180)
    taken = next(i["InstanceId"] for i in bed.instances(NAME) if i["InstanceName"] == NODE)
    bed.local("fault", f'spot_notice=["{taken}"]', "spot_notice_seconds=120")
    seen = set()
    until(lambda: seen.add(node(bed)["state"]) or "DECOMMISSIONED" in seen, "the node is drained", 115)
    assert taken in {i["InstanceId"] for i in bed.instances(NAME)}, "it was gone before it was drained"
    until(lambda: taken not in {i["InstanceId"] for i in bed.instances(NAME)}, "the instance is taken back", 120)

    def ended():
        states = {j["id"]: j["state"] for j in bed.json("jobs", "list", NAME)}
        return states[job["id"]] in ("SUCCEEDED", "FAILED", "LOST")

    until(ended, "the job ends", 900)
    out = bed.json("jobs", "logs", NAME, job["id"])
    numbers = [n for i in range(1, FILES + 1) for n in range(i * 1000, i * 1000 + 1000)]
    assert out["stdout"].split() == [str(len(numbers)), str(sum(numbers))], out["stderr"][-2000:]
    assert not (ask(bed, "apps?states=FAILED,KILLED").get("apps") or {}).get("app")
    result = bed.json("maintain", NAME)
    assert result["done"] == [f"replace spot nodes: {NODE}", f"remove the records of nodes that are gone: {NODE}"]
    assert node(bed)["state"] == "RUNNING" and bed.json("status", NAME)["yarn"]["active"] == 3
    again = bed.json("maintain", NAME)
    assert again["done"] == [] and not any(s["changed"] for s in again["stats"].values())
