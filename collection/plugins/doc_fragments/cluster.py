# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Options that the actions of the cloud's side share."""

from __future__ import annotations


class ModuleDocFragment:
    """C(emr.cluster.cluster) says which cluster, C(.spec) what it shall be, C(.confirm) and C(.plan_only) whether that may happen."""

    DOCUMENTATION = r"""
options:
  name:
    description: The cluster's name. Taken from the spec when there is one.
    type: str
  region:
    description: The region. Taken from the spec, then from the credentials' environment or profile.
    type: str
  login:
    description: How to log in to the nodes, where it differs from the spec.
    type: dict
    suboptions:
      user:
        description: User to log in as.
        type: str
      private_key_file:
        description:
          - Private key to log in with. Taken from C(login.private_key_file) of the spec, then from the environment
            variables E(EMR_PRIVATE_KEY_FILE) and E(ANSIBLE_PRIVATE_KEY_FILE), then C(~/.ssh/emr_ed25519).
        type: path
      address:
        description: Which address of the nodes to use; V(auto) is the way that C(network.access) named when they were bought.
        type: str
        choices: [auto, private, public]
"""

    SPEC = r"""
options:
  spec:
    description: The cluster's spec as YAML text, or as the dictionary that an earlier call returned.
    type: raw
  spec_file:
    description: Path of the spec on the controller.
    type: path
"""

    CONFIRM = r"""
options:
  confirm:
    description: The digest of a plan, or V(yes). Without it a change is only planned and then refused.
    type: str
"""

    PLAN_ONLY = r"""
options:
  plan_only:
    description: Only plan. Check mode does the same.
    type: bool
    default: false
"""
