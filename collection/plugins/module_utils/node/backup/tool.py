"""A verified copy of the NameNode's metadata, made on the node that keeps them.

On the node it is the program /opt/emr/libexec/emr-backup of the resident package, started by a timer as the user hdfs.
``hdfs secondarynamenode -checkpoint force`` makes the NameNode begin a new segment of edits,
fetches image and edits, merges them, and gives the merged image to the NameNode. What it leaves in the folder
``checkpoint`` is checked and becomes a copy with hard links, which cost no space while both are there.

A copy appears by one rename, when all is proven: the image has the MD5 that was written with it, cluster, namespace and
block pool are the NameNode's own, and it holds every transaction that was written before the backup began.
"""
from __future__ import annotations

import argparse
import glob
import json
import os
import re
import shutil
import time

from ...domain import paths
from ...domain.waiting import wait
from .. import hadoop_cli
from ..common import NodeError, digest_of, held, say
from ..hadoop_http import HttpError, NameNode
from ..oss.client import OssError
from .oss import BackupsInOss

CONFIG = paths.BACKUP_SETTINGS
CONF_DIR = paths.BACKUP_CONF
IMAGE = re.compile(r"fsimage_(\d{19})")
EDITS = re.compile(r"edits_(\d{19})-(\d{19})")
COPY = re.compile(r"\d{8}T\d{6}Z-\d+")
# Seconds: of one checkpoint, and that one run waits for another.
CHECKPOINT_LIMIT_S, LOCK_LIMIT_S = 3600, 3600


class BackupError(Exception):
    """The backup failed or is not good; the message is for people."""


def stamp(seconds):
    """A time as people and programs read it: 2026-11-24T18:00:00Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def read_json(path, default=None):
    """Content of a JSON file; ``default`` when it is not there or not readable as such."""
    try:
        with open(path, encoding="utf-8") as handle:
            return json.load(handle)
    except (OSError, ValueError):
        return default


def write_json(path, data):
    """Replace a JSON file in one step."""
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as out:
        json.dump(data, out, indent=1, sort_keys=True)
        out.flush()
        os.fsync(out.fileno())
    os.rename(temporary, path)


def version_of(folder):
    """{key: value} of the VERSION file in a storage folder. Raises BackupError when there is none."""
    try:
        with open(os.path.join(folder, "VERSION"), encoding="utf-8") as handle:
            return dict(line.strip().split("=", 1) for line in handle if "=" in line)
    except OSError as error:
        raise BackupError(f"{folder} has no VERSION: {error.strerror}")


def newest_image(folder):
    """(txid, path) of the newest image in a folder. Raises BackupError when there is none."""
    found = [(int(match.group(1)), os.path.join(folder, name)) for name in os.listdir(folder)
             for match in [IMAGE.fullmatch(name)] if match]
    if not found:
        raise BackupError(f"{folder} holds no image")
    return max(found)


def check_image(path):
    """The image's MD5, which is that of the file beside it. Raises BackupError when it is not."""
    try:
        with open(path + ".md5", encoding="ascii") as handle:
            wanted = handle.read().split()[0]
    except (OSError, IndexError, UnicodeDecodeError):
        raise BackupError(f"{path} has no readable .md5")
    # Hadoop writes the MD5 of an image beside it.
    found = digest_of(path, "md5")
    if found != wanted:
        raise BackupError(f"{path} is damaged: its MD5 is {found}, expected {wanted}")
    return found


def copies(root):
    """The complete copies below ``root``, oldest first: what their backup.json says, and the folder."""
    rows = []
    for path in sorted(glob.glob(os.path.join(root, "copies", "*"))):
        data = read_json(os.path.join(path, "backup.json"))
        if COPY.fullmatch(os.path.basename(path)) and data:
            rows.append(dict(data, id=os.path.basename(path), folder=path))
    return rows


def verify_copy(folder):
    """The record of a copy whose files still are what it says. Raises BackupError otherwise."""
    record = read_json(os.path.join(folder, "backup.json"))
    if not record:
        raise BackupError(f"{folder} is not a complete copy")
    txid, image = newest_image(folder)
    found, version = check_image(image), version_of(folder)
    wanted = {"txid": txid, "md5": found, "cluster_id": version.get("clusterID"),
              "namespace_id": version.get("namespaceID"), "blockpool_id": version.get("blockpoolID")}
    for key, value in wanted.items():
        if record.get(key) != value:
            raise BackupError(f"{folder}: {key} is {value}, recorded was {record.get(key)}")
    return record


