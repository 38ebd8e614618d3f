"""Write all configuration of a node in one step and look at what its storage holds."""
from __future__ import annotations

import contextlib
import json
import os
import re
import time

from ...domain import paths
from ..common import NodeError, ensure_directory, file_lock, owner_ids, read_text, run, stage, write_atomic
from ..daemons.side import settle, wanted_files
from ..daemons.stale import stale_parts
from ..hdfs.client import SUPERUSER, WebHdfs
from ..host.accounts import settle_accounts
from ..host.bootstrap import keep_scripts
from ..host.prepare import find_java, hosts_text
from ..install.absent import take_away
from ..install.install import install
from ..people.accounts import settle_people
from ..scale.lists import EXCLUDE_LOCK, settle as settle_lists
from . import secret_files
from .keys import parse_keys

HOSTS = "/etc/hosts"
UNIT_DIR = paths.UNITS
SPEC_DIR = paths.REVISIONS
PRICES_KEPT = 500


def configure(params, check):
    """Bring software, files, units, directories and the spec's revision to the wanted state. Returns the result."""
    if params["revision"]:
        _check_services(params["revision"])
    secret_files.check(params)
    installed = install({**params["install"], "signed": (params.get("secrets") or {}).get("signed")}, check) if params["install"] else {}
    notes = take_away(params["absent"], check) if params.get("absent") else []
    # A service that joins a cluster may be younger than its nodes.
    notes += settle_accounts(params.get("accounts") or [], check)
    notes += settle_people(params["people"], check) if params.get("people") else []
    notes += [ensure_directory(row["path"], row["owner"], row["group"], row["mode"], check)
              for row in params["directories"]]
    side = params.get("side_units") or []
    with _list_lock(any("keep" in row for row in params["files"])):
        rows = _with_java(params["files"], params.get("java_mark")) + wanted_files(side) + _hosts(params.get("hosts"))
        changed = [row for row in map(_pruned, rows) if _differs(row) and not _of_others(row)]
        keys = {row["path"]: changed_keys(read_text(row["path"]) or "", row["content"]) for row in changed}
        diff = [{"before": read_text(row["path"]) or "", "after": row["content"], "before_header": row["path"],
                 "after_header": row["path"]} for row in changed]
        if not check:
            _write_all(changed)
    links = _unit_links(params["units"])
    if not check:
        for path in links:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(f"{UNIT_DIR}/{os.path.basename(path)}", path)
        if links or any(row["path"].startswith(UNIT_DIR) for row in changed):
            run(["systemctl", "daemon-reload"])
        if any(row["path"] == paths.JOURNAL_LIMIT for row in changed):
            run(["systemctl", "restart", "systemd-journald"])
    notes += secret_files.settle(params, check)
    if side:
        notes += settle(side, [row["path"] for row in changed], check)
    if params.get("lists"):
        notes += settle_lists(params["lists"]["drain_s"], check)
    notes += keep_scripts(params["revision"].get("scripts") or [], check)
    revision = _revision(params["revision"], check) if params["revision"] else ""
    if not check:
        keep_price(params["revision"].get("price"))
    notes = [note for note in notes + [revision] if note]
    return {"changed": bool(installed or notes or changed or links), "installed": installed,
            "changed_files": [row["path"] for row in changed],
            "changed_keys": keys, "changes": notes, "links": links, "diff": diff,
            "emr_storage": {name: [inspect(path) for path in paths] for name, paths in params["storage"].items()},
            **(_daemons(params["daemons"]) if params.get("daemons") else {}),
            **({"emr_lacks": _lacking(params["file_system"])} if params.get("file_system") else {})}


def _with_java(rows, mark):
    """The files with the JAVA_HOME of this node in place of ``mark``. Raises NodeError where there is no Java."""
    if not mark or not any(mark in row["content"] for row in rows):
        return rows
    home = find_java()
    if not home:
        raise NodeError("no Java 17 or newer on this node: the role emr.cluster.host installs it, run it first")
    return [dict(row, content=row["content"].replace(mark, home)) for row in rows]


def _hosts(hosts):
    """The hosts file as a row, when the node shall learn of others."""
    if not hosts:
        return []
    return [{"path": HOSTS, "content": hosts_text(read_text(HOSTS) or "", hosts), "owner": "root", "group": "root",
             "mode": "0644"}]


def _daemons(names):
    """Which of these daemons do not run, and which run with an older configuration than the one that is written now."""
    found = stale_parts(names)
    return {"emr_idle": found["idle"], "emr_stale": found["restart"], "emr_refresh": found["refresh"]}


def _lacking(wanted):
    """The paths that starting makes in HDFS and that are not there: an interrupted start may have left them out.

    Where the NameNode does not answer nothing is said; then it is not running well, and that is seen elsewhere.
    """
    client = WebHdfs(wanted["base"], SUPERUSER)
    try:
        return [path for path in wanted["paths"] if not client.status(path)]
    except (NodeError, OSError):
        return []


