"""Imports and exports: looks at the place in HDFS, keeps the secrets of the place outside, and starts the job."""
from __future__ import annotations

import os
import tempfile

from ...domain import paths
from ..common import NodeError, write_atomic
from ..config.keys import keys_of
from ..hdfs.client import WebHdfs
from ..jobs import operations as job
from ..jobs.record import settings
from ..jobs.submit import Refusal, account
from .secrets import SECRETS, forget, keep

LOCKS = paths.TRANSFERS


def perform(params, check):
    """Keep the secrets and submit the job; what was kept goes again when that fails."""
    if check:
        return {"changed": True}
    wanted = dict(params["job"])
    account(wanted["user"])
    if "table" in params["place"]:
        check_format(params["place"])
    else:
        check_place(settings()["namenode"], str(wanted["user"]), params["place"])
    _folders()
    with tempfile.TemporaryDirectory(prefix="emr-transfer-") as folder:
        wanted["files"] = [_write(folder, name, text) for name, text in params["files"].items()]
        wanted["secrets"] = keep(params)
        try:
            return job.submit(wanted)
        except NodeError as error:
            if "job" not in error.extra:
                forget(wanted["secrets"])
            raise
        except BaseException:
            forget(wanted["secrets"])
            raise


def check_place(namenode, user, place):
    """Raise Refusal when the user may not read, or not make, what the transfer is about: before Spark or YARN start anything.

    ``place`` has ``path`` and ``needs``: ``read``, ``write`` (below the path itself), or ``replace`` (beside it as well).
    """
    try:
        _judge(WebHdfs(namenode, user), user, "/" + place["path"].strip("/"), place["needs"])
    except NodeError as error:
        if error.extra.get("status") == 403:
            raise Refusal(f"user {user} may not look into {place['path']}: {str(error).split(': ', 1)[-1]}. Next: choose a path below "
                          f"/user/{user}, or give --user")
        raise


def check_format(place):
    """Raise Refusal when jobs here know no tables of the format that ``place`` needs."""
    wanted = place["needs"]
    known = keys_of(f"{paths.SPARK_CONF}/spark-defaults.conf").get("spark.sql.extensions", "")
    if wanted not in known.lower():
        raise Refusal(f"this cluster has no tables of {wanted}. Next: spark: {{tables: [{wanted}]}} in its spec, and emrctl apply (docs/tables.md)")


def _judge(client, user, path, needs):
    if needs == "read":
        found = client.status(path)
        if not found:
            raise Refusal(f"there is no {path} in HDFS. Next: emrctl ls NAME {os.path.dirname(path)}")
        if not client.allows(path, "r-x" if found["type"] == "DIRECTORY" else "r--"):
            raise Refusal(_closed(user, "read", path, found))
        return
    spot = os.path.dirname(path) if needs == "replace" else path
    found = client.status(spot)
    while not found and spot != "/":
        spot = os.path.dirname(spot)
        found = client.status(spot)
    if found["type"] != "DIRECTORY":
        if spot == path:
            return  # one file in place of another: what the job may do with it depends on its source
        raise Refusal(f"{spot} is a file, so nothing can be below it. Next: choose another path")
    if not client.allows(spot, "-wx"):
        raise Refusal(_closed(user, "write", spot, found))


def _closed(user, how, path, found):
    return (f"user {user} may not {how} {path} in HDFS: it belongs to {found['owner']}:{found['group']}, mode {found['permission']}. Next: "
            f"choose a path below /user/{user}, let its owner change that, or give --user")


def _folders():
    os.makedirs(SECRETS, mode=0o711, exist_ok=True)
    os.chmod(SECRETS, 0o711)
    os.makedirs(LOCKS, exist_ok=True)
    os.chmod(LOCKS, 0o1777)


def _write(folder, name, text):
    path = os.path.join(folder, name)
    write_atomic(path, text)
    return path
