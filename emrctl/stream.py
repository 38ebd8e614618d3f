"""What a task tells while it runs, line by line: through a named pipe, which holds no more than is read."""
from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Variable that names the pipe (plugin_utils/results.py), and the line that we end it with.
VARIABLE, END = "EMR_STREAM", b"\0\n"


@contextmanager
def pipe(path: Path, reads) -> Iterator[dict]:
    """A pipe whose lines go to ``reads``, with the environment that names it; nothing where nobody reads.

    When whoever reads can write no further, as in a pipe to `head`, the run is cancelled.
    """
    if reads is None:
        yield {}
        return
    os.mkfifo(path, 0o600)
    # Opened for both directions, so neither side ever waits for the other to come.
    end = os.open(path, os.O_RDWR)
    reader = threading.Thread(target=_read, args=(end, reads), daemon=True)
    reader.start()
    try:
        yield {VARIABLE: str(path)}
    finally:
        os.write(end, END)
        reader.join()
        os.close(end)
        path.unlink(missing_ok=True)


def _read(end: int, reads) -> None:
    broken = False
    with open(end, "rb", closefd=False) as lines:
        for line in lines:
            # A task that was killed leaves half a line.
            if line.endswith(END):
                return
            if not broken:
                try:
                    reads(line)
                except OSError:
                    broken = True
                    os.kill(os.getpid(), signal.SIGINT)
