"""Files between the controller and HDFS, over the first master, and a look at HDFS."""
from __future__ import annotations

import os
import shutil
import tarfile
import tempfile

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

# What operations that only look give back.
LOOKS = {"ls": ("files", "truncated"), "du": ("total", "used", "truncated"), "head": ("path", "bytes", "head")}


def path_of(text: str, user: str) -> str:
    """Path in the cluster's HDFS that a person names: hdfs:///x, /x, or, as `hdfs dfs` does, x below the home.

    Raises Refused for another file system, or another cluster's.
    """
    scheme, found, rest = text.partition("://")
    if found:
        place, _, path = rest.partition("/")
        if scheme != "hdfs" or place:
            raise Refused(f"{text}: not a path in this cluster's HDFS", "Give a path such as hdfs:///data or /data; "
                          "other file systems are read by `hadoop fs` on a master (emrctl ssh)")
        text = f"/{path}"
    return text if text.startswith("/") else f"/user/{user}/{text}"


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "data"
    OPTIONS = ("op", "path", "files", "target", "user", "recursive", "most", "limit_bytes")
    TRANSFERS_FILES = True
    REFUSES = True

    def work(self, context, args):
        if not context.is_first_master:
            return {"result": {"changed": False}}
        args = plain(args)
        self.op, self.target = args["op"], str(args.get("target") or "")
        args["path"] = path_of(str(args.get("path") or ""), args.get("user") or "emr")
        if self.op in LOOKS:
            return {"op": self.op, "path": args["path"], "namenode": context.url("namenode"), "user": args.get("user") or "emr",
                    "recursive": bool(args.get("recursive")), "most": int(args.get("most") or 10000),
                    "limit_bytes": int(args.get("limit_bytes") or 1 << 20)}
        if not self._connection._shell.tmpdir:
            self._make_tmp_path()
        options = {"op": self.op, "path": args["path"], "namenode": context.url("namenode"),
                   "user": args.get("user") or "emr"}
        if self.op == "put":
            options["files"] = [self._bring(str(path)) for path in args.get("files", [])]
        else:
            self.archive = self._connection._shell.join_path(self._connection._shell.tmpdir, "data.tar")
            options["archive"] = self.archive
        return options

    def _bring(self, path: str) -> str:
        local = os.path.expanduser(path)
        if not os.path.isfile(local):
            raise Refused(f"{path}: there is no such file on the controller", "Give the path of a readable file")
        remote = self._connection._shell.join_path(self._connection._shell.tmpdir, os.path.basename(local))
        if not self._task.check_mode:
            self._transfer_file(local, remote)
        return remote

    def after(self, context, result):
        if result.get("failed") or result.get("unreachable"):
            return
        if self.op in LOOKS:
            result["emr_result"] = {name: result[name] for name in LOOKS[self.op]}
        elif self._task.check_mode:
            return
        elif self.op == "get":
            written = self._fetch(result)
            result["emr_result"] = {"got": result["got"], "files": written}
        else:
            result["emr_result"] = {"put": result["put"]}

    def _fetch(self, result) -> list:
        """Bring the archive here and unpack it at the target, replacing files of the same names. Returns the paths."""
        target = os.path.abspath(os.path.expanduser(self.target or "."))
        parent = target if os.path.isdir(target) else os.path.dirname(target)
        os.makedirs(parent, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".emr-get-") as folder:
            local = os.path.join(folder, "data.tar")
            self._connection.fetch_file(self.archive, local)
            with tarfile.open(local) as archive:
                archive.extractall(os.path.join(folder, "new"), filter="data")
            return _place(os.path.join(folder, "new"), target, result["directory"])


def _place(source: str, target: str, directory: bool) -> list:
    """Move what was unpacked to its target: a folder's content into the target, a file to it or into it."""
    written = []
    if not directory:
        name = os.listdir(source)[0]
        final = os.path.join(target, name) if os.path.isdir(target) else target
        os.replace(os.path.join(source, name), final)
        return [final]
    if os.path.exists(target) and not os.path.isdir(target):
        raise EmrError(f"{target} is a file, but a folder was asked for", "Name a folder")
    os.makedirs(target, exist_ok=True)
    for top, folders, names in os.walk(source):
        below = os.path.normpath(os.path.join(target, os.path.relpath(top, source)))
        for folder in folders:
            os.makedirs(os.path.join(below, folder), exist_ok=True)
        for name in names:
            shutil.move(os.path.join(top, name), os.path.join(below, name))
            written.append(os.path.join(below, name))
    return sorted(written)