class Backup:
    """One backup. ``config`` is the content of backup.json in /etc/emr/backup."""

    def __init__(self, config):
        self.config, self.root = config, config["root"]
        self.work = os.path.join(self.root, "checkpoint", "current")
        self.state_path = os.path.join(self.root, "state.json")
        self.state = read_json(self.state_path, {})

    def due(self):
        """Whether the newest copy is old enough for the next one."""
        return time.time() - (self.newest() or {}).get("began", 0) >= self.config["every_s"] - 5

    def newest(self):
        """The newest copy of the namespace as it is now, or None. Those that a restore went behind do not count."""
        rows = [row for row in copies(self.root) if row["began"] > self.state.get("restored", 0)]
        return rows[-1] if rows else None

    def least_txid(self):
        """The transaction below which a new copy cannot be."""
        return max((self.newest() or {}).get("txid", 0), self.state.get("restored_txid", 0))

    def run(self):
        """Make a copy and record how it went; returns its record. Raises BackupError."""
        began = time.time()
        try:
            record = self._make(began)
        except (BackupError, OSError) as error:
            self._note(ok=False, error=str(error), when=began)
            raise BackupError(str(error))
        self._note(ok=True, error="", when=began, oss_error=self._to_oss(record) if self.config.get("oss") else "")
        return record

    def _to_oss(self, record):
        """Put the copy into OSS; '' or what went wrong. The copy here counts all the same."""
        try:
            BackupsInOss(self.config).put(os.path.join(self.root, "copies", record["id"]), record, self.config["keep"])
        except (OssError, OSError) as error:
            return str(error)
        return ""

    def bring(self, wanted):
        """Fetch a copy (its id, or latest) from OSS, verified; returns its id. Raises BackupError."""
        if not self.config.get("oss"):
            raise BackupError("the spec names no place in OSS for backups (backup.oss)")
        part = os.path.join(self.root, "copies", ".brought")
        shutil.rmtree(part, ignore_errors=True)
        try:
            oss = BackupsInOss(self.config)
            names = oss.ids()
            if not names or (wanted != "latest" and wanted not in names):
                raise BackupError(f"there is no backup {wanted} at {oss.base}; there are: {', '.join(names[-5:]) or 'none'}")
            name = names[-1] if wanted == "latest" else wanted
            final = os.path.join(self.root, "copies", name)
            if not os.path.exists(final):
                oss.get(name, part)
                verify_copy(part)
                os.rename(part, final)
        except OssError as error:
            raise BackupError(str(error))
        return name

    def _note(self, **attempt):
        self.state = dict(read_json(self.state_path, {}), attempt=attempt)
        write_json(self.state_path, self.state)

    def _make(self, began):
        before = self._namenode()
        self._checkpoint()
        txid, image = newest_image(self.work)
        version = version_of(self.work)
        self._check(before, txid, version)
        return self._keep(began, txid, image, version)

    def _namenode(self):
        """{cluster_id, blockpool_id, txid} as the NameNode says. Raises BackupError when it cannot be backed up now."""
        try:
            beans = json.loads(NameNode(self.config["namenode"]).ask("/jmx?qry=Hadoop:service=NameNode,name=*", limit_s=20))["beans"]
        except (HttpError, ValueError, KeyError) as error:
            raise BackupError(f"the NameNode says nothing of itself: {error}")
        named = {bean["name"].split("name=")[-1]: bean for bean in beans}
        info, system = named.get("NameNodeInfo", {}), named.get("FSNamesystem", {})
        if info.get("Safemode", "starting"):
            raise BackupError("the NameNode is in safe mode, which allows no new segment of edits")
        return {"cluster_id": info.get("ClusterId"), "blockpool_id": info.get("BlockPoolId"),
                "txid": int(system.get("LastWrittenTransactionId", 0))}

    def _checkpoint(self):
        """Run Hadoop's checkpoint; a folder that it cannot go on from is begun anew, once."""
        problem = self._secondary()
        if problem:
            shutil.rmtree(os.path.dirname(self.work), ignore_errors=True)
            problem = self._secondary()
        if problem:
            raise BackupError(f"the checkpoint failed: {problem}")

    def _secondary(self):
        """One run of the SecondaryNameNode; '' or what went wrong."""
        quick = " -XX:+UseSerialGC -XX:TieredStopAtLevel=1" if self.config["quick"] else ""
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "JAVA_HOME": self._java_home(),
               "HADOOP_CONF_DIR": CONF_DIR, "HADOOP_LOG_DIR": f"{paths.LOG}/hdfs", "HADOOP_LOGFILE": "backup.log",
               "HADOOP_ROOT_LOGGER": "INFO,RFA",
               "HDFS_SECONDARYNAMENODE_OPTS": f"-Xmx{self.config['heap_mib']}m -XX:+ExitOnOutOfMemoryError{quick}"}
        try:
            code, out, err = hadoop_cli.run("hdfs", ["secondarynamenode", "-checkpoint", "force"], only=env, limit_s=CHECKPOINT_LIMIT_S, check=False)
        except NodeError as error:
            return str(error)
        if code == 0:
            return ""
        said = hadoop_cli.last_words(out, err, 3).splitlines()
        return f"exit code {code}; see {paths.LOG}/hdfs/backup.log. " + " ".join(said)

    def _java_home(self):
        """The Java of this node's DataNode, as its unit names it."""
        try:
            with open(self.config["environment"], encoding="utf-8") as handle:
                return dict(line.strip().split("=", 1) for line in handle if "=" in line).get("JAVA_HOME", "")
        except OSError as error:
            raise BackupError(f"{self.config['environment']}: {error.strerror}")

    def _check(self, before, txid, version):
        """Raises BackupError unless this is an image of this very namespace, not older than it may be."""
        own = {"clusterID": self.config["cluster_id"], "blockpoolID": before["blockpool_id"]}
        if before["cluster_id"] != own["clusterID"]:
            raise BackupError(f"the NameNode is of cluster {before['cluster_id']}, this is {own['clusterID']}")
        for folder in self.config["data_dirs"]:
            pool = os.path.join(folder, "current", str(own["blockpoolID"]), "current")
            if os.path.exists(os.path.join(pool, "VERSION")):
                own["namespaceID"] = version_of(pool).get("namespaceID")
        for key, value in own.items():
            if version.get(key) != value:
                raise BackupError(f"the image has {key} {version.get(key)}, the cluster has {value}")
        least = max(before["txid"], self.least_txid())
        if txid < least:
            raise BackupError(f"the image ends with transaction {txid}, but {least} was written before")

    def _keep(self, began, txid, image, version):
        """Make the copy real, check what is really there, forget copies that are too many."""
        name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(began)) + f"-{txid}"
        final = os.path.join(self.root, "copies", name)
        part = os.path.join(self.root, "copies", ".part")
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part, mode=0o700)
        previous = self.least_txid()
        names = [os.path.basename(image), os.path.basename(image) + ".md5"]
        names += [name for name in os.listdir(self.work) for match in [EDITS.fullmatch(name)]
                  if match and previous < int(match.group(2)) <= txid]
        for file in names:
            os.link(os.path.join(self.work, file), os.path.join(part, file))
        shutil.copyfile(os.path.join(self.work, "VERSION"), os.path.join(part, "VERSION"))
        record = {"began": began, "time": stamp(began), "txid": txid, "md5": digest_of(os.path.join(part, names[0]), "md5"),
                  "bytes": sum(os.path.getsize(os.path.join(part, file)) for file in names),
                  "cluster": self.config["cluster"], "cluster_id": version.get("clusterID"),
                  "namespace_id": version.get("namespaceID"), "blockpool_id": version.get("blockpoolID"),
                  "layout_version": version.get("layoutVersion"), "files": sorted(names), "node": os.uname().nodename}
        write_json(os.path.join(part, "backup.json"), record)
        verify_copy(part)
        os.rename(part, final)
        for row in copies(self.root)[:-self.config["keep"]]:
            shutil.rmtree(row["folder"], ignore_errors=True)
        return dict(record, id=name)


def locked(root, limit_s=LOCK_LIMIT_S):
    """Hold the lock of the copies. Raises BackupError when another run keeps it longer than the limit."""
    handle = os.open(os.path.join(root, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if wait(lambda: held(handle), limit_s, 0.2):
        raise BackupError(f"another backup has been running for more than {limit_s} s")
    return handle


def main(words):
    """Make a backup; with --due only when one is due. Prints its record as JSON. Returns the exit code."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--due", action="store_true")
    parser.add_argument("--bring", metavar="ID", help="instead fetch a copy (or the latest) from OSS")
    arguments = parser.parse_args(words)
    os.umask(0o077)
    config = read_json(CONFIG)
    if not config:
        say(f"emr-backup: {CONFIG} is not there or not readable", err=True)
        return 1
    os.makedirs(os.path.join(config["root"], "copies"), mode=0o700, exist_ok=True)
    try:
        handle = locked(config["root"])
        backup = Backup(config)
        if arguments.bring:
            say(json.dumps({"id": backup.bring(arguments.bring)}))
        elif not arguments.due or backup.due():
            say(json.dumps(backup.run()))
        os.close(handle)
    except BackupError as error:
        say(f"emr-backup: {error}", err=True)
        return 1
    return 0
