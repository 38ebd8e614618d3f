"""What a plan tells of the cloud: per node, prices, spot, stock, and the door that is bought."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import operation as operation_module
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.cloud.purchase.plan_details import plan_details
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from tests.integration import cloudbed

TASK = "  task: {count: 1, instance_types: [ecs.g6.xlarge], spot: {}}"


pytestmark = pytest.mark.usefixtures("door")


def details(wanted, running=None, unread=""):
    client = EcsClient(wanted.region)
    plan, found = operation_module.Operation(client, wanted.name, 1).plan(wanted)
    return plan_details(client, wanted, found, plan, running, unread)


def created(ecs, name, **changes):
    wanted = cloudbed.spec(ecs, name, **changes)
    with cloudbed.Owner() as owner:
        cloudbed.create(EcsClient(ecs.region), wanted, owner)
    return wanted


def test_a_new_cluster(ecs):
    data = details(cloudbed.spec(ecs, "pnew", groups=TASK))
    assert {n["does"] for n in data["nodes"]} == {"buy"} and len(data["nodes"]) == 5 and not data["empty"]
    assert data["price"]["now"]["hourly"] == 0 < data["price"]["after"]["hourly"]
    assert data["price"]["after"]["monthly"] == pytest.approx(data["price"]["after"]["hourly"] * 730, abs=0.01)
    assert data["offer"]["now"] == {} and data["offer"]["after"]["yarn_vcores"] == 3 * 2 + 4
    spot = {row["group"]: row for row in data["spot"]}
    assert spot["task"]["buys"] == "spot" and spot["slave"]["buys"] == "pay-as-you-go" and not spot["slave"]["may_be_spot"]
    assert spot["task"]["spot_least"] <= spot["task"]["spot_hour"] <= spot["task"]["spot_most"] < spot["task"]["payg_hour"]
    assert spot["task"]["samples"] >= 3


def test_an_unchanged_cluster_is_no_change_and_a_changed_one_is(ecs):
    wanted = created(ecs, "psame")
    data = details(wanted, running=wanted)
    assert data["empty"] and {n["does"] for n in data["nodes"]} == {"keep"} and data["spot"] == []
    assert data["price"]["now"] == data["price"]["after"] and data["offer"]["now"] == data["offer"]["after"]
    larger = cloudbed.spec(ecs, "psame", slave="  slave: {count: 4, instance_types: [ecs.c6.large]}")
    data = details(larger, running=wanted)
    assert {n["node"]: n["does"] for n in data["nodes"]}["psame-slave-004"] == "buy"
    assert any("dfs.replication 2 -> 3" in change for change in data["changes"])
    # What merely follows from the number of nodes waits for the next start.
    assert not any("restart" in change for change in data["changes"]), data["changes"]
    assert data["price"]["now"]["hourly"] < data["price"]["after"]["hourly"]
    smaller = cloudbed.spec(ecs, "psame", slave="  slave: {count: 2, instance_types: [ecs.c6.large]}")
    assert {n["node"]: n["does"] for n in details(smaller)["nodes"]}["psame-slave-003"].startswith("stays, not in the spec")
    assert any("follow the changed spec" in change for change in details(smaller)["changes"])


def test_what_could_not_be_read_is_never_called_unchanged(ecs):
    wanted = created(ecs, "pblind")
    data = details(wanted, unread="no answer")
    assert not data["empty"] and any("no answer" in w for w in data["warnings"])


def test_sold_out_types_and_their_substitute(ecs):
    ecs.faults(no_stock=["ecs.c6.large"])
    only = "  master: {count: 1, instance_types: [ecs.c6.large]}"
    data = details(cloudbed.spec(ecs, "psold", master=only))
    assert data["substitutes"] == [{"group": "slave", "sold_out": ["ecs.c6.large"], "takes_its_place": "ecs.g6.large"}]
    assert any("none of ecs.c6.large is in stock now" in w for w in data["warnings"])


def test_nodes_too_small_for_their_daemons_are_refused(ecs):
    with pytest.raises(Refused, match="too small"):
        operation_module.Operation(EcsClient(ecs.region), "psmall", 1).plan(
            cloudbed.spec(ecs, "psmall", slave="  slave: {count: 1, instance_types: [ecs.t6-c1m1.large]}",
                          services="services: [hadoop, spark]"))


@pytest.mark.parametrize("access, public", [("vpc", 0), ("bastion", 1), ("public", 4)])
def test_the_door_decides_who_has_a_public_address(ecs, access, public):
    network = f"network: {{vswitch_id: {ecs.vswitch}, ssh_from: 203.0.113.7/32, access: {access}}}"
    name = f"p{access}"
    wanted = created(ecs, name, network=network)
    found = EcsClient(ecs.region).items("DescribeInstances", Tag=[{"Key": "emr:cluster", "Value": name}])
    with_address = sorted(i["InstanceName"] for i in found if i["PublicIpAddress"]["IpAddress"])
    assert len(with_address) == public and (not public or f"{name}-master-001" in with_address)
    run = operation_module.Operation(EcsClient(ecs.region), name, 1)
    hosts = {n["name"]: n["vars"] for n in run.nodes(run.found(), None)}
    jumps = sorted(n for n, v in hosts.items() if "ProxyCommand" in v["ansible_ssh_common_args"])
    assert jumps == (cloudbed.expected(name, slave=3) if access == "bastion" else [])
    assert {v["emr_access"] for v in hosts.values()} == {access}
    assert all(v["ansible_host"] == v["emr_public_ip"] for n, v in hosts.items() if n in with_address)
    other = network.replace(access, "vpc" if access != "vpc" else "public")
    with pytest.raises(Refused, match=f"were bought with {access}"):
        details(cloudbed.spec(ecs, name, network=other))
    assert any("billed by volume" in w for w in details(wanted)["warnings"]) == bool(public)


@pytest.mark.parametrize(("image", "reason"), [
    ("m-nothing", "image: m-nothing does not exist in cn-hangzhou"),
    ("win2022_21H2_x64_dtc_en-us_40G_emr_local.vhd", "is Windows Server 2022 Datacenter 64-bit .English., and nodes run Linux"),
    ("debian_12_arm64_20G_emr_local.vhd", "is for arm64, and the release emr-1.0 for x86_64"),
    ("centos_7_9_x64_20G_emr_local.vhd", "is CentOS 7.9 64 bit, which is known not to work: neither Python 3.8 nor Java 17"),
])
def test_images_that_cannot_work_are_refused_with_ones_that_can(ecs, image, reason):
    before = len(ecs.cloud.store.all("instance"))
    with pytest.raises(Refused, match=reason) as refused:
        details(cloudbed.spec(ecs, "pimage", image=f"image: {image}"))
    # The newest first: what `init` would have named.
    assert f"such as {ecs.image}, debian_13_x64_20G_emr_local.vhd" in refused.value.remedy
    assert len(ecs.cloud.store.all("instance")) == before


def test_types_of_another_architecture_are_refused(ecs):
    with pytest.raises(Refused, match="node_groups.slave.instance_types: ecs.g8y.large has processors of the kind ARM"):
        details(cloudbed.spec(ecs, "parm", slave="  slave: {count: 1, instance_types: [ecs.g8y.large]}"))


def test_the_plan_tells_the_image_and_what_it_lacks(ecs):
    spark = "services: [hadoop, spark]"
    data = details(cloudbed.spec(ecs, "pold", image="image: debian_11_x64_20G_emr_local.vhd", services=spark))
    assert data["image"] == {"id": "debian_11_x64_20G_emr_local.vhd", "system": "Debian 11 64 bit", "architecture": "x86_64"}
    assert any("has Python 3.9, and PySpark needs 3.10" in warning for warning in data["warnings"])
    assert not details(cloudbed.spec(ecs, "pnew2", services=spark))["warnings"]
