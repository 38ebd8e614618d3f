"""The other two doors: plain ansible-playbook, and the rules that AWX runs a project by."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import REPO, lab

BIN = Path(sys.executable).parent
# Doors differ before the first task, not by the number of nodes.
GROUPS = {"master": {"count": 1, "instance_types": ["ecs.c6.large"]}, "slave": {"count": 1, "instance_types": ["ecs.t6-c1m1.large"]}}


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("doors"), "e2ed", 82, 7982) as it:
        yield it


def environment(bed, home: Path) -> dict:
    """Credentials in the environment, a fresh HOME, and nothing else of the caller's."""
    home.mkdir()
    kept = {k: v for k, v in bed.env.items() if k.startswith(("ALIBABA_CLOUD_", "EMR_MIRRORS", "LANG"))}
    return dict(kept, HOME=str(home), PATH=f"{BIN}:{os.environ['PATH']}")


def play(arguments: list, cwd: Path, env: dict) -> None:
    done = subprocess.run([str(BIN / "ansible-playbook"), *arguments], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-6000:]


def test_plain_ansible_playbook(bed):
    env = environment(bed, bed.folder / "plain-home")
    spec = bed.spec("plain", node_groups=GROUPS)
    play(["emr.cluster.create", "-e", f"emr_spec_file={spec}", "-e", "emr_confirm=yes"], REPO, env)
    try:
        assert len(bed.instances("plain")) == 2
        listed = subprocess.run([str(BIN / "ansible-inventory"), "-i", str(inventory(bed)), "--list"], cwd=REPO, env=env,
                                capture_output=True, text=True, check=True, timeout=60)
        groups = json.loads(listed.stdout)
        assert sorted(groups["emr_plain"]["hosts"]) == sorted(i["InstanceName"] for i in bed.instances("plain"))
        assert groups["master"]["hosts"] == ["plain-master-001"]
    finally:
        play(["emr.cluster.release", "-e", "emr_name=plain", "-e", "emr_confirm=yes"], REPO, env)
    assert bed.instances("plain") == []


def inventory(bed) -> Path:
    path = bed.folder / "emr.yml"
    path.write_text("plugin: emr.cluster.ecs\nregions: [cn-hangzhou]\n")
    return path


def test_awx_rules(bed):
    project = bed.folder / "project"
    project.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=REPO, check=True, capture_output=True)
    subprocess.run(["tar", "x", "-C", str(project)], input=archive.stdout, check=True)
    for path in [p for p in project.rglob("*") if p.is_symlink() and p.is_dir()]:
        path.unlink()  # AWX does not follow links to directories
    shutil.rmtree(project / "ansible_collections", ignore_errors=True)
    env = environment(bed, bed.folder / "awx-home")
    # What a credential of awx/credential_type.yml gives to each job, beside the access key.
    key = bed.folder / "login_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    key.with_suffix(".pub").unlink()
    env["EMR_PRIVATE_KEY_FILE"] = str(key)
    env["ANSIBLE_COLLECTIONS_PATH"] = str(project / "requirements_collections")
    subprocess.run([str(BIN / "ansible-galaxy"), "collection", "install", "--offline", "-r", "requirements.yml", "-p",
                    "requirements_collections"], cwd=project, env=env, check=True, capture_output=True, timeout=120)
    (project / "hosts.json").write_text(json.dumps({"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}}))
    variables = bed.folder / "extra.json"
    variables.write_text(json.dumps({"emr_spec": bed.spec("awx", node_groups=GROUPS).read_text(), "emr_confirm": "yes"}))
    play(["-i", "hosts.json", "collection/playbooks/create.yml", "-e", f"@{variables}"], project, env)
    try:
        assert len(bed.instances("awx")) == 2
        # The next job: nothing of the first one's home, the same credential.
        env = dict(env, HOME=environment(bed, bed.folder / "second-home")["HOME"])
        play(["-i", "hosts.json", "collection/playbooks/status.yml", "-e", "emr_name=awx"], project, env)
        pinged = subprocess.run([str(BIN / "ansible"), "-i", "awx/emr.yml", "emr_awx", "-m", "ansible.builtin.ping"], cwd=project, env=env,
                                capture_output=True, text=True, timeout=120, check=False)
        assert pinged.stdout.count("SUCCESS") == 2, pinged.stdout + pinged.stderr
    finally:
        variables.write_text(json.dumps({"emr_name": "awx", "emr_confirm": "yes"}))
        play(["-i", "hosts.json", "collection/playbooks/release.yml", "-e", f"@{variables}"], project, env)
    assert bed.instances("awx") == []
