"""One master becomes the first of three: what is given to those that keep it for several, and what is never done twice."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.config.file_system import ADDRESS, one_name_of
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec import edits
from ansible_collections.emr.cluster.plugins.module_utils.node.services.hdfs_shared import newest_segment
from ansible_collections.emr.cluster.plugins.module_utils.node.services.yarn_records import records

from .test_edits import SPEC


def test_daemons_know_the_file_system_by_one_name_and_the_other_as_a_host():
    assert one_name_of({"dfs.nameservice.id": "sales", "dfs.nameservices": "sales,sales-master-001"}) == [
        "-D", "dfs.nameservices=sales", "-D", f"dfs.client.failover.proxy.provider.sales-master-001={ADDRESS}"]
    assert one_name_of({}) == [] and one_name_of({"dfs.namenode.rpc-address": "sales-master-001:8020"}) == []


@pytest.mark.parametrize("names, number", [
    ((), 0), (("seen_txid", "fsimage_0000000000000000900", "edits_0000000000000000001-0000000000000000679"), 1),
    (("edits_0000000000000000001-0000000000000000679", "edits_inprogress_0000000000000000680"), 680),
    (("edits_inprogress_0000000000000000680.empty",), 0)])
def test_the_newest_segment_of_edits_is_known_by_its_name(tmp_path, names, number):
    for name in names:
        (tmp_path / name).write_bytes(b"")
    assert newest_segment([str(tmp_path), str(tmp_path / "missing")]) == number


def test_records_of_applications_keep_their_names_and_bytes(tmp_path):
    app, other = "application_1_0001", "application_1_0002"
    for path, data in {
            "EpochNode": b"\x08\x02", ".EpochNode.crc": b"crc", "RMVersionNode": b"1", "AMRMTokenSecretManagerRoot/AMRMTokenSecretManagerNode": b"keys",
            f"RMAppRoot/{app}/{app}": b"old", f"RMAppRoot/{app}/{app}.new": b"app", f"RMAppRoot/{app}/appattempt_1_0001_000001": b"attempt",
            f"RMAppRoot/{app}/appattempt_1_0001_000002.tmp": b"half", f"RMAppRoot/{other}/{other}.tmp": b"half"}.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    found = records(str(tmp_path))
    assert found == {"EpochNode": b"\x08\x02", "AMRMTokenSecretManagerRoot": b"keys", f"RMAppRoot/{app}": b"app",
                     f"RMAppRoot/{app}/appattempt_1_0001_000001": b"attempt"}
    assert records(str(tmp_path / "missing")) == {}


def test_who_asks_for_three_masters_has_no_backups_any_more():
    assert SPEC.backup.enabled
    data = edits.apply_edit(SPEC.to_dict(), {"groups": {"master": 3}})
    assert data["backup"]["enabled"] is False
    assert edits.apply_edit(SPEC.to_dict(), {"groups": {"slave": 4}})["backup"]["enabled"] is True
