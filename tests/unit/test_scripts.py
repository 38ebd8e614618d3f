"""Scripts with the line ends of Windows are named when they are submitted, in jobs and flows alike."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.action import job
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused, SpecError
from ansible_collections.emr.cluster.plugins.plugin_utils import flow_pack
from ansible_collections.emr.cluster.plugins.plugin_utils.scripts import windows_line_ends

WRONG = {"run.sh": b"#!/bin/bash\r\necho\r\n", "lines.sh": b"echo a\r\n", "mapper.py": b"#!/usr/bin/env python3\r\nprint()\r\n", "run": b"#!/bin/sh -e\r\n"}
RIGHT = {"run.sh": b"#!/bin/bash\necho\n", "mapper.py": b"print()\r\n", "data.csv": b"a,b\r\n", "q.sql": b"select 1\r\n", "empty.sh": b"", "x.bin": b"\0\r\n"}


@pytest.mark.parametrize("name", WRONG)
def test_what_would_not_run_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(WRONG[name])
    with pytest.raises(Refused, match=rf"(?s){name} has Windows line ends \(CR LF\).*dos2unix"):
        job.existing(str(path))
    (tmp_path / "f.yml").write_text(f"name: f\njobs:\n  a:\n    type: SHELL\n    files: [{name}]\n")
    with pytest.raises(SpecError, match="Windows line ends") as refused:
        flow_pack.read_flow({"flow_file": str(tmp_path / "f.yml")})
    assert "f.yml" in str(refused.value) and ":5" in str(refused.value)


@pytest.mark.parametrize("name", RIGHT)
def test_what_runs_with_them_is_let_alone(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(RIGHT[name])
    assert windows_line_ends(str(path)) == "" and job.existing(str(path)) == str(path)
