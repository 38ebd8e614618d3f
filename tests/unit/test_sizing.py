"""Sizes hold for every shape of machine, not for a list of types."""
from __future__ import annotations

import itertools

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing import memory as sizing
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node
from ansible_collections.emr.cluster.plugins.module_utils.services import hdfs, spark, yarn
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS, SERVICES, components_for

GIB = 1024
# Sizes that are sold, odd ones between, and what a kernel leaves of them.
MEMORIES = sorted({g * GIB for g in (2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 24, 31, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768,
                                     1024)} | {int(g * GIB * 0.95) for g in (4, 8, 16, 64, 256)})
VCPUS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 104, 128, 192, 256)
ALL = tuple(SERVICES)
WITHOUT_SERVERS = tuple(s for s in ALL if not s.startswith("spark-"))
SHAPES = list(itertools.product(MEMORIES, VCPUS))


@pytest.mark.parametrize(("gib", "mib"), [(8, 6144), (16, 12288), (32, 24576), (64, 57344), (128, 122880), (256, 253952)])
def test_yarn_memory_is_that_of_the_published_table(gib, mib):
    assert yarn.yarn_memory(gib * GIB) == mib


def test_yarn_memory_of_small_nodes():
    assert [yarn.yarn_memory(g * GIB) for g in (2, 3, 4, 6)] == [1280, 2304, 3072, 4608]


def test_more_memory_never_means_less_for_yarn():
    values = [yarn.yarn_memory(m) for m in range(2048, 300000, 512)]
    # At 8 GiB the rule of the table begins, which reserves 2 GiB where the small rule reserves a quarter.
    assert all(b >= a for a, b in itertools.pairwise(values))


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("role", ["master", "slave", "task"])
def test_everything_fits_into_the_memory(memory, role):
    assert sizing.demand(WITHOUT_SERVERS, role, memory) <= memory
    assert memory < 4096 or sizing.demand(ALL, role, memory) <= memory
    assert sizing.demand(("hdfs", "yarn"), role, memory) <= memory


@pytest.mark.parametrize("name", COMPONENTS)
def test_heaps_keep_the_catalogues_bounds(name):
    rule = COMPONENTS[name].heap
    for memory in MEMORIES:
        size = sizing.heap(name, memory)
        assert min(rule.least, 256) <= size <= max(rule.most, 1024)
        if memory >= 8 * GIB:
            assert size >= (1024 if name == "namenode" else rule.least)
        elif sizing.small(memory):
            # A driver of Spark does not start with less.
            assert min(128, rule.least) <= size <= 256 or (COMPONENTS[name].application and 512 <= size <= 655) or (not COMPONENTS[name].jvm and size <= 128)


@pytest.mark.parametrize(("memory", "vcpus"), SHAPES)
def test_containers_of_every_shape(memory, vcpus):
    job = yarn.job_sizing([(memory, vcpus)])
    room = yarn.yarn_memory(memory)
    assert job.max_allocation == room and job.max_vcores == vcpus
    for size in (job.map_mb, job.reduce_mb, job.am_mb):
        assert job.min_allocation <= size <= room and size % job.min_allocation == 0
    assert job.map_mb <= job.reduce_mb <= 2 * job.map_mb <= 8192
    assert job.map_mb >= (1024 if memory >= 8 * GIB else 512)
    assert job.am_mb + job.reduce_mb <= room, "a master and a reducer have room on one node"
    for heap, container in ((job.map_heap, job.map_mb), (job.reduce_heap, job.reduce_mb), (job.am_heap, job.am_mb)):
        assert 256 <= heap <= 0.8 * container and container - heap >= 102
    assert 64 <= job.sort_mb <= 0.5 * job.map_heap


@pytest.mark.parametrize(("memory", "vcpus"), SHAPES)
def test_executors_of_every_shape(memory, vcpus):
    size = spark.spark_sizing([(memory, vcpus)] * 3)
    room = yarn.yarn_memory(memory)
    container = size.heap + size.overhead
    assert container <= room
    assert size.heap >= 450 and size.overhead >= 384 and size.overhead >= 0.09 * container
    assert 1 <= size.cores <= 5 and size.cores <= vcpus
    assert size.driver_heap >= 450 and size.driver_heap + 384 <= room
    assert 4 <= size.partitions <= 2000
    if room >= 3072:
        assert container + size.driver_heap + 384 <= room, "a driver has room beside an executor"


def test_two_executors_on_four_vcpus():
    size = spark.spark_sizing([(16 * GIB, 4)])
    assert size.cores == 2
    assert yarn.yarn_memory(16 * GIB) // (size.heap + size.overhead) == 2


def test_the_smallest_node_decides_containers_the_largest_the_limit():
    job = yarn.job_sizing([(64 * GIB, 16), (4 * GIB, 2)])
    assert job.map_mb <= 1024 and job.max_allocation == 57344 and job.max_vcores == 16


@pytest.mark.parametrize(("slaves", "copies"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (100, 3)])
def test_replication_lets_a_node_leave(slaves, copies):
    assert hdfs.replication(slaves) == copies
    assert copies <= max(slaves, 1)


def test_handlers_grow_with_the_cluster():
    assert hdfs.handlers(1, 2) == 10 and hdfs.handlers(3, 2) == 21
    assert hdfs.handlers(500, 4) == 64 and hdfs.handlers(100, 16) == 92


def _nodes(master, *others, role="slave"):
    return [Node("m", "master", "master", "", master, 2)] + [
        Node(f"n{i}", role, role, "", memory, 2) for i, memory in enumerate(others)]


def test_small_first_clusters_are_accepted():
    sizing.check_topology(ALL, _nodes(4096, 4096, 4096, 4096))
    sizing.check_topology(WITHOUT_SERVERS, _nodes(2048, 2048, 2048))
    sizing.check_topology(ALL, _nodes(4096, 4096))
    sizing.check_topology(("hdfs", "yarn", "mapreduce"), _nodes(2048, 2048))


@pytest.mark.parametrize(("services", "nodes", "words"), [
    (("hdfs", "yarn"), _nodes(1024, 4096), "m has 1024 MiB"),
    (("hdfs", "yarn"), _nodes(4096, 4096, 1500), "n1 has 1500 MiB"),
    (WITHOUT_SERVERS, _nodes(4096, 2048), "1 container"),
    (ALL, _nodes(4096, 2048, 2048), "0 container"),
    (ALL, _nodes(2048, 4096, 4096), "its daemons need"),
])
def test_what_is_too_small_is_refused_with_a_remedy(services, nodes, words):
    with pytest.raises(Refused) as caught:
        sizing.check_topology(services, nodes)
    assert words in caught.value.message
    assert "more memory" in caught.value.remedy


def test_every_accepted_node_has_room_for_a_container_of_spark():
    assert yarn.yarn_memory(int(sizing.LEAST_MEMORY * sizing.TOLERANCE) + 1) >= spark.SPARK_LEAST


def test_a_gateway_may_be_small():
    sizing.check_topology(ALL, [*_nodes(4096, 4096, 4096), Node("g", "edge", "gateway", "", 1024, 1)])


def test_demand_counts_each_daemon_once():
    names = [c.name for c in components_for(("hdfs", "yarn"), "slave")]
    total = sum(sizing.heap(n, 8192) + sizing.overhead(sizing.heap(n, 8192)) for n in names)
    assert sizing.demand(("hdfs", "yarn"), "slave", 8192) == 512 + total + 6144
