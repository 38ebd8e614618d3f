"""Files between the controller and HDFS or OSS, and a look at what is there. Content streams; only looks at HDFS run on a node."""
from __future__ import annotations

import base64
import os
import re

from ansible.utils.display import Display

from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import find_credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.oss.client import client
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.data_hdfs import HdfsData
from ansible_collections.emr.cluster.plugins.plugin_utils.data_oss import OssData
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

# What operations that only look give back.
LOOKS = {"ls": ("files", "truncated"), "du": ("total", "used", "truncated"), "head": ("path", "bytes", "head", "rows")}
COPIED = ("put", "got", "files", "files_count", "bytes", "equal_files")
USER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,63}")


def path_of(text: str, user: str) -> str:
    """Path in the cluster's HDFS that a person names: hdfs:///x, /x, or, as `hdfs dfs` does, x below the home.

    Raises Refused for another file system, or another cluster's.
    """
    scheme, found, rest = text.partition("://")
    if found:
        place, _slash, path = rest.partition("/")
        if scheme != "hdfs" or place:
            raise Refused(f"{text}: not a path in this cluster's HDFS or in OSS", "Give a path such as hdfs:///data, /data or "
                          "oss://my-bucket/data; other file systems are read by `hadoop fs` on a master (emrctl ssh)")
        text = f"/{path}"
    return text if text.startswith("/") else f"/user/{user}/{text}"


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "data"
    TRANSFERS_FILES = True
    REFUSES = True

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        args = {key: value for key, value in plain(args).items() if value is not None}
        self.op, user = args["op"], str(args.get("user") or "emr")
        if not USER.fullmatch(user):
            raise Refused(f"user: {user!r} is not a valid user name", "Give the name of a user of the cluster, such as emr")
        wanted = {"files": [os.path.expanduser(str(path)) for path in args.get("files", [])], "target": str(args.get("target") or ""),
                  "merge": bool(args.get("merge")),
                  "recursive": bool(args.get("recursive")), "most": int(args.get("most") or 10000), "rows": int(args.get("rows") or 20),
                  "limit_bytes": int(args.get("limit_bytes") or 1 << 20)}
        missing = [path for path in wanted["files"] if not os.path.exists(path)]
        if missing or (self.op == "put" and not wanted["files"]):
            raise Refused(f"{(missing or ['files'])[0]}: no such file on the controller", "Give the path of a readable file or folder")
        text = str(args.get("path") or "")
        if text.startswith("oss://"):
            return {"result": self._oss(context, dict(wanted, path=text))}
        path = path_of(text, user)
        self.rows, self.hdfs = wanted["rows"], HdfsData(self._connection, context.url("namenode"), user, _tell)
        if self.op in LOOKS:
            return {"op": self.op, "path": path, "namenode": context.url("namenode"), "user": user, "recursive": wanted["recursive"],
                    "most": wanted["most"], "limit_bytes": wanted["limit_bytes"], "rows": wanted["rows"]}
        if self._task.check_mode:
            return {"result": {"changed": self.op == "put"}}
        result = self.hdfs.put(path, wanted["files"]) if self.op == "put" else self.hdfs.get(path, wanted["target"], wanted["merge"])
        return {"result": dict(result, emr_result={key: result[key] for key in COPIED if key in result})}

    def _oss(self, context, wanted: dict) -> dict:
        """An operation on OSS, from here."""
        if self._task.check_mode and self.op in ("put", "get"):
            return {"changed": self.op == "put"}
        region = str(context.get(context.host, "emr_region") or "")
        result = OssData(client(os.environ, region, find_credentials), _tell).perform(self.op, wanted)
        if "raw" in result:
            result["head"] = base64.b64encode(result.pop("raw")).decode()
        return {"changed": False, **result, "emr_result": dict(result)}

    def after(self, context, result):
        if result.get("failed") or result.get("unreachable"):
            return
        if self.op == "head" and base64.b64decode(result["head"][:8]).startswith(b"PAR1"):
            result["rows"] = self.hdfs.rows(result["path"], result["bytes"], self.rows)
        result["emr_result"] = {name: result[name] for name in LOOKS[self.op] if name in result}


def _tell(text: str) -> None:
    """Progress for people, while the task runs."""
    Display().display(f"emr: {text}")


__all__ = ["ActionModule", "path_of"]
