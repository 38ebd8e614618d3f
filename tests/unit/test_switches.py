"""A service that runs unless a spec switches it off: what a person writes, and what clusters keep, those of before it included."""
from __future__ import annotations

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec import edits
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.difference import difference
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec, spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.switches import switched_off

BARE = {"name": "sales", "region": "cn-hangzhou", "zone": "cn-hangzhou-h", "image": "m-bp1abc",
        "network": {"vswitch_id": "vsw-abc", "ssh_from": "203.0.113.0/24"},
        "node_groups": {"master": {"instance_types": ["ecs.g7.xlarge"]}, "slave": {"count": 2, "instance_types": ["ecs.g7.xlarge"]}}}


def written(**more):
    return parse_spec(yaml.safe_dump({**BARE, **more}))


def before() -> dict:
    """What a cluster keeps that was made before the switch."""
    data = written(monitoring={"enabled": False}).to_dict()
    del data["monitoring"]
    return data


@pytest.mark.parametrize("more", [{}, {"services": ["hadoop"]}, {"services": ["hadoop", "monitoring"]}, {"monitoring": {"enabled": True}},
                                  {"monitoring": {"receivers": {"ops": {"type": "dingtalk"}}}}])
def test_it_runs_where_nothing_is_said_against_it(more):
    spec = written(**more)
    assert "monitoring" in spec.expanded_services and not switched_off(spec)


def test_it_is_switched_off_by_name():
    spec = written(monitoring={"enabled": False})
    assert "monitoring" not in spec.expanded_services and switched_off(spec) == {"monitoring"}
    assert spec_from_dict(spec.to_dict()) == spec and written(monitoring=spec.to_dict()["monitoring"]) == spec


def test_a_mapping_that_a_person_made_is_read_as_a_document_is():
    assert "monitoring" in spec_from_dict(BARE, []).expanded_services


def test_on_and_off_at_once_is_refused_with_the_line():
    with pytest.raises(SpecError) as refused:
        parse_spec(yaml.safe_dump({**BARE, "services": ["hadoop", "monitoring"]}) + "monitoring:\n  enabled: false\n")
    [problem] = refused.value.problems
    assert problem.key == "monitoring.enabled" and problem.line and "Take monitoring out of `services`" in problem.remedy


def test_a_cluster_of_before_stays_as_it_is():
    kept = spec_from_dict(before())
    assert "monitoring" not in kept.expanded_services and kept.to_dict()["monitoring"]["enabled"] is False
    # An export of it, applied, changes nothing.
    assert parse_spec(yaml.safe_dump(kept.to_dict())) == kept
    grown = spec_from_dict(edits.apply_edit(kept.to_dict(), {"groups": {"slave": 5}}))
    assert "monitoring" not in grown.expanded_services


def test_its_document_applied_anew_brings_it_and_the_plan_shows_that():
    rows = difference(spec_from_dict(before()).to_dict(), written().to_dict())
    assert {row["key"]: row["to"] for row in rows} == {"services": ["hadoop", "monitoring"], "monitoring.enabled": True}


def test_adding_and_removing_the_service_turns_the_switch():
    added = spec_from_dict(edits.apply_edit(spec_from_dict(before()).to_dict(), {"add_services": ["monitoring"]}))
    assert added.monitoring.enabled and "monitoring" in added.expanded_services
    gone = spec_from_dict(edits.apply_edit(written().to_dict(), {"remove_services": ["monitoring"]}))
    assert switched_off(gone) == {"monitoring"} and parse_spec(yaml.safe_dump(gone.to_dict())) == gone


def test_the_meaning_of_a_cluster_of_before_is_the_same():
    assert spec_from_dict(before()).digest() == written(monitoring={"enabled": False}).digest() != written().digest()
