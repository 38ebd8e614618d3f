"""`emrctl scale` and `emrctl balance`: other numbers of nodes, and blocks spread over them."""
from __future__ import annotations

import typer

from emrctl import failures, views_scale
from emrctl.verbs import CONFIRM, NAME, OUTPUT, QUIET, REGION, YES, Format, confirmed, emit, finish, run

COUNTS = typer.Argument(None, metavar="GROUP=COUNT...", help="How many nodes a group shall have, for example slave=5.")
REMOVE = typer.Option(None, "--remove", metavar="NODE", help="This node leaves; repeatable. Without a count for its group, that "
                      "becomes smaller by one.")
DRAIN = typer.Option(None, "--drain-limit", metavar="SECONDS", min=1, help="Containers that still run on a leaving node are "
                     "ended after so long (default 600).")
THRESHOLD = typer.Option(None, "--threshold", metavar="PERCENT", min=1, max=100, help="How far the use of a DataNode may differ "
                         "from the mean (default 10).")
LIMIT = typer.Option(None, "--limit", metavar="SECONDS", min=1, help="End after so long, however far it is (default 3600).")


def scale(name: str = NAME, counts: list[str] = COUNTS, remove: list[str] = REMOVE, drain_limit: int = DRAIN,
          abort: bool = typer.Option(False, "--abort", help="Take back the nodes of an interrupted scale-in."),
          balance: bool = typer.Option(False, "--balance", help="Spread the blocks of HDFS afterwards."),
          yes: bool = YES, confirm: str = CONFIRM, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Add or remove nodes. What leaves is drained and its blocks are copied first. Run again after any interruption."""
    groups = _counts(counts or [])
    if abort and (groups or remove):
        failures.fail("--abort takes no counts and no --remove: the cluster keeps the nodes that it has", failures.USAGE)
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
            end: bool = typer.Option(False, "--stop", help="End a balancer that runs."),
            region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Spread the blocks of HDFS evenly over the DataNodes. It goes on when this command is interrupted."""
    wanted = {"emr_name": name, "emr_region": region, "emr_balance_threshold": threshold, "emr_balance_limit": limit,
              "emr_balance_stop": end}
    result = run("balance", wanted, quiet)
    emit(result.data, output, views_scale.balanced(result.data))
