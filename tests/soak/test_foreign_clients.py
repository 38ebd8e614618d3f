"""Clients of Alibaba Cloud that nobody here wrote work against the local ECS, unchanged.

The SDKs are installed once into an environment of their own below the cache folder. The command-line client `aliyun`
is tried when it is on the PATH or named by EMR_ALIYUN_CLI.
"""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emrctl.local.settings import cache_dir
from emrctl.local.testing import api_only

pytestmark = pytest.mark.soak
SDKS = ("alibabacloud_ecs20140526", "alibabacloud_sts20150401", "aliyun-python-sdk-ecs", "aliyun-python-sdk-vpc")
VALUE = "{{ hostile }}\n控制"


@pytest.fixture(scope="module")
def foreign_python():
    """Interpreter of the environment that has the SDKs."""
    home = cache_dir() / "foreign-clients"
    python, done = home / "bin" / "python", home / "installed"
    if not done.exists() or done.read_text() != " ".join(SDKS):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--no-compile", "--disable-pip-version-check", *SDKS], check=True)
        done.write_text(" ".join(SDKS))
    return python


@pytest.fixture
def local(tmp_path):
    with api_only(tmp_path) as server:
        yield server


def seen_by(python, script, local):
    """What the script printed."""
    environ = {**os.environ, **local.env, "IMAGE": local.image, "VSWITCH": local.vswitch, "PYTHONIOENCODING": "utf-8"}
    ran = subprocess.run([str(python), str(Path(__file__).with_name(script))], env=environ, capture_output=True,
                         text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_new_sdk(foreign_python, local):
    assert seen_by(foreign_python, "foreign_tea.py", local) == {
        "regions": 8, "names": ["tea-001", "tea-002", "tea-003"], "value": VALUE, "memory": 4096, "serials": 2,
        "price": True, "arn": "acs:ram::1000000000000001:assumed-role/reader/tea", "seen": 3,
        "wrong": "InvalidRegionId.NotFound"}


def test_classic_sdk(foreign_python, local):
    assert seen_by(foreign_python, "foreign_ecs.py", local) == {
        "dry": "DryRunOperation", "same": True, "names": ["classic-001", "classic-002", "classic-003"], "value": VALUE,
        "disks": [20], "kinds": [[2, 8]], "zones": 3, "tags": 3, "stopped": "200", "states": 3}


def test_classic_sdk_of_vpc(foreign_python, local):
    assert seen_by(foreign_python, "foreign_vpc.py", local) == {
        "same": True, "value": VALUE, "cidr": ["10.8.0.0/16", "10.8.0.0/20"], "free": 4092, "early": "DependencyViolation.VSwitch", "left": 0}


@pytest.fixture
def aliyun(local, tmp_path):
    """``aliyun(service, action, *options)``: the answer of the command-line client."""
    program = os.environ.get("EMR_ALIYUN_CLI") or shutil.which("aliyun")
    if not program:
        pytest.skip("the command-line client aliyun is not installed")
    environ = {**os.environ, "HOME": str(tmp_path), "ALIBABA_CLOUD_IGNORE_PROFILE": "TRUE"}

    def run(service, action, *options):
        ran = subprocess.run([program, service, action, "--mode", "AK", "--access-key-id", local.access_key_id,
                              "--access-key-secret", local.access_key_secret, "--region", local.region,
                              "--endpoint", local.endpoint.removeprefix("http://"), "--insecure", *options],
                             env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout or "{}")
    return run


def test_command_line_client(aliyun, local):
    assert len(aliyun("ecs", "DescribeRegions")["Regions"]["Region"]) == 8
    assert aliyun("sts", "GetCallerIdentity")["IdentityType"] == "RAMUser"
    group = aliyun("ecs", "CreateSecurityGroup", "--SecurityGroupName", "cli")["SecurityGroupId"]
    bought = aliyun("ecs", "RunInstances", "--InstanceType", "ecs.c6.large", "--ImageId", local.image, "--VSwitchId",
                    local.vswitch, "--SecurityGroupId", group, "--Amount", "2", "--InstanceName", "cli-[001,3]",
                    "--Tag.1.Key", "emr:cluster", "--Tag.1.Value", VALUE)["InstanceIdSets"]["InstanceIdSet"]
    rows = aliyun("ecs", "DescribeInstances", "--Tag.1.Key", "emr:cluster", "--waiter",
                  "expr=to_string(length(Instances.Instance))", "to=2")["Instances"]["Instance"]
    assert [r["InstanceId"] for r in rows] == bought and rows[0]["Tags"]["Tag"][0]["TagValue"] == VALUE
    aliyun("ecs", "DeleteInstances", "--InstanceId.1", bought[0], "--InstanceId.2", bought[1], "--Force", "true")
