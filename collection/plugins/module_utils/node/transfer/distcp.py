"""DistCp, watched: its progress in bytes and files, and what it died of."""
from __future__ import annotations

import re
import subprocess
import threading
import time

from .. import hadoop_cli
from ..common import NodeError, wait_until
from ..hadoop_http import ResourceManager

LOOK_S = 3
# All that the program prints, in the job's working directory.
LOG = "distcp.log"
COPIED = "org.apache.hadoop.tools.mapred.CopyMapper$Counter"
_APPLICATION = re.compile(r"application_\d+_\d+")
FINAL = ("FINISHED", "FAILED", "KILLED")
# Takes the source as it is written. DistCp's own choice reads `[`, `?`, `*`, `{` and `\\` in it as a pattern, in a list of files (-f) as well.
LITERAL = {"distcp.copy.listing.class": "org.apache.hadoop.tools.SimpleCopyListing"}


class DistCp:
    """One run. ``settings``: Hadoop's properties for it; ``tell(text)`` is called with progress."""

    def __init__(self, resourcemanager, env, settings, tell):
        self.resourcemanager, self.env, self.settings, self.tell = resourcemanager, env, settings, tell
        self.application, self.lines = "", []

    def run(self, options, source, target, total):
        """Copy. ``total``: {files, bytes} expected. Returns {files, bytes, skipped} that it counted. Raises NodeError."""
        settings = sorted({**LITERAL, **self.settings}.items())
        words = ["distcp"] + [f"-D{key}={value}" for key, value in settings] + options + [_address(source), _address(target)]
        child = hadoop_cli.start("hadoop", words, only=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        reader = threading.Thread(target=self._read, args=(child.stdout,), daemon=True)
        reader.start()
        try:
            last = None
            while child.poll() is None:
                time.sleep(LOOK_S if reader.is_alive() else 0.2)
                now = self.counters()
                if now and now != last:
                    last = now
                    self.tell(f"copied {now['bytes']:,} of {total['bytes']:,} bytes, {now['files']} of {total['files']} files")
        except BaseException:
            child.terminate()
            raise
        finally:
            reader.join(10)
        if child.returncode:
            if self.application:
                end(self.resourcemanager, self.application)
            raise NodeError(f"DistCp ended with {child.returncode}: {self.cause()}")
        return self.counted()

    def _read(self, stream):
        """Follow what the program says. All of it goes into a file; the job's log, for people, gets what matters."""
        with open(LOG, "a", encoding="utf-8") as log:
            for line in stream:
                log.write(line)
                if not line.startswith("\tat "):
                    self.lines = self.lines[-400:] + [line.strip()]
                found = _APPLICATION.search(line)
                if found and not self.application:
                    self.application = found.group()
                    self.tell(f"DistCp is {self.application}")
                if "Status : FAILED" in line or (line.startswith("Caused by") and self.lines[-2:-1] != [line.strip()]):
                    self.tell(line.strip().split("mapreduce.Job: ")[-1][:400])

    def counters(self):
        """{files, bytes} copied so far, as the running job counts them; None while nobody knows."""
        if not self.application:
            return None
        job = self.application.replace("application", "job")
        found = ResourceManager(self.resourcemanager).look(f"/proxy/{self.application}/ws/v1/mapreduce/jobs/{job}/counters")
        groups = (found or {}).get("jobCounters", {}).get("counterGroup", [])
        rows = {f"{group['counterGroupName']}:{row['name']}": row["mapCounterValue"] for group in groups for row in group["counter"]}
        if not rows:
            return None
        # Files count when they are complete; what is on its way shows in the counters of the file systems.
        moving = max([value for key, value in rows.items() if key.endswith(("HDFS_BYTES_WRITTEN", "OSS_BYTES_WRITTEN"))] or [0])
        return {"files": rows.get(f"{COPIED}:COPY", 0), "bytes": max(rows.get(f"{COPIED}:BYTESCOPIED", 0), moving)}

    def counted(self):
        """What DistCp printed at its end."""
        def value(name):
            rows = [line.split("=")[1] for line in self.lines if re.match(rf"{name}=\d+$", line)]
            return int(rows[-1]) if rows else 0
        return {"files": value("Files Copied"), "bytes": value("Bytes Copied"), "skipped": value("Files Skipped")}

    def cause(self):
        """The sentence that tells why it failed, out of everything that it printed."""
        words = ("ErrorCode", "Caused by", "Exception", "Error:")
        for word in words:
            found = [line for line in self.lines if word in line]
            if found:
                return found[-1][:600]
        return " ".join(self.lines[-3:])[:600]


def _address(text):
    """An address from whose end DistCp takes no blanks away."""
    return text if text == text.rstrip() else f"{text}/"


def end(resourcemanager, application, limit_s=120):
    """Kill a YARN application that goes on without the program that began it, and wait until it has ended."""
    manager = ResourceManager(resourcemanager)

    def going():
        state = ((manager.look(f"/ws/v1/cluster/apps/{application}") or {}).get("app") or {}).get("state", "unknown")
        if state not in (*FINAL, "unknown"):
            manager.kill(application)
        return "" if state in FINAL else state
    wait_until(limit_s, application, going, 1, lambda state: NodeError(f"{application} was killed, but is {state} after {limit_s} s"))
