"""`emrctl init` at a terminal: what is asked, what an empty answer means, and what a wrong one does."""
from __future__ import annotations

import io

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.sizing.measure import gib
from emrctl import init_work
from emrctl.init_work import Asker, number, one_of


@pytest.fixture
def types(monkeypatch):
    """Gives the lines that a person types."""
    return lambda *lines: monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_flags_are_not_asked_for(types):
    types("wrong")
    assert Asker({"data": "2TiB"}, True).get("data", "Data", check=gib) == 2048


def test_an_empty_answer_is_the_default_and_a_wrong_one_is_asked_again(types, capsys):
    types("soon", "", "")
    asker = Asker({}, True)
    assert asker.get("deadline", "Minutes", 60, number(0.1)) == 60
    assert asker.get("growth", "Growth", "0", gib) == 0
    out, err = capsys.readouterr()
    assert out == "" and "'soon' is not a number" in err and "Minutes [60]:" in err


def test_a_question_without_default_is_asked_until_it_is_answered(types, capsys):
    types("", "", "stream")
    assert Asker({}, True).get("workload", "Kind", check=one_of("batch", "interactive", "streaming")) == "streaming"
    assert capsys.readouterr().err.count("Kind:") == 3


def test_what_need_not_be_known_may_stay_unknown(types):
    types("")
    assert Asker({}, True).get("budget", "Budget", None, number(0), required=False) is None
    assert Asker({}, False).get("budget", "Budget", None, number(0), required=False) is None


def test_the_end_of_the_input_and_no_terminal_name_the_flag(types, capsys):
    types()
    for asks in (True, False):
        with pytest.raises(SystemExit) as leaving:
            Asker({}, asks).get("data", "Data")
        assert leaving.value.code == 2 and "give --data" in capsys.readouterr().err


@pytest.mark.parametrize("path, expected", [("oss://bucket/x", "listing:"), ("hdfs:///data", "does not name a cluster"),
                                            ("listing:/none/there", "No such file"), ("/none/there", "no such file")])
def test_what_cannot_be_measured(path, expected):
    with pytest.raises(Exception, match=expected):
        init_work.measure(path, None)


def test_hdfs_is_asked_over_ssh(monkeypatch):
    from types import SimpleNamespace

    from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh.client import require_ssh

    require_ssh()  # asks the real ssh, once for each process
    seen = {}
    master = {"name": "m", "groups": ["emr_control"], "vars": {
        "emr_cluster_name": "sales", "emr_cluster_id": "emr-1", "emr_group": "master", "emr_memory_mib": 8192, "emr_vcpus": 4, "emr_role": "master",
        "emr_private_ip": "10.0.0.2", "ansible_user": "root", "ansible_host": "10.0.0.2"}}
    monkeypatch.setattr(init_work.cloud, "nodes", lambda cluster, region: [master] if cluster == "sales" else [])

    def run(command, **kwargs):
        seen.update(command=command, script=kwargs["input"])
        return SimpleNamespace(returncode=0, stdout='{"ContentSummary": {"length": 2147483648, "fileCount": 5}}', stderr="")

    monkeypatch.setattr(init_work.subprocess, "run", run)
    found = init_work.measure("hdfs://sales/data/a b", None)
    assert (found.gib, found.files) == (2, 5)
    assert seen["command"][-1] == "/opt/emr/bin/python3 - 10.0.0.2 '/data/a b'" and "GETCONTENTSUMMARY" in seen["script"]
