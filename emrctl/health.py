"""Verbs that look at a cluster closely, make it whole again, and gather what explains its trouble."""
from __future__ import annotations

import sys
import time
from pathlib import Path

import typer

from emrctl import failures, paths, views_health
from emrctl.output import duration
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, YES, Format, ask, attempt, command_again, emit, run, stop

WORK = typer.Option(True, "--work/--no-work", help="Write, read and compute for real on the cluster (default: yes).")
NODE = typer.Option(None, "--node", help="Repair this node only.")
PATIENCE = typer.Option(60, "--patience", metavar="SECONDS", min=1,
                        help="Time until a node that runs but does not answer counts as dead.")
HEAL = typer.Option(3600, "--heal-limit", metavar="SECONDS", min=1,
                    help="Longest wait until HDFS has all its copies again.")
OUT = typer.Option(None, "--out", help="Path of the archive (default: ./NAME-support-TIME.tar.gz).")
MIB = typer.Option(16, "--node-mib", min=1, max=256,
                   help="Most text from one node in MiB; the newest logs come first.")


def check(name: str = NAME, work: bool = WORK, region: str = REGION, output: Format = OUTPUT,
          quiet: bool = QUIET) -> None:
    """Examine the cluster: real work, drift, versions, nodes, clocks, disks. Exit code 5 if a check fails."""
    result = attempt("check", {"emr_name": name, "emr_region": region, "emr_check_work": work}, quiet)
    if "findings" in result.data:
        emit({key: result.data[key] for key in ("name", "healthy", "counts", "findings")}, output,
             views_health.findings(result.data))
        # They tell more than the failed task does.
        raise typer.Exit(result.exit_code)
    stop(result)


def repair(name: str = NAME, node: str = NODE, yes: bool = YES, patience: int = PATIENCE, heal_limit: int = HEAL,
           region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Repair the cluster: start what is stopped, replace dead nodes, remove drift, and wait until HDFS has all its copies again."""
    wanted = {"emr_name": name, "emr_region": region, "emr_repair_node": node, "emr_patience": patience,
              "emr_heal_limit": heal_limit}
    if not yes:
        found = run("repair", {**wanted, "emr_plan_only": True}, quiet).data.get("plan") or {}
        print(views_health.repair_plan(found), file=sys.stderr)
        if not found.get("empty"):
            ask("Go on?")
    result = run("repair", {**wanted, "emr_confirm": "yes"}, quiet)
    data = {key: result.data.get(key) for key in ("name", "started", "replaced", "bought", "hdfs", "healed_s")}
    emit({**data, "changed": views_health.changed(result), "seconds": round(result.seconds, 1)}, output,
         views_health.repaired(name, result, duration(result.seconds)))


def support_bundle(name: str = NAME, out: Path = OUT, node_mib: int = MIB, region: str = REGION,
                   output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Collect logs, configuration and history of all nodes in one archive, without secrets."""
    path = (out or Path(f"{name}-support-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz")).expanduser().absolute()
    if not path.parent.is_dir() or path.is_dir():
        failures.fail(f"{path}: not a file in a folder that exists. Next: {command_again()} --out FILE",
                      failures.REFUSED)
    wanted = {"emr_name": name, "emr_region": region, "emr_bundle_out": str(path), "emr_bundle_mib": node_mib,
              "emr_bundle_runs": str(paths.cache_dir() / "runs")}
    result = attempt("support_bundle", wanted, quiet)
    if not result.data.get("file"):
        stop(result)
    data = {key: result.data.get(key) for key in ("name", "file", "bytes", "silent", "nodes")}
    emit(data, output, views_health.bundled(data))
