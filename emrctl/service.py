"""`emrctl service`: services of a running cluster."""
from __future__ import annotations

import typer

from emrctl import failures, views, views_life, views_people
from emrctl.users import confirmed_delete
from emrctl.verbs import CONFIRM, NAME, OUTPUT, QUIET, REGION, YES, Format, ask, confirmed, counters, emit, run

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def services() -> None:
    """Add services to a running cluster, or take them off."""


@app.command()
def add(name: str = NAME, service: str = typer.Argument(help="The service to add, for example spark."),
        yes: bool = YES, confirm: str = CONFIRM, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Install and start one more service on a running cluster; the others stay up."""
    wanted = {"emr_name": name, "emr_region": region, "emr_service": service}
    wanted |= confirmed("service_add", wanted, yes, confirm, quiet, views_life.plan, always=True)
    result = run("service_add", wanted, quiet)
    emit({**result.data, "stats": counters(result)}, output, views.created(result.data, result.seconds))


@app.command()
def remove(name: str = NAME, service: str = typer.Argument(help="The service to remove, for example spark."), yes: bool = YES,
           delete_data: bool = typer.Option(False, "--delete-data", help="Also delete its data in HDFS and its logs."),
           confirm_delete: str = typer.Option(None, "--confirm-delete", metavar="SERVICE",
                                              help="Confirms --delete-data without a question: the service's name once more."),
           region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Stop a service and remove its units, configuration and links from all nodes. Its data stays."""
    if delete_data and service == "hdfs":
        failures.fail("hdfs holds everybody's data, so --delete-data does not apply to it. Next, to delete the cluster with "
                      f"all its data: emrctl release {name}", failures.REFUSED)
    if not yes:
        ask(f"Remove {service} from cluster {name}? Its data stays" + (" until the next question." if delete_data else "."))
    deleted = confirmed_delete(delete_data, confirm_delete, service, f"the folders of {service} in HDFS and its logs")
    result = run("service_remove", {"emr_name": name, "emr_region": region, "emr_service": service, "emr_delete_data": deleted,
                                    "emr_confirm": "yes"}, quiet)
    emit({**result.data, "stats": counters(result)}, output,
         views_people.removed(service, name, result.data, deleted, f"emrctl service add {name} {service} brings it back"))
