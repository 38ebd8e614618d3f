"""An access key, or the way to one, and its renewal. Secrets never appear in a representation or in an error."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ...domain.errors import Refused

# Renewed so many seconds before their end: a call may be repeated for a while.
MARGIN = 240.0


@dataclass(frozen=True)
class Credentials:
    """An access key, or the way to one.

    ``source`` says where it was found; ``region`` is that source's default region, or empty; ``expires`` is seconds since
    the epoch, 0 for never; ``renew`` makes the successor of temporary ones; ``identity`` is the same for all of them.
    """

    access_key_id: str = field(repr=False)
    access_key_secret: str = field(repr=False)
    security_token: str = field(default="", repr=False)
    region: str = ""
    source: str = ""
    expires: float = 0.0
    renew: Callable | None = field(default=None, repr=False, compare=False)
    name: str = field(default="", repr=False)

    @property
    def identity(self) -> str:
        """Who this is, the same before and after a renewal; no secret."""
        return self.name or self.access_key_id

    def current(self, now: Callable = time.time, force: bool = False) -> Credentials:
        """These, or their successor when they are not there yet, end soon, or the API refused them (``force``).

        Raises Refused: a source that does not answer, or an ended token that nothing renews.
        """
        ends = self.expires - (MARGIN if self.renew else 0) if self.expires else float("inf")
        if self.access_key_id and not force and now() < ends:
            return self
        if self.renew is None:
            raise Refused(f"The security token of {self.source} has ended", "Get a new one and try again")
        key = self.renew(self.security_token if force else None)
        if key.expires and now() >= key.expires:
            raise Refused(f"{self.source} gives a security token that has ended already", "Check the clock of this machine")
        return replace(self, access_key_id=key.access_key_id, access_key_secret=key.access_key_secret,
                       security_token=key.security_token, expires=key.expires)


class Renewal:
    """Fetches a key when there is none, it ends soon or was refused; the clients of all threads share what it got."""

    def __init__(self, fetch: Callable, now: Callable = time.time):
        self._fetch, self._now, self._key, self._lock = fetch, now, None, threading.Lock()

    def __call__(self, refused: str | None = None):
        """The key; never again the one whose token is ``refused``. Raises Refused."""
        with self._lock:
            key = self._key
            if key is None or key.security_token == refused or (key.expires and self._now() > key.expires - MARGIN):
                self._key = self._fetch()
            return self._key
