"""Files from this machine's cache to a node: going on after a break, and never taking other content for the right one."""
from __future__ import annotations

import hashlib
import subprocess

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from ansible_collections.emr.cluster.plugins.plugin_utils import pushing

MIB = 1 << 20


class Shell:
    """A node: its shell is this machine's, with the umask of a hardened image. The connection breaks at the ``breaks``-th step."""

    def __init__(self, breaks: int = 0):
        self.breaks, self.steps, self.sent = breaks, 0, 0
        self.task_vars = {"inventory_hostname": "c-master-001"}

    def _low_level_execute_command(self, command, sudoable, in_data):
        self.steps += in_data is not None
        done = subprocess.run(["sh", "-c", f"umask 077; {command}"], input=in_data and in_data[:len(in_data) // (1 + self.broken)],
                              capture_output=True, check=False)
        if in_data is not None and self.broken:
            raise AnsibleConnectionFailure("Shared connection closed.")
        self.sent += len(in_data or b"")
        return {"rc": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode()}

    @property
    def broken(self) -> bool:
        return 0 < self.breaks <= self.steps


@pytest.fixture
def node(tmp_path, monkeypatch):
    """Folder that stands for the node's cache."""
    monkeypatch.setattr(pushing, "CACHE", str(tmp_path / "node" / "cache"))
    monkeypatch.setattr(pushing, "MOST", MIB)
    monkeypatch.setattr(pushing.time, "sleep", lambda seconds: None)
    return tmp_path / "node" / "cache"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "hadoop 'x'-1.tar.gz"
    path.write_bytes(bytes(range(256)) * (5 * MIB // 256) + b"the end")
    return path, hashlib.sha512(path.read_bytes()).hexdigest()


def test_a_file_arrives_once_and_others_may_read_it(node, file):
    shell = Shell()
    assert pushing.push(shell, [file]) == [file[0].name] and shell.sent == file[0].stat().st_size
    target = node / file[0].name
    assert target.read_bytes() == file[0].read_bytes()
    assert target.stat().st_mode & 0o777 == 0o644 and node.stat().st_mode & 0o777 == 0o755
    assert pushing.push(Shell(), [file]) == [] and [p.name for p in node.iterdir()] == [file[0].name]


def test_an_interrupted_copy_goes_on_where_it_was(node, file):
    with pytest.raises(EmrError, match="it goes on from here"):
        pushing.push(Shell(breaks=3), [file])
    part = node / f"{file[0].name}.part"
    assert part.stat().st_size > 2 * MIB and not (node / file[0].name).exists()
    again = Shell()
    assert pushing.push(again, [file]) == [file[0].name] and 0 < again.sent < file[0].stat().st_size - 2 * MIB
    assert (node / file[0].name).read_bytes() == file[0].read_bytes() and not part.exists()


def test_a_connection_that_comes_back_is_no_failure(node, file):
    class Comes(Shell):
        @property
        def broken(self):
            return self.steps in (2, 3)

    assert pushing.push(Comes(), [file]) == [file[0].name]
    assert (node / file[0].name).read_bytes() == file[0].read_bytes()


@pytest.mark.parametrize("left", [b"something else", bytes(range(256)) * 40000], ids=["another beginning", "longer than the file"])
def test_what_is_left_of_another_file_is_not_gone_on_with(node, file, left):
    node.mkdir(parents=True)
    (node / f"{file[0].name}.part").write_bytes(left)
    (node / file[0].name).write_bytes(b"an older build")
    assert pushing.push(Shell(), [file]) == [file[0].name]
    assert (node / file[0].name).read_bytes() == file[0].read_bytes()


def test_a_file_that_is_not_the_releases_is_not_kept(node, file):
    with pytest.raises(EmrError, match="emrctl dist verify"):
        pushing.push(Shell(), [(file[0], "0" * 128)])
    assert list(node.iterdir()) == []


def test_a_node_that_cannot_write_says_so(file, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(pushing, "CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(EmrError, match="c-master-001.*ended with"):
        pushing.push(Shell(), [file])
