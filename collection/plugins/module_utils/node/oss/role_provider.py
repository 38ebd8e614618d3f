"""The key of a node's RAM role for jobs that read oss://. Runs as root on the master.

No class of hadoop-aliyun 3.4.2 or of its SDK that Hadoop can make takes the role of an instance (those that ask the metadata service
want its name in their constructor). So the supervisor of a job that says so keeps the master's own temporary key in a credential
provider of the job's user in HDFS, anew for each attempt and every half hour: a JVM reads it when it begins.
"""
from __future__ import annotations

import os
import tempfile

from ..common import NodeError
from ..config import secret
from ..hdfs.client import WebHdfs, upload
from ..host.instance_role import role_key

# What people write, and the key of Hadoop's for which they do: hadoop.security.credential.provider.path=role.
ROLE, PROPERTY = "role", "hadoop.security.credential.provider.path"
ALIASES = {"access_key_id": "fs.oss.accessKeyId", "access_key_secret": "fs.oss.accessKeySecret", "security_token": "fs.oss.securityToken"}
# Seconds between two times that the key is fetched for a job that runs; the keys of roles live for some hours.
EVERY_S = 1800


def path_of(user):
    """Path in HDFS of the provider."""
    return f"/user/{user}/.emr/oss-role.jceks"


def named(request):
    """(request with the provider's address in place of the word, whether it has one)."""
    address, given = f"jceks://hdfs{path_of(request['user'])}", request["properties"].get(PROPERTY)
    if given not in (ROLE, address):
        return request, False
    return dict(request, properties={**request["properties"], PROPERTY: address}), True


def refresh(user, settings):
    """Keep the role's key as it is now. Raises NodeError."""
    key = role_key()
    if not key:
        raise NodeError(f"{PROPERTY}={ROLE}: this master's instance has no RAM role. Next: attach one in the ECS console, or keep a key in a "
                        "provider (docs/jobs.md)")
    client, path = WebHdfs(settings["namenode"], user), path_of(user)
    with tempfile.TemporaryDirectory(prefix="emr-secret-", dir="/run") as folder:
        local = os.path.join(folder, "provider")
        secret.keep(local, {ALIASES[name]: key[name] for name in ALIASES}, settings["environment"])
        try:
            client.make(os.path.dirname(path), "700")
            upload(client, local, path, mode="600")
        except NodeError as error:
            raise NodeError(f"the key of the role could not be kept in HDFS: {error}")
