"""Gather a node's logs and configuration, without secrets, for somebody who looks for a cause.

Nothing is written to the node's disk: the archive is made in memory and comes back in the result; its size is bounded.
"""
from __future__ import annotations

import base64
import glob
import io
import os
import re
import tarfile
import time

from ...domain import paths
from ...domain.text.masking import Masker
from ..common import NodeError, run
from ..hadoop_http import Daemon, HttpError, base_of

# Files besides the logs of daemons, as patterns. A file of credentials is never among them.
CONFIGURATION = (f"{paths.HADOOP_CONF}/*", f"{paths.SPARK_CONF}/*", f"{paths.UNIT_ENV}/*", f"{paths.DIGESTS}/*",
                 f"{paths.UNITS}/emr-*.service", f"{paths.UNITS}/emr-*.timer", "/etc/hosts",
                 "/etc/os-release", "/etc/fstab", "/etc/security/limits.d/90-emr.conf", f"{paths.ROOT}/*/{paths.ARTIFACT_MARK}")
HISTORY = (f"{paths.REVISIONS}/*", f"{paths.JOBS}/*/record.json", f"{paths.JOBS}/*/job.json")
REFUSED = re.compile(r"\.(jceks|jks|keytab|p12|pem|key|keystore|truststore)$|(^|/)(id_|\.ssh|shadow)")
COMMANDS = (("ps.txt", ["ps", "-eo", "pid,ppid,user,stat,rss,etime,args", "--sort=-rss", "-ww"]),
            ("units.txt", ["systemctl", "list-units", "emr-*", "--all", "--no-pager", "--plain"]),
            ("units-status.txt", ["systemctl", "status", "emr-*", "--no-pager", "--lines=3", "-l"]),
            ("timers.txt", ["systemctl", "list-timers", "--all", "--no-pager"]),
            ("disks.txt", ["df", "-hT"]), ("inodes.txt", ["df", "-i"]), ("mounts.txt", ["cat", "/proc/mounts"]),
            ("memory.txt", ["free", "-m"]), ("addresses.txt", ["ip", "-o", "addr"]), ("sockets.txt", ["ss", "-ltnp"]),
            ("time.txt", ["date", "-Ins"]), ("java.txt", ["sh", "-c", "ls /usr/lib/jvm; java -version 2>&1"]))


class Archive:
    """A tar.gz in memory that takes text until its room is used up. ``room``: bytes of text."""

    def __init__(self, room, known=()):
        self.room, self.known, self.left_out = room, known, []
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w:gz", compresslevel=6)  # noqa: SIM115 (closed by close)

    def text(self, name, text, moment=None):
        """Add a text, masked."""
        masker = Masker(self.known)
        data = "".join(masker.line(line) for line in text.splitlines(True)).encode("utf-8", "replace")
        self._add(name, data, moment)

    def file(self, path, most):
        """Add the end of a file, at most ``most`` bytes of it, cut at a line; what cannot be read is in the index."""
        if REFUSED.search(path) or not os.path.isfile(path) or os.path.islink(path):
            return
        try:
            with open(path, "rb") as handle:
                size = os.fstat(handle.fileno()).st_size
                skipped = max(0, size - min(most, max(self.room, 0)))
                handle.seek(skipped)
                data = handle.read(most)
        except OSError as error:
            self.left_out.append(f"{path}: {error.strerror}")
            return
        if b"\0" in data[:4096]:
            self.left_out.append(f"{path}: binary")
            return
        if skipped:
            data = data[data.find(b"\n") + 1:]
            self.left_out.append(f"{path}: its first {skipped} of {size} bytes")
        self.text("files" + path, data.decode("utf-8", "replace"), os.path.getmtime(path))

    def _add(self, name, data, moment):
        if len(data) > self.room:
            self.left_out.append(f"{name}: no room for {len(data)} bytes")
            return
        self.room -= len(data)
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = len(data), int(moment or time.time()), 0o600
        self.tar.addfile(info, io.BytesIO(data))

    def close(self):
        """The archive's bytes."""
        index = "\n".join(["Left out:"] + self.left_out if self.left_out else ["Nothing was left out."]) + "\n"
        self.room = max(self.room, len(index.encode()))
        self._add("left-out.txt", index.encode(), None)
        self.tar.close()
        return self.buffer.getvalue()


def bundle(params, _check=False):
    """{archive: base64 of a tar.gz, bytes, left_out}. ``params``: components, log_bytes, file_bytes, history."""
    archive = Archive(params["log_bytes"])
    # The small things first: they must not be crowded out by logs.
    for name, argv in COMMANDS:
        archive.text(f"commands/{name}", _said(argv))
    for pattern in CONFIGURATION + (HISTORY if params["history"] else ()):
        for path in sorted(glob.glob(pattern)):
            archive.file(path, params["file_bytes"])
    for component in params["components"]:
        _daemon(archive, component, params["file_bytes"])
    for path in _logs():
        archive.file(path, params["file_bytes"])
    data = archive.close()
    return {"changed": False, "archive": base64.b64encode(data).decode(), "bytes": len(data),
            "left_out": archive.left_out}


def _said(argv):
    try:
        code, out, err = run(argv, limit_s=15, check=False)
    except NodeError as error:
        return str(error) + "\n"
    return out + (f"\n{err}" if err.strip() else "") + (f"\n(ended with {code})\n" if code else "")


def _daemon(archive, component, most):
    """Its journal, and what it says itself: threads, measurements, the configuration that it runs with."""
    name = component["name"]
    journal = ["journalctl", "-u", component["unit"], "-n", "2000", "--no-pager", "-o", "short-iso"]
    archive.text(f"journal/{name}.txt", _said(journal))
    daemon = Daemon(base_of(component["health"]["url"])[0])
    for page in ("stacks", "jmx", "conf"):
        try:
            text = daemon.ask(f"/{page}", limit_s=10).decode("utf-8", "replace")
        except HttpError as error:
            text = f"{error}\n"
        archive.text(f"daemons/{name}/{page}.txt", text[:most])


def _logs():
    """Log files, the newest first, so that what does not fit is the oldest."""
    found = [path for path in glob.glob(f"{paths.LOG}/**/*", recursive=True) if os.path.isfile(path)]
    return sorted((path for path in found if not path.endswith((".gz", ".zip"))), key=os.path.getmtime, reverse=True)
