"""A local ECS without hosts inside the test's own process."""
from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from . import keys, offers
from .cloud import UNLIMITED, Cloud
from .nulldriver import NullDriver
from .seed import seed
from .server import Running
from .settings import API_ONLY_SUBNET


@dataclass(frozen=True)
class LocalEcs:
    """A running server. ``endpoint`` carries the scheme; ``cloud`` is its inside, for looking at."""

    endpoint: str
    access_key_id: str
    access_key_secret: str
    cloud: Cloud
    running: Running
    region: str = offers.DEFAULT_REGION
    zone: str = offers.DEFAULT_ZONE
    image: str = offers.IMAGE_ID
    vswitch: str = offers.vswitch_id(offers.DEFAULT_ZONE)

    @property
    def env(self) -> dict:
        """Environment variables that lead any client here."""
        return {"ALIBABA_CLOUD_ACCESS_KEY_ID": self.access_key_id,
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self.access_key_secret,
                "ALIBABA_CLOUD_REGION_ID": self.region, "ALIBABA_CLOUD_ECS_ENDPOINT": self.endpoint,
                "ALIBABA_CLOUD_STS_ENDPOINT": self.endpoint, "ALIBABA_CLOUD_OSS_ENDPOINT": self.endpoint}

    def faults(self, **changes) -> dict:
        """Set faults, see emrctl.local.faults."""
        return self.cloud.faults.set(changes)

    def seed(self, count: int, **options) -> dict:
        """Add running instances at once, see emrctl.local.seed."""
        return seed(self.cloud, count, **options)

    def metadata(self, instance_id: str) -> str:
        """Address of the metadata service of one instance, in place of http://100.100.100.200."""
        return f"http://127.0.0.1:{self.running.open_metadata(instance_id)}"

    def temporary(self, role: str = "test", seconds: float = 3600) -> dict:
        """Temporary credentials: AccessKeyId, AccessKeySecret, SecurityToken, Expiration."""
        return self.cloud.sessions.issue(role, "test", seconds)


@contextlib.contextmanager
def api_only(tmp_path, driver=None, subnet: str = API_ONLY_SUBNET, memory_mib: int = UNLIMITED, **faults):
    """Serve on a free port of 127.0.0.1 while the block runs, yielding a LocalEcs.

    ``faults`` as in emrctl.local.faults; new instances and tags stay invisible for ``visibility_delay`` seconds, 0.05
    here unless given. The state lies in ``tmp_path``: entering again with the same folder is a restart.
    """
    state = Path(tmp_path)
    state.mkdir(parents=True, exist_ok=True)
    key_id, secret = keys.ensure(state)
    cloud = Cloud(state, driver or NullDriver(state), subnet, memory_mib, workers=8)
    cloud.faults.set({"visibility_delay": 0.05, **faults})
    running = Running(cloud, ["127.0.0.1"], 0, {key_id: secret}, state / "dist")
    try:
        yield LocalEcs(f"http://127.0.0.1:{running.port}", key_id, secret, cloud, running)
    finally:
        running.close()
