"""The advice of init: what follows from the answers, which machines, why not others, and the text that it writes."""
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing import advice as rules, memory as sizing
from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing.advice import Market, Shape, advise, shortlist
from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing.disks import DiskOffer, disk_layout
from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing.needs import Needs, demand
from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing.text import Place, cluster_yml
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.services import yarn

HADOOP = ("hdfs", "yarn", "mapreduce")
SPARK = (*HADOOP, "spark")
DISKS = (DiskOffer("cloud_efficiency", 20, 32768, 0.0005), DiskOffer("cloud_essd", 20, 32768, 0.002))
TRIAL = Needs("batch", 20, 1, 6, 5, 60, None, HADOOP)
LARGE = Needs("batch", 2000, 100, 12, 800, 60, None, SPARK)


def shapes():
    """Three ratios of memory in five sizes, priced by vCPUs and memory, and the kinds that never fit."""
    found = [Shape(f"ecs.{family}.{size}", n, n * ratio * 1024, price_hour=n * (0.1 + ratio * 0.05))
             for family, ratio in (("c9", 2), ("g9", 4), ("r9", 8))
             for size, n in (("large", 2), ("xlarge", 4), ("2xlarge", 8), ("4xlarge", 16), ("8xlarge", 32))]
    return (*found, Shape("ecs.t9.large", 2, 8192, price_hour=0.01, level="CreditEntryLevel"),
            Shape("ecs.arm.large", 2, 8192, price_hour=0.01, arch="ARM"), Shape("ecs.gn.large", 2, 8192, price_hour=9, gpus=1),
            Shape("ecs.d9.large", 2, 8192, price_hour=0.01, local_disks=4),
            Shape("ecs.gone.large", 2, 8192, in_stock=False, price_hour=0.01))


MARKET = Market(shapes(), DISKS, "CNY", "a list", {s.name: s.price_hour / 5 for s in shapes() if s.price_hour})


def test_demand_follows_the_answers():
    want = demand(LARGE)
    assert want.volume_gib == 3200 and want.vcpus == 46 and want.yarn_mib == 46 * 2048 and not want.trial
    assert demand(replace(LARGE, deadline_minutes=30)).vcpus == 92
    assert demand(replace(LARGE, services=HADOOP)).vcpus == 228
    assert demand(TRIAL).trial and demand(TRIAL).node_mib == 4096


def test_interactive_work_keeps_its_working_set_in_memory():
    want = demand(Needs("interactive", 500, 0, 0, 200, 600, None, SPARK))
    assert want.yarn_mib == pytest.approx(200 / (0.6 / 1.1) * 1024, abs=1) and "cached" in want.why[-1]


def test_a_stream_needs_what_arrives_at_its_peak():
    want = demand(Needs("streaming", 0, 30000, 1, 1, 60, None, SPARK))
    assert want.vcpus == 8  # 30,000 GiB a month are 11.9 MB/s, three times that at the peak, 5 MB/s a vCPU


@pytest.mark.parametrize("needs", [TRIAL, LARGE, replace(LARGE, services=HADOOP, working_set_gib=8000),
                                   Needs("interactive", 500, 50, 12, 200, 5, None, SPARK),
                                   Needs("streaming", 100, 30000, 1, 50, 5, None, SPARK),
                                   Needs("batch", 900_000, 0, 0, 100, 600, None, HADOOP)])
def test_what_is_advised_fulfils_the_demand(needs):
    found, want, by_name = advise(needs, MARKET), demand(needs), {s.name: s for s in MARKET.shapes}
    workers = [(by_name[g.types[0]], g) for g in found.groups if g.role != "master"]
    assert sum(s.vcpus * g.count for s, g in workers) >= want.vcpus
    assert sum(yarn.yarn_memory(s.memory_mib) * g.count for s, g in workers) >= want.yarn_mib
    slaves = found.group("slave")
    disks = sum(size * n for _, size, n in slaves.layout.data) or slaves.layout.system_gib - 40
    assert slaves.count * disks >= rules.raw_gib(want.volume_gib, slaves.count) and slaves.count >= 3
    assert all(g.reasons and g.rejected for g in found.groups)
    assert found.monthly == pytest.approx(found.hourly * 730, abs=0.01)


def test_every_kind_that_never_fits_is_named_with_its_reason():
    reasons = dict(advise(LARGE, MARKET).group("slave").rejected)
    assert {"ecs.t9.large", "ecs.arm.large", "ecs.gn.large"} & set(reasons)
    assert rules.unfit(shapes()[-1], 4096) == "sold out in this zone now"
    assert "ARM" in rules.unfit(Shape("a", 2, 8192, arch="ARM"), 4096)
    assert "local disks" in rules.unfit(Shape("a", 2, 8192, local_disks=2), 4096)
    assert "under the 8 GiB" in rules.unfit(Shape("a", 2, 4096), 8192)
    assert rules.unfit(Shape("a", 2, 7700), 8192) == ""


