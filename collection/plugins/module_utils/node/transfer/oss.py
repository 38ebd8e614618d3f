"""Copies between OSS and HDFS: the program of such a job. Runs on a master, as the job's user.

``emr-copy REQUEST``: a JSON file without secrets, see domain/transfer/oss.py. What differs is found first,
DistCp copies it, and then what arrived is compared with what was sent. Run again after any end it goes on from there, since nothing
but the files themselves says what is left. Prints one JSON document; what happens meanwhile goes to stderr.
"""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import tempfile
import time

from ...domain import paths
from ..common import NodeError, held, say
from ..config import secret
from ..config.keys import keys_of
from ..hdfs.checksums import Checksums
from ..hdfs.client import WebHdfs, upload
from ..hdfs.globs import distcp_filters, selects
from ..host.instance_role import role_key
from ..jobs.record import settings
from ..oss.client import Oss, endpoint_of, with_step
from .distcp import DistCp
from .sides import HdfsSide, OssSide, unfit_for_hdfs, unfit_for_oss

LOCKS = paths.TRANSFERS
# How often DistCp is started before we give up; each time only what is missing then is copied.
ROUNDS = 3
# What one container copies at least, so that a few files do not start twenty.
BYTES_OF_MAP, FILES_OF_MAP = 256 << 20, 1000


def tell(text):
    """A line for people in the job's log."""
    say(time.strftime("%H:%M:%S ") + text, err=True)


