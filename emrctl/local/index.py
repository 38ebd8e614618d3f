"""Index over the instances of a store, so that a page of a large account costs as little as one of a small account.

It follows every commit. A query's whole result is remembered until an instance of the region changes, or until one of
them (or a change of its tags) becomes visible.
"""
from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict

MOST_QUERIES = 64


class _Region:
    """Instances of one region: ``order`` holds their ``seq``, ascending; the sets hold ids."""

    def __init__(self):
        self.order: list = []
        self.by_seq: dict = {}
        self.by_tag: dict = {}
        self.queries: OrderedDict = OrderedDict()


class InstanceIndex:
    """Instances by region, tag and address. All calls need the store's lock, which a transaction holds."""

    def __init__(self, store):
        self._regions: dict = {}
        self._by_ip: dict = {}
        for item in sorted(store.all("instance"), key=lambda i: i["seq"]):
            self._changed(None, item)
        store.watch("instance", self._changed)

    def by_ip(self, address: str) -> dict | None:
        """The instance that has this private address, in whatever region."""
        return self._by_ip.get(address)

    def find(self, region: str, key, tags: list, accept, now: float) -> list:
        """Visible instances for which ``accept(item)`` holds, oldest first. Do not change the list.

        key: everything that ``accept`` depends on, hashable. tags: (key, value or None) that ``accept`` asks for.
        """
        place = self._regions.get(region)
        if place is None:
            return []
        known = place.queries.get(key)
        if known is not None and now < known[1]:
            place.queries.move_to_end(key)
            return known[0]
        found, until = [], float("inf")
        for item in self._candidates(place, tags):
            old = item.get("old_tags")
            if item["visible_at"] > now:
                until = min(until, item["visible_at"])
                continue
            if old and old["until"] > now:
                until = min(until, old["until"])
            if accept(item):
                found.append(item)
        place.queries[key] = (found, until)
        if len(place.queries) > MOST_QUERIES:
            place.queries.popitem(last=False)
        return found

    @staticmethod
    def _candidates(place: _Region, tags: list):
        """Instances that may have all the tags, now or before their latest change."""
        sets = [place.by_tag.get(pair if pair[1] is not None else pair[0], set()) for pair in tags]
        if not sets:
            return [place.by_seq[seq] for seq in place.order]
        return [place.by_seq[seq] for seq in sorted(min(sets, key=len))]

    def _changed(self, old: dict | None, new: dict | None) -> None:
        if old is not None and new is not None and old["region"] == new["region"]:
            place = self._regions[new["region"]]
            place.queries.clear()
            place.by_seq[new["seq"]] = new
            if self._labels(old) != self._labels(new):
                self._unlabel(place, old)
                self._label(place, new)
        else:
            if old is not None:
                self._remove(old)
            if new is not None:
                self._add(new)
        if old is not None and (new is None or new["ip"] != old["ip"]):
            self._by_ip.pop(old["ip"], None)
        if new is not None:
            self._by_ip[new["ip"]] = new

    def _add(self, item: dict) -> None:
        place = self._regions.setdefault(item["region"], _Region())
        place.queries.clear()
        place.by_seq[item["seq"]] = item
        if not place.order or place.order[-1] < item["seq"]:
            place.order.append(item["seq"])
        else:
            insort(place.order, item["seq"])
        self._label(place, item)

    def _remove(self, item: dict) -> None:
        place = self._regions[item["region"]]
        place.queries.clear()
        del place.by_seq[item["seq"]]
        place.order.pop(bisect_left(place.order, item["seq"]))
        self._unlabel(place, item)

    @staticmethod
    def _labels(item: dict) -> set:
        """Tags by key and by key and value, those of before the latest change included."""
        pairs = set(item["tags"].items())
        if item.get("old_tags"):
            pairs |= set(item["old_tags"]["tags"].items())
        return pairs | {key for key, _ in pairs}

    def _label(self, place: _Region, item: dict) -> None:
        for label in self._labels(item):
            place.by_tag.setdefault(label, set()).add(item["seq"])

    def _unlabel(self, place: _Region, item: dict) -> None:
        for label in self._labels(item):
            seqs = place.by_tag[label]
            seqs.discard(item["seq"])
            if not seqs:
                del place.by_tag[label]
