"""The inventory plugin on bad days and in large accounts: each option, each trouble, the right answer or the right refusal."""
from __future__ import annotations

import json
import os

import pytest
import yaml

from emrctl.local import offers
from emrctl.local.testing import api_only

from .inventory_bed import Bed, buy, cluster, settled

REGIONS = ["cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen"]
CACHE = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_timeout": 3600}


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    """A cluster in each of four regions, and some instances that belong to none."""
    folder = tmp_path_factory.mktemp("inventory")
    with api_only(folder / "ecs", visibility_delay=0) as ecs:
        for number, region in enumerate(REGIONS):
            name = f"c{number}"
            buy(ecs, region, f"{name}-master-[1,3]", 1, cluster(name, "master"))
            buy(ecs, region, f"{name}-slave-[1,3]", 2, cluster(name, "slave"), InternetMaxBandwidthOut=5 if number == 1 else None)
        buy(ecs, "cn-hangzhou", "web-[1,3]", 2, {"app": "web", "Name": "shop"})
        buy(ecs, "cn-hangzhou", "gate", 1, {"app": "gateway", "drain": "yes"}, InstanceType="ecs.g6.xlarge")
        settled(ecs, *REGIONS)
        made = Bed(ecs, folder)
        yield made
        made.close()


@pytest.fixture(autouse=True)
def no_faults(bed):
    """Each test on a good day, unless it says otherwise."""
    yield
    bed.ecs.cloud.faults.clear()
    bed.ecs.faults(visibility_delay=0)


def test_regions_at_once_and_all_of_them(bed):
    bed.ecs.faults(latency=0.2)
    found = bed.parse({"regions": REGIONS, "disks": False})
    assert len(found.hosts) == 12 and len(found.calls) == 4
    found = bed.parse({"regions": ["all"], "disks": False})
    assert len(found.hosts) == 12 and found.calls[0][0] == "DescribeRegions" and set(REGIONS) <= {r for _, r in found.calls}


def test_one_region_of_eight_fails(bed):
    config = {"regions": list(offers.REGIONS), "patience": 1, "disks": False}
    bed.ecs.faults(region_failure=["cn-beijing"])
    found = bed.parse(config)
    assert not found.hosts and "region cn-beijing: DescribeInstances: ServiceUnavailable" in found.text
    found = bed.parse({**config, "on_region_error": "warn"})
    assert len(offers.REGIONS) == 8 and len(found.hosts) == 9 and not any(h.startswith("c2") for h in found.hosts)
    assert found.text.count("region cn-beijing") == 1


def test_throttling_loses_no_host(bed):
    bed.ecs.faults(throttle=0.3, seed=7)
    for _ in range(3):
        assert len(bed.parse({"regions": REGIONS}).hosts) == 12


def test_stale_answer_when_a_region_stays_throttled(bed, tmp_path):
    config = {"regions": REGIONS[:2], **CACHE, "cache_connection": str(tmp_path), "patience": 1}
    assert len(bed.parse(config).hosts) == 6
    for file in tmp_path.iterdir():
        os.utime(file, (1, 1))
    bed.ecs.faults(errors=[{"action": "DescribeInstances", "code": "Throttling.User", "times": 10000}])
    found = bed.parse(config)
    assert len(found.hosts) == 6 and found.text.count("Using the answer from") == 2 and "Throttling.User" in found.text
    found = bed.parse(config, cache=False)
    assert not found.hosts and "gave up" in found.text, "who asks for a new answer gets no old one"