def _list_lock(wanted):
    """Hold the lock of the lists of excluded nodes, where this node has them: others add to them at any time."""
    return file_lock(EXCLUDE_LOCK, 60) if wanted else contextlib.nullcontext()


def _pruned(row):
    """The row of a list of nodes (it has ``keep``) with the lines that are there and may stay; other rows as they are."""
    if "keep" not in row:
        return row
    lines = set((read_text(row["path"]) or "").split())
    return dict(row, content="".join(f"{name}\n" for name in sorted(lines & set(row["keep"]))))


def _of_others(row):
    """Whether a file that gives way to others' (it has ``yields``, words that only ours hold) has another's in its place."""
    return "yields" in row and os.path.lexists(row["path"]) and row["yields"] not in (read_text(row["path"]) or "")


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


def inspect(path):
    """What a storage directory of HDFS holds: {path, state: missing|empty|formatted|unclear, cluster_id}."""
    version = read_text(os.path.join(path, "current", "VERSION"))
    if version is not None:
        fields = dict(line.split("=", 1) for line in version.splitlines() if "=" in line)
        return {"path": path, "state": "formatted", "cluster_id": fields.get("clusterID", "")}
    try:
        # Names with a dot are our own half-made formats and the file system's (lost+found has none, so it is named).
        rest = [name for name in os.listdir(path) if not name.startswith(".") and name not in ("lost+found", "in_use.lock")]
    except FileNotFoundError:
        return {"path": path, "state": "missing", "cluster_id": ""}
    return {"path": path, "state": "unclear" if rest else "empty", "cluster_id": ""}


def _check_services(revision):
    """Refuse a spec that would silently take services, users or queues away which were added since it was written."""
    newest = newest_revision() or {}
    lost = sorted(set(newest.get("services", [])) - set(revision["services"]) - set(revision.get("removed", [])))
    if lost:
        since = "revision {number} ({why}, {who}, {when})".format(**newest)
        raise NodeError(f"the cluster runs {', '.join(lost)} since {since}, and this spec does not have it. Nothing was "
                        "changed on this node: add it to `services` in the spec.")
    release = newest.get("release") or revision.get("release")
    if release != revision.get("release") and not (revision.get("edit") or {}).get("release"):
        raise NodeError(f"the cluster runs release {release}, and this spec says {revision['release']}. Nothing was changed on this node: the release "
                        "is changed by emrctl upgrade (playbook emr.cluster.upgrade) alone.")
    if revision.get("prunes"):
        return
    for what in ("users", "queues"):
        lost = sorted(set(newest.get(what, [])) - set(revision.get(what, [])))
        if lost:
            raise NodeError(f"the cluster has the {what} {', '.join(lost)} since revision {newest['number']} or before, and this spec "
                            f"does not. Nothing was changed on this node: add them to `{what}` (emrctl export gives the newest "
                            "spec), or take them away with emrctl apply.")


def _revision(revision, check):
    """Keep the spec as a numbered revision with who and when, unless the newest one is the same."""
    newest = newest_revision()
    placement = revision.get("placement") or {}
    # A revision of before placements has the one that follows from its nodes, as this one does.
    if newest and newest["digest"] == revision["digest"] and newest.get("placement", placement) == placement:
        return ""
    number = (newest["number"] if newest else 0) + 1
    if not check:
        os.makedirs(SPEC_DIR, mode=0o755, exist_ok=True)
        meta = {"number": number, "digest": revision["digest"], "services": revision["services"], "who": revision["who"],
                "why": revision["why"], "edit": revision.get("edit") or {},
                "users": revision.get("users", []), "queues": revision.get("queues", []), "placement": placement,
                "release": revision.get("release", ""), "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        base = f"{SPEC_DIR}/{number:06d}"
        write_atomic(base + ".yml", revision["text"], 0o640)
        # The .json comes last: a revision without it was never completed and is overwritten.
        write_atomic(base + ".json", json.dumps(meta) + "\n", 0o644)
    return f"spec revision {number}"


def keep_price(price):
    """Keep what the cluster costs from now on, where that is known and new. ``price``: of a plan."""
    try:
        rows = json.loads(read_text(paths.PRICES) or "[]")
    except ValueError:
        rows = []
    price = {key: price.get(key, "") for key in ("hourly", "currency", "source")} if price else {}
    if not price.get("hourly") or (rows and all(rows[-1].get(key) == price[key] for key in ("hourly", "currency"))):
        return
    os.makedirs(os.path.dirname(paths.PRICES), mode=0o755, exist_ok=True)
    write_atomic(paths.PRICES, json.dumps([*rows[1 - PRICES_KEPT:], dict(price, since=time.time())]) + "\n")


def newest_revision():
    """Meta data of the newest complete revision, or None."""
    try:
        names = sorted(name for name in os.listdir(SPEC_DIR) if re.match(r"^\d{6}\.json$", name))
    except FileNotFoundError:
        return None
    return json.loads(read_text(f"{SPEC_DIR}/{names[-1]}")) if names else None
