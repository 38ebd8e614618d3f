"""Who of this node's accounts is a user of the cluster."""
from __future__ import annotations

import grp

# Members are the accounts that this project made for users of the spec; see accounts.py.
GROUP = "emr-users"


def members():
    """Names of the accounts that this project made for users."""
    try:
        return sorted(grp.getgrnam(GROUP).gr_mem)
    except KeyError:
        return []
