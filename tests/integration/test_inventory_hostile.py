"""Ten thousand foreign instances whose tags try to be templates, options, variables and names of hosts."""
from __future__ import annotations

import re

import pytest

from emrctl.local.testing import api_only

from .inventory_bed import Bed, buy, settled

EVIL = {"a": "{{ lookup('pipe', 'touch %s') }}{%% raw %%}", "b": "line\nansible_connection: local\n\r\t\x7f", "c": "界" * 128,
        "Name": "{{ 1 }}", "ansible_host": "127.0.0.1", "d": "}} {% endraw %} {{ 6*7 }}", "e": "{{ self }}", "界" * 128: "é" * 128}
ALL = {"regions": ["cn-hangzhou"], "all_instances": True, "disks": False}


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    """Twenty nodes among ten thousand others, fifty of which claim to be nodes."""
    folder = tmp_path_factory.mktemp("hostile")
    with api_only(folder / "ecs", visibility_delay=0) as ecs:
        ecs.seed(20, foreign=10000, claims=50)
        buy(ecs, "cn-beijing", "界x[1,5]", 3, {**EVIL, "a": EVIL["a"] % (folder / "owned")})
        settled(ecs, "cn-beijing")
        made = Bed(ecs, folder)
        yield made
        made.close()


def test_foreign_instances_cost_nothing(bed):
    found = bed.parse({"regions": ["cn-hangzhou"]})
    nodes = {name for name in found.hosts if name.startswith("bench-")}
    assert len(nodes) == 20 and len(found.groups["slave"]) == 19 and len(found.calls) <= 3
    assert "not the name of a cluster" in found.text, "instances that claim to be nodes are told"
    assert set(found.groups["emr_bench_10001"]) == nodes


def test_ten_thousand_hostile_instances_are_plain_data(bed):
    found = bed.parse({**ALL, "hostnames": ["tag:Name", "tag:note", "tag:shell", "name"]})
    assert len(found.hosts) == 10020 and len(found.calls) <= 101
    for name, values in found.hosts.items():
        assert re.fullmatch("i-[0-9a-f]+|bench-[a-z0-9-]+", name), name
        assert values["ansible_host"].startswith("10.") and "ansible_connection" not in values
    assert all(re.fullmatch(r"\w+", name) for name in found.groups)
    lines = [v["emr_tags"]["lines"] for v in found.hosts.values() if "lines" in v["emr_tags"]]
    assert lines and set(lines) == {"first\nansible_host: 203.0.113.9\r\n- second"}


def check_never_templated(bed):
    """Composed variables, groups and later templating keep the text of a tag as it is."""
    owned = bed.folder / "owned"
    found = bed.parse({**ALL, "regions": ["cn-beijing"], "strict": True, "compose": {"copy": "emr_tags.a", "e": "emr_tags"},
                       "keyed_groups": [{"key": "emr_tags.d", "prefix": "k"}, {"key": "emr_tags", "prefix": "t"}],
                       "groups": {"g": "emr_tags.a is defined"}},
                      render="{{ copy }} {{ e.d }} {{ emr_tags['d'] }} {{ emr_tags }} {{ 40 + 3 }}")
    assert len(found.hosts) == 3 and len(found.groups["g"]) == 3, found.text
    for text in found.rendered.values():
        assert EVIL["a"] % owned in text and text.count(EVIL["d"]) >= 2 and text.endswith(" 43"), text
    assert not owned.exists() and all(v["emr_tags"]["c"] == EVIL["c"] for v in found.hosts.values())


def test_tags_are_never_templates(bed):
    check_never_templated(bed)
