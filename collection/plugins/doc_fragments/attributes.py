# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What most modules of the collection say of check mode and diff mode."""

from __future__ import annotations


class ModuleDocFragment:
    """C(emr.cluster.attributes) for what changes something, C(emr.cluster.attributes.looks) for what only looks."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Reports what would change, where there is something to change.
    support: full
  diff_mode:
    description: There is no text to compare.
    support: none
"""

    LOOKS = r"""
options: {}
attributes:
  check_mode:
    description: Changes nothing anyway.
    support: full
  diff_mode:
    description: There is no text to compare.
    support: none
"""
