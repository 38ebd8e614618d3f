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
  - Operations that change the node hold its lock, because a controller that is killed leaves its modules running.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description: What to do.
    type: str
    required: true
    choices: [host, configure, service, verify, status, job, data]
  options:
    description: What the operation needs to know.
    type: dict
    required: true
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
    options: {components: [], namenode: "", resourcemanager: ""}
"""

RETURN = r"""
changes:
  description: What was changed.
  type: list
  elements: str
  returned: operations that change something
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emr.cluster.plugins.module_utils.node_common import NodeError, node_lock

# Operations that work for minutes without changing the node's software must not keep others out.
UNLOCKED = ("verify", "status", "job", "data")


def perform(op, options, check):
    """Do the operation; each imports only what it needs, since an import costs every node time."""
    if op == "host":
        from ansible_collections.emr.cluster.plugins.module_utils import node_host
        return node_host.prepare(options, check)
    if op == "configure":
        from ansible_collections.emr.cluster.plugins.module_utils import node_configure
        return node_configure.configure(options, check)
    if op == "service":
        from ansible_collections.emr.cluster.plugins.module_utils import node_service
        return node_service.apply(options, check)
    if op == "status":
        from ansible_collections.emr.cluster.plugins.module_utils import node_status
        return node_status.status(options)
    if op == "job":
        from ansible_collections.emr.cluster.plugins.module_utils import node_job
        return node_job.perform(options, check)
    if op == "data":
        from ansible_collections.emr.cluster.plugins.module_utils import node_data
        return node_data.perform(options, check)
    from ansible_collections.emr.cluster.plugins.module_utils import node_verify
    return node_verify.verify(options, check)


def main():
    module = AnsibleModule(supports_check_mode=True, argument_spec={
        "op": {"type": "str", "required": True,
               "choices": ["host", "configure", "service", "verify", "status", "job", "data"]},
        "options": {"type": "dict", "required": True}})
    op, options = module.params["op"], module.params["options"]
    try:
        if op in UNLOCKED:
            result = perform(op, options, module.check_mode)
        else:
            with node_lock(op):
                result = perform(op, options, module.check_mode)
    except NodeError as error:
        module.fail_json(msg=str(error), **error.extra)
    if not module._diff:
        # Whole files are worth sending back only to somebody who asked for them.
        result.pop("diff", None)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
