"""What a master keeps for its jobs: the package with its programs, their units, and what they have to know of the cluster."""
from __future__ import annotations

import json

from ...services.registry import COMPONENTS, HOMES
from .. import paths
from ..daemons.units import UNIT_DIR
from ..resident import package as resident
from ..resident.files import boot_unit
from ..sizing import memory as sizing
from ..topology.endpoints import addresses

SETTINGS = paths.JOBS_SETTINGS
UNIT = "emr-jobs.service"
TEMPLATE = "emr-job@.service"


def side_units(topology, node, services, spec) -> list:
    """The unit that takes up jobs again at boot, with the package and all that belongs to it; see node/daemons/side.py."""
    if node.role != "master":
        return []
    texts = {f"{UNIT_DIR}/{UNIT}": _boot(topology.cluster), f"{UNIT_DIR}/{TEMPLATE}": _job_text(topology.cluster),
             SETTINGS: json.dumps(settings(topology, node, services, spec), indent=1, sort_keys=True) + "\n", **resident.package()}
    texts.update({path: resident.program(module) for path, module in resident.PROGRAMS.items()})
    common = {row["path"] for row in resident.node_files()}
    return [{"unit": UNIT, "wanted": True, "files": [row for row in map(resident.row, texts, texts.values()) if row["path"] not in common]}]


def settings(topology, node, services, spec) -> dict:
    """What the package has to know of its cluster."""
    def url(component):
        return addresses(topology, services, component)
    return {"cluster": topology.cluster, "region": spec.region, "environment": resident.ENVIRONMENT, "resourcemanager": url("resourcemanager"),
            "namenode": url("namenode"), "historyserver": url("historyserver"), "spark_history": url("spark-historyserver"),
            "memory_mib": job_memory(services, node, topology.nodes), "total_mib": node.memory_mib,
            "output_mib": spec.logs.job_output_mib,
            "budget": {"monthly": spec.budget.monthly, "warn_at": spec.budget.warn_at, "beyond": spec.budget.beyond} if spec.budget else None,
            "histories": [{"types": list(home.used_by[0]), "jobs": list(home.used_by[1]), "hook": home.history.hook, "url": url(home.history.component),
                           "remedies": home.history.remedies} for name, home in HOMES.items() if home.history and name in resident.HOOKED]}


def job_memory(services, node, nodes=()) -> int:
    """MiB that the programs that start jobs may take together on a master: what its daemons and the system leave."""
    return max(512, node.memory_mib - sizing.demand(services, node.role, node.memory_mib, nodes))


def _boot(cluster: str) -> str:
    order = (f"After=network-online.target {COMPONENTS['namenode'].unit}.service {COMPONENTS['resourcemanager'].unit}.service\n"
             "Wants=network-online.target")
    return boot_unit(f"Takes up the jobs of cluster {cluster} after a boot", order, f"{paths.JOBS_PROGRAM} boot")


def _job_text(cluster: str) -> str:
    # A supervisor that dies is started again, and finds out what has become of the job. What it was told to stop, it stops
    # itself within TimeoutStopSec; then systemd ends what is left.
    return f"""[Unit]
Description=Job %i of cluster {cluster}
CollectMode=inactive-or-failed
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
ExecStart={paths.JOBS_PROGRAM} run %i
ExecStopPost={paths.JOBS_PROGRAM} ended %i
Restart=on-failure
RestartSec=1
KillMode=mixed
TimeoutStopSec=60
OOMPolicy=continue
LimitNOFILE=65536
"""
