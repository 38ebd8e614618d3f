"""Every example of the documentation that says so runs, in order, on one real cluster called `sales`."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import REPO, lab

BLOCK = re.compile(r"^```sh run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIMIT_S = 1800


def pages() -> list:
    """Documents with examples, in the order of their names."""
    found = [path for path in sorted((REPO / "docs").rglob("*.md")) if BLOCK.search(path.read_text(encoding="utf-8"))]
    return [str(path.relative_to(REPO)) for path in found]


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("docs"), "soakd", 140, 8040) as it:
        types = ["ecs.c6.large"]
        spec = it.spec("sales", services=["hadoop", "spark"], node_groups={
            "master": {"count": 1, "instance_types": types}, "slave": {"count": 2, "instance_types": types}})
        it.emrctl("create", str(spec), "--yes", timeout=1800)
        it.local("bucket", "my-bucket")
        # What people have on their path after an installation.
        program = it.folder / "bin" / "emrctl"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\nexec {sys.executable} -m emrctl \"$@\"\n")
        program.chmod(0o755)
        it.env["PATH"] = f"{program.parent}{os.pathsep}{it.env['PATH']}"
        yield it


def test_each_type_of_job_has_a_page_with_an_example():
    assert {"docs/jobs/mr.md", "docs/jobs/hadoop-streaming.md", "docs/jobs/spark.md", "docs/jobs/pyspark.md", "docs/jobs/spark-sql.md",
            "docs/jobs/spark-streaming.md", "docs/jobs/shell.md"} <= set(pages())


@pytest.mark.parametrize("page", pages())
def test_the_examples_of_a_page_run(bed, page):
    folder = bed.folder / Path(page).stem
    folder.mkdir()
    for number, block in enumerate(BLOCK.findall((REPO / page).read_text(encoding="utf-8")), 1):
        done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", block], cwd=folder, env=bed.env, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=LIMIT_S, check=False)
        assert done.returncode == 0, f"{page}, example {number}: exit {done.returncode}\n{block}\n{done.stdout}\n{done.stderr}"
