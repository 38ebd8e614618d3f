"""Spot prices: a history made from the names of type and zone, so that it is the same whenever it is asked for."""
from __future__ import annotations

import hashlib
import math
from calendar import timegm
from time import strptime

from .. import offers
from ..clock import stamp_seconds
from .errors import ApiError, invalid
from .registry import Call, action

HOUR = 3600
MOST_ROWS = 1000
MOST_SECONDS = 30 * 24 * HOUR
DEFAULT_SECONDS = 3 * HOUR


def _share(text: str) -> float:
    """A number from 0 to 1 made from a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 0xFFFFFFFF


def spot_price_at(item: offers.InstanceType, zone: str, seconds: float) -> float:
    """Spot price in CNY per hour: 12 to 30 % of the list price depending on the zone, dearer in the afternoon, with
    days of scarcity that bring it up to half. It changes by the hour."""
    place, hour = f"{item.name}/{zone}", int(seconds) // HOUR
    level = 0.12 + 0.18 * _share(place)
    wave = 1 + 0.12 * math.sin((hour % 24 - 9) / 24 * 2 * math.pi)
    noise = 0.97 + 0.06 * _share(f"{place}/{hour}")
    scarce = 1.6 if _share(f"{place}/day{hour // 24}") > 0.93 else 1.0
    return round(item.price * level * wave * noise * scarce, 4)


@action("DescribeSpotPriceHistory")
def describe_spot_price_history(call: Call) -> dict:
    """Spot prices by the hour, oldest first per zone: of the last three hours, or of up to 30 days between two times."""
    item = offers.TYPES.get(call.params["InstanceType"])
    if item is None:
        raise ApiError("InvalidInstanceType.ValueNotSupported")
    if call.params["NetworkType"] not in ("vpc", "classic"):
        raise invalid("NetworkType")
    zones = [z for z in offers.REGIONS[call.region][1] if call.get("ZoneId", z) == z]
    if not zones:
        raise ApiError("InvalidZoneId.NotFound")
    end = min(_time(call, "EndTime", call.now), call.now)
    start = _time(call, "StartTime", end - DEFAULT_SECONDS)
    if start > end or end - start > MOST_SECONDS:
        raise invalid("StartTime", "It must lie before EndTime, at most 30 days.")
    offset = call.get("Offset", 0)
    if offset < 0:
        raise invalid("Offset")
    hours = range(math.ceil(start / HOUR), int(end) // HOUR + 1)
    every = [(zone, hour) for zone in zones for hour in hours] if call.params["NetworkType"] == "vpc" else []
    rows = [{"ZoneId": zone, "InstanceType": item.name, "IoOptimized": "optimized", "NetworkType": "vpc",
             "SpotPrice": spot_price_at(item, zone, hour * HOUR), "OriginPrice": item.price,
             "Timestamp": stamp_seconds(hour * HOUR)} for zone, hour in every[offset:offset + MOST_ROWS]]
    after = offset + len(rows)
    return {"SpotPrices": {"SpotPriceType": rows}, "Currency": offers.CURRENCY,
            "NextOffset": after if after < len(every) else 0}


def _time(call: Call, name: str, default: float) -> float:
    text = call.get(name)
    if text is None:
        return default
    try:
        return timegm(strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        raise invalid(name) from None
