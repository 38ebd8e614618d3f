"""emrctl local: the local ECS from the command line. Heavy modules are imported by the command that needs them."""
from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from emrctl.output import Format

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  help="The local ECS: the same API with real hosts on this machine.")
Prefix = Annotated[str, typer.Option(help="Name of this local ECS; several with different names run side by side.")]
State = Annotated[Path | None, typer.Option(help="Folder of its state [default: /var/lib/emr-local/PREFIX]")]
Output = Annotated[Format, typer.Option("-o", "--output", help="Form of the output.")]
FaultList = Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...")]


def say(line: str) -> None:
    """Progress and messages go to stderr; stdout is for data."""
    print(line, file=sys.stderr, flush=True)


def _guarded(work, *args):
    """Run a step; a refusal ends with 3, a failure with 1, both told without a traceback."""
    from emrctl.local.shell import DriverError, Refused

    try:
        return work(*args)
    except Refused as error:
        say(f"emrctl local: {error}")
        raise typer.Exit(error.exit_code) from None
    except DriverError as error:
        say(f"emrctl local: {error}")
        raise typer.Exit(1) from None


def _existing(prefix: str, state: Path | None):
    """Settings of a local ECS that is there. Raises Refused."""
    from emrctl.local import settings
    from emrctl.local.shell import Refused

    folder = settings.state_folder(prefix, state)
    try:
        return settings.load(folder)
    except FileNotFoundError:
        option = "" if prefix == settings.DEFAULT_PREFIX else f" --prefix {prefix}"
        option += f" --state {shlex.quote(str(state))}" if state else ""
        raise Refused(f"there is no local ECS {prefix!r} (no {folder}/{settings.FILE})",
                      f"start it: emrctl local up{option}") from None


@app.command()
def up(
    prefix: Prefix = "emr",
    subnet: Annotated[str | None, typer.Option(help="Network of the hosts [default: 10.77.0.0/24]")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the server [default: 7788]", min=1, max=65535)] = None,
    state: State = None,
    api_only: Annotated[bool, typer.Option("--api-only", help="No hosts: the API alone; needs no root.")] = False,
    fault: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Fault to inject; repeatable.")] = None,
    memory_mib: Annotated[int | None, typer.Option(min=1024, help="Memory that all hosts may be sold together, which may be more "
                                                   "than they use [default: the machine's, less 2048]")] = None,
) -> None:
    """Start the local ECS. Already up: make sure that all of it runs."""
    from emrctl.local import lifecycle

    faults = _guarded(_parse_faults, fault or [])
    at = _guarded(lifecycle.up, prefix, subnet, port, state, api_only, say, memory_mib)
    if faults:
        _guarded(lifecycle.call_faults, at, "POST", faults)
    kind = " (the API alone, no hosts)" if at.api_only else ""
    say(f'local ECS {at.prefix}{kind}: http://127.0.0.1:{at.port}/ is ready. Next: eval "$(emrctl local env{lifecycle.again(at)})"')


@app.command()
def down(
    prefix: Prefix = "emr",
    state: State = None,
    keep: Annotated[bool, typer.Option("--keep", help="Halt the hosts and keep their data for the next `up`.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take the local ECS away with all its hosts and their data, whatever state it is in. Down already: fine."""
    from emrctl.local import lifecycle

    if not (yes or keep) and sys.stdin.isatty():
        count = _guarded(lifecycle.count_hosts, prefix, state)
        if count and not typer.confirm(f"Remove {count} hosts of the local ECS {prefix} with all their data?", err=True):
            raise typer.Exit(3)
    count = _guarded(lifecycle.down, prefix, state, keep)
    say(f"local ECS {prefix} is down ({count} {'host' if count == 1 else 'hosts'} {'halted' if keep else 'removed'})")


@app.command()
def status(prefix: Prefix = "emr", state: State = None, output: Output = Format.table) -> None:
    """Show whether the server runs, and the hosts."""
    from emrctl.local import lifecycle
    from emrctl.output import emit

    emit(_guarded(lambda: lifecycle.status(_existing(prefix, state))), output)


@app.command()
def env(prefix: Prefix = "emr", state: State = None) -> None:
    """Print what any client needs, for: eval "$(emrctl local env)"."""
    from emrctl.local import lifecycle

    values = _guarded(lambda: lifecycle.environment(_existing(prefix, state)))
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}")


@app.command()
def example(name: Annotated[str, typer.Option(help="Name of the cluster.")] = "demo", prefix: Prefix = "emr",
            state: State = None) -> None:
    """Print a cluster.yml that works here: one master and three slaves."""
    from emrctl.local import lifecycle

    print(_guarded(lambda: lifecycle.example(_existing(prefix, state), name)), end="")


@app.command()
def fault(
    values: FaultList = None,
    prefix: Prefix = "emr",
    state: State = None,
    clear: Annotated[bool, typer.Option("--clear", help="End all faults first.")] = False,
    output: Output = Format.table,
) -> None:
    """Inject faults, such as throttle=0.3 no_stock=ecs.c6.large visibility_delay=5, and show those that are set."""
    from emrctl.local import lifecycle
    from emrctl.output import emit

    def work() -> dict:
        at, wanted = _existing(prefix, state), _parse_faults(values or [])
        if clear:
            lifecycle.call_faults(at, "DELETE")
        return lifecycle.call_faults(at, "POST", wanted) if wanted else lifecycle.call_faults(at, "GET")

    emit(_guarded(work), output)


@app.command()
def seed(
    count: Annotated[int, typer.Option(min=0, help="Nodes of clusters with a hundred nodes each.")] = 1000,
    regions: Annotated[int, typer.Option(min=1, help="Number of regions to spread them over.")] = 1,
    foreign: Annotated[int, typer.Option(min=0, help="Other instances, with hostile tags.")] = 0,
    prefix: Prefix = "emr",
    state: State = None,
    output: Output = Format.table,
) -> None:
    """Add running instances at once to a local ECS without hosts (up --api-only), to try large accounts."""
    from emrctl.local import lifecycle
    from emrctl.output import emit

    values = {"count": count, "regions": regions, "foreign": foreign}
    emit(_guarded(lambda: lifecycle.seed(_existing(prefix, state), values)), output)


@app.command()
def bucket(
    name: Annotated[str, typer.Argument(help="Name: 3 to 63 lower-case letters, digits and hyphens.")],
    prefix: Prefix = "emr",
    state: State = None,
    output: Output = Format.table,
) -> None:
    """Make an OSS bucket, at the endpoint that `env` prints as ALIBABA_CLOUD_OSS_ENDPOINT. There already: fine."""
    from emrctl.local import lifecycle
    from emrctl.output import emit

    emit(_guarded(lambda: lifecycle.make_bucket(_existing(prefix, state), name)), output)


def _parse_faults(pairs: list[str]) -> dict:
    """NAME=VALUE pairs as the server takes them: JSON values, or words separated by commas. Raises Refused."""
    import json

    from emrctl.local.shell import Refused

    wanted = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise Refused(f"fault {pair!r}: expected NAME=VALUE", "give for example throttle=0.3")
        try:
            wanted[name] = json.loads(text)
        except ValueError:
            wanted[name] = [word for word in text.split(",") if word]
    return wanted
