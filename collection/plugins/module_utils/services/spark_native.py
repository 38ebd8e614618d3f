"""Spark SQL in native code: Apache DataFusion Comet, which takes over those operators of a plan that it knows and leaves the others to Spark.

It works outside of the JVM's heap, in memory that Spark lends to it, and beside that: its buffers are on no account of Spark's. A container whose
sizes do not say so is killed by YARN, so all three sizes are computed from what the node can give to one.
"""
from __future__ import annotations

from ..domain import paths
from ..domain.install.releases import release
from ..domain.sizing.rules import clamp, floor
from ..domain.spec.field import Field

# The engines, and the artifact of the native one.
STOCK, NATIVE = "stock", "native"
LIB = f"{paths.NATIVE_ENGINE}/lib"
JARS = f"{LIB}/*"
# Of a container: what is beside heap and lent memory, and the heap's share of the rest. MiB.
BESIDE, LEAST_BESIDE, HEAP_SHARE, LEAST_HEAP = 0.125, 512, 0.42, 512
# A container of Spark's application master in client mode: 512 MiB of heap and 384 beside it, in the unit of allocations.
MASTER = 1024
# An executor that is smaller has too little memory of either kind.
LEAST_CONTAINER = 2048

ENGINE = Field(
    "engine", "text", "What runs Spark SQL and DataFrames: `stock` is Spark itself; `native` is Apache DataFusion Comet, which runs what it "
    "knows in native code and leaves the rest to Spark. Needs the artifact `native` (emrctl dist build native) and glibc 2.30 on the nodes.",
    choices=(STOCK, NATIVE), default=STOCK, example=NATIVE)


def wanted(spec) -> bool:
    """Whether this spec asks for it."""
    return spec.spark.engine == NATIVE


def artifacts(spec, _role=None) -> tuple:
    """Drivers and executors on all nodes find it by the same path."""
    return (NATIVE,) if wanted(spec) else ()


def rules(spec, _configs):
    """A Spark of somebody's own may be one that the release's engine does not fit."""
    if wanted(spec) and NATIVE not in (*release(spec.release).artifacts, *spec.artifacts):
        yield ("spark.engine", f"the release {spec.release} has no native engine that fits its Spark",
               "Remove spark.engine, name a build of Comet for that Spark in artifacts.native, or stay with another release.")
    if wanted(spec) and "spark" in spec.artifacts and NATIVE not in spec.artifacts:
        yield ("spark.engine", "native is built for the release's Spark, and `artifacts` names another one",
               "Name the build of Comet for that Spark in artifacts.native, or remove spark.engine.")


def container_of(yarn_mib: int, stock_mib: int, unit: int) -> int:
    """MiB of an executor's container. On small nodes it is what an application master leaves of a node: two small executors would each have
    too little of both kinds of memory."""
    return stock_mib if stock_mib >= LEAST_CONTAINER else max(stock_mib, floor(yarn_mib - MASTER, unit))


def sizes(container: int) -> dict:
    """Settings of an executor whose container has so many MiB: heap, memory that is lent to native code, and what is beside both."""
    beside = max(min(LEAST_BESIDE, container // 3), int(container * BESIDE))
    heap = int(clamp((container - beside) * HEAP_SHARE, LEAST_HEAP, container))
    return {"spark.executor.memory": f"{heap}m", "spark.executor.memoryOverhead": f"{beside}m",
            "spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": f"{container - beside - heap}m"}


def settings() -> dict:
    """What makes Spark use it."""
    # Found there, its library need not be unpacked from the jar by each process.
    libraries = {f"spark.{who}.extraLibraryPath": f"{paths.HADOOP_NATIVE}:{LIB}" for who in ("executor", "driver", "yarn.am")}
    return {**libraries, "spark.plugins": "org.apache.spark.CometPlugin",
            "spark.shuffle.manager": "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager"}


__all__ = ["ENGINE", "JARS", "NATIVE", "STOCK", "artifacts", "container_of", "rules", "settings", "sizes", "wanted"]
