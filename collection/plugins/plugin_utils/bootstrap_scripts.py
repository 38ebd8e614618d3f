"""The user's own scripts of a spec: read before anything is bought, and kept with the revision for nodes that join later."""
from __future__ import annotations

import os

from ..module_utils.domain.errors import Refused
from .scripts import REMEDY, windows_line_ends


def path_of(script: str, spec_file=None) -> str:
    """Where a script lies on this machine: beside the spec's file, or else below the working directory."""
    folder = os.path.dirname(os.path.abspath(os.path.expanduser(str(spec_file or "x"))))
    return os.path.join(folder, os.path.expanduser(script))


def content(script: str, spec_file=None, kept: str | None = None) -> str | None:
    """What a script holds: the file beside the spec that was given, else what the control node keeps; None where neither is there."""
    if kept is not None and not spec_file:
        return kept
    try:
        with open(path_of(script, spec_file), encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except OSError:
        return kept


def refusal(lacking, spec_file=None) -> Refused:
    """Of these scripts, which nobody has."""
    rows = [f"bootstrap: {path_of(script, spec_file)}: there is no file that can be read, and the control node keeps none" for script in lacking]
    remedy = ("Give paths that are relative to the spec" if spec_file else "Run it again where they lie, or keep them with the cluster first: "
              "emrctl apply with the spec's file")
    return Refused("\n".join(rows), remedy)


def check(spec, spec_file=None, kept=(), needed: bool = True) -> None:
    """Raises Refused, naming all, when new nodes would lack a script or could not run it. ``kept``: paths of those that the control node keeps.

    A spec's file has to have its scripts beside it even when no node is bought (not ``needed``).
    """
    lacking = [step.script for step in spec.bootstrap if step.script not in kept and content(step.script, spec_file) is None]
    if lacking and (needed or spec_file):
        raise refusal(lacking, spec_file)
    here = [path_of(step.script, spec_file) for step in spec.bootstrap if spec_file or step.script not in kept]
    wrong = [why for path in here if os.path.isfile(path) and (why := windows_line_ends(path))]
    if wrong:
        raise Refused("\n".join(f"bootstrap: {why}" for why in wrong), REMEDY)


def check_new(spec, operation, spec_file=None) -> None:
    """``check`` of a cluster that is not read: without a spec's file, nodes that stand may keep the scripts. ``operation``: an Operation."""
    if spec.bootstrap:
        check(spec, spec_file, (), spec_file or not operation.found(must_exist=False).instances)
