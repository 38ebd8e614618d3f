"""Write all configuration of a node in one step and look at what its storage holds. Runs on Python 3.8 and newer."""
from __future__ import annotations

import json
import os
import re
import time
from xml.etree import ElementTree

from .node_common import NodeError, ensure_directory, owner_ids, read_text, run, stage, write_atomic
from .node_install import install

UNIT_DIR = "/etc/systemd/system"
SPEC_DIR = "/var/lib/emr/cluster/spec"


def configure(params, check):
    """Bring software, files, units, directories and the spec's revision to the wanted state. Returns the result."""
    if params["revision"]:
        _check_services(params["revision"])
    installed = install(params["install"], check) if params["install"] else {}
    notes = [ensure_directory(row["path"], row["owner"], row["group"], row["mode"], check)
             for row in params["directories"]]
    changed = [row for row in params["files"] if _differs(row)]
    keys = {row["path"]: changed_keys(read_text(row["path"]) or "", row["content"]) for row in changed}
    diff = [{"before": read_text(row["path"]) or "", "after": row["content"], "before_header": row["path"],
             "after_header": row["path"]} for row in changed]
    links = _unit_links(params["units"])
    if not check:
        _write_all(changed)
        for path in links:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(f"{UNIT_DIR}/{os.path.basename(path)}", path)
        if links or any(row["path"].startswith(UNIT_DIR) for row in changed):
            run(["systemctl", "daemon-reload"])
    revision = _revision(params["revision"], check) if params["revision"] else ""
    notes = [note for note in notes + [revision] if note]
    return {"changed": bool(installed or notes or changed or links), "installed": installed, "changed_files": [row["path"] for row in changed],
            "changed_keys": keys, "changes": notes, "diff": diff,
            "emr_storage": {name: [inspect(path) for path in paths] for name, paths in params["storage"].items()}}


def _differs(row):
    try:
        found = os.stat(row["path"])
    except FileNotFoundError:
        return True
    if read_text(row["path"]) != row["content"] or found.st_mode & 0o7777 != int(row["mode"], 8):
        return True
    try:
        return (found.st_uid, found.st_gid) != owner_ids(row["owner"], row["group"])
    except NodeError:
        return True


def _write_all(rows):
    """Stage all files, then rename them one after the other: a failure while writing changes nothing."""
    staged = []
    try:
        for row in rows:
            uid, gid = owner_ids(row["owner"], row["group"])
            staged.append((stage(row["path"], row["content"], int(row["mode"], 8), uid, gid), row["path"]))
    except BaseException:
        for temporary, _path in staged:
            os.unlink(temporary)
        raise
    for temporary, path in staged:
        os.rename(temporary, path)


def _unit_links(units):
    """Links that make these units start at boot and do not exist yet."""
    paths = [f"{UNIT_DIR}/multi-user.target.wants/{unit}.service" for unit in units]
    return [path for path in paths if not os.path.lexists(path)]


def changed_keys(before, after):
    """Keys whose values differ between two texts of one file; only *-site files and ``key value`` files have keys."""
    old, new = parse_keys(before), parse_keys(after)
    return sorted(key for key in set(old) | set(new) if old.get(key) != new.get(key))


def parse_keys(text):
    """{key: value} of a Hadoop XML file or of lines ``key value`` / ``key=value``."""
    if "<configuration" in text:
        try:
            root = ElementTree.fromstring(text)
        except ElementTree.ParseError:
            return {}
        return {(p.findtext("name") or ""): (p.findtext("value") or "") for p in root.iter("property")}
    lines = (re.match(r"^(?:export )?([A-Za-z][\w.\-]*)(?:\s*=\s*|\s+)(.*)$", line) for line in text.splitlines())
    return {match.group(1): match.group(2) for match in lines if match}


def inspect(path):
    """What a storage directory of HDFS holds: {path, state: missing|empty|formatted|unclear, cluster_id}."""
    version = read_text(os.path.join(path, "current", "VERSION"))
    if version is not None:
        fields = dict(line.split("=", 1) for line in version.splitlines() if "=" in line)
        return {"path": path, "state": "formatted", "cluster_id": fields.get("clusterID", "")}
    try:
        # Names with a dot are our own half-made formats and the file system's (lost+found has none, so it is named).
        rest = [name for name in os.listdir(path) if not name.startswith(".") and name not in ("lost+found",
                                                                                              "in_use.lock")]
    except FileNotFoundError:
        return {"path": path, "state": "missing", "cluster_id": ""}
    return {"path": path, "state": "unclear" if rest else "empty", "cluster_id": ""}


def _check_services(revision):
    """Refuse a spec that would silently take services away which were added since it was written."""
    newest = newest_revision() or {}
    lost = sorted(set(newest.get("services", [])) - set(revision["services"]))
    if lost:
        raise NodeError(f"the cluster runs {', '.join(lost)} since revision {newest['number']} ({newest['why']}, "
                        f"{newest['who']}, {newest['when']}), and this spec does not have it. Nothing was changed on this "
                        "node: add it to `services` in the spec.")


def _revision(revision, check):
    """Keep the spec as a numbered revision with who and when, unless the newest one is the same."""
    newest = newest_revision()
    if newest and newest["digest"] == revision["digest"]:
        return ""
    number = (newest["number"] if newest else 0) + 1
    if not check:
        os.makedirs(SPEC_DIR, mode=0o755, exist_ok=True)
        meta = {"number": number, "digest": revision["digest"], "services": revision["services"], "who": revision["who"], "why": revision["why"],
                "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        base = f"{SPEC_DIR}/{number:06d}"
        write_atomic(base + ".yml", revision["text"], 0o640)
        # The .json comes last: a revision without it was never completed and is overwritten.
        write_atomic(base + ".json", json.dumps(meta) + "\n", 0o644)
    return f"spec revision {number}"


def newest_revision():
    """Meta data of the newest complete revision, or None."""
    try:
        names = sorted(name for name in os.listdir(SPEC_DIR) if re.match(r"^\d{6}\.json$", name))
    except FileNotFoundError:
        return None
    return json.loads(read_text(f"{SPEC_DIR}/{names[-1]}")) if names else None
