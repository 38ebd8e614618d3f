"""Fixtures of the tests of the cloud side."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import operation as operation_module
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.lock import Lock
from ansible_collections.emr.cluster.plugins.module_utils.cloud.install.dist_cache import stamp
from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import RELEASES
from emrctl.local.testing import api_only
from tests.integration.cloudbed import Owner


@pytest.fixture(scope="session")
def made_software(tmp_path_factory):
    """A cache in which the tarballs of each release count as made. Nothing here installs them, so they have no content."""
    cache = tmp_path_factory.mktemp("cache")
    (cache / "dist").mkdir()
    for row in RELEASES.values():
        for artifact in row.artifacts.values():
            (cache / "dist" / artifact.file).touch()
            stamp(cache / "dist" / artifact.file, artifact.sha512)
    return cache


@pytest.fixture(autouse=True)
def software(made_software, monkeypatch, tmp_path_factory):
    """Each cluster needs a source of its software; here that is this machine's cache, beside the folder of the test."""
    cache = tmp_path_factory.mktemp("emr-cache")
    (cache / "dist").symlink_to(made_software / "dist")
    monkeypatch.setenv("EMR_CACHE", str(cache))


@pytest.fixture(scope="module")
def ecs(tmp_path_factory):
    """A local ECS for all tests of a file; a file whose tests want one each has a fixture of this name of its own."""
    with api_only(tmp_path_factory.mktemp("ecs")) as running:
        yield running


@pytest.fixture
def door(ecs, monkeypatch, tmp_path):
    """The environment of a client of that ECS. There are no hosts behind it, so nothing answers on SSH."""
    for key, value in ecs.env.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(operation_module, "reach", lambda *a, **k: 0)
    yield
    ecs.cloud.faults.clear()


@pytest.fixture
def no_hosts(monkeypatch, tmp_path):
    """There are no hosts behind this API, so nothing answers on SSH; and no keepers are wanted."""
    monkeypatch.setattr(operation_module, "reach", lambda *a, **k: 0)
    monkeypatch.setattr(Lock, "start_keeper", lambda self: 0)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("EMR_PRIVATE_KEY_FILE", "ANSIBLE_PRIVATE_KEY_FILE", "ALIBABA_CLOUD_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def owner():
    """A process in whose name a lock is held."""
    with Owner() as process:
        yield process
