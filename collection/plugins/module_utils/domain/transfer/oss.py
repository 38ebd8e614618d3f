"""Import from and export to OSS: the request of a job that runs DistCp and verifies."""
from __future__ import annotations

import json
import re

from .. import paths
from ..errors import Refused
from .request import MEMORY

NAME = "OSS"
CREDENTIALS = {"access_key_id": "OSS_ACCESS_KEY_ID", "access_key_secret": "OSS_ACCESS_KEY_SECRET",
               "security_token": "OSS_SESSION_TOKEN"}
OPTIONS: dict = {"include": [], "exclude": [], "delete": False, "overwrite": False, "verify": "checksum", "maps": 20,
                 "bandwidth_mb": 0, "endpoint": ""}
REQUEST = "request.json"
VERIFY = ("checksum", "size", "none")
ADDRESS = re.compile(r"oss://[a-z0-9][a-z0-9-]{1,61}[a-z0-9](/.*)?", re.DOTALL)
ENDPOINT = re.compile(r"(https?://)?[A-Za-z0-9.-]+(:\d+)?/?")


def request(wanted: dict) -> dict:
    """The job of this import or export. Raises Refused."""
    incoming, options = wanted["direction"] == "import", wanted["options"]
    outside, inside = (wanted["source"], wanted["target"]) if incoming else (wanted["target"], wanted["source"])
    _check(outside, inside, options)
    path = hdfs_path(inside, wanted["user"])
    given = {"direction": wanted["direction"], "source": outside if incoming else path, "target": path if incoming else outside,
             "include": [str(p) for p in options["include"]], "exclude": [str(p) for p in options["exclude"]],
             "delete": bool(options["delete"]), "overwrite": bool(options["overwrite"]), "verify": options["verify"],
             "maps": int(options["maps"]), "bandwidth_mb": int(options["bandwidth_mb"]), "user": wanted["user"],
             "endpoint": options["endpoint"], "region": wanted.get("region", ""),
             "provider": wanted["provider"], "secret_file": wanted["secret_file"] if wanted["credentials"] else ""}
    job = {"type": "SHELL", "name": f"{wanted['direction']} {outside}"[:100], "args": [paths.COPY, REQUEST]}
    where = {"path": path, "needs": "write" if incoming else "read"}
    return {"place": where, "job": job, "files": {REQUEST: json.dumps(given, indent=1)}, "secrets": _secrets(wanted["credentials"]), "keep": MEMORY}


def hdfs_path(text: str, user: str) -> str:
    """Path in the cluster's HDFS that a person names: hdfs:///x, /x, or x below the home. Raises Refused."""
    scheme, found, rest = text.partition("://")
    if found:
        place, _slash, path = rest.partition("/")
        if scheme != "hdfs" or place:
            raise Refused(f"{text}: not a path in this cluster's HDFS", "Give a path such as hdfs:///data or /data")
        text = f"/{path}"
    text = text if text.startswith("/") else f"/user/{user}/{text}"
    if any(part in (".", "..") for part in text.split("/")) or "//" in text or any(ord(c) < 32 for c in text):
        raise Refused(f"{text!r}: not a path in HDFS", "Give it without empty parts, `.` and `..`")
    return text


def _check(outside: str, inside: str, options: dict) -> None:
    if not ADDRESS.fullmatch(outside) or "//" in outside[6:] or any(ord(c) < 32 for c in outside):
        raise Refused(f"{outside!r}: not a place in OSS", "Give a bucket and folder such as oss://my-bucket/data")
    for text in (outside, inside):
        if "${" in text:
            raise Refused(f"{text}: Hadoop would fill in what looks like a variable", "Rename the folder, or write what the name should be")
    if inside.rstrip("/") in ("", "hdfs:", "hdfs://") and options["delete"]:
        raise Refused("--delete for all of HDFS", "Name a folder")
    if options["verify"] not in VERIFY:
        raise Refused(f"verify: {options['verify']!r}", f"It is one of {', '.join(VERIFY)}")
    if options["endpoint"] and not ENDPOINT.fullmatch(options["endpoint"]):
        raise Refused(f"endpoint: {options['endpoint']!r}", "Give a host such as oss-cn-hangzhou-internal.aliyuncs.com")
    for name in ("include", "exclude"):
        for pattern in options[name]:
            if not str(pattern).strip("/") or any(ord(c) < 32 for c in str(pattern)):
                raise Refused(f"{name}: {pattern!r} is not a pattern", "Give one such as '*.csv' or 'year=2013/**'")
    if int(options["maps"]) < 1 or int(options["bandwidth_mb"]) < 0:
        raise Refused(f"maps: {options['maps']}, bandwidth_mb: {options['bandwidth_mb']}", "Give positive numbers")


def _secrets(credentials: dict) -> dict:
    """What is kept for the job; nothing when the node's RAM role is to be used. Raises Refused for half a key."""
    found = {key: value for key, value in credentials.items() if key in CREDENTIALS}
    for name in ("access_key_id", "access_key_secret"):
        if found and not found.get(name):
            raise Refused(f"only half of an access key is given: {name} is missing", f"Set {CREDENTIALS[name]}, or write it into the file")
    return found
