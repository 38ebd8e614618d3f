"""What people know of their work, and what follows from it: volume, vCPUs and memory, each with a sentence.

Volumes are GiB, memory is MiB. The rules cite SOURCES by number; rules without one are
this project's own and say so.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

from ...services.registry import HOMES
from ..errors import Refused

SOURCES = {
    1: "Databricks: Apache Spark officially sets a new record in large-scale sorting (2014), databricks.com/blog",
    2: "Alibaba Cloud: E-MapReduce, ECS instances, alibabacloud.com/help/en/emr/ecs-instances",
    3: "Amazon EMR: best practices for cluster configuration, docs.aws.amazon.com/emr/latest/ManagementGuide/"
       "emr-plan-instances-guidelines.html",
    4: "Cloudera community: how to calculate the Hadoop cluster size, H = c r S / (1 - i) with i = 1/4",
    5: "hadooptutorial.info: formula to calculate HDFS nodes storage (disks not over 80 % full)",
    6: "Cloudera: disk space versus namespace, docs.cloudera.com (1 GB of heap for a million blocks)",
    7: "Apache Spark: hardware provisioning, spark.apache.org/docs/latest/hardware-provisioning.html",
    8: "Apache Spark: tuning, spark.apache.org/docs/latest/tuning.html (spark.memory.fraction 0.6)",
}
WORKLOADS = ("batch", "interactive", "streaming")
# A stream's hour of most data against its average (own).
PEAK = 3
CACHE = 0.6 / 1.1     # share of a Spark container that can cache: memory.fraction 0.6 of the heap [8], overhead 10 %
BLOCK_MIB = 128


@dataclass(frozen=True)
class Needs:
    """What people know of their work. ``growth_gib`` is per month, ``months`` how long data is kept, counted from now.

    ``working_set_gib``: data that one job reads (batch, interactive) or the state that a stream holds.
    ``deadline_minutes``: how long such a job may take. ``budget_month``: at most so much, None for no limit.
    ``services`` are expanded. ``files`` where a measurement counted them.
    """

    workload: str
    data_gib: float
    growth_gib: float
    months: int
    working_set_gib: float
    deadline_minutes: float
    budget_month: float | None
    services: tuple
    files: int = 0


@dataclass(frozen=True)
class Demand:
    """What the work needs in all, with a sentence for each figure."""

    volume_gib: float
    vcpus: int
    yarn_mib: int
    node_mib: int
    blocks: int
    trial: bool
    why: tuple


def demand(needs: Needs) -> Demand:
    """Volume at the horizon, vCPUs for the deadline, memory for YARN; raises Refused for figures that make no sense."""
    if needs.workload not in WORKLOADS:
        raise Refused(f"workload {needs.workload!r} is unknown", "Write one of " + ", ".join(WORKLOADS))
    if min(needs.data_gib, needs.growth_gib, needs.working_set_gib) < 0 or needs.deadline_minutes <= 0 or needs.months < 0:
        raise Refused("volumes must not be negative, and the deadline must be above zero", "Correct the figures")
    volume = needs.data_gib + needs.growth_gib * needs.months
    parts = f"{needs.data_gib:,.0f} now + {needs.growth_gib:,.0f} a month x {needs.months} months"
    why = [f"{volume:,.0f} GiB at the horizon: {parts}"]
    engine = _engine(needs.services)
    vcpus = _vcpus(needs, engine.rate, engine.name, why)
    trial = volume <= 100 and needs.working_set_gib <= 20
    per_vcpu = 1024 if trial else {"batch": 2048, "interactive": 4096, "streaming": 2048}[needs.workload]
    yarn = vcpus * per_vcpu
    why.append(f"{yarn / 1024:,.0f} GiB for YARN: {per_vcpu // 1024} GiB for each of these vCPUs"
               + (" (two map containers of 1 GiB)" if per_vcpu == 2048 else ""))
    if needs.workload != "batch" and needs.working_set_gib / CACHE * 1024 > yarn:
        yarn = math.ceil(needs.working_set_gib / CACHE * 1024)
        what = "the working set stays cached" if needs.workload == "interactive" else "the stream's state stays in memory"
        why[-1] = (f"{yarn / 1024:,.0f} GiB for YARN: {what}, {needs.working_set_gib:,.0f} GiB / {CACHE:.2f} of a Spark "
                   "container [8]")
    blocks = max(needs.files, math.ceil(volume * 1024 / BLOCK_MIB))
    return Demand(volume, vcpus, yarn, 4096 if trial else 8192, blocks, trial, tuple(why))


def _engine(services):
    """The home of the fastest engine among these services, of all the slowest where there is none. Their ``rate`` is a planning figure from the
    sort records of [1]: Spark 10.8, Hadoop 0.47 MB per second and vCPU (cores of 2013). A sort moves all its data twice, a record is
    tuned for weeks: half of Spark's, twice Hadoop's (own judgement)."""
    engines = sorted((home for home in HOMES.values() if home.rate), key=lambda home: home.rate)
    return next((home for home in reversed(engines) if home.name in services), engines[0])


def _vcpus(needs: Needs, rate: float, engine: str, why: list) -> int:
    if needs.workload == "streaming":
        flow = needs.growth_gib * 1024 / (30 * 86400) * PEAK
        count = max(2, math.ceil(flow / rate))
        why.append(f"{count} vCPUs: {flow:.1f} MB/s at the peak ({PEAK} x the average of a month) at {rate:g} MB/s per vCPU, "
                   f"{engine} [1], at least 2")
        return count
    count = max(1, math.ceil(needs.working_set_gib * 1024 / (needs.deadline_minutes * 60) / rate))
    why.append(f"{count} vCPUs: {needs.working_set_gib:,.0f} GiB in {needs.deadline_minutes:g} minutes at {rate:g} MB/s per "
               f"vCPU, {engine} [1]")
    return count
