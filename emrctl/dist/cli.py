"""``emrctl dist``: assemble, list, verify and pin the release's tarballs."""
from __future__ import annotations

import json
import sys
import time
from typing import Annotated

import typer

DEFAULT_RELEASE = "emr-1.0"
app = typer.Typer(help="Assemble and publish the tarballs of a release: Hadoop, Spark, connectors, metastore.", no_args_is_help=True,
                  add_completion=False, rich_markup_mode=None)
Release = Annotated[str, typer.Option("--release", "-r", help="Name in the release catalogue.")]
Components = Annotated[list[str] | None, typer.Argument(help="hadoop, spark, connectors, metastore, monitoring, bench, native, iceberg, delta; nothing means all but the last four.")]


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def _guarded(function):
    """Run, turning errors for people into a message and the project's exit codes."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError

    try:
        return function()
    except EmrError as error:
        print(f"emrctl dist: {error}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None


@app.command()
def build(components: Components = None, name: Release = DEFAULT_RELEASE,
          force: Annotated[bool, typer.Option("--force", help="Assemble again even if it is there.")] = False,
          accept: Annotated[bool, typer.Option("--accept", help="Keep a result that the catalogue does not know.")]
          = False) -> None:
    """Assemble what is missing of a release; prints one line FILE SHA512 for each tarball."""
    def run() -> None:
        from . import build as builder

        wanted = builder.artifacts(name, components or ())
        builder.check_machine(wanted, force)
        for artifact in wanted:
            start = time.monotonic()
            path, made = builder.build(artifact, _say, force, accept)
            known = json.loads(path.with_name(path.name + ".json").read_text())
            _say(f"{path.name}: " + (f"made in {time.monotonic() - start:.1f} s" if made else "already there"))
            print(f"{path} {known['sha512']}")

    _guarded(run)


@app.command("list")
def list_(output: Annotated[str, typer.Option("-o", "--output", help="table or json.")] = "table") -> None:
    """Releases, their tarballs and whether they are on this machine."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import RELEASES

    from . import build as builder
    from .paths import dist_dir

    rows = [{"release": row.name, "component": a.component, "version": a.version, "file": str(dist_dir() / a.file),
             "sha512": a.sha512, "built": builder.built(a)} for row in RELEASES.values() for a in row.artifacts.values()]
    if output == "json":
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        state = "built" if row["built"] else "not built"
        print(f"{row['release']:<10} {row['component']:<10} {row['version']:<8} {state:<10} {row['file']}")


@app.command()
def verify(components: Components = None, name: Release = DEFAULT_RELEASE) -> None:
    """Compare the tarballs' SHA-512 with the release catalogue; exit code 1 if one is missing or differs."""
    def run() -> bool:
        from . import build as builder

        states = {a.file: builder.verify(a) for a in builder.artifacts(name, components or ())}
        for file, state in states.items():
            print(f"{file}: {state}")
        return all(state == "ok" for state in states.values())

    if not _guarded(run):
        raise typer.Exit(1)


@app.command()
def publish(address: Annotated[str, typer.Argument(metavar="oss://BUCKET/PREFIX", help="Where the files go.")],
            components: Components = None, name: Release = DEFAULT_RELEASE,
            region: Annotated[str | None, typer.Option("--region", help="Region of the bucket "
                                                       "[default: ALIBABA_CLOUD_REGION_ID].")] = None) -> None:
    """Put the built tarballs into a bucket, from which clusters in its region fetch them; prints the spec's line.

    Goes on where it was interrupted. The credentials stay here: nodes get addresses that are signed for an hour.
    """
    def run() -> None:
        import os

        from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import (
            default_region,
            find_credentials,
        )
        from ansible_collections.emr.cluster.plugins.module_utils.cloud.oss import client as oss_client

        from . import build as builder, publish as publisher

        publisher.place_of(address)
        credentials = find_credentials()
        oss = oss_client.client(os.environ, region or credentials.region or default_region() or "cn-hangzhou", lambda: credentials)
        for row in publisher.publish(oss, address, builder.artifacts(name, components or ()), _say):
            _say(f"{row['address']}: {row['sent'] / 1e6:,.1f} MB sent, SHA-512 {row['sha512'][:16]}…")
        _say("the spec's line:")
        print(f"mirrors: [{address.rstrip('/')}]")

    _guarded(run)


@app.command()
def lock(component: str, version: str) -> None:
    """Pin the inputs of a distribution anew (for maintainers): resolves them and writes the lock file."""
    def run() -> None:
        from . import build as builder

        if component not in builder.MAKERS:
            from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused

            raise Refused(f"unknown component {component}", f"Choose from {', '.join(builder.MAKERS)}")
        print(builder.write_lock(component, version, _say))

    _guarded(run)
