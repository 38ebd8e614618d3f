"""What an upgrade to another release may do, in which state of the cluster, and what it pauses."""
from __future__ import annotations

from ...services.registry import homes
from ..errors import Refused
from ..install.releases import release

FORWARD, BACK = "forward", "back"


def check_same(before, wanted, what: str) -> None:
    """Raises Refused where ``what``, a spec of ``wanted``, would change the release by the way."""
    if wanted.release != before.release:
        raise Refused(f"release: {what} says {wanted.release} (the default where it says nothing), and the cluster is of {before.release}",
                      f"Write release: {before.release}, or change it first: emrctl upgrade {before.name} {wanted.release}")


def check(before, wanted, direction: str, states: dict) -> None:
    """Raises Refused, before any change, for an upgrade that is not possible now.

    ``states``: {service: what ``upgrade_state`` of its hooks told, None for no answer}.
    """
    name, changes = before.name, before.release != wanted.release
    if before.count("master") > 1:
        raise Refused(f"{name} has {before.count('master')} masters, and only clusters with one are upgraded yet",
                      "Create a cluster of the other release and copy the data (docs/upgrade.md)")
    for service, state in states.items():
        if state is None:
            raise Refused(f"{service} does not answer, so nobody knows whether it may be upgraded", f"Look with: emrctl status {name}; mend it with: "
                          f"emrctl repair {name}")
        if state["held"]:
            raise Refused(f"{service} cannot be upgraded now: {state['held']}", "End that, then run the same command again")
    unfinished = [service for service, state in states.items() if state["unfinished"]]
    if changes and direction == FORWARD and unfinished:
        raise Refused(f"the upgrade to {before.release} is not finalised yet ({', '.join(unfinished)})",
                      f"Keep it: emrctl upgrade {name} --finalize; or take it back: emrctl upgrade {name} --rollback")
    if changes and direction == BACK and not unfinished:
        raise Refused(f"no upgrade of {name} waits to be finalised, so there is nothing to take back", f"To change the release: emrctl upgrade {name} RELEASE")
    old, new = release(before.release), release(wanted.release)
    if old.disks != new.disks:
        raise Refused(f"{new.name} keeps other data on disks than {old.name} ({new.disks}, {old.disks}), so there would be no way back with what is "
                      "written from then on", f"Create a cluster of {new.name} and copy the data (docs/upgrade.md)")


def lagging(spec, states: dict) -> dict:
    """{service: {version: nodes}} of what does not run in the version of the spec's release."""
    found = {}
    for home in homes(spec.expanded_services):
        if home.name in states and home.software not in spec.artifacts:
            wanted = release(spec.release).version(home.software)
            others = {version: nodes for version, nodes in (states[home.name] or {}).get("versions", {}).items() if version != wanted}
            found.update({home.name: others} if others else {})
    return found


def check_finished(spec, states: dict) -> list:
    """The services whose upgrade waits to be finalised. Raises Refused where that cannot be done yet."""
    for service, state in states.items():
        if state is None:
            raise Refused(f"{service} does not answer", f"Look with: emrctl status {spec.name}")
    for service, others in lagging(spec, states).items():
        told = "; ".join(f"{version} on {', '.join(nodes[:5])}" for version, nodes in sorted(others.items()))
        raise Refused(f"the upgrade to {spec.release} has not reached all of {service} yet: {told}", f"Go on with: emrctl upgrade {spec.name} {spec.release}")
    return [service for service, state in states.items() if state["unfinished"]]


def described(before, wanted, direction: str) -> dict:
    """For people: {from, to, direction, versions: [{software, from, to}], pauses: [sentence]}."""
    old, new = release(before.release), release(wanted.release)
    rows = [{"software": name, "from": old.components.get(name, ""), "to": new.components.get(name, "")} for name in {**old.components, **new.components}]
    return {"from": old.name, "to": new.name, "direction": direction, "versions": [row for row in rows if row["from"] != row["to"]],
            "pauses": [sentence for home in homes(wanted.expanded_services) for sentence in home.pauses(wanted)]}
