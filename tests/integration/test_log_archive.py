"""Records and logs of jobs that outlive their cluster: a master's copies in OSS, and the verbs that read them there."""
from __future__ import annotations

import json
import subprocess
import time

import oss2
import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import (
    log_archive,
    operations as job,
    record as job_record,
)
from emrctl.local.testing import api_only
from tests.lab import EMRCTL

JOB, OTHER = "j-20260101-000000-abcd", "j-20260102-000000-abcd"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with api_only(tmp_path_factory.mktemp("oss")) as server:
        oss2.Bucket(oss2.Auth(server.access_key_id, server.access_key_secret), server.endpoint, "kept").create_bucket()
        yield server


@pytest.fixture
def master(local, tmp_path, monkeypatch):
    """The folder of a master's jobs, whose spec says oss://kept/logs."""
    jobs = tmp_path / "jobs"
    for module in (job, job_record, log_archive):
        monkeypatch.setattr(module, "JOBS", str(jobs))
    for module in (job, job_record):
        monkeypatch.setattr(module, "settings", lambda: {"resourcemanager": "", "environment": {}})
    for name, content in (("SETTINGS", {"oss": "oss://kept/logs/sales-emr-1", "region": local.region, "endpoint": local.endpoint}),
                          ("KEY", {"access_key_id": local.access_key_id, "access_key_secret": local.access_key_secret})):
        (tmp_path / name).write_text(json.dumps(content))
        monkeypatch.setattr(log_archive, name, str(tmp_path / name))
    monkeypatch.setattr(log_archive, "LOCK", str(tmp_path / "lock"))
    return jobs


def record(jobs, job_id, state, **more):
    folder = jobs / job_id
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({"id": job_id, "type": "SHELL", "name": "shell", "submitted": time.time() - 60, "user": "emr",
                                                 "command": ["true"], **more}))
    (folder / "states").write_text("".join(json.dumps(dict({"time": time.time(), "exit_code": 0}, **row)) + "\n" for row in state))
    (folder / "stdout.log").write_text(f"words of {job_id}\n")
    (folder / "stderr.log").write_text("")


def read(local, *arguments):
    env = {**local.env, "PATH": "/usr/bin:/bin", "HOME": "/tmp"}
    done = subprocess.run([*EMRCTL, *arguments], env=env, text=True, capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_what_ended_is_copied_once_and_read_without_its_cluster(local, master, capsys):
    record(master, JOB, [{"state": "SUCCEEDED"}], secrets="of nobody's business")
    record(master, OTHER, [{"state": "RUNNING"}])
    assert log_archive.main(["last"]) == 0 and JOB in capsys.readouterr().out
    assert log_archive.main(["last"]) == 0 and "nothing new" in capsys.readouterr().out
    place = ["--from", "oss://kept/logs"]
    code, listed = read(local, "jobs", "list", "sales", "-o", "json", *place)
    assert code == 0 and [row["id"] for row in json.loads(listed)] == [JOB]
    assert "nobody's business" not in listed
    assert read(local, "jobs", "logs", "sales", JOB, *place) == (0, f"words of {JOB}\n")
    code, said = read(local, "jobs", "show", "sales", OTHER, *place)
    assert code == 3 and f"has no job {OTHER}" in said
    code, said = read(local, "jobs", "list", "other", *place)
    assert code == 3 and "has no jobs of a cluster other" in said


def test_a_last_copy_waits_for_the_logs_of_containers_a_timer_comes_again(local, master, capsys, monkeypatch):
    record(master, JOB, [{"state": "SUCCEEDED"}])
    (master / JOB / "apps").write_text(json.dumps([{"id": "application_1_0001", "state": "FINISHED", "finalStatus": "SUCCEEDED"}]))
    monkeypatch.setattr(log_archive, "SETTLE_S", 2)
    monkeypatch.setattr(log_archive, "_containers", lambda names, user: b"of " + names[0].encode())
    monkeypatch.setattr(log_archive, "_events", lambda names: [])
    assert log_archive.main([]) == 0 and "nothing new" in capsys.readouterr().out
    assert log_archive.main(["last"]) == 0 and JOB in capsys.readouterr().out
    assert "of application_1_0001" in read(local, "jobs", "logs", "sales", JOB, "--yarn", "--from", "oss://kept/logs")[1]


def test_without_credentials_it_says_where_they_belong(master, capsys, monkeypatch):
    record(master, JOB, [{"state": "SUCCEEDED"}])
    monkeypatch.setattr(log_archive, "KEY", "/nowhere/key.json")
    monkeypatch.setattr(log_archive, "role_key", lambda: None)
    assert log_archive.main(["last"]) == 1 and "/nowhere/key.json" in capsys.readouterr().err