class Copy:
    """One import or export."""

    def __init__(self, request):
        self.request, self.started = request, time.time()
        self.incoming = request["direction"] == "import"
        self.env = dict(os.environ)
        self.selected = selects(request["include"], request["exclude"])
        self.same: set = set()  # files whose content was compared and is equal

    # -- what is where

    def sides(self):
        """Source and target, seen with the credentials that we have now."""
        request = self.request
        checksums = Checksums(request["user"], self.env, {}, request["maps"], tell)
        inside = HdfsSide(request["namenode"], request["user"], request["source" if not self.incoming else "target"], checksums)
        outside = OssSide(Oss(request["endpoint"], request["region"], self.key()), request["source" if self.incoming else "target"])
        self.source, self.target = (outside, inside) if self.incoming else (inside, outside)
        self.source.look(True)
        self._target(self.source.single)

    def _target(self, single):
        """Where a single file goes: into a folder under its own name, else it gets the name that is given."""
        text = self.request["target"]
        found = self.target.look(False)
        if not single:
            if self.target.single:
                raise NodeError(f"{self.target.address} is a file, and the source is a folder. Next: name a folder")
            return
        folder = text.endswith("/") or (self.incoming and found and found["type"] == "DIRECTORY") or self.target.root == "/"
        if not self.incoming and not self.target.single and not folder:
            # in OSS a folder is what has objects below it
            folder = bool(self.target.files())
        if folder:
            text = f"{text.rstrip('/')}/{single}"
        if self.incoming:
            self.target = HdfsSide(self.request["namenode"], self.request["user"], text, self.target.checksums)
        else:
            self.target = OssSide(self.target.client, text)
        self.target.single = single

    def key(self):
        """The credentials: those that were given, else of the node's RAM role as it has them now. Raises NodeError."""
        path = self.request["secret_file"]
        if path:
            try:
                with open(path, encoding="utf-8") as handle:
                    return json.load(handle)
            except OSError:
                raise NodeError("the credentials of this transfer are gone: they are deleted when the job ends or the master "
                                "restarts. Next: run the same command again; what is there already is not copied again")
        found = role_key()
        if not found:
            raise NodeError("no credentials for OSS were given, and this node has no RAM role. Next: export OSS_ACCESS_KEY_ID and "
                            "OSS_ACCESS_KEY_SECRET, or name a file with --credentials")
        return found

    def plan(self):
        """(all files of the source that are wanted, those to be copied, those of the target that have no source)."""
        found = self.source.files()
        wanted = {name: size for name, size in found.items() if self.source.single or self.selected(name)}
        unfit = unfit_for_hdfs(self.source, found, self.selected) if self.incoming else unfit_for_oss(self.target, wanted)
        if unfit and not (self.incoming and self.source.single):
            raise NodeError(unfit)
        there = self._there()
        todo = {name: size for name, size in wanted.items() if self.request["overwrite"] or there.get(name) != size}
        equal = sorted(set(wanted) - set(todo))
        if equal and self.request["verify"] == "checksum":
            differ = self.differ(equal)
            todo.update({name: wanted[name] for name in differ})
        extra = sorted(name for name in there if name not in wanted and self.selected(name)) if self.request["delete"] else []
        return wanted, todo, extra

    def _there(self):
        """{name: bytes} of the target; a single file has there its own name."""
        if self.source.single:
            return dict.fromkeys([self.source.single], next(iter(self.target.files().values()))) if self._exists() else {}
        return self.target.files()

    def _exists(self):
        if self.incoming:
            return self.target.client.status(self.target.root)
        return self.target.client.head(self.target.bucket, self.target.key)

    def differ(self, names):
        """Those of these files, equal in size, whose content is not the same at both ends."""
        names = [name for name in names if name not in self.same]
        if not names:
            return []
        outside, inside = (self.source, self.target) if self.incoming else (self.target, self.source)
        theirs = outside.crc64s(names)
        unknown = [name for name in names if theirs[name] is None]
        if unknown:
            tell(f"OSS has no CRC-64 of {len(unknown)} objects, such as {unknown[0]}: only their sizes were compared")
        ours = inside.crc64s([name for name in names if theirs[name] is not None])
        wrong = [name for name in names if theirs[name] is not None and ours.get(name) != theirs[name]]
        self.same.update(set(names) - set(wrong) - set(unknown))
        return wrong

    # -- copying

    def perform(self):
        """Copy until nothing is left. Returns what is to be printed. Raises NodeError."""
        with self.alone():
            self.sides()
            left = self.target.tidy(list(self.source.files()), self.started)
            if left:
                tell(f"removed {left} unfinished files that an earlier copy left behind")
            wanted, todo, extra = self.plan()
            self.total = {"files": len(wanted), "bytes": sum(wanted.values())}
            tell(f"{self.request['source']} has {len(wanted)} files, {self.total['bytes']:,} bytes; to be copied: {len(todo)} files, "
                 f"{sum(todo.values()):,} bytes")
            first = dict(todo)
            for attempt in range(1, ROUNDS + 1):
                if not todo:
                    break
                try:
                    self.copy(todo)
                except NodeError as error:
                    todo = self.rest(first)
                    if attempt == ROUNDS or len(todo) == len(first) or not todo:
                        raise
                    tell(f"{error}. Again, for the {len(todo)} files that are missing")
                    self.sides()  # with new credentials, when they are those of a role
                    continue
                todo = self.rest(first)
                if todo:
                    tell(f"{len(todo)} files did not arrive as they are in the source, such as {min(todo)}")
            if todo:
                raise NodeError(f"{len(todo)} files are not the same in the target after {ROUNDS} attempts: "
                                + ", ".join(sorted(todo)[:5]))
            if extra:
                self.target.delete(extra)
                tell(f"deleted {len(extra)} files of the target that the source does not have")
            return self.summary(wanted, first, extra)

    def copy(self, todo):
        """One run of DistCp for what is missing or differs."""
        stale = sorted(set(todo) & set(self._there()))
        if stale and not self.request["overwrite"]:
            # DistCp sees no difference between files of one size.
            self.target.delete(stale)
        options = ["-overwrite"] if self.request["overwrite"] else ["-update", "-skipcrccheck"]
        maps = max(1, min(self.request["maps"], len(todo), max(-(-sum(todo.values()) // BYTES_OF_MAP), -(-len(todo) // FILES_OF_MAP))))
        options += ["-m", str(maps)]
        if self.request["bandwidth_mb"]:
            options += ["-bandwidth", str(self.request["bandwidth_mb"])]
        if not self.incoming:
            options.append("-direct")  # an object appears when all of it is there; a rename would copy it once more
        lines = [] if self.source.single else distcp_filters(self.source.root, self.request["include"], self.request["exclude"])
        if lines:
            with open("filters", "w", encoding="utf-8") as out:
                out.write("\n".join(lines) + "\n")
            options += ["-filters", os.path.abspath("filters")]
        settings = {"fs.oss.endpoint": self.request["endpoint"], "hadoop.security.credential.provider.path": self.request["provider"],
                    # one map needs no container of its own
                    "mapreduce.job.ubertask.enable": "true" if maps == 1 else "false",
                    "mapreduce.job.name": f"{self.request['direction']} {self.request['source']}"[:200]}
        if self.incoming:
            self.target.make(bool(self.source.single))
        with self.provider():
            run = DistCp(self.request["resourcemanager"], self.env, settings, tell)
            done = run.run(options, self.source.address, self.target.address, {"files": len(todo), "bytes": sum(todo.values())})
        tell(f"DistCp copied {done['files']} files, {done['bytes']:,} bytes")

    def rest(self, wanted):
        """Those files that have not arrived as they are in the source."""
        there = self._there()
        missing = {name: size for name, size in wanted.items() if there.get(name) != size}
        if self.request["verify"] == "none":
            return {name: size for name, size in missing.items() if name not in there}
        if self.request["verify"] == "checksum":
            for name in self.differ(sorted(set(wanted) - set(missing))):
                missing[name] = wanted[name]
        return missing

    def summary(self, wanted, todo, extra):
        """What is printed on stdout."""
        verified = {"checksum": len(self.same), "size": len(wanted), "none": 0}[self.request["verify"]]
        return {"source": self.request["source"], "target": self.request["target"], "files": len(wanted), "bytes": self.total["bytes"],
                "copied_files": len(todo), "copied_bytes": sum(todo.values()), "equal_files": len(wanted) - len(todo),
                "deleted_files": len(extra), "verified_by": self.request["verify"], "verified_files": verified,
                "seconds": round(time.time() - self.started, 1)}

    # -- around it

    @contextlib.contextmanager
    def provider(self):
        """A credential provider in HDFS, for the containers: only this user reads it, and it goes at the end."""
        key = self.key()
        names = {"access_key_id": "fs.oss.accessKeyId", "access_key_secret": "fs.oss.accessKeySecret", "security_token": "fs.oss.securityToken"}
        client = WebHdfs(self.request["namenode"], self.request["user"])
        path = self.request["provider"][len("jceks://hdfs"):]
        try:
            with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="emr-provider-") as folder:
                local = os.path.join(folder, "provider")
                secret.keep(local, {names[name]: key[name] for name in names if key.get(name)}, only=self.env)
                client.make(os.path.dirname(path), "700")
                upload(client, local, path, mode="600")
            yield
        finally:
            client.delete(path)

    @contextlib.contextmanager
    def alone(self):
        """Nobody else copies from there to there meanwhile."""
        words = "\n".join([self.request["user"], self.request["source"], self.request["target"]])
        name = os.path.join(LOCKS, hashlib.sha256(words.encode()).hexdigest()[:24])
        with open(os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+") as lock:
            if held(lock):
                raise NodeError(f"another job copies from {self.request['source']} to {self.request['target']} now. Next: "
                                "emrctl jobs list NAME shows it")
            yield


def place_of(endpoint, region):
    """Where HDFS, YARN and OSS are for this cluster: {namenode, resourcemanager, region, endpoint}. ``region``: that of hosts which were not bought is
    known on the controller alone; '' for what is on record here. Raises NodeError."""
    known = settings()
    region = region or known["region"]
    if not known["resourcemanager"]:
        raise NodeError("this cluster has no YARN, and DistCp is a job of it. Next: emrctl service add NAME mapreduce")
    site = keys_of(os.path.join(os.environ.get("HADOOP_CONF_DIR", paths.HADOOP_CONF), "core-site.xml"))
    return {"namenode": known["namenode"], "resourcemanager": known["resourcemanager"], "region": region,
            "endpoint": endpoint_of(endpoint or site.get("fs.oss.endpoint"), region)}


def stop(_number, _frame):
    """End as an error would: what was made for this run is taken away."""
    raise SystemExit(143)


def main(arguments):
    """Returns the exit code. ``arguments``: the file with the request."""
    signal.signal(signal.SIGTERM, stop)
    with open(arguments[0], encoding="utf-8") as handle:
        request = json.load(handle)
    try:
        request.update(place_of(request["endpoint"], request.get("region")))
        say(json.dumps(Copy(request).perform(), indent=1))
    except NodeError as error:
        say(f"emr: {with_step(error)}", err=True)
        return 1
    return 0