def test_cache_hit_calls_nothing_and_answers_the_same_question_only(bed, tmp_path):
    config = {"regions": REGIONS[:2], **CACHE, "cache_connection": str(tmp_path)}
    first = bed.parse(config)
    again = bed.parse(config)
    assert again.calls == [] and again.hosts == first.hosts and again.groups == first.groups
    one_more = bed.parse({**config, "regions": REGIONS[:3]})
    assert {region for _, region in one_more.calls} == {REGIONS[2]}, "an entry for each region"
    assert bed.parse({**config, "filters": {"emr:role": "slave"}}).calls, "other filters, another question"
    assert bed.parse({**config, "all_instances": True}).calls
    assert not bed.parse({**config, "states": [], "address": ["public"], "hostnames": ["instance_id"]}).calls, \
        "how hosts are shown is not a question to the API"
    assert bed.parse(config, cache=False).calls, "--flush-cache"
    other = bed.parse(config, ALIBABA_CLOUD_ACCESS_KEY_ID="LTAIother", ALIBABA_CLOUD_ACCESS_KEY_SECRET="x")
    assert not other.hosts and "InvalidAccessKeyId" in other.text, "another caller does not see this one's hosts"
    assert bed.ecs.access_key_secret not in "".join(f.read_text() for f in tmp_path.iterdir())
    for file in tmp_path.iterdir():
        file.write_text(json.dumps({"at": 1, "data": "cut off"}))
    assert len(bed.parse(config).hosts) == 6, "a broken entry is none"


def test_revoked_permission(bed, tmp_path):
    config = {"regions": REGIONS[:1], **CACHE, "cache_connection": str(tmp_path)}
    assert len(bed.parse(config).hosts) == 3
    for file in tmp_path.iterdir():
        os.utime(file, (1, 1))
    bed.ecs.faults(denied=["DescribeInstances"])
    for more in ({}, {"on_region_error": "warn"}, {"on_empty": "ok"}):
        found = bed.parse({**config, **more})
        assert not found.hosts and 'Add "ecs:DescribeInstances" to the RAM policy' in found.text and "cn-hangzhou" in found.text
    bed.ecs.faults(denied=["DescribeDisks"])
    assert len(bed.parse({"regions": REGIONS[:1]}).hosts) == 3, "without disks there is still an inventory"


def test_empty(bed):
    for how, said in (("warn", True), ("ok", False), ("fail", True)):
        found = bed.parse({"regions": REGIONS[:1], "clusters": ["nobody"], "on_empty": how})
        assert not found.hosts and ("no instance with the tag emr:cluster" in found.text) is said
    assert "Failed to parse" in found.text


def test_expired_token(bed):
    bed.ecs.faults(errors=[{"action": "DescribeInstances", "code": "InvalidSecurityToken.Expired", "times": 9}])
    found = bed.parse({"regions": REGIONS[:1]})
    assert not found.hosts and "The security token has ended" in found.text


def test_several_accounts(bed):
    (bed.folder / ".aliyun").mkdir(exist_ok=True)
    key = {"mode": "AK", "access_key_id": bed.ecs.access_key_id, "access_key_secret": bed.ecs.access_key_secret}
    (bed.folder / ".aliyun" / "config.json").write_text(json.dumps({"profiles": [
        {"name": "prod", "region_id": "cn-hangzhou", **key}, {"name": "lab", **key}]}))
    found = bed.parse({"accounts": [{"profile": "prod"}, {"profile": "lab", "name": "re-search", "regions": ["cn-beijing"]}]})
    assert found.groups["emr_account_prod"] == ["c0-master-001", "c0-slave-001", "c0-slave-002"]
    assert found.groups["emr_account_re_search"] == ["c2-master-001", "c2-slave-001", "c2-slave-002"]
    assert found.hosts["c2-slave-001"]["emr_account"] == "re-search"
    assert "'region' is unknown" in bed.parse({"accounts": [{"region": "x"}]}).text
    assert "no profile 'nobody'" in bed.parse({"accounts": [{"profile": "nobody"}]}).text