def test_a_sold_out_type_is_not_advised():
    first = advise(LARGE, MARKET).group("slave").types[0]
    without = replace(MARKET, shapes=tuple(replace(s, in_stock=s.name != first) for s in MARKET.shapes))
    assert first not in advise(LARGE, without).group("slave").types


def test_batch_work_beyond_the_storage_goes_to_spot_only_where_that_saves():
    heavy = replace(LARGE, working_set_gib=4000)
    found = advise(heavy, MARKET)
    assert found.group("task").spot and found.group("slave").count == 3
    assert found.monthly < advise(heavy, replace(MARKET, spot={})).monthly
    assert advise(heavy, replace(MARKET, spot={})).group("task") is None
    assert advise(replace(heavy, workload="interactive"), MARKET).group("task") is None


def test_a_budget_is_kept_or_the_way_to_keep_it_told():
    cost = advise(LARGE, MARKET).monthly
    assert advise(replace(LARGE, budget_month=cost), MARKET).monthly == cost
    with pytest.raises(Refused, match=r"With --deadline \d+"):
        advise(replace(LARGE, budget_month=cost * 0.8), MARKET)
    with pytest.raises(Refused, match="Keep less data"):
        advise(replace(LARGE, budget_month=1), MARKET)


def test_the_master_holds_the_namespace():
    by_name = {s.name: s for s in MARKET.shapes}
    many = advise(replace(LARGE, files=12_000_000), MARKET).group("master")
    assert sizing.heap("namenode", by_name[many.types[0]].memory_mib) >= 12 * 1024
    with pytest.raises(Refused, match="No type in stock has memory for a NameNode"):
        advise(replace(LARGE, files=900_000_000), MARKET)


@pytest.mark.parametrize("change", [{"workload": "night"}, {"data_gib": -1}, {"deadline_minutes": 0}])
def test_figures_that_make_no_sense_are_refused(change):
    with pytest.raises(Refused):
        demand(replace(LARGE, **change))


def test_nothing_to_sell_is_refused():
    with pytest.raises(Refused, match="sells no type that fits"):
        advise(LARGE, replace(MARKET, shapes=shapes()[-5:]))
    with pytest.raises(Refused, match="sells no disks"):
        disk_layout(500, 8, False, "batch", ())


def test_disks():
    assert disk_layout(30, 2, True, "batch", DISKS).data == () and disk_layout(30, 2, True, "batch", DISKS).system_gib == 70
    assert disk_layout(4000, 16, False, "batch", DISKS).data == (("cloud_efficiency", 500, 8),)
    assert disk_layout(4000, 16, False, "interactive", DISKS).data == (("cloud_essd", 500, 8),)
    assert disk_layout(150, 16, False, "batch", DISKS).data == (("cloud_efficiency", 150, 1),)


def test_prices_are_asked_for_two_of_a_kind():
    more = [*shapes(), *(Shape(f"ecs.g{n}.large", 2, 8192) for n in range(5, 9))]
    names = shortlist(more, LARGE)
    assert {"ecs.g9.large", "ecs.g8.large"} <= set(names) and "ecs.g7.large" not in names
    assert not {"ecs.t9.large", "ecs.arm.large", "ecs.gone.large"} & set(names)


def test_of_a_thousand_types_those_are_priced_that_may_be_chosen():
    every = [Shape(f"ecs.{f}{g}.{n}x", n, n * r * 1024) for g in range(5, 9) for f, r in (("c", 2), ("g", 4), ("r", 8), ("h", 1))
             for n in (2, 4, 6, 8, 12, 16, 24, 26, 32, 48, 52, 64)]
    by_name = {s.name: s for s in every}
    for needs in (LARGE, replace(LARGE, working_set_gib=20_000), replace(LARGE, files=12_000_000), TRIAL):
        names = shortlist(every, needs)
        assert len(names) <= 40 and len(set(names)) == len(names)
        ideal = max(2, min(64, demand(needs).vcpus / 6))
        assert any(0.5 <= by_name[n].vcpus / ideal <= 2 for n in names)
        assert any(sizing.heap("namenode", by_name[n].memory_mib) >= demand(needs).blocks / 1e6 * 1024 for n in names)


@pytest.mark.parametrize("needs", [TRIAL, replace(LARGE, working_set_gib=4000), replace(LARGE, workload="interactive")])
def test_the_file_is_a_spec_with_reasons_and_sources(needs):
    place = Place("sales", "emr-1.0", "cn-hangzhou", "cn-hangzhou-h", ("hadoop", "spark"), "debian_12", "vsw-1", "bastion",
                  "203.0.113.7/32", "new\nimage: evil", "10.0.0.0/16", "")
    found = advise(replace(needs, services=SPARK), MARKET)
    text = cluster_yml(found, place)
    spec = parse_spec(text)
    assert {n: (g.count, g.instance_types) for n, g in spec.node_groups.items()} == {
        g.name: (g.count, g.types) for g in found.groups}
    assert spec.image == "debian_12" and spec.network.access == "bastion"
    assert "# Rejected:" in text and "# [4] Cloudera" in text and max(map(len, text.splitlines())) <= 120
