# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What the project's action plugins run on a node. One module for all of them, so that it is built once for each run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node
short_description: The part on the node of this collection's action plugins
version_added: 0.1.0
description:
  - Not for playbooks. The action plugins of M(emr.cluster.host), M(emr.cluster.configure), M(emr.cluster.service) and the
    others compute on the controller what is to be done, and run this module to do it.
  - The node's journal gets the name of the operation and nothing of its options, which hold whole files.
  - Operations that change the node hold its lock, because a controller that is killed leaves its modules running.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description: What to do.
    type: str
    required: true
    choices: [host, configure, service, roll, failover, upgrade, convert, drain, balance, verify, status, check, bundle, copies, data, people,
              backup, restore, activity, transfer, bench]
  options:
    description: What the operation needs to know.
    type: dict
    required: true
  secrets:
    description: Secrets for the operation, kept out of every log.
    type: dict
  hooks:
    description: What services from outside the collection do on a node, the text of a module for each.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Reports what would change.
    support: full
  diff_mode:
    description: Operations that write files show the difference.
    support: full
"""

EXAMPLES = r"""
- name: Read the state of a daemon
  emr.cluster.node:
    op: status
    options: {components: [], answers: {}, control: false}
"""

RETURN = r"""
changes:
  description: What was changed.
  type: list
  elements: str
  returned: operations that change something
"""

import os
from contextlib import nullcontext
from importlib import import_module

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emr.cluster.plugins.module_utils.domain import requests
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError, node_lock
from ansible_collections.emr.cluster.plugins.module_utils.node.services import hooks

TYPE_CHECKING = False
NODE = "ansible_collections.emr.cluster.plugins.module_utils.node"
if TYPE_CHECKING:
    # Ansible packs the modules that are imported anywhere in this file; which of them is loaded is decided below.
    from ansible_collections.emr.cluster.plugins.module_utils.node.backup import operations as backup, restore_after  # noqa: F401
    from ansible_collections.emr.cluster.plugins.module_utils.node.bench import operations as bench  # noqa: F401
    from ansible_collections.emr.cluster.plugins.module_utils.node.config import configure  # noqa: F401
    from ansible_collections.emr.cluster.plugins.module_utils.node.daemons import (  # noqa: F401
        convert,
        failover,
        roll,
        service,
        status,
        upgrade,
    )
    from ansible_collections.emr.cluster.plugins.module_utils.node.hdfs import balance, data  # noqa: F401
    from ansible_collections.emr.cluster.plugins.module_utils.node.health import check, copies, verify  # noqa: F401
    from ansible_collections.emr.cluster.plugins.module_utils.node.host import bundle, prepare  # noqa: F401
    from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import activity  # noqa: F401
    from ansible_collections.emr.cluster.plugins.module_utils.node.people import accounts  # noqa: F401
    from ansible_collections.emr.cluster.plugins.module_utils.node.scale import drain  # noqa: F401
    from ansible_collections.emr.cluster.plugins.module_utils.node.services import (  # noqa: F401
        hdfs,
        mapreduce,
        metastore,
        spark,
        yarn,
        zookeeper,
    )
    from ansible_collections.emr.cluster.plugins.module_utils.node.transfer import operations as transfer  # noqa: F401

# operation: (module, function, whether it holds the node's lock). Those that work for minutes without changing the node's
# software must not keep others out.
OPERATIONS = {
    "host": ("host.prepare", "prepare", True),
    "configure": ("config.configure", "configure", True),
    "service": ("daemons.service", "apply", True),
    "roll": ("daemons.roll", "perform", True),
    "failover": ("daemons.failover", "perform", True),
    "upgrade": ("daemons.upgrade", "perform", True),
    "convert": ("daemons.convert", "perform", True),
    "restore": ("backup.restore_after", "perform", True),
    "drain": ("scale.drain", "perform", False),
    "balance": ("hdfs.balance", "perform", False),
    "verify": ("health.verify", "verify", False),
    "status": ("daemons.status", "status", False),
    "check": ("health.check", "check", False),
    "bundle": ("host.bundle", "bundle", False),
    "copies": ("health.copies", "perform", False),
    "data": ("hdfs.data", "perform", False),
    "people": ("people.accounts", "perform", False),
    "backup": ("backup.operations", "perform", False),
    "activity": ("jobs.activity", "activity", False),
    "transfer": ("transfer.operations", "perform", False),
    "bench": ("bench.operations", "perform", False),
}


def perform(op, options, check_mode):
    """Do the operation. Only its own module is loaded, since an import costs every node time."""
    try:
        options = requests.checked(op, options)
    except ValueError as error:
        raise NodeError(f"node: {error}. This module is the part on the node of actions such as emr.cluster.status and emr.cluster.configure: "
                        "use those") from error
    name, function, locks = OPERATIONS[op]
    module = import_module(f"{NODE}.{name}")
    with node_lock(op) if locks else nullcontext():
        return getattr(module, function)(options, check_mode)


class Module(AnsibleModule):
    """A module that writes only its operation to the node's journal: its options hold whole files, which are nobody's to read there."""

    def _log_invocation(self):
        """Instead of all parameters."""
        self.log(f"Invoked with op={self.params['op']}")


def main():
    # What a hardened image has set for root must not decide who can read what is made here.
    os.umask(0o022)
    module = Module(supports_check_mode=True, argument_spec={
        "op": {"type": "str", "required": True, "choices": list(OPERATIONS)},
        "options": {"type": "dict", "required": True},
        "secrets": {"type": "dict", "no_log": True},
        "hooks": {"type": "dict", "default": {}}})
    options = module.params["options"]
    if module.params["secrets"] is not None:
        options = dict(options, secrets=module.params["secrets"])
    hooks.learn(module.params["hooks"])
    try:
        result = perform(module.params["op"], options, module.check_mode)
    except NodeError as error:
        module.fail_json(msg=str(error), **error.extra)
    if not module._diff:
        # Whole files are worth sending back only to somebody who asked for them.
        result.pop("diff", None)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
