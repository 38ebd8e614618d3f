"""Taking services out of a spec."""
from __future__ import annotations

from ...services.registry import BUNDLES, SERVICES
from ..errors import Refused
from ..text.names import nearest


def without_services(data: dict, names, last=()) -> dict:
    """The data of a spec without these services. Raises Refused for one that is unknown, not there or needed by another.

    ``last``: services that the edit removed which made the newest revision: asking for the same again is not an error.
    """
    services = [member for name in data["services"] for member in BUNDLES.get(name, (name,))]
    for name in names:
        _check_service(name, services, last)
        services = [service for service in services if service != name]
    for name in names:
        needing = [service for service in services if name in SERVICES[service]]
        if needing:
            raise Refused(f"{name} is needed by {' and '.join(needing)}", f"Remove {needing[0]} first: emrctl service remove "
                          f"{data['name']} {needing[0]}")
    if not services:
        raise Refused(f"{' and '.join(names)} is the only service of cluster {data['name']}",
                      f"To release the cluster: emrctl release {data['name']}")
    if set(services) == {m for s in data["services"] for m in BUNDLES.get(s, (s,))}:
        return data
    return dict(data, services=services)


def _check_service(name: str, services: list, last) -> None:
    if name in services or (name in SERVICES and name in last):
        return
    if name in BUNDLES:
        raise Refused(f"{name} stands for {', '.join(BUNDLES[name])}", "Remove them one by one, the last one first")
    guess = nearest(name, services)
    raise Refused(f"the cluster does not run {name!r}" + (f"; did you mean {guess}?" if guess else ""),
                  f"It runs: {', '.join(services)}")
