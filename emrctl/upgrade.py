"""`emrctl upgrade`: another release on a running cluster, with a way back until it is finalised."""
from __future__ import annotations

import typer

from emrctl import failures, views_life, views_upgrade
from emrctl.verbs import CONFIRM, NAME, OUTPUT, QUIET, REGION, YES, Format, ask, confirmed, emit, finish, run

RELEASE = typer.Argument(None, metavar="RELEASE", help="The release that the cluster shall have (see emrctl dist list).")


def upgrade(name: str = NAME, release: str = RELEASE,
            finalize: bool = typer.Option(False, "--finalize", help="Keep an upgrade: from then on there is no way back."),
            rollback: bool = typer.Option(False, "--rollback", help="Go back to the release of before; what was written since stays."),
            yes: bool = YES, confirm: str = CONFIRM, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Change the release of a running cluster while its jobs go on. Run again after any interruption."""
    if (release is not None) + finalize + rollback != 1:
        failures.fail(f"give a RELEASE, --finalize or --rollback. Next: emrctl upgrade {name} RELEASE", failures.USAGE)
    named = {"emr_name": name, "emr_region": region}
    if finalize:
        if not yes:
            ask(f"Finalise the upgrade of cluster {name}? Then it cannot be taken back.")
        result = run("upgrade_finalize", {**named, "emr_confirm": "yes"}, quiet)
        emit(result.data, output, views_upgrade.finalised(name, result.data))
        return
    wanted = {**named, "emr_to_release": release, "emr_rollback": rollback}
    wanted |= confirmed("upgrade", wanted, yes, confirm, quiet, views_upgrade.plan, always=True)
    result = run("upgrade", wanted, quiet)
    finish(result, output, views_upgrade.upgraded(name, views_life.changed(result.data, result.seconds), rollback))
