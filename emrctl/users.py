"""`emrctl user`: people who work on a cluster."""
from __future__ import annotations

import typer

from emrctl import failures, views_people
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, YES, Format, ask, counters, emit, run

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)
USER = typer.Argument(help="Name of the user.")
NONE = "none"


@app.callback()
def users() -> None:
    """People who work on a cluster."""


@app.command()
def add(name: str = NAME, user: str = USER,
        queue: str = typer.Option(None, "--queue", help="Queue of their jobs; 'none' unsets it."),
        space_quota: str = typer.Option(None, "--space-quota", metavar="SIZE",
                                        help="Space quota in HDFS, all copies counted, such as 500g; 'none' unsets it."),
        region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Add a user, or change one: an account on all nodes, a home in HDFS, a queue. No daemon restarts."""
    given = {"queue": queue, "space_quota": space_quota}
    settings = {key: None if text == NONE else text for key, text in given.items() if text is not None}
    result = run("user_add", {"emr_name": name, "emr_region": region, "emr_user": user, "emr_user_settings": settings,
                              "emr_confirm": "yes"}, quiet)
    emit({**result.data, "stats": counters(result)}, output,
         f"{user} is a user of cluster {name}. Next: emrctl submit {name} --user {user} --type SHELL -- 'hdfs dfs -ls'")


@app.command()
def remove(name: str = NAME, user: str = USER, yes: bool = YES,
           delete_data: bool = typer.Option(False, "--delete-data", help="Also delete their home in HDFS and on the nodes."),
           confirm_delete: str = typer.Option(None, "--confirm-delete", metavar="USER",
                                              help="Confirms --delete-data without a question: the user's name once more."),
           region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Remove a user's account and queue on all nodes. Their data stays."""
    if not yes:
        ask(f"Remove the user {user} from cluster {name}? Their data stays" + (" until the next question." if delete_data else "."))
    deleted = confirmed_delete(delete_data, confirm_delete, user, f"/user/{user} in HDFS and /home/{user} on all nodes")
    result = run("user_remove", {"emr_name": name, "emr_region": region, "emr_user": user, "emr_delete_data": deleted,
                                 "emr_confirm": "yes"}, quiet)
    emit({**result.data, "stats": counters(result)}, output, views_people.removed(f"The user {user}", name, result.data, deleted,
                                                                                  f"/user/{user}"))


@app.command("list")
def list_users(name: str = NAME, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """List the users with their queues and the space they use."""
    found = run("user_list", {"emr_name": name, "emr_region": region}, quiet).data.get("users", [])
    emit(found, output, views_people.users(name, found))


def confirmed_delete(wanted: bool, again: str | None, name: str, what: str) -> str | None:
    """The name of whose data is to be deleted, after its own confirmation; None without --delete-data. Leaves with 3 else."""
    if not wanted:
        return None
    if again is None:
        ask(f"Delete {what} for good?", f"and to delete the data: --confirm-delete {name}")
    elif again != name:
        failures.fail(f"--confirm-delete {again}: expected {name}, whose data would be deleted. Nothing was changed.",
                      failures.REFUSED)
    return name
