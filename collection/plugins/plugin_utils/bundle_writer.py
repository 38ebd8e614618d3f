"""One archive of what the nodes gave, what the cloud shows, and the last runs here; private and without secrets."""
from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import time

from ..module_utils.domain.errors import EmrError, Refused
from ..module_utils.domain.text.masking import Masker
from .gathered_facts import checked

RUNS = 5
RUN_FILES = ("artifacts/run/stdout", "artifacts/run/stderr", "artifacts/run/rc", "artifacts/run/status")
MOST_BYTES = 8 << 20
# What this machine's environment holds must not be in a log either.
SECRET_VARIABLES = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN",
                    "ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_SECURITY_TOKEN")


def node_path(out: str, node: str) -> str:
    """Where a node's archive waits until all are there."""
    return os.path.join(parts_folder(out), f"{node}.tar.gz")


def parts_folder(out: str) -> str:
    """A private folder beside the archive; made when it is missing. Raises Refused when it cannot be."""
    folder = f"{out}.parts"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise Refused(f"{folder}: {error.strerror}", "Give --out a path in a folder that you may write to") from error
    return folder


def write_bundle(context, out: str, runs: str) -> dict:
    """Write the archive in one step. Returns the result of the action."""
    top = os.path.basename(out).split(".tar")[0] or "support-bundle"
    known = [os.environ[key] for key in SECRET_VARIABLES if os.environ.get(key)]
    seen = checked(context)
    nodes = {host: context.fact("emr_bundle", host) for host in context.hosts}
    silent = {host: context.fact("emr_silent", host) or "no answer over SSH"
              for host, found in nodes.items() if found is None}
    temporary = f"{out}.part"
    try:
        with open(temporary, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as handle, \
                tarfile.open(fileobj=handle, mode="w:gz") as tar:
            _text(tar, f"{top}/cloud.json", json.dumps(seen["inspection"], indent=2), known)
            _text(tar, f"{top}/spec.json", json.dumps(seen["spec"], indent=2), known)
            _text(tar, f"{top}/silent-nodes.json", json.dumps(silent, indent=2), known)
            for host in sorted(set(nodes) - set(silent)):
                _node(tar, f"{top}/nodes/{host}", node_path(out, host))
            for folder in _runs(runs, seen["cluster"]):
                _run(tar, f"{top}/runs/{os.path.basename(folder)}", folder, known)
        os.replace(temporary, out)
    except OSError as error:
        raise EmrError(f"{out}: {error}", "Give another --out") from error
    shutil.rmtree(parts_folder(out), ignore_errors=True)
    size = os.path.getsize(out)
    return {"changed": False, "emr_result": {"name": seen["cluster"], "file": out, "bytes": size, "silent": silent,
                                             "nodes": {host: found for host, found in nodes.items() if found}}}


def _text(tar, name: str, text: str, known) -> None:
    masker = Masker(known)
    data = "".join(masker.line(line) for line in text.splitlines(True)).encode("utf-8", "replace")
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), int(time.time()), 0o600
    tar.addfile(info, io.BytesIO(data))


def _node(tar, top: str, path: str) -> None:
    """Copy the members of a node's archive, one by one; only regular files with plain names are taken."""
    with tarfile.open(path, mode="r|gz") as source:
        for member in source:
            name = os.path.normpath(member.name)
            if not member.isreg() or name.startswith(("/", "..")):
                continue
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size, info.mtime, info.mode = member.size, member.mtime, 0o600
            tar.addfile(info, source.extractfile(member))


def _runs(folder: str, cluster: str) -> list:
    """The last runs of emrctl on this machine that were about this cluster."""
    if not folder or not os.path.isdir(folder):
        return []
    newest = sorted((entry for entry in os.scandir(folder) if entry.is_dir()), key=lambda e: e.name, reverse=True)
    return [entry.path for entry in newest if _about(entry.path, cluster)][:RUNS]


def _about(run: str, cluster: str) -> bool:
    try:
        with open(os.path.join(run, "env", "extravars"), encoding="utf-8") as handle:
            named = json.load(handle).get("emr_name")
        if named:
            return named == cluster
        # Without a name it had a spec; its output names the nodes.
        with open(os.path.join(run, RUN_FILES[0]), encoding="utf-8", errors="replace") as handle:
            return f"{cluster}-master-" in handle.read(MOST_BYTES)
    except (OSError, ValueError, AttributeError):
        return False


def _run(tar, top: str, folder: str, known) -> None:
    """What a run printed; not its inputs, which may hold anything."""
    for name in RUN_FILES:
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as handle:
                handle.seek(max(0, os.path.getsize(path) - MOST_BYTES))
                text = handle.read(MOST_BYTES).decode("utf-8", "replace")
        except OSError:
            continue
        _text(tar, f"{top}/{os.path.basename(name)}", text, known)