def test_filters(bed):
    base = {"regions": ["cn-hangzhou"], "all_instances": True}
    assert len(bed.parse(base).hosts) == 6 and "web-001" in bed.parse(base).hosts
    assert sorted(bed.parse({**base, "filters": {"tag:app": "web"}}).hosts) == ["web-001", "web-002"]
    assert sorted(bed.parse({**base, "filters": {"tag:app": ["web", "gateway"]}}).hosts) == ["gate", "web-001", "web-002"]
    assert sorted(bed.parse({**base, "filters": {"instance_type": "ecs.g6.xlarge"}}).hosts) == ["gate"]
    assert sorted(bed.parse({**base, "filters": {"instance_name": "*-001"}}).hosts) == ["web-001"] or "c0-master-001" in bed.parse(
        {**base, "filters": {"instance_name": "*-001"}}).hosts
    union = {**base, "include_filters": [{"tag:app": "web"}, {"instance_type": ["ecs.g6.xlarge"]}]}
    assert sorted(bed.parse(union).hosts) == ["gate", "web-001", "web-002"]
    assert sorted(bed.parse({**union, "exclude_filters": [{"tag:drain": ""}]}).hosts) == ["web-001", "web-002"]
    assert sorted(bed.parse({"regions": ["cn-hangzhou"], "filters": {"emr:role": "slave"}}).hosts) == [
        "c0-slave-001", "c0-slave-002"]
    assert "'colour' is not a filter" in bed.parse({**base, "filters": {"colour": "red"}}).text
    many = bed.parse({"regions": REGIONS, "clusters": ["c0", "c1", "c2", "x1", "x2", "x3"]})
    assert {h[:2] for h in many.hosts} == {"c0", "c1", "c2"}


def test_names_and_addresses(bed):
    found = bed.parse({"regions": ["cn-hangzhou"], "all_instances": True, "hostname_prefix": "p-", "hostname_suffix": ".hz",
                       "hostnames": ["tag:drain", "name"], "hostvars_prefix": "x_", "hostvars_suffix": "_y"})
    assert {"p-yes.hz", "p-web-001.hz"} <= set(found.hosts)
    assert found.hosts["p-yes.hz"]["x_emr_vcpus_y"] == 4 and "ansible_host" in found.hosts["p-yes.hz"]
    found = bed.parse({"regions": ["cn-shanghai"], "address": ["eip", "public", "private"]})
    assert found.hosts["c1-slave-001"]["ansible_host"] == found.hosts["c1-slave-001"]["emr_public_ip"] != ""
    assert found.hosts["c1-master-001"]["ansible_host"] == found.hosts["c1-master-001"]["emr_private_ip"]
    assert "address: write auto" in bed.parse({"regions": ["cn-shanghai"], "address": ["ipv6"]}).text
    assert "hostnames: 'colour' is unknown" in bed.parse({"regions": ["cn-shanghai"], "hostnames": ["colour"]}).text


def test_duplicate_names(bed):
    found = bed.parse({"regions": ["cn-hangzhou"], "all_instances": True, "hostnames": ["tag:Name", "name"]})
    assert "shop" not in found.hosts and "'shop' is the name of several instances" in found.text
    assert len([h for h in found.hosts if h.startswith("i-")]) == 2 and "gate" in found.hosts


def test_constructed_and_strict(bed):
    config = {"regions": ["cn-hangzhou"], "compose": {"where": "emr_zone ~ '/' ~ emr_region", "cores": "emr_vcpus * 2"},
              "groups": {"big": "emr_memory_mib > 4096", "broken": "nowhere.at.all"},
              "keyed_groups": [{"key": "emr_instance_type", "prefix": "type"}, {"key": "cores | string", "prefix": "cores"},
                               {"key": "emr_services", "prefix": "runs", "parent_group": "services"},
                               {"key": "emr_tags['emr:group']", "separator": "", "prefix": "g"}]}
    found = bed.parse(config)
    slave = found.hosts["c0-slave-001"]
    assert (slave["where"], slave["cores"]) == ("cn-hangzhou-h/cn-hangzhou", 4) and len(found.groups["big"]) == 3
    assert found.groups["type_ecs_g6_large"] == found.groups["runs_yarn"] == found.groups["big"]
    assert found.groups["gslave"] == ["c0-slave-001", "c0-slave-002"] and "runs_hdfs" in found.children["services"]
    assert "broken" not in found.groups
    found = bed.parse({**config, "strict": True})
    assert "broken" in found.text and "Failed to parse" in found.text


def test_names_of_files(bed):
    for name in ("prod.ecs.yml", "emr.yaml"):
        assert bed.parse({"regions": ["cn-hangzhou"]}, name=name).hosts
    assert not bed.parse({"regions": ["cn-hangzhou"]}, name="hosts.yml").hosts


