# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The lookup emr.cluster.given: the only way in which our playbooks read what a person gives them."""
from __future__ import annotations

DOCUMENTATION = r"""
name: given
short_description: Read a variable that a person gave, as it was written
description:
  - Gives the value of a variable. What came with the call (C(-e), emrctl, AWX) is data and never a template, whatever stands in it.
  - What stands in Ansible's own files (C(vars) of a play, C(group_vars), an inventory) may be a template, as everywhere in Ansible.
  - The playbooks of emr.cluster read their variables by this lookup alone.
options:
  _terms:
    description: Name of one variable.
    required: true
  default:
    description: What stands for a variable that was not given, or is null. A filter C(default) after the lookup sees an empty text.
    type: raw
    default: ""
  needed:
    description: Fail when the variable was not given.
    type: bool
    default: false
author:
  - the emr.cluster authors (@emr-cluster)
"""

EXAMPLES = r"""
- emr.cluster.job:
    type: SHELL
    args: "{{ lookup('emr.cluster.given', 'emr_job_args', default=[]) }}"
"""

RETURN = r"""
_value:
  description: The value; texts in it are not templates.
  type: raw
"""

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.emr.cluster.plugins.plugin_utils.given import given, plain

try:
    # Before 2.19 a text that looks like a list, a number or a boolean becomes one on its way out of a template, unless it is of this type.
    from ansible.utils.native_jinja import NativeJinjaText as Text
except ImportError:
    Text = str


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms, variables=None, **kwargs):
        """One value."""
        # Not by set_options, which parses the documentation again in the worker of each task.
        unknown = set(kwargs) - {"default", "needed"}
        if unknown or len(terms) != 1:
            raise AnsibleError(f"emr.cluster.given takes one name, default and needed, not {', '.join([*map(str, terms), *sorted(unknown)])}")
        name = str(terms[0])
        there, value = given(name, self._loader)
        if not there and name in (variables or {}):
            value = plain(self._templar.template(variables[name]))
        if value is None:
            if kwargs.get("needed"):
                raise AnsibleError(f"{name} is required: set it with -e (see the first lines of the playbook)")
            value = kwargs.get("default", "")
        return [Text(value) if isinstance(value, str) else value]
