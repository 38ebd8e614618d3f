"""When a cluster was last active, and when it is given back."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.maintain import idle
from ansible_collections.emr.cluster.plugins.module_utils.domain.maintain.idle import (
    Verdict,
    Warned,
    advance,
    judge,
    read_warned,
)
from ansible_collections.emr.cluster.plugins.module_utils.node import hadoop_http
from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import activity as node_activity
from ansible_collections.emr.cluster.plugins.module_utils.node.services import hdfs as node_hdfs, yarn as node_yarn

NOW, HOUR, DAY = 1_800_000_000, 3600, 86400
QUIET = {"yarn": {"running": 0, "ended": 0, "what": ""}, "jobs": {"running": 0, "ended": 0, "what": ""},
         "hdfs": {"started": 7, "operations": 100}, "unknown": []}
BEFORE = {"active": NOW - DAY, "why": "j-1 ended", "seen": NOW - HOUR, "hdfs": {"started": 7, "operations": 100}}


WORDS = {"yarn": "YARN applications", "jobs": "jobs", "hdfs": "HDFS files"}


def seen(**changes):
    return {name: {**part, "words": WORDS[name]} if part and name in WORDS else part for name, part in {**QUIET, **changes}.items()}


def test_the_first_look_counts_as_activity():
    assert advance(None, seen(), NOW) == {"active": NOW, "why": "first check", "seen": NOW, "hdfs": seen()["hdfs"]}


def test_nothing_new_keeps_the_moment():
    record = advance(BEFORE, seen(), NOW)
    assert (record["active"], record["why"], record["seen"]) == (NOW - DAY, "j-1 ended", NOW)


@pytest.mark.parametrize("change,active,why", [
    ({"yarn": {"running": 2, "ended": 0, "what": ""}}, NOW, "2 YARN applications"),
    ({"jobs": {"running": 1, "ended": 0, "what": ""}}, NOW, "1 jobs run"),
    ({"yarn": {"running": 0, "ended": NOW - 60, "what": "application_1_2"}}, NOW - 60, "application_1_2 ended"),
    ({"jobs": {"running": 0, "ended": NOW - 90, "what": "j-2"}}, NOW - 90, "j-2 ended"),
    ({"yarn": {"running": 0, "ended": NOW + 60, "what": "a"}}, NOW, "a ended"),
    ({"yarn": {"running": 0, "ended": NOW - 2 * DAY, "what": "old"}}, NOW - DAY, "j-1 ended"),
    ({"hdfs": {"started": 7, "operations": 101}}, NOW, "HDFS files"),
    ({"hdfs": {"started": 8, "operations": 3}}, NOW, "HDFS files"),
    ({"hdfs": {"started": 8, "operations": 0}}, NOW - DAY, "j-1 ended"),
    ({"hdfs": None, "unknown": ["the NameNode does not answer"]}, NOW, "unknown: the NameNode"),
    ({"yarn": None, "hdfs": None}, NOW - DAY, "j-1 ended"),
])
def test_what_counts_as_activity(change, active, why):
    record = advance(BEFORE, seen(**change), NOW)
    assert record["active"] == active and record["why"].startswith(why)


def test_a_namenode_that_did_not_answer_does_not_hide_work():
    record = advance(BEFORE, seen(hdfs=None), NOW - 600)
    assert advance(record, seen(hdfs={"started": 7, "operations": 105}), NOW)["active"] == NOW


@pytest.mark.parametrize("text", [None, "", "x idle", "1800000000", "1800000000 other", "-1 idle", "9" * 12 + " idle",
                                  "1800000000 idle now"])
def test_a_tag_that_is_no_warning(text):
    assert read_warned(text) is None


def test_a_warning_reads_back():
    assert read_warned(Warned(NOW, "idle").text) == Warned(NOW, "idle")


def verdict(max_age=None, idle_release=None, created=NOW - 10 * DAY, active=NOW - 3 * HOUR, warned=None,
            protected=False):
    return judge(max_age, idle_release, created, active, warned, HOUR, protected, NOW)


@pytest.mark.parametrize("case,action,reason", [
    ({}, idle.KEEP, ""),
    ({"idle_release": "4h"}, idle.KEEP, ""),
    ({"max_age": "30d"}, idle.KEEP, ""),
    ({"idle_release": "2h"}, idle.WARN, "idle"),
    ({"max_age": "7d"}, idle.WARN, "age"),
    ({"idle_release": "2h", "warned": Warned(NOW - 600, "idle")}, idle.WAIT, "idle"),
    ({"idle_release": "2h", "warned": Warned(NOW - HOUR, "idle")}, idle.RELEASE, "idle"),
    ({"max_age": "7d", "warned": Warned(NOW - 2 * HOUR, "age")}, idle.RELEASE, "age"),
    # Another reason than the one that was warned of gets its own warning.
    ({"max_age": "7d", "warned": Warned(NOW - 2 * HOUR, "idle")}, idle.WARN, "age"),
    # Both hold: the warning that is out counts.
    ({"max_age": "7d", "idle_release": "2h", "warned": Warned(NOW - HOUR, "idle")}, idle.RELEASE, "idle"),
    # It worked after the warning and is idle once more, or its key was raised: a warning of its own.
    ({"idle_release": "2h", "warned": Warned(NOW - 6 * HOUR, "idle")}, idle.WARN, "idle"),
    ({"max_age": "9d", "warned": Warned(NOW - 3 * DAY, "age")}, idle.WARN, "age"),
    # It works again after the warning: kept.
    ({"idle_release": "2h", "active": NOW, "warned": Warned(NOW - 2 * HOUR, "idle")}, idle.KEEP, ""),
    ({"idle_release": "2h", "active": None, "warned": Warned(NOW - 2 * HOUR, "idle")}, idle.KEEP, ""),
    ({"max_age": "7d", "created": None}, idle.KEEP, ""),
    ({"max_age": "7d", "warned": Warned(NOW - 2 * HOUR, "age"), "protected": True}, idle.PROTECTED, "age"),
    ({"max_age": "7d", "protected": True}, idle.PROTECTED, "age"),
])
def test_verdicts(case, action, reason):
    found = verdict(**case)
    assert (found.action, found.reason) == (action, reason)


def test_a_verdict_says_why_and_until_when():
    text = "it was idle for 3h, idle_release is 2h"
    assert verdict(idle_release="2h") == Verdict(idle.WARN, "idle", text, NOW + HOUR)
    assert verdict(max_age="7d", warned=Warned(NOW - 600, "age")).due == NOW - 600 + HOUR


def answers(monkeypatch, found):
    """What the daemons answer, by a part of the address."""
    monkeypatch.setattr(hadoop_http.Daemon, "look", lambda _self, path, _limit_s: next((v for k, v in found.items() if k in path), None))


def test_applications_are_read_as_yarn_gives_them(monkeypatch):
    rows = [{"id": "application_1_1", "finishedTime": 1_700_000_000_500},
            {"id": "application_1_2", "finishedTime": 1000}]
    answers(monkeypatch, {"states=NEW": {"apps": {}}, "states=FINISHED": {"apps": {"app": rows}}})
    assert node_yarn.activity("http://rm", 0) == {"running": 0, "ended": 1_700_000_000.5, "what": "application_1_1", "words": "YARN applications"}
    answers(monkeypatch, {"states=NEW": {"apps": {"app": [{}, {}]}}, "states=FINISHED": {"apps": None}})
    assert node_yarn.activity("http://rm", 0) == {"running": 2, "ended": 0, "what": "", "words": "YARN applications"}
    answers(monkeypatch, {"states=NEW": {"apps": {}}})
    assert node_yarn.activity("http://rm", 0) is None


def test_a_file_that_is_written_slowly_is_work():
    before = {"active": NOW - 5 * HOUR, "why": "x", "seen": NOW - HOUR, "hdfs": {"started": 1, "operations": 7}}
    seen = {"hdfs": {"started": 1, "operations": 7, "open": 2, "words": "HDFS files"}, "jobs": {}, "unknown": []}
    assert idle.advance(before, seen, NOW)["active"] == NOW
    seen["hdfs"]["open"] = 0
    assert idle.advance(before, seen, NOW)["active"] == NOW - 5 * HOUR


def test_operations_leave_listings_out(monkeypatch):
    beans = {"beans": [{"name": "Hadoop:service=NameNode,name=NameNodeActivity", "CreateFileOps": 3,
                        "GetBlockLocations": 4, "AddBlockOps": 2, "FilesAppended": 1, "GetListingOps": 999},
                       {"name": "Hadoop:service=NameNode,name=NameNodeInfo", "NNStartedTimeInMillis": 42},
                       {"name": "Hadoop:service=NameNode,name=FSNamesystem", "NumFilesUnderConstruction": 1}]}
    answers(monkeypatch, {"jmx": beans})
    assert node_hdfs.activity("http://nn", 0) == {"started": 42, "operations": 10, "open": 1, "words": "HDFS files"}
    answers(monkeypatch, {})
    assert node_hdfs.activity("http://nn", 0) is None


def test_jobs_end_when_their_record_says(monkeypatch):
    monkeypatch.setattr(node_activity, "listing", lambda: [
        {"id": "j-2", "state": "RUNNING", "submitted": "2026-01-31T09:00:00Z", "seconds": 5.0},
        {"id": "j-1", "state": "FAILED", "submitted": "2026-01-31T08:15:30Z", "seconds": 30.5}])
    assert node_activity.jobs() == {"running": 1, "ended": 1769847360.5, "what": "j-1"}
