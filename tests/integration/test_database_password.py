"""A password that is needed and not there refuses a deploy before any change."""
from __future__ import annotations

import os
import subprocess
import sys

from tests.lab import REPO

SPEC = """
name: sales
region: cn-hangzhou
zone: cn-hangzhou-h
image: m-1
network: {vswitch_id: vsw-1, ssh_from: 127.0.0.1/32}
services: [hadoop, spark, metastore]
metastore: {database: {url: "mysql://db.example.com/metastore", user: hive}}
node_groups:
  master: {count: 1, instance_types: [ecs.g7.xlarge]}
  slave: {count: 1, instance_types: [ecs.g7.xlarge]}
"""
HOSTS = """
[master]
m1 ansible_connection=local ansible_host=127.0.0.1
[slave]
s1 ansible_connection=local ansible_host=127.0.0.2
"""


def test_deploy_asks_before_anything_changes(tmp_path):
    (tmp_path / "spec.yml").write_text(SPEC)
    (tmp_path / "hosts").write_text(HOSTS)
    environment = {**os.environ, "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}", "HOME": str(tmp_path),
                   "ANSIBLE_COLLECTIONS_PATH": str(REPO)}
    environment.pop("EMR_METASTORE_PASSWORD", None)
    done = subprocess.run(["ansible-playbook", "emr.cluster.deploy", "-i", "hosts", "-e", "emr_spec_file=spec.yml"], cwd=tmp_path,
                          capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2 and '"emr_refused": true' in done.stdout, done.stdout + done.stderr
    assert "read -rs EMR_METASTORE_PASSWORD" in done.stdout and "Nothing was changed" in done.stdout
    assert "changed=0" in done.stdout and "changed=1" not in done.stdout and "Look at the hosts" not in done.stdout
