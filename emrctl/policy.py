"""`emrctl ram-policy`: the permissions that the access key needs."""
from __future__ import annotations

import enum
from typing import Annotated

import typer

from emrctl.verbs import QUIET, Format, emit


class Use(str, enum.Enum):
    """What the key is for."""

    all = "all"
    plan = "plan"
    inventory = "inventory"


def ram_policy(
    use: Annotated[Use, typer.Option("--for", help="Purpose of the key: everything, planning, or the inventory.")] = Use.all,
    region: Annotated[list[str] | None, typer.Option(help="Allow changes in this region only; repeatable.")] = None,
    output: Annotated[Format, typer.Option("-o", "--output", help="With table, show what each action is for.")] = Format.json,
    quiet: bool = QUIET,
) -> None:
    """Print the smallest RAM policy that emrctl works with."""
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.permissions import TABLE, USES, policy
    from emrctl.output import table

    rows = [{"action": p.name, "for": p.why} for p in TABLE if USES[use.value](p)]
    emit(policy(use.value, region or ()), output, table(rows, ["action", "for"]))
