"""The spec that a person gives, by whichever door and variable: a mapping, YAML text, or the path of a file."""
from __future__ import annotations

import os

from ansible.utils.display import Display

from .given import plain

display = Display()


def read_spec(spec=None, spec_file=None):
    """The Spec, or None when none is given. A path is relative to the working directory, for every door.

    Values of a mapping that the YAML around it may have changed (``0123``, ``yes``) are told, since its lines are not known. Raises
    SpecError.
    """
    from ..module_utils.domain.spec.model import load_spec, parse_spec, spec_from_dict

    given = plain(spec)
    if given and not isinstance(given, str):
        odd: list = []
        found = spec_from_dict(given, odd)
        for text in odd:
            display.warning(f"emr_spec: {text}")
        return found
    if isinstance(given, str) and given.strip():
        return parse_spec(given, "emr_spec")
    if spec_file:
        return load_spec(os.path.abspath(os.path.expanduser(str(spec_file))))
    return None
