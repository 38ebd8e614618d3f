"""Copies of the NameNode's metadata in OSS. Runs as the user hdfs on the node that makes them.

Credentials: /etc/emr/backup/secret/key.json, readable by hdfs alone, else the RAM role of the instance. They stay in this process.
"""
from __future__ import annotations

import hashlib
import json
import os
import re

from ...domain import paths
from ..host.instance_role import role_key
from ..oss.client import Oss, OssError, endpoint_of, split
from ..oss.files import get_file, put_file

KEY = paths.BACKUP_KEY
COPY = re.compile(r"\d{8}T\d{6}Z-\d+")


class BackupsInOss:
    """The folder of one cluster in a bucket. ``config``: the settings of backups, see domain/backup/places.py. Raises OssError."""

    def __init__(self, config):
        self.client = Oss(endpoint_of(config["oss_endpoint"], config["region"]), config["region"], _key())
        self.base = f"{config['oss'].rstrip('/')}/{config['cluster']}-{config['cluster_id']}"
        self.bucket, self.prefix = split(self.base)

    def ids(self):
        """Ids of the complete copies in OSS, oldest first."""
        rows = self.client.list(self.bucket, f"{self.prefix}/")
        names = [row["key"][len(self.prefix) + 1:].split("/") for row in rows]
        return sorted(name[0] for name in names if len(name) == 2 and name[1] == "backup.json" and COPY.fullmatch(name[0]))

    def put(self, folder, record, keep):
        """Put a copy there, read its image back, and only then let it count; forget copies that are too many."""
        target = f"{self.prefix}/{record['id']}"
        for name in sorted(os.listdir(folder)):
            if name != "backup.json":
                put_file(self.client, self.bucket, f"{target}/{name}", os.path.join(folder, name))
        image = next(name for name in record["files"] if re.fullmatch(r"fsimage_\d+", name))
        digest = hashlib.md5()
        self.client.get(self.bucket, f"{target}/{image}", digest.update)
        if digest.hexdigest() != record["md5"]:
            raise OssError(f"oss://{self.bucket}/{target}/{image} came back with the MD5 {digest.hexdigest()}, expected {record['md5']}")
        put_file(self.client, self.bucket, f"{target}/backup.json", os.path.join(folder, "backup.json"))
        for name in self.ids()[:-keep]:
            self._forget(name)

    def _forget(self, name):
        """Delete a copy; its record goes first, so that what is left of it does not count."""
        folder = f"{self.prefix}/{name}/"
        self.client.delete(self.bucket, [f"{folder}backup.json"])
        self.client.delete(self.bucket, [row["key"] for row in self.client.list(self.bucket, folder)])

    def get(self, name, folder):
        """Fetch the files of a copy into a new folder."""
        os.makedirs(folder, mode=0o700)
        prefix = f"{self.prefix}/{name}/"
        for row in self.client.list(self.bucket, prefix):
            file = row["key"][len(prefix):]
            if file and "/" not in file:
                get_file(self.client, self.bucket, row["key"], os.path.join(folder, file))


def _key():
    try:
        with open(KEY, encoding="utf-8") as handle:
            return json.load(handle)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise OssError(f"{KEY} is not readable as JSON: {getattr(error, 'strerror', '') or 'no JSON'}")  # its text is a secret
    found = role_key()
    if not found:
        raise OssError(f"this node has no credentials for OSS: give its instance a RAM role, or write {KEY} (see docs/backup.md)")
    return found
