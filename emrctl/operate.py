"""Restart, start and stop: whole clusters, or the daemons of a service, component, node group or node."""
from __future__ import annotations

import typer

from emrctl import views_operate
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, YES, Format, ask, emit, finish, run

SERVICE = typer.Option([], "--service", help="Only daemons of this service, for example hdfs. Repeatable.")
COMPONENT = typer.Option([], "--component", help="Only this daemon, for example nodemanager. Repeatable.")
GROUP = typer.Option([], "--group", help="Only on the nodes of this node group. Repeatable.")
NODE = typer.Option([], "--node", help="Only on this node. Repeatable.")
BATCH = typer.Option(0, "--batch", min=0, help="Nodes, apart from masters, that restart at the same time (default: a tenth of their role).")
CONTINUE = typer.Option(False, "--continue", help="Finish the restarts that an interrupted command left; ask for no new ones.")
FORCE = typer.Option(False, "--force", help="Stop DataNodes without waiting until every block has all its copies, and as many at once as "
                     "--batch says.")
INSTANCES = typer.Option(None, "--instances/--no-instances",
                         help="Stop the instances too, so that only their disks cost: refused where that cannot be. Without it "
                              "they are stopped as cheaply as they can be. --no-instances: the daemons only.")


def scope(services, components, groups, nodes) -> dict:
    """``emr_scope`` of these options; {} for the whole cluster."""
    given = {"services": list(services), "components": list(components), "groups": list(groups), "nodes": list(nodes)}
    return {key: names for key, names in given.items() if names}


def restart(name: str = NAME, service: list[str] = SERVICE, component: list[str] = COMPONENT, group: list[str] = GROUP,
            node: list[str] = NODE, batch: int = BATCH, continue_: bool = CONTINUE, force: bool = FORCE,
            region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Restart daemons one node after the other while jobs go on. Run again after any interruption."""
    wanted = {"emr_name": name, "emr_region": region, "emr_confirm": "yes", "emr_batch": batch, "emr_force": force,
              "emr_continue": continue_, "emr_scope": scope(service, component, group, node)}
    result = run("restart", wanted, quiet)
    finish(result, output, views_operate.restarted(name, result.data, result.seconds))


def failover(name: str = NAME, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Have other masters take over what is active on one, while everything goes on. Only with three masters."""
    result = run("failover", {"emr_name": name, "emr_region": region, "emr_confirm": "yes"}, quiet)
    finish(result, output, views_operate.failed_over(result.data))


def start(name: str = NAME, service: list[str] = SERVICE, component: list[str] = COMPONENT, group: list[str] = GROUP,
          node: list[str] = NODE, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Start the cluster's instances and daemons; finishes restarts that were left undone."""
    part = scope(service, component, group, node)
    result = run("start", {"emr_name": name, "emr_region": region, "emr_confirm": "yes", "emr_scope": part}, quiet)
    emit(result.data, output, f"{'These daemons of cluster' if part else 'Cluster'} {name} {'are' if part else 'is'} started.")


def stop_cluster(name: str = NAME, service: list[str] = SERVICE, component: list[str] = COMPONENT,
                 group: list[str] = GROUP, node: list[str] = NODE, instances: bool = INSTANCES, yes: bool = YES,
                 region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Stop the cluster's daemons and instances, or some daemons; its data stays on the disks."""
    part = scope(service, component, group, node)
    if part and instances:
        raise typer.BadParameter("a scope stops daemons only, not instances. Leave out the scope, or --instances")
    if not yes:
        ask(f"Stop these daemons of cluster {name}? What runs on them is lost." if part
            else f"Stop cluster {name}? Its running jobs are lost.")
    wanted = {"emr_name": name, "emr_region": region, "emr_confirm": "yes", "emr_scope": part,
              "emr_instances": "no" if part or instances is False else "required" if instances else "yes"}
    result = run("stop", wanted, quiet)
    emit(result.data, output, views_operate.stopped(name, part, wanted["emr_instances"], result.data))
