"""A local ECS whose process dies while its hosts boot; taking it down leaves nothing."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from emrctl.local import disks, lifecycle, process, teardown
from tests.lab import claim

PREFIX, SUBNET, PORT = "e2ei", "10.77.172.0/24", 7972
CODE = """
import sys
from emrctl.local.driver import NspawnDriver
d = NspawnDriver(sys.argv[1])
for n in range(2, 9):
    d.create(dict(id=f"i-{n}", hostname=f"h{n}", private_ip=f"10.77.172.{n}", memory_mib=512,
                  public_keys=[], disks=[dict(id="d", size_gib=1, serial=f"kill{n}")], user_data=""))
    print(n, flush=True)
    d.start(f"i-{n}")
"""


def killed_boot(state: Path, delay: float) -> None:
    """The starting process dies ``delay`` seconds after the first host was made: between its namespace and the last boot."""
    lock = claim(PREFIX)
    at = lifecycle.up(PREFIX, SUBNET, PORT, state, False, print)
    try:
        child = subprocess.Popen([sys.executable, "-c", CODE, str(state)], stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline()
        time.sleep(delay)
        child.kill()
        child.wait()
        os.kill(process.find(at), signal.SIGKILL)
    finally:
        assert lifecycle.down(PREFIX, state, keep=False) >= 1
    assert teardown.leftovers(PREFIX) == [] and process.find(at) is None
    os.close(lock)
    assert disks.attached_below(state) == [] and str(state) not in Path("/proc/self/mountinfo").read_text()
