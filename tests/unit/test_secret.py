"""Secrets reach a program that asks at a terminal as they are, whatever a terminal makes of signs."""
from __future__ import annotations

import sys

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node import hadoop_cli
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.config import secret
from tests.hostile import texts

# Asks twice and without echo, as `hadoop credential create` does.
PROGRAM = f"""#!{sys.executable}
import getpass, pathlib, sys
first, again = getpass.getpass("Enter alias password: "), getpass.getpass("Enter alias password again: ")
assert first == again
path = pathlib.Path(sys.argv[-1].removeprefix("localjceks://file"))
path.write_text((path.read_text() if path.exists() else "") + sys.argv[3] + chr(0) + first + chr(0))
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    path = tmp_path / "hadoop"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    monkeypatch.setitem(hadoop_cli.PROGRAMS, "hadoop", str(path))


def test_a_secret_is_what_was_given(program, tmp_path):
    wanted = "".join(chr(at) for at in range(1, 256) if chr(at) not in "\n\r") + "密码😀"
    texts_of_one_line = [text for text in texts(4, 30) if text and not set(text) & set("\n\r")]
    secrets = {"all": wanted, "joined": "|".join(texts_of_one_line)[:900]}
    secret.keep(str(tmp_path / "store"), secrets, only={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"})
    found = (tmp_path / "store").read_text().split("\0")
    assert dict(zip(found[::2], found[1::2], strict=False)) == secrets


@pytest.mark.parametrize("text", ["", "a\nb", "a\r", "x" * 4001])
def test_what_a_terminal_cannot_hand_on_is_refused_and_not_repeated(program, tmp_path, text):
    with pytest.raises(NodeError) as caught:
        secret.keep(str(tmp_path / "store"), {"alias": text})
    assert "alias" in str(caught.value) and (not text or text not in str(caught.value))
