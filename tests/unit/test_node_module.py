"""The module that travels, as Ansible starts it on a node."""
from __future__ import annotations

import json

import pytest
from ansible.module_utils import basic

from ansible_collections.emr.cluster.plugins.modules import node

OPTIONS = {"files": [{"path": "/etc/emr/x.xml", "content": "<value>what-stands-in-a-file</value>"}], "components": []}


def test_the_journal_gets_no_content_of_files(monkeypatch, capsys):
    said = []
    given = {"op": "status", "options": OPTIONS, "secrets": {"password": "geheim"}, "_ansible_syslog_facility": "LOG_USER"}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda _self, text: said.append(text))
    monkeypatch.setattr(node, "perform", lambda op, options, check: {"changed": False, "seen": options["files"][0]["path"]})
    with pytest.raises(SystemExit):
        node.main()
    assert json.loads(capsys.readouterr().out)["seen"] == "/etc/emr/x.xml"
    assert said == ["Invoked with op=status"]
