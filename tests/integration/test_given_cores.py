"""What is given with a call comes out of emr.cluster.given as it was written, on each ansible-core that the project allows."""
from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cores import CORES, python_of
from tests.hostile import texts

REPO = Path(__file__).parents[2]
SEED = int(os.environ.get("EMR_TEXT_SEED", "10"))
NUMBER = int(os.environ.get("EMR_TEXT_NUMBER", "150"))
# A path of a text through the things that playbooks do with what they are given; `seen` is written by Python, without a template.
PLAY = """
- hosts: "{{ 'localhost' if lookup('emr.cluster.given', 'emr_text') == lookup('emr.cluster.given', 'emr_same', default='-') else 'none' }}"
  gather_facts: false
  connection: local
  vars:
    emr_edit: "{{ {'users': {lookup('emr.cluster.given', 'emr_text'): lookup('emr.cluster.given', 'emr_map', default={})}} }}"
    emr_computed: "{{ 'a' ~ 'b' }}"
  tasks:
    - see:
        text: "{{ lookup('emr.cluster.given', 'emr_text') }}"
        list: "{{ lookup('emr.cluster.given', 'emr_list') | default([], true) }}"
        map: "{{ lookup('emr.cluster.given', 'emr_map') | default({}, true) }}"
        edit: "{{ lookup('emr.cluster.given', 'emr_edit') | default({}, true) }}"
        computed: "{{ lookup('emr.cluster.given', 'emr_computed') }}"
        denied: "{{ lookup('emr.cluster.given', 'emr_no', default=true) }}"
        absent: "{{ lookup('emr.cluster.given', 'emr_absent', default='none') }}"
        each: "{{ item }}"
        part: "{{ item.text | string }}"
      register: emr_seen
      loop: "{{ lookup('emr.cluster.given', 'emr_rows') }}"
      loop_control: {label: x}
    - set_fact:
        emr_noted: "{{ emr_seen.results | map(attribute='given') | list }}"
    - see: {noted: "{{ emr_noted }}", host: "{{ hostvars['localhost'].emr_noted }}"}
    - block:
        - see: {fail: "{{ lookup('emr.cluster.given', 'emr_text') }}"}
      rescue:
        - set_fact:
            emr_trouble: "{{ ansible_failed_result.msg }}"
        - see: {trouble: "{{ emr_trouble }}"}
"""
# An action that ends like each of ours, by the base class; it has no documentation to check its options by.
SEE = """
import json, os
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction
class ActionModule(NodeAction):
    def _outcome(self, result, task_vars):
        args = plain(self._task.args)
        if "fail" in args:
            return dict(result, failed=True, msg=args["fail"])
        with open(os.environ["SEEN"], "a") as out:
            out.write(json.dumps(args) + "\\n")
        return dict(result, changed=False, given=args.get("each"))
"""


@pytest.mark.parametrize("core", CORES)
def test_texts_come_out_as_they_were_given(core, tmp_path):
    """As a text, in lists and maps, composed, in a loop, registered, noted, in a failure that a rescue sees."""
    python = python_of(core)
    wanted = texts(SEED, NUMBER)
    text = wanted[2] + "".join(wanted[3:9])
    given = {"emr_text": text, "emr_same": text, "emr_list": wanted, "emr_map": {f"{i}{value}": value for i, value in enumerate(wanted)},
             "emr_no": False, "emr_absent": None, "emr_rows": [{"text": value} for value in (*wanted[2:14:2], "['a', 1]", "{'a': 1}", "True", "0123")]}
    (tmp_path / "action_plugins").mkdir()
    (tmp_path / "action_plugins/see.py").write_text(SEE)
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "given.json").write_text(json.dumps(given))
    env = {**os.environ, "ANSIBLE_CONFIG": str(REPO / "ansible.cfg"), "ANSIBLE_COLLECTIONS_PATH": str(REPO), "SEEN": str(tmp_path / "seen"),
           "PYTHONPATH": ""}
    done = subprocess.run([python, "-m", "ansible", "playbook", str(tmp_path / "play.yml"), "-e", f"@{tmp_path}/given.json"], cwd=tmp_path, env=env,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    rows = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    first, (noted, trouble) = rows[0], rows[-2:]
    assert (first["text"], first["list"], first["map"]) == (text, wanted, given["emr_map"])
    assert first["edit"] == {"users": {text: given["emr_map"]}}
    assert (first["computed"], first["denied"], first["absent"]) == ("ab", False, "none"), "what a play computes is Ansible's"
    assert [row["part"] for row in rows[:-2]] == [row["text"] for row in given["emr_rows"]]
    assert [row["each"] for row in rows[:-2]] == given["emr_rows"] == noted["noted"] == noted["host"]
    assert trouble["trouble"].startswith(text)
