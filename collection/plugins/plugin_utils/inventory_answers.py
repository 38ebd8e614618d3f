"""The inventory plugin's cache: answers by question, compressed, with their age; read again after their time as a fallback.

Core's cache plugins take any value, but walk and mark each text in it, both ways. One compressed text passes through in no
time and keeps the file at a tenth of its size.
"""
from __future__ import annotations

import base64
import json
import time
import zlib

from ansible.plugins.inventory import get_cache_plugin


class Answers:
    """Reads and writes through the cache plugin that the inventory file names. ``fresh`` false ignores what is in time."""

    def __init__(self, plugin, fresh: bool):
        self._plugin, self._fresh, self._late = plugin, fresh, None

    @property
    def used(self) -> bool:
        """Whether there is a cache at all."""
        return bool(self._plugin.get_option("cache"))

    def _name(self, key: str) -> str:
        return f"emr_ecs_{key}"

    def in_time(self, key: str):
        """The answer that is still valid, or None."""
        return self._read(self._plugin.cache, key)[0] if self.used and self._fresh else None

    def late(self, key: str) -> tuple:
        """(answer, its age in seconds) whatever its age; (None, 0) without one, or when a new one was asked for."""
        if not self.used or not self._fresh:
            return None, 0
        if self._late is None:
            options = {name: self._plugin.get_option(option) for name, option in (
                ("_uri", "cache_connection"), ("_prefix", "cache_prefix")) if self._plugin.get_option(option) is not None}
            self._late = get_cache_plugin(self._plugin.get_option("cache_plugin"), _timeout=0, **options)
        return self._read(self._late, key)

    def _read(self, cache, key: str) -> tuple:
        try:
            entry = cache[self._name(key)]
            answer = json.loads(zlib.decompress(base64.b64decode(entry["data"])))
            return answer, max(0, int(time.time() - entry["at"]))
        except KeyError:
            return None, 0
        except (ValueError, TypeError, zlib.error):
            # Written by something else, or cut off: the same as no entry.
            return None, 0

    def keep(self, key: str, answer: list) -> None:
        """Write an answer; core does it when the plugin is done."""
        if self.used:
            text = json.dumps(answer, separators=(",", ":"))
            self._plugin.cache[self._name(key)] = {
                "at": int(time.time()), "data": base64.b64encode(zlib.compress(text.encode(), 1)).decode()}
