"""Which key ssh offers, where its sockets lie, and what ssh must be able to do: asked of the real ssh of this machine."""
from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.hostvars import node_hostvars
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh import client as ssh_client, login
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from tests.lab import crowded_agent

NODE = {"InstanceId": "i-" + "x" * 20, "InstanceName": "demo-master-001", "VpcAttributes": {"PrivateIpAddress": {"IpAddress": ["10.0.0.2"]}}}


def key(folder: Path, name: str, *more: str) -> Path:
    """A new key pair."""
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", str(folder / name), *(more or ("-t", "ed25519"))], check=True)
    return folder / name


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A HOME of its own, no agent, no hints."""
    for name in ("SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "ANSIBLE_SSH_CONTROL_PATH_DIR", "EMR_PRIVATE_KEY_FILE", "ANSIBLE_PRIVATE_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    ssh_client._control_dir.cache_clear()
    (tmp_path / ".ssh").mkdir(mode=0o700)
    return tmp_path


@pytest.mark.parametrize("form", [(), ("-t", "rsa", "-b", "2048", "-m", "PEM"), ("-t", "ecdsa"), ("-t", "rsa", "-m", "PKCS8")], ids=str)
def test_a_key_without_passphrase_needs_no_agent(place, form):
    plain = key(place, "plain", *form)
    assert ssh_client.identity_options(str(plain)) == ["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
    locked = place / "locked"
    locked.write_bytes(plain.read_bytes())
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret word", "-f", str(locked), *(form[-2:] if "-m" in form else ())],
                   check=True)
    assert ssh_client.identity_options(str(locked)) == ["-o", "IdentitiesOnly=yes"], "its passphrase is known to the agent alone"
    assert ssh_client.identity_options(f"{plain}.pub") == ["-o", "IdentitiesOnly=yes"] and ssh_client.identity_options(None) == []


def test_ssh_takes_the_options_on_every_way(place):
    mine = key(place, "mine")
    found = node_hostvars(NODE, private_key_file=str(mine))[2]
    words = [*shlex.split(found["ansible_ssh_common_args"]), "-i", found["ansible_ssh_private_key_file"]]
    shown = subprocess.run(["ssh", "-G", "-F", "none", *words, "root@10.0.0.2"], capture_output=True, text=True, check=True).stdout
    assert "identitiesonly yes" in shown and "identityagent none" in shown and f"identityfile {mine}" in shown


def test_a_key_of_the_agent_is_named_by_its_public_part(place, monkeypatch):
    with crowded_agent(place / "agent") as agent:
        monkeypatch.setenv("SSH_AUTH_SOCK", agent["SSH_AUTH_SOCK"])
        public = (place / "agent" / "other-3.pub").read_text()
        found = login.find_private_key(login.key_pair_name(public))
        assert found.endswith(".pub") and Path(found).read_text().split()[:2] == public.split()[:2]
        assert os.stat(found).st_mode & 0o077 == 0 and os.stat(os.path.dirname(found)).st_mode & 0o077 == 0
        assert login.find_private_key("emr-login-00000000") is None and login.find_private_key("mine") is None
        with pytest.raises(Refused, match="holds 7 keys, and it is unknown which of them is key pair mine"):
            login.check_agent(login.Login("mine", None))
        login.check_agent(login.Login("mine", found))


def test_sockets_of_a_long_home_lie_in_a_private_folder(place, monkeypatch):
    monkeypatch.setenv("HOME", "/h")
    ssh_client._control_dir.cache_clear()
    assert "ansible_control_path_dir" not in node_hostvars(NODE)[2], "what fits stays as it was"
    monkeypatch.setenv("HOME", str(place / ("long" * 30)))
    ssh_client._control_dir.cache_clear()
    found = node_hostvars(NODE)[2]
    folder = found["ansible_control_path_dir"]
    assert folder == f"/tmp/.emr-ssh-{os.getuid()}" and os.stat(folder).st_mode & 0o777 == 0o700
    path = found["ansible_control_path"] % {"directory": folder}
    # ssh binds a longer name first, and says itself when that is too long.
    done = subprocess.run(["ssh", "-F", "none", "-o", "ControlMaster=yes", "-o", f"ControlPath={path}", "-o", "ConnectTimeout=1",
                           "-p", "9", "127.0.0.1"], capture_output=True, text=True, check=False)
    assert "too long" not in done.stderr


def test_a_folder_of_somebody_else_is_not_used(place, monkeypatch):
    run = Path(f"/tmp/emr-run-{os.getpid()}-{time.monotonic_ns() % 10000}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    monkeypatch.setenv("HOME", str(place / ("long" * 30)))
    run.mkdir()
    try:
        assert ssh_client.private_folder() == f"{run}/emr"
        (run / "emr").chmod(0o755)
        assert ssh_client.private_folder() == f"{run}/emr" and os.stat(run / "emr").st_mode & 0o777 == 0o700
        (run / "emr").rmdir()
        (run / "emr").symlink_to(place)
        assert ssh_client.private_folder() == f"/tmp/.emr-ssh-{os.getuid()}"
        monkeypatch.setattr(os, "getuid", lambda: 54321)
        with pytest.raises(Refused, match="not a folder.*belongs to somebody else") as caught:
            (Path("/tmp/.emr-ssh-54321")).mkdir()
            ssh_client.private_folder()
        assert "XDG_RUNTIME_DIR" in caught.value.remedy
    finally:
        (run / "emr").unlink(missing_ok=True)
        run.rmdir()
        if Path("/tmp/.emr-ssh-54321").exists():
            Path("/tmp/.emr-ssh-54321").rmdir()


def test_an_ssh_that_is_too_old_is_named(place, monkeypatch):
    old = place / "ssh"
    old.write_text("#!/bin/sh\ncase \"$*\" in *KnownHostsCommand*) echo 'command-line: line 0: Bad configuration option: "
                   "knownhostscommand' >&2; exit 255;; -V) echo 'OpenSSH_8.0p1, OpenSSL 1.1.1k  FIPS 25 Mar 2021' >&2;; esac\n")
    old.chmod(0o755)
    ssh_client.require_ssh.cache_clear()
    ssh_client.require_ssh()
    ssh_client.require_ssh.cache_clear()
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    with pytest.raises(Refused) as caught:
        ssh_client.require_ssh()
    assert re.search(r"too old: OpenSSH_8.0p1.*Bad configuration option", str(caught.value)) and "8.5" in caught.value.remedy
    monkeypatch.setenv("PATH", str(place / "empty"))
    with pytest.raises(Refused, match="ssh is missing"):
        ssh_client.require_ssh()
