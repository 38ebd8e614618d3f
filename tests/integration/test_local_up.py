"""`emrctl local up` beside a server that runs already: other options, hints, and the memory of the machine."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from tests.integration import cloudbed

REPO = Path(__file__).resolve().parents[2]
PORT = "7911"


@pytest.fixture()
def local(tmp_path):
    """Runs `emrctl local` on a local ECS without hosts in a folder of its own; taken down at the end."""

    def run(*words):
        return subprocess.run([sys.executable, "-m", "emrctl", "local", *words], capture_output=True, text=True, check=False,
                              cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(REPO)}, timeout=120)
    state = tmp_path / "state"
    run.options = ["--prefix", "himg", "--state", str(state)]
    yield run
    assert run("down", *run.options).returncode == 0


def test_other_options_than_those_of_the_running_server_are_named(local):
    first = local("up", *local.options, "--api-only", "--port", PORT, "--memory-mib", "8192")
    assert first.returncode == 0, first.stderr
    named = " ".join(local.options)
    # The hint is a command that works as it stands.
    assert f'Next: eval "$(emrctl local env {named})"' in first.stderr and "the API alone" in first.stderr
    for options, said in ((["--port", "7912"], "has port 7911, not 7912"), (["--subnet", "10.78.212.0/24"], "not 10.78.212.0/24"),
                          (["--memory-mib", "4096"], "runs with memory_mib 8192, not 4096")):
        again = local("up", *local.options, *options)
        assert again.returncode == 3 and said in again.stderr and named in again.stderr, again.stderr
    same = local("up", *local.options, "--memory-mib", "8192")
    assert same.returncode == 0, same.stderr
    # What the refusal advises works.
    assert local("down", *local.options, "--keep").returncode == 0
    changed = local("up", *local.options, "--memory-mib", "4096")
    assert changed.returncode == 0, changed.stderr
    assert local("up", *local.options, "--memory-mib", "8192").returncode == 3


def test_a_local_ecs_that_is_not_there_is_named_with_its_options(local):
    told = local("env", *local.options)
    assert told.returncode == 3 and f"emrctl local up {' '.join(local.options)}" in told.stderr


@pytest.mark.usefixtures("door")
def test_too_little_memory_of_the_machine_is_not_called_out_of_stock(tmp_path, monkeypatch):
    from emrctl.local.testing import api_only

    with api_only(tmp_path / "small", memory_mib=10000) as ecs:
        for name, value in ecs.env.items():
            monkeypatch.setenv(name, value)
        wanted = cloudbed.spec(ecs, "hmem", slave="  slave: {count: 3, instance_types: [ecs.c6.large]}")
        with cloudbed.Owner() as owner, pytest.raises(EmrError) as failed:
            cloudbed.create(EcsClient(ecs.region), wanted, owner)
        said = str(failed.value)
        # Asked for as a whole before anything is bought: the master and the slaves are of one type.
        assert "4 x 4096 MiB are more than the 10000 MiB that are left of the 10000 MiB of memory" in said and "--memory-mib" in said
        assert "out of stock" not in said and cloudbed.living(ecs, "hmem") == []
