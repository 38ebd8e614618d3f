"""Verbs that change a running cluster by its spec: apply, configure, revert; and those that tell of it: history, export, clone."""
from __future__ import annotations

from pathlib import Path

import typer

from emrctl import failures, views, views_life
from emrctl.cluster import SPEC
from emrctl.verbs import CONFIRM, NAME, OUTPUT, QUIET, REGION, YES, Format, confirmed, emit, finish, run, spec_vars

SETTINGS = typer.Argument(None, metavar="KEY=VALUE...", help="Properties to set, for example dfs.replication=2.")
GROUP = typer.Option(None, "--group", help="Set it only on the nodes of this group.")
UNSET = typer.Option(None, "--unset", metavar="KEY", help="Remove this property from the spec; repeatable.")
REVISION = typer.Option(None, "--revision", min=1, help="Take this revision instead of the newest.")
FILE = typer.Option(None, "-f", "--file", help="Write to this file instead of stdout.")


def apply(spec: Path = SPEC, yes: bool = YES, confirm: str = CONFIRM, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Make the cluster what its spec wants: buy, deploy, configure, restart, drain, release. Run again after any interruption."""
    _change("apply", spec_vars(spec), yes, confirm, output, quiet)


def configure(name: str = NAME, stem: str = typer.Argument(help="File: hdfs-site, yarn-site, core-site, mapred-site, "
                                                           "capacity-scheduler, spark-defaults or env."),
              settings: list[str] = SETTINGS, unset: list[str] = UNSET, group: str = GROUP, yes: bool = YES,
              confirm: str = CONFIRM, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Set properties of a running cluster. Shows what changes on which node, and what restarts."""
    values = {stem: {**_settings(settings or []), **dict.fromkeys(unset or [])}}
    if not values[stem]:
        failures.fail(f"nothing to set. Next: emrctl configure {name} {stem} KEY=VALUE, or --unset KEY", failures.USAGE)
    edit = {"group_config": {group: values}} if group else {"config": values}
    _change("configure", {"emr_name": name, "emr_region": region, "emr_edit": edit}, yes, confirm, output, quiet)


def revert(name: str = NAME, revision: int = typer.Argument(min=1, help="Number of the revision; see emrctl history."),
           yes: bool = YES, confirm: str = CONFIRM, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Make the cluster what an older revision of its spec wants; its content becomes the newest revision."""
    edit = {"revert_to": revision}
    _change("revert", {"emr_name": name, "emr_region": region, "emr_edit": edit}, yes, confirm, output, quiet)


def history(name: str = NAME, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Show the revisions of the cluster's spec: number, when, who and why."""
    found = run("history", {"emr_name": name, "emr_region": region}, quiet).data.get("history") or []
    emit(found, output, views_life.history(found))


def export(name: str = NAME, revision: int = REVISION, file: Path = FILE, region: str = REGION, quiet: bool = QUIET) -> None:
    """Print the cluster's spec, so that you can edit and apply it."""
    found = run("history", {"emr_name": name, "emr_region": region, "emr_revision_number": revision}, quiet).data
    text = views_life.exported(found["spec"], found["revision"])
    if file is None:
        print(text, end="")
    else:
        file.write_text(text, encoding="utf-8")


def clone(name: str = NAME, new: str = typer.Argument(help="Name of the new cluster."), revision: int = REVISION,
          yes: bool = YES, confirm: str = CONFIRM, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Create a second cluster from the spec of a running one; its data is not copied."""
    wanted = {"emr_source": name, "emr_clone": new, "emr_region": region, "emr_revision_number": revision}
    wanted |= confirmed("clone", wanted, yes, confirm, quiet, views.plan)
    result = run("clone", wanted, quiet)
    finish(result, output, views.created(result.data, result.seconds))


def _change(playbook: str, wanted: dict, yes: bool, confirm: str | None, output: Format, quiet: bool) -> None:
    """Plan, show, ask, do."""
    wanted = wanted | confirmed(playbook, wanted, yes, confirm, quiet, views_life.plan, always=True)
    result = run(playbook, wanted, quiet)
    finish(result, output, views_life.changed(result.data, result.seconds))


def _settings(words: list[str]) -> dict:
    """{key: value} of words like dfs.replication=2. Leaves with 2 for anything else."""
    found = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            failures.fail(f"{word!r} is not KEY=VALUE, for example dfs.replication=2", failures.USAGE)
        found[key] = value
    return found
