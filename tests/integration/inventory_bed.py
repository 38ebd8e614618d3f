"""The inventory plugin against a local ECS: parses by a process that is started once, and what the server was asked."""
from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import Credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from emrctl.local import offers

REPO = Path(__file__).parents[2]


@dataclass
class Parsed:
    """What one parse gave: variables by host, host names by group, what was said, by which error the run ended, and the
    calls that it made."""

    hosts: dict
    groups: dict
    children: dict
    said: list
    rendered: dict
    ended: str = ""
    calls: list = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that was said."""
        return "\n".join(self.said)


class Bed:
    """A local ECS, a folder, and the process that parses. ``python`` is the interpreter whose Ansible is used."""

    def __init__(self, ecs, folder, python: str = sys.executable):
        self.ecs, self.folder = ecs, Path(folder)
        env = {**os.environ, "ANSIBLE_CONFIG": str(REPO / "ansible.cfg"), "PYTHONPATH": ""}
        self._child = subprocess.Popen([python, str(Path(__file__).parent / "inventory_child.py")], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True, cwd=REPO, env=env)
        assert self._child.stdout.readline() == "ready\n"

    def close(self) -> None:
        """End the process."""
        self._child.stdin.close()
        self._child.wait(10)

    def parse(self, config="", cache: bool = True, name: str = "ecs.yml", render: str = "", **env) -> Parsed:
        """Parse this configuration (text or dict, without ``plugin``). ``render`` is templated for each host."""
        data = (yaml.safe_load(config) if isinstance(config, str) else config) or {}
        path = self.folder / name
        path.write_text(yaml.safe_dump({"plugin": "emr.cluster.ecs", **data}))
        request = {"env": {**self.ecs.env, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", "HOME": str(self.folder), **env},
                   "sources": [str(path)], "cache": cache, "render": render}
        with watched(self.ecs) as calls:
            self._child.stdin.write(json.dumps(request) + "\n")
            self._child.stdin.flush()
            answer = json.loads(self._child.stdout.readline())
        assert "error" not in answer, answer["error"]
        return Parsed(**answer, calls=calls)


@contextlib.contextmanager
def watched(ecs):
    """(action, region) of all calls while the block runs."""
    seen, handle = [], ecs.cloud.handle

    def spy(action, flat, *rest, **more):
        seen.append((action, flat.get("RegionId", "")))
        return handle(action, flat, *rest, **more)

    ecs.cloud.handle = spy
    try:
        yield seen
    finally:
        ecs.cloud.handle = handle


def client(ecs, region) -> EcsClient:
    """A client that needs no environment."""
    return EcsClient(region, Credentials(ecs.access_key_id, ecs.access_key_secret), ecs.endpoint)


def buy(ecs, region: str, name: str, amount: int = 1, tags: dict | None = None, **more) -> list:
    """Ids of new instances called ``name`` (a pattern), with tags."""
    api = client(ecs, region)
    group = api.call("CreateSecurityGroup", SecurityGroupName="test")["SecurityGroupId"]
    return api.call("RunInstances", **{
        "InstanceType": "ecs.g6.large", "ImageId": ecs.image, "VSwitchId": offers.vswitch_id(offers.REGIONS[region][1][0]), "Amount": amount,
        "SecurityGroupId": group, "InstanceName": name, "Tag": [{"Key": k, "Value": v} for k, v in (tags or {}).items()] or None,
        **more})["InstanceIdSets"]["InstanceIdSet"]


def cluster(name: str, role: str, **more) -> dict:
    """Tags of a node."""
    return {"emr:cluster": name, "emr:id": f"emr-{len(name):012x}", "emr:group": role, "emr:role": role,
            "emr:release": "emr-1.0", "emr:services": "hdfs,yarn", **more}


def settled(ecs, *regions) -> None:
    """Wait until everything runs."""
    for region in regions:
        while any(i["Status"] != "Running" for i in client(ecs, region).items("DescribeInstances")):
            pass
