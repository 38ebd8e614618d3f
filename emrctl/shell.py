"""`emrctl shell` and `emrctl connect`: SQL and Spark by hand, on the cluster or from here."""
from __future__ import annotations

import shlex
import sys
from enum import Enum

import typer

from emrctl import failures
from emrctl.verbs import NAME, REGION


class Program(str, Enum):
    """What can be opened."""

    spark_sql = "spark-sql"
    pyspark = "pyspark"
    spark_shell = "spark-shell"
    beeline = "beeline"


# program -> service that it needs
NEEDS = {Program.spark_sql: "spark", Program.pyspark: "spark", Program.spark_shell: "spark", Program.beeline: "spark-thrift"}
PROGRAM = typer.Argument(help="The program.")
USER = typer.Option("emr", "--user", help="User of the cluster to work as.")
# Tries about the heartbeat of a connection: a tunnel to a node that is gone ends after some 45 seconds.
ALIVE = ("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3")

# Without a terminal nothing tells a program that its reader has gone (Ctrl-C in a script, a lost connection): a statement would
# keep its application and the cluster's memory to its end. So sshd's process, given as $0, is looked at beside the program.
WATCH = '(while sleep 2 && kill -0 $$ && kill -0 "$0"; do :; done; kill $$) </dev/null >/dev/null 2>&1 & exec "$@"'


def shell(ctx: typer.Context, name: str = NAME, program: Program = PROGRAM, user: str = USER, region: str = REGION) -> None:
    """Open spark-sql, pyspark, spark-shell or beeline on the control node. What follows -- are its arguments."""
    import os

    from emrctl import cloud

    found = cloud.nodes(name, region)
    master = cloud.control_node(found)
    _need(name, master, NEEDS[program], program.value)
    command = ["ssh", *(["-t"] if sys.stdin.isatty() else []), *ALIVE, *cloud.ssh_arguments(master),
               remote(program, user, master["vars"], ctx.obj or [], _server(found, "spark-thrift"))]
    sys.stdout.flush()
    os.execvp(command[0], command)


def remote(program: Program, user: str, variables: dict, arguments: list, thrift: str) -> str:
    """The command line for the control node's shell. ``thrift``: address and port of Spark's Thrift server."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.paths import SPARK_HOME
    from ansible_collections.emr.cluster.plugins.module_utils.domain.resident import package as resident

    words = [f"{SPARK_HOME}/bin/{program.value}"]
    if program is Program.beeline:
        words += ["-u", f"jdbc:hive2://{thrift}/", "-n", user]
    settings = [f"{key}={value}" for key, value in resident.ENVIRONMENT.items()]
    # Not as a login shell: that begins a session of its own, and Ctrl-C would not reach the program.
    start = f'cd "$HOME" && exec {shlex.join([*words, *arguments])}'
    full = ["runuser", "-u", user, "--", "env", f"HOME=/home/{user}", f"USER={user}", f"LOGNAME={user}", *settings, "bash", "-c", start]
    # An account that was never made should be named as such, and not by runuser.
    unknown = shlex.quote(f"emrctl: there is no user {user} on this cluster. Next: emrctl user list NAME")
    lift = "" if variables.get("ansible_user") == "root" else "sudo "
    watched = f"{lift}sh -c {shlex.quote(WATCH)} $PPID {shlex.join(full)}"
    return f"id -u {shlex.quote(user)} >/dev/null 2>&1 || {{ echo {unknown} >&2; exit 3; }}; exec {watched}"


def connect(name: str = NAME, port: int = typer.Option(0, "--port", min=0, max=65535, help="Port of this machine (default: a free one)."),
            region: str = REGION) -> None:
    """Tunnel the cluster's Spark Connect server to this machine and print its address, until Ctrl-C."""
    from emrctl import cloud
    from emrctl.access import ended, free_port, tunnel

    found = cloud.nodes(name, region)
    master = cloud.control_node(found)
    _need(name, master, "spark-connect", "Spark Connect")
    local = port or free_port()
    forward = f"127.0.0.1:{local}:{_server(found, 'spark-connect')}"
    with tunnel([*ALIVE, "-L", forward, *cloud.ssh_arguments(master)]) as process:
        if _listens(process, local):
            print(f"sc://127.0.0.1:{local}", flush=True)
            print("Open until you press Ctrl-C. In Python: SparkSession.builder.remote(…).getOrCreate()", file=sys.stderr)
        ended(name, process.wait())


def _listens(tunnel, port: int, limit_s: float = 60) -> bool:
    """Wait until the tunnel takes connections; False when it has ended instead."""
    import socket
    import time

    deadline = time.monotonic() + limit_s
    while tunnel.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError as error:
            if time.monotonic() > deadline:
                failures.fail(f"the tunnel accepted no connection within {limit_s:.0f} s: {error}", failures.UNREACHABLE)
            time.sleep(0.1)
    return False


def _need(name: str, master: dict, service: str, what: str) -> None:
    if service not in master["vars"]["emr_services"]:
        failures.fail(f"{what} needs the service {service}, which {name} does not run. Next: emrctl service add {name} {service}",
                      failures.REFUSED)


def _server(found: list[dict], component: str) -> str:
    """Address and port of a server of Spark."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.endpoints import endpoint
    from emrctl import cloud

    there = endpoint(cloud.topology(found), component, "server")
    return f"{there.address}:{there.port}"
