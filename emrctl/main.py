"""The command line. Only what the given command needs is imported: start-up time is felt at every call."""
from __future__ import annotations

import re
import sys
from importlib import import_module

import typer

# verb -> (module, function). The order is that of --help: a cluster's life from plan to release, then jobs, then access.
VERBS = {
    "init": ("emrctl.init", "init"),
    "plan": ("emrctl.cluster", "plan"),
    "create": ("emrctl.cluster", "create"),
    "apply": ("emrctl.life", "apply"),
    "list": ("emrctl.listing", "list_clusters"),
    "show": ("emrctl.cluster", "show"),
    "status": ("emrctl.cluster", "status"),
    "check": ("emrctl.health", "check"),
    "alerts": ("emrctl.alerts", "alerts"),
    "logs": ("emrctl.logs", "logs"),
    "metrics": ("emrctl.metrics", "metrics"),
    "top": ("emrctl.metrics", "top"),
    "repair": ("emrctl.health", "repair"),
    "support-bundle": ("emrctl.health", "support_bundle"),
    "backup": ("emrctl.backup", "backup"),
    "restore": ("emrctl.backup", "restore"),
    "scale": ("emrctl.scale", "scale"),
    "balance": ("emrctl.scale", "balance"),
    "configure": ("emrctl.life", "configure"),
    "history": ("emrctl.life", "history"),
    "revert": ("emrctl.life", "revert"),
    "export": ("emrctl.transfer", "export"),
    "clone": ("emrctl.life", "clone"),
    "upgrade": ("emrctl.upgrade", "upgrade"),
    "restart": ("emrctl.operate", "restart"),
    "failover": ("emrctl.operate", "failover"),
    "start": ("emrctl.operate", "start"),
    "stop": ("emrctl.operate", "stop_cluster"),
    "maintain": ("emrctl.maintain", "maintain"),
    "release": ("emrctl.cluster", "release"),
    "run-flow": ("emrctl.run_flow", "run_flow"),
    "submit": ("emrctl.jobs", "submit"),
    "report": ("emrctl.report", "report"),
    "bench": ("emrctl.bench", "bench"),
    "import": ("emrctl.transfer", "import_"),
    "put": ("emrctl.data", "put"),
    "get": ("emrctl.data", "get"),
    "ls": ("emrctl.data", "ls"),
    "cat": ("emrctl.data", "cat"),
    "du": ("emrctl.data", "du"),
    "shell": ("emrctl.shell", "shell"),
    "connect": ("emrctl.shell", "connect"),
    "ssh": ("emrctl.access", "ssh"),
    "open": ("emrctl.access", "open_pages"),
    "ram-policy": ("emrctl.policy", "ram_policy"),
}
# sub-command -> (module, help); each module has ``app``
GROUPS = {
    "jobs": ("emrctl.jobs", "List, show, kill, retry and prune the jobs of a cluster."),
    "service": ("emrctl.service", "Add or remove services of a running cluster."),
    "user": ("emrctl.users", "Add, remove or list the users of a cluster."),
    "flow": ("emrctl.flow", "Run jobs that wait for each other."),
    "schedule": ("emrctl.schedule", "Run flows and jobs at certain times."),
    "local": ("emrctl.local.cli", "Run the local ECS: the same API, with real hosts on this machine."),
    "dist": ("emrctl.dist.cli", "Assemble, verify and publish a release's tarballs."),
}
# Former names, which scripts and timers of people may use.
ALIASES = {"reconcile": "maintain"}
RAW = {"submit", "schedule", "ssh", "shell"}  # what follows `--` belongs to the job or the remote command; it is handed on as context.obj
SETTINGS = {"rich_markup_mode": None, "pretty_exceptions_enable": False}


def build(argv: list[str]) -> typer.Typer:
    """The application for these arguments: the command that they name, or the names of all for help and errors."""
    app = typer.Typer(name="emrctl", no_args_is_help=True, add_completion=False, **SETTINGS,
                      context_settings={"help_option_names": ["-h", "--help"]},
                      help="Hadoop and Spark clusters on Alibaba Cloud ECS: buy, deploy, run, release.")
    app.callback()(_root)
    word = argv[0] if argv else ""
    for name in [word] if word in VERBS else VERBS:
        module, function = VERBS[name]
        command = getattr(import_module(module), function)
        # For the list of commands only the help text counts; the options of all of them would cost 20 ms.
        app.command(name, help=command.__doc__, short_help=_short(command.__doc__))(command if name == word else _nothing)
    for name, (module, help_text) in GROUPS.items():
        if word == name:
            app.add_typer(import_module(module).app, name=name, help=help_text, no_args_is_help=True)
        elif word not in VERBS:
            app.add_typer(_placeholder(), name=name, help=help_text)
    return app


def _short(text: str) -> str:
    """What the list of commands says: the first clause, whole, where click would cut it off in the middle."""
    return re.split(r"[.:;](?:\s|$)", text.strip(), maxsplit=1)[0] + "."


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"emrctl {version('emrctl')}")
        raise typer.Exit


VERSION = typer.Option(False, "--version", help="Print the version and exit.", is_eager=True, callback=_version)


def _root(version: bool = VERSION) -> None:
    """The options of emrctl itself."""


def _placeholder() -> typer.Typer:
    """Stands for a group in the list of commands, so that its module need not be imported."""
    group = typer.Typer(**SETTINGS)
    group.callback(invoke_without_command=True)(_nothing)
    return group


def _nothing() -> None:
    """Stands for a command that is only listed."""


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Arguments before and after `--`, for the verbs that hand the latter on."""
    argv = [ALIASES.get(argv[0], argv[0]), *argv[1:]] if argv else argv
    if argv and argv[0] in RAW and "--" in argv:
        at = argv.index("--")
        return argv[:at], argv[at + 1:]
    return argv, []


def main() -> None:
    """Entry point. Ctrl-C outside of a run ends quietly with 130; known errors are told without a traceback."""
    argv, rest = split(sys.argv[1:])
    try:
        build(argv)(argv, obj=rest)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "remedy"):
            raise
        print(f"emrctl: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
