"""`emrctl scale` and `emrctl balance`: other numbers of nodes, and blocks spread over them."""
from __future__ import annotations

import typer

from emrctl import failures, views_scale
from emrctl.verbs import CONFIRM, NAME, OUTPUT, QUIET, REGION, YES, Format, confirmed, emit, finish, run

COUNTS = typer.Argument(None, metavar="GROUP=COUNT...", help="Number of nodes for a group, for example slave=5.")
REMOVE = typer.Option(None, "--remove", metavar="NODE", help="Remove this node; repeatable. Without a count, its group gets "
                      "one node fewer.")
DRAIN = typer.Option(None, "--drain-limit", metavar="SECONDS", min=1, help="Longest wait for the containers on a node that "
                     "leaves; then they are ended (default 600).")
THRESHOLD = typer.Option(None, "--threshold", metavar="PERCENT", min=1, max=100, help="How much a DataNode's use may differ "
                         "from the mean (default 10).")
LIMIT = typer.Option(None, "--limit", metavar="SECONDS", min=1, help="Stop after this time, finished or not (default 3600).")


def scale(name: str = NAME, counts: list[str] = COUNTS, remove: list[str] = REMOVE, drain_limit: int = DRAIN,
          abort: bool = typer.Option(False, "--abort", help="Take back the nodes of an interrupted scale-in."),
          balance: bool = typer.Option(False, "--balance", help="Spread the blocks of HDFS over all DataNodes afterwards."),
          yes: bool = YES, confirm: str = CONFIRM, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Add or remove nodes. Nodes that leave are drained first. Run again after any interruption."""
    groups = _counts(counts or [])
    if abort and (groups or remove):
        failures.fail("--abort takes no counts and no --remove, because the cluster keeps all its nodes", failures.USAGE)
    if not (abort or groups or remove):
        failures.fail(f"nothing to do. Next: emrctl scale {name} slave=5", failures.USAGE)
    wanted = {"emr_name": name, "emr_region": region, "emr_groups": groups, "emr_remove_nodes": list(remove or []),
              "emr_abort": abort, "emr_drain_limit": drain_limit, "emr_balance": balance}
    wanted |= confirmed("scale", wanted, yes, confirm, quiet, views_scale.plan)
    result = run("scale", wanted, quiet)
    finish(result, output, views_scale.scaled(name, result.data, result.seconds))


def _counts(words: list[str]) -> dict:
    """{group: count} of words like slave=5. Leaves with 2 for anything else."""
    found = {}
    for word in words:
        group, sign, count = word.partition("=")
        if not sign or not group or not count.isdigit():
            failures.fail(f"{word!r} is not GROUP=COUNT, for example slave=5", failures.USAGE)
        found[group] = int(count)
    return found


def balance(name: str = NAME, threshold: int = THRESHOLD, limit: int = LIMIT,
            end: bool = typer.Option(False, "--stop", help="Stop a running balancer."),
            region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Spread the blocks of HDFS evenly over the DataNodes. HDFS goes on with it if this command is interrupted."""
    wanted = {"emr_name": name, "emr_region": region, "emr_balance_threshold": threshold, "emr_balance_limit": limit,
              "emr_balance_stop": end}
    result = run("balance", wanted, quiet)
    emit(result.data, output, views_scale.balanced(result.data))
