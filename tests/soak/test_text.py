"""The property tests of texts, with many seeds in place of the one of `make test`."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.soak
REPO = Path(__file__).parents[2]
FILES = ("test_given_cores.py", "test_text_doors.py", "test_text_runs.py", "test_writers.py")


@pytest.mark.parametrize("seed", range(100, 110))
def test_texts_of_this_seed_arrive_unchanged(seed):
    env = dict(os.environ, EMR_TEXT_SEED=str(seed), EMR_TEXT_NUMBER="300")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", *[f"tests/integration/{name}" for name in FILES]], cwd=REPO, env=env,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