def test_typed_variables(bed):
    types = {k: type(v) for k, v in bed.parse({"regions": ["cn-hangzhou"]}).hosts["c0-slave-001"].items()}
    assert (types["emr_vcpus"], types["emr_memory_mib"], types["emr_services"], types["emr_disks"], types["emr_tags"]) == (
        int, int, list, list, dict)


def test_roles_lives_and_names_of_groups_are_validated(bed):
    made = buy(bed.ecs, "eu-central-1", "odd-[1,3]", 1, {**cluster("odd", "slave"), "emr:role": "root"})
    made += buy(bed.ecs, "eu-central-1", "odd2-[1,3]", 1, {**cluster("odd", "slave"), "emr:id": "emr-ffffffffffff"})
    made += buy(bed.ecs, "eu-central-1", "zz-[1,3]", 1, cluster("zone-cn", "master"))
    made += buy(bed.ecs, "eu-central-1", "yy-[1,3]", 1, {**cluster("x", "master"), "emr:cluster": "{{ 7777 * 7777 }}"})
    settled(bed.ecs, "eu-central-1")
    found = bed.parse({"regions": ["eu-central-1"]})
    for part in ("emr:role is not one of", "several clusters of one name", "also that of another kind of group",
                 "not the name of a cluster"):
        assert part in found.text
    assert "60481729" not in found.text and "root" not in found.groups and len(found.hosts) == 4
    assert not bed.parse({"regions": ["eu-central-1"], "strict": True}).hosts


def test_examples_of_the_documentation(bed):
    """Each example parses, and finds what it says."""
    from ansible_collections.emr.cluster.plugins.inventory import ecs as plugin

    examples = list(yaml.safe_load_all(plugin.EXAMPLES))
    key = {"mode": "AK", "access_key_id": bed.ecs.access_key_id, "access_key_secret": bed.ecs.access_key_secret}
    (bed.folder / ".aliyun").mkdir(exist_ok=True)
    (bed.folder / ".aliyun" / "config.json").write_text(json.dumps({"profiles": [
        {"name": n, **key} for n in ("production", "research")]}))
    expected = [6, 0, 9, 2]
    for example, count in zip(examples, expected, strict=True):
        found = bed.parse(example)
        assert len(found.hosts) == count and "Failed" not in found.text, (example, found.text, sorted(found.hosts))
    assert "emr_account_production" in bed.parse(examples[2]).groups
    options = yaml.safe_load(plugin.DOCUMENTATION)["options"]
    used = {name for example in examples for name in example}
    assert used - set(options) <= {"cache", "cache_plugin", "cache_connection", "cache_timeout", "keyed_groups", "compose",
                                   "groups", "strict"}


def test_targets_for_a_prometheus_of_ones_own(bed):
    made = [*buy(bed.ecs, "cn-chengdu", "fig-master-[1,3]", 1, {**cluster("fig", "master"), "emr:services": "hdfs,yarn,monitoring,made-up"}),
            *buy(bed.ecs, "cn-chengdu", "fig-slave-[1,3]", 1, {**cluster("fig", "slave"), "emr:services": "hdfs,yarn,monitoring,made-up"})]
    settled(bed.ecs, "cn-chengdu")
    assert len(made) == 2 and "emr_scrape_targets" not in bed.parse({"regions": ["cn-chengdu"]}).hosts["fig-slave-001"]
    found = bed.parse({"regions": ["cn-chengdu"], "scrape_targets": True}).hosts
    there = {host: {row["labels"]["component"]: row for row in found[host]["emr_scrape_targets"]} for host in ("fig-master-001", "fig-slave-001")}
    assert set(there["fig-master-001"]) == {"namenode", "resourcemanager", "prometheus", "alertmanager", "node-exporter"}
    assert set(there["fig-slave-001"]) == {"datanode", "nodemanager", "node-exporter"}
    row = there["fig-slave-001"]["datanode"]
    assert row == {"targets": [f"{found['fig-slave-001']['emr_private_ip']}:9864"], "labels": {
        "cluster": "fig", "node": "fig-slave-001", "component": "datanode", "service": "hdfs", "role": "slave", "group": "slave", "__metrics_path__": "/prom"}}
