"""The user's own scripts on a node, each run once; masters keep those of nodes to come."""
from __future__ import annotations

import hashlib
import os
import re
import time

from ...domain import paths
from ..common import NodeError, run, write_atomic

FOLDER = paths.BOOTSTRAP
LIMIT_S = 1800


def run_scripts(scripts, check):
    """Run each script that has not run here with this content at this place. Returns what was run, as texts, and of those that failed
    and may a sentence for people.

    ``scripts``: list of {name, place, content, on_failure}; the place is the script's path as the spec has it. Output goes to
    FOLDER/NAME-DIGEST.log. Raises NodeError when one fails whose ``on_failure`` is stop; it runs again next time.
    """
    done, failed = [], []
    for script in scripts:
        base, place = _base(script), _place(script)
        # What ran before places counted was kept by its content alone.
        old = f"{script['name']}-{_digest(script['content'].encode('utf-8', 'surrogateescape'))}.done"
        if os.path.exists(base + ".done") or os.path.exists(os.path.join(FOLDER, old)):
            continue
        done.append(f"script {place}")
        if not check:
            code = _run(script, place, base)
            failed += [f"the bootstrap script {place} ended with {code}, which its on_failure allows. Its output: {base}.log"] if code else []
    return done, failed


def keep_scripts(scripts, check):
    """Keep scripts of the spec, for nodes that join later, without running them here. Returns what was not here, as texts."""
    fresh = [script for script in scripts if not os.path.exists(_base(script))]
    for script in [] if check else scripts:
        if script in fresh:
            _write(script, _place(script), _base(script))
        # Of several versions the last one counts, also when it is an older one that came back.
        os.utime(_base(script))
    return [f"kept script {_place(script)}" for script in fresh]


def _place(script):
    return script.get("place") or script["name"]


def _base(script):
    content = script["content"].encode("utf-8", "surrogateescape")
    digest = _digest(_place(script).encode("utf-8", "surrogateescape") + bytes(1) + content)
    return os.path.join(FOLDER, f"{_plain(script['name'])}-{digest}")


def _digest(content):
    return hashlib.sha256(content).hexdigest()[:16]


def _plain(name):
    """A name as a file here has it, so that lists of the folder are lines; the true one is in the place."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[-100:]


def _write(script, place, base):
    os.makedirs(FOLDER, mode=0o700, exist_ok=True)
    write_atomic(base + ".place", place, 0o600)
    write_atomic(base, script["content"], 0o700)


def _run(script, place, base):
    """Exit code of one that may fail; raises NodeError for one that may not."""
    _write(script, place, base)
    # The kernel starts a file by its #! line or as a program; for any other a shell takes itself, and so do we.
    itself = script["content"].startswith(("#!", "\x7fELF"))
    code, out, err = run([base] if itself else ["/bin/sh", base], limit_s=LIMIT_S, check=False)
    write_atomic(base + ".log", out + err, 0o600)
    if code and script["on_failure"] == "stop":
        tail = "\n  ".join((err or out).strip().splitlines()[-10:])
        raise NodeError(f"the bootstrap script {place} ended with {code} (its output: {base}.log):\n  {tail}")
    write_atomic(base + ".done", f"{time.time()} exit code {code}\n")
    return code
