"""`emrctl put` and `emrctl get`: files between this machine and the cluster's HDFS."""
from __future__ import annotations

from pathlib import Path

import typer

from emrctl import failures
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, emit, run

LOCAL = typer.Argument(help="Local files.")
TARGET = typer.Argument(Path(), help="Local file, or folder for a folder.")


def put(name: str = NAME, source: list[Path] = LOCAL,
        target: str = typer.Argument(help="Path in HDFS; a folder when there are several files."),
        region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Copy local files into HDFS."""
    missing = [str(s) for s in source if not s.is_file()]
    if missing:
        failures.fail(f"no such file: {', '.join(missing)}", failures.REFUSED)
    data = run("put", {"emr_name": name, "emr_region": region, "emr_put_files": [str(s.resolve()) for s in source],
                       "emr_put_target": target}, quiet).data
    emit(data, output, f"{len(source)} file(s) in {target}")


def get(name: str = NAME, source: str = typer.Argument(help="File or folder in HDFS."),
        target: Path = TARGET,
        region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Fetch a file or folder from HDFS to this machine."""
    data = run("get", {"emr_name": name, "emr_region": region, "emr_get_source": source,
                       "emr_get_target": str(target.resolve())}, quiet).data
    emit(data, output, f"{source} is in {target}")
