"""`emrctl init`: from answers about the work to a commented cluster.yml. It only reads from the cloud, and calls it
directly: there is nothing that another door would have to run.
"""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from emrctl import failures
from emrctl.output import Format
from emrctl.verbs import OUTPUT, QUIET, REGION

FILE = Annotated[Path, typer.Argument(help="File to write; - means standard output.")]
Text = str | None


def init(
    file: FILE = Path("cluster.yml"),
    name: Annotated[Text, typer.Option(help="Name of the cluster.")] = None,
    workload: Annotated[Text, typer.Option(help="batch, interactive or streaming.")] = None,
    data: Annotated[Text, typer.Option(metavar="SIZE", help="Data to keep now, one copy, such as 500GB.")] = None,
    measure: Annotated[Text, typer.Option(metavar="PATH", help="Measure this data instead: a folder, hdfs://CLUSTER/PATH, "
                                          "or listing:FILE (the output of `ossutil ls`, `ls -lR`, `hdfs dfs -ls -R`).")] = None,
    growth: Annotated[Text, typer.Option(metavar="SIZE", help="New data per month [default: 0].")] = None,
    retention: Annotated[int | None, typer.Option(metavar="MONTHS", help="Months that data is kept [default: 12].")] = None,
    working_set: Annotated[Text, typer.Option(metavar="SIZE", help="Data that one job reads, or the state that a stream "
                                              "holds [default: a tenth of the data].")] = None,
    deadline: Annotated[float | None, typer.Option(metavar="MINUTES", help="Minutes that such a job may take [default: 60].")] = None,
    budget: Annotated[float | None, typer.Option(help="Most that the cluster may cost per month [default: no limit].")] = None,
    services: Annotated[Text, typer.Option(help="hadoop, or hadoop,spark [default: by the workload].")] = None,
    region: str = REGION,
    zone: Annotated[Text, typer.Option(help="Zone [default: that of the vSwitch].")] = None,
    vswitch: Annotated[Text, typer.Option(metavar="ID|new", help="vSwitch; new makes a VPC and a vSwitch [default: the one with the most "
                                                   "free addresses, or new if there is none].")] = None,
    image: Annotated[Text, typer.Option(help="Image [default: the newest public Debian].")] = None,
    access: Annotated[Text, typer.Option(help="How you reach the nodes: vpc, bastion or public [default: vpc].")] = None,
    ssh_from: Annotated[Text, typer.Option(metavar="CIDR", help="Network to admit [default: this machine's address].")] = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Ask nothing and take the defaults.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    output: Format = OUTPUT,
    quiet: bool = QUIET,
) -> None:
    """Ask about your work and write a commented cluster.yml: machine types, counts and disks, each with its reason."""
    from emrctl.init_work import Answers, Asker, write

    if str(file) != "-" and file.exists() and not force:
        failures.fail(f"{file} exists. Next: give another name, or --force", failures.REFUSED)
    given = {"name": name, "workload": workload, "data": data, "measure": measure, "growth": growth, "retention": retention,
             "working-set": working_set, "deadline": deadline, "budget": budget, "services": services, "region": region, "zone": zone,
             "vswitch": vswitch, "image": image, "access": access, "ssh-from": ssh_from}
    asker = Asker({k: v for k, v in given.items() if v is not None}, sys.stdin.isatty() and not yes)
    write(Answers(asker), file, output, quiet)
