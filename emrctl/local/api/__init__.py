"""The actions of the ECS API, one file per family of resources. Importing this fills ``registry.ACTIONS``."""
from . import describe, groups, instances, keypairs, modify, networks, places, power, prices, run, spot, sts, tags  # noqa: F401
from .registry import ACTIONS  # noqa: F401
