"""A controller with ansible-core alone: what is missing is named, with the Python to install it into."""
from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from tests.lab import REPO

BIN = Path(sys.executable).parent
HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "aliyunsdkcore":
            raise ModuleNotFoundError("No module named 'aliyunsdkcore'", name=name)
sys.meta_path.insert(0, Hidden())
"""


def run(tmp_path, program, *arguments):
    (tmp_path / "sitecustomize.py").write_text(HIDE)
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path), "ALIBABA_CLOUD_ACCESS_KEY_ID": "k",
           "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s", "ALIBABA_CLOUD_ECS_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run([str(BIN / program), *arguments], cwd=REPO, env=env, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    return " ".join(done.stdout.split())


def test_the_package_and_the_python_are_named(tmp_path):
    wanted = "aliyun-python-sdk-core is missing (No module named 'aliyunsdkcore')"
    inventory = tmp_path / "emr.yml"
    inventory.write_text("plugin: emr.cluster.ecs\nregions: [cn-hangzhou]\n")
    remedy = f"{BIN}/python -m pip install aliyun-python-sdk-core"
    listed = run(tmp_path, "ansible-inventory", "-i", str(inventory), "--list")
    assert wanted in listed and remedy in listed.replace("python3 -m", "python -m"), listed
    stopped = run(tmp_path, "ansible-playbook", "emr.cluster.stop", "-e", "emr_name=x", "-e", "emr_region=cn-hangzhou")
    assert wanted in stopped and remedy in stopped.replace("python3 -m", "python -m"), stopped


def test_an_execution_environment_gets_the_package_too():
    meta = yaml.safe_load((REPO / "collection" / "meta" / "execution-environment.yml").read_text())
    rows = (REPO / "collection" / meta["dependencies"]["python"]).read_text().split()
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    assert rows and set(rows) <= set(project["dependencies"]), "the collection's requirements are among the wheel's"
    assert (REPO / "collection" / meta["dependencies"]["system"]).exists()
    assert (REPO / "collection" / "LICENSE").read_text() == (REPO / "LICENSE").read_text()
