"""The services and daemons that there are, as their homes in services/ describe them: a view for who only asks for rows."""
from __future__ import annotations

from ..services.registry import (
    BUNDLES,
    COMPONENTS,
    JOB_USER,
    ROLES,
    SERVICES,
    components_for,
    components_on,
    expand_services,
    start_order,
)

__all__ = ["BUNDLES", "COMPONENTS", "JOB_USER", "ROLES", "SERVICES", "components_for", "components_on", "expand_services", "start_order"]
