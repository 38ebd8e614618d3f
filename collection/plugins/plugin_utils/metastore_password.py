"""The password of the metastore's own database is there before anything is changed or bought: in the environment, or on the master."""
from __future__ import annotations

import os
import shlex

from ..module_utils.cloud.cluster.operation import READY
from ..module_utils.cloud.ecs.client import tags_of
from ..module_utils.domain.errors import Refused
from ..module_utils.services.metastore import PASSWORD_FILE, PASSWORD_VARIABLE


def lacks(spec) -> bool:
    """Whether the metastore has a database of its own, and this run was given no password for it."""
    return bool(spec.metastore.database and "metastore" in spec.expanded_services and not os.environ.get(PASSWORD_VARIABLE))


def _refused(spec) -> Refused:
    own = spec.metastore.database
    return Refused(f"metastore.database: the password of {own.user} at {own.url} is not on the master yet, and {PASSWORD_VARIABLE} is not set. "
                   "Nothing was changed", f"Run: read -rs {PASSWORD_VARIABLE}; export {PASSWORD_VARIABLE}; then the command again. Later commands "
                   "need it no more")


def check_new(spec, operation) -> None:
    """Raises Refused when no master of the cluster can have the password: none was deployed with a metastore. ``operation``: an Operation."""
    def keeps(tags: dict) -> bool:
        return bool(tags.get("emr:role") == "master" and tags.get(READY) and "metastore" in tags.get("emr:services", "").split(","))

    if lacks(spec) and not any(keeps(tags_of(i)) for i in operation.found(must_exist=False).instances):
        raise _refused(spec)


def check_master(action, spec) -> None:
    """Raises Refused when the password is not on the control node. ``action`` is a NodeAction there; asks only when it is not given."""
    if lacks(spec) and action.shell(f"test -e {shlex.quote(PASSWORD_FILE)}")["rc"] != 0:
        raise _refused(spec)
