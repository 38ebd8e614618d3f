"""What imports and exports have in common: the kinds of places outside of the cluster, and what their job asks for.

A kind is a module of this folder with

- ``OPTIONS``: {name: default} of the options that it knows beside source and target,
- ``CREDENTIALS``: {field: environment variable} of what it may be given to sign on with,
- ``request(wanted)``: what is to be done, as {job, files, place, secrets, keep}; raises Refused.

``wanted`` has ``direction`` (import or export), ``source``, ``target``, ``options``, ``credentials`` ({field: value}, of the
fields that were found), ``provider`` and ``secret_file`` (where the job will find secrets that are kept in a PROVIDER, or in
MEMORY) and ``user`` (whom the job runs as). What the cluster is like, the job finds on its master (``job_record.settings``). The
answer's ``job`` is what ``job.submit`` on the node takes, ``files`` are {name: text} for its working directory, ``place`` is what it
does in HDFS ({path, needs}: see node/transfer/operations.py, which refuses what the user may not do there), ``secrets`` is
{alias: secret} (values of these are masked in everything the module says: no names in there), and ``keep`` is PROVIDER or
MEMORY.
"""
from __future__ import annotations

import shlex
from importlib import import_module

from .. import paths
from ..errors import Refused
from ..jobs.request import DEFAULTS

# Scheme of the place outside -> module.
KINDS = {"oss": "oss", "mysql": "jdbc", "postgresql": "jdbc"}
DIRECTIONS = ("import", "export")
# Secrets in a Hadoop credential provider in HDFS, which containers on every node can read as well.
PROVIDER = "provider"
# Secrets in a file of the node's memory (/run); the job's program makes a provider of it when it needs one.
MEMORY = "memory"
FOLDER = paths.SECRETS
# Options of emrctl whose names are not those of the kinds' options.
FLAGS = {"bandwidth_mb": "bandwidth", "types": "column-type"}


def scheme(text: str) -> str:
    """Scheme of an address, '' for a path."""
    return text.split("://", 1)[0].lower() if "://" in text else ""


def kind_of(direction: str, source: str, target: str):
    """Module of the kind of place outside. Raises Refused when the addresses do not fit the direction."""
    if direction not in DIRECTIONS:
        raise Refused(f"transfer: unknown direction {direction!r}", "It is one of import, export")
    outside, inside = (source, target) if direction == "import" else (target, source)
    places = ", ".join(f"{name}://" for name in KINDS)
    if scheme(outside) not in KINDS:
        end = "source" if direction == "import" else "target"
        raise Refused(f"{direction}: the {end} {outside or 'is missing'!r} is not a place outside of the cluster",
                      f"Give an address that begins with one of {places}")
    if scheme(inside) not in ("", "hdfs"):
        end = "target" if direction == "import" else "source"
        raise Refused(f"{direction}: the {end} {inside} is not in the cluster's HDFS", "Give a path such as /data or hdfs:///data")
    if not inside:
        raise Refused(f"{direction}: no path in HDFS is given", "Give a path such as /data or hdfs:///data")
    return import_module(f".{KINDS[scheme(outside)]}", __package__)


def known_options(kind, options: dict) -> dict:
    """The options with defaults. Raises Refused for one that this kind does not know."""
    given = {key: value for key, value in options.items() if value is not None}
    strange = sorted(set(given) - set(kind.OPTIONS))
    if strange:
        raise Refused(f"{kind.NAME} has no option {', '.join(strange)}", f"Its options: {', '.join(sorted(kind.OPTIONS))}")
    return {**kind.OPTIONS, **given}


def provider_of(user: str, secret_id: str) -> str:
    """URL of the credential provider of one transfer."""
    return f"jceks://hdfs{provider_path(user, secret_id)}"


def provider_path(user: str, secret_id: str) -> str:
    """Path of that file in HDFS."""
    return f"/user/{user}/.emr/secrets/{secret_id}.jceks"


def memory_path(secret_id: str) -> str:
    """Path on the control node of the file in memory."""
    return f"{FOLDER}/{secret_id}.json"


def command(cluster: str, wanted: dict) -> str:
    """The emrctl command that asks for this transfer, without secrets: for the day when those that a job got are gone.

    ``wanted`` has direction, source, target, options, credentials (a file or ``chain``), user, queue and name as they were given.
    """
    words = ["emrctl", wanted["direction"], cluster, wanted["source"], wanted["target"]]
    rows = {**wanted["options"], **{key: wanted.get(key) for key in ("credentials", "user", "queue", "name")}}
    for key, value in rows.items():
        flag = f"--{FLAGS.get(key, key.replace('_', '-'))}"
        if value is True:
            words.append(flag)
        elif value not in (None, "", False) and (key, value) != ("user", DEFAULTS["user"]):
            words += [word for one in (value if isinstance(value, list) else [value]) for word in (flag, str(one))]
    return shlex.join(words)
