"""The wheel carries the collection beside emrctl. An editable install does not: there the checkout itself is the collection,
and a copy in site-packages would hide every later change."""
from __future__ import annotations

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Collection(BuildHookInterface):
    """Called by hatchling for each wheel; ``version`` is standard or editable."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Put the collection where Ansible looks for it in site-packages."""
        if version == "standard":
            build_data["force_include"]["collection"] = "ansible_collections/emr/cluster"
