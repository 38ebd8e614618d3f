"""The user's own scripts on a node, each run once. Runs on Python 3.8 and newer."""
from __future__ import annotations

import hashlib
import os
import time

from .common import NodeError, run, write_atomic

FOLDER = "/var/lib/emr/bootstrap"
LIMIT_S = 1800


def run_scripts(scripts, check):
    """Run each script that has not run here with this content. Returns what was run, as texts.

    ``scripts``: list of {name, content, on_failure}. Output goes to FOLDER/NAME-DIGEST.log. Raises NodeError when one
    fails whose ``on_failure`` is stop; it runs again next time.
    """
    done = []
    for script in scripts:
        digest = hashlib.sha256(script["content"].encode("utf-8", "surrogateescape")).hexdigest()[:16]
        base = os.path.join(FOLDER, f"{script['name']}-{digest}")
        if os.path.exists(base + ".done"):
            continue
        done.append(f"script {script['name']}")
        if not check:
            _run(script, base)
    return done


def _run(script, base):
    os.makedirs(FOLDER, mode=0o700, exist_ok=True)
    write_atomic(base, script["content"], 0o700)
    code, out, err = run([base], limit_s=LIMIT_S, check=False)
    write_atomic(base + ".log", out + err, 0o600)
    if code and script["on_failure"] == "stop":
        tail = "\n  ".join((err or out).strip().splitlines()[-10:])
        raise NodeError(f"the bootstrap script {script['name']} ended with {code} (its output: {base}.log):\n  {tail}")
    write_atomic(base + ".done", f"{time.time()} exit code {code}\n")
