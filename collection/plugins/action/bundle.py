"""Gather logs and configuration of a node; at the end put those of all nodes into one archive on the controller."""
from __future__ import annotations

import base64
import binascii
import os

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from ansible_collections.emr.cluster.plugins.plugin_utils.bundle_writer import node_path, write_bundle
from ansible_collections.emr.cluster.plugins.plugin_utils.component_args import describe
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "bundle"
    LOOKS = True

    def work(self, context, args):
        self.out = os.path.abspath(os.path.expanduser(str(args.get("out") or "")))
        if args.get("what", "node") == "all":
            return {"result": write_bundle(context, self.out, str(args.get("runs") or ""))}
        return {"components": [describe(c, context) for c in context.components],
                "log_bytes": int(args.get("node_mib", 16)) << 20, "file_bytes": int(args.get("file_mib", 2)) << 20,
                "history": context.node.role == "master"}

    def after(self, context, result):
        """Keep the archive in a file beside the wanted one: it must get neither into events nor into facts."""
        text = result.pop("archive", "")
        if result.get("failed") or result.get("unreachable") or not text:
            return
        try:
            data = base64.b64decode(text, validate=True)
            with open(node_path(self.out, context.host), "wb", opener=_private) as handle:
                handle.write(data)
        except (OSError, binascii.Error) as error:
            raise EmrError(f"the logs of {context.host} could not be written: {error}", "Give another --out") from error
        result["ansible_facts"] = {"emr_bundle": {"bytes": result["bytes"], "left_out": result.pop("left_out", [])}}


def _private(path, flags):
    return os.open(path, flags, 0o600)
