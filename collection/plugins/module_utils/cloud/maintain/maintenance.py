"""What maintain finds and does in the cloud: the end of a cluster's life, spot nodes that went, leftovers.

Runs on the controller, by cron or AWX with nobody to ask: what it does follows from the spec alone, and what does not is
only reported. Times are seconds since the epoch, durations seconds.
"""
from __future__ import annotations

import time
from calendar import timegm

from ...domain.errors import EmrError
from ...domain.jobs.budget import in_words
from ...domain.maintain import idle
from ...domain.text import durations
from ..cluster.anchor import node_name
from ..cluster.operation import READY, Operation
from ..cluster.teardown import release_plan
from ..ecs.client import tags_of
from ..purchase.plan import lowest_free

REPAIR = "Look with: emrctl status {0}, replace what is lost with: emrctl repair {0}"


def clock(seconds: float) -> str:
    """A moment for people, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(seconds))


def moment(text: str):
    """The moment of an API's time, or None when there is none."""
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ"):
        try:
            return timegm(time.strptime(text, form))
        except (ValueError, TypeError):
            continue
    return None


def is_spot(instance: dict) -> bool:
    """Whether ECS may take the instance back."""
    return instance.get("SpotStrategy", "NoSpot") not in ("NoSpot", "")


def is_going(instance: dict) -> bool:
    """Whether ECS has given notice."""
    locks = (instance.get("OperationLocks") or {}).get("LockReason") or []
    return any(lock.get("LockReason") == "Recycling" for lock in locks)


class Maintenance:
    """One run over one cluster.

    ``spec`` is the newest one, None when the control node could not be asked; ``unread`` then says why. ``activity``
    is the record of module idle, ``excluded`` the names on the lists of excluded nodes. With ``act`` false nothing is
    changed.
    """

    def __init__(self, operation: Operation, spec, activity=None, excluded=(), unread="", grace=3600, act=True,
                 now=None):
        self.operation, self.spec, self.activity, self.unread = operation, spec, activity or {}, unread
        self.excluded, self.grace, self.act = excluded, grace, act
        self.now = time.time() if now is None else now
        self.done, self.problems = [], []
        self.found = operation.found()
        self.counts = {group.name: group.count for group in spec.node_groups.values()} if spec else {}
        self.beyond = self._beyond_budget()
        self.counts.update(dict.fromkeys(self.beyond, 0))

    def _beyond_budget(self) -> list:
        """Names of task groups with nodes that a spent budget releases."""
        if not self.counts or not (self.activity.get("budget") or {}).get("releases"):
            return []
        return [name for name, group in self.spec.node_groups.items() if group.role == "task" and (group.count or self.found.of_group(name))]

    def run(self) -> dict:
        """Judge, then do what follows. Returns plain data: ``converge`` says whether nodes are to be bought or lists
        to be cleaned."""
        verdict = self._judge()
        data = {"verdict": verdict.action, "why": verdict.text, "released": False, "converge": False,
                # Without a spent budget an edit that changes nothing: converge on the spec as it is kept.
                "edit": {"groups": self.counts} if self.spec else {}}
        if verdict.action == idle.RELEASE:
            data["released"] = self._release(verdict)
        else:
            self._warn(verdict)
            if self._runs() and self.spec is not None:
                data["converge"] = self._complete()
            elif not self._runs():
                self.done.append("it is stopped, so nothing is bought or removed")
        if self.unread:
            self.problems.append(f"the control node did not answer: {self.unread}")
        data.update(done=self.done, problems=self.problems, active=self.activity.get("active"),
                    active_why=self.activity.get("why", ""), created=self._created(), due=verdict.due or None)
        return data

    def _runs(self) -> bool:
        return any(i.get("Status") == "Running" for i in self.found.instances)

    def _created(self):
        """When the cluster was made: its security group first, else its oldest node."""
        anchor = self.found.anchor
        times = [moment(anchor.created)] if anchor else []
        times = [t for t in times if t] or [moment(i.get("CreationTime", "")) for i in self.found.instances]
        return min((t for t in times if t), default=None)

    def _judge(self) -> idle.Verdict:
        anchor, created = self.found.anchor, self._created()
        max_age = self.spec.max_age if self.spec else None
        if self.spec is None and anchor and anchor.until.isdigit() and created:
            # Stopped, or its master is gone: what an earlier run has written down of its spec still holds.
            max_age = f"{max(1, int(anchor.until) - created)}s"
        known = self.activity.get("active") if not self.activity.get("unknown") else None
        protected = sorted(i["InstanceName"] for i in self.found.instances if i.get("DeletionProtection"))
        self.protected = bool(protected) or bool(self.spec and self.spec.deletion_protection)
        return idle.judge(max_age, self.spec.idle_release if self.spec else None, created, known,
                          idle.read_warned(anchor.warned) if anchor else None, self.grace, self.protected, self.now)

    def _warn(self, verdict: idle.Verdict) -> None:
        """Tell of a release that is due, and record or take away the warning and the end of life on the anchor."""
        anchor, warned = self.found.anchor, ""
        name = self.operation.name
        if verdict.action == idle.PROTECTED:
            self.done.append(f"it would be released ({verdict.text}), but is protected against deletion: kept")
        elif verdict.action in (idle.WARN, idle.WAIT):
            warned = idle.Warned(int(self.now), verdict.reason).text if verdict.action == idle.WARN else anchor.warned
            what = "warned" if verdict.action == idle.WARN else "still warned"
            self.done.append(f"{what}: {verdict.text}; released by the first run of maintain after {clock(verdict.due)}. To "
                             "keep it, change or remove the key in its spec (emrctl apply)")
        elif anchor and anchor.warned:
            self.done.append("the warning is withdrawn, because its reason no longer holds")
        if anchor is None:
            self.problems.append(f"cluster {name} has no security group that carries its state")
            return
        until = anchor.until
        if self.spec is not None:
            created = self._created()
            until = str(created + durations.seconds(self.spec.max_age)) if self.spec.max_age and created else ""
        if self.act and (warned, until) != (anchor.warned, anchor.until):
            self.found.anchor = anchor.mark(self.operation.client, warned, until)
            self.operation.changed = True

    def _release(self, verdict: idle.Verdict) -> bool:
        """Give the cluster back; whether it is gone."""
        nodes = len(self.found.instances)
        if not self.act:
            self.done.append(f"would release it with {nodes} nodes: {verdict.text}")
            return False
        # The plan that was warned of is the confirmation, for exactly the nodes that are there now.
        self.operation.confirm = release_plan(self.found)["digest"]
        self.operation.release()
        self.operation.unlock()
        self.done.append(f"released with {nodes} nodes: {verdict.text}")
        return True

    def _complete(self) -> bool:
        """Remove dead spot nodes, and find out whether the cluster lacks some. Others are a matter for people."""
        dead = sorted(i["InstanceName"] for i in self.found.instances if is_spot(i) and i.get("Status") == "Stopped")
        going = sorted(i["InstanceName"] for i in self.found.instances if is_going(i))
        if dead:
            self.done.append(f"{'released' if self.act else 'would release'} stopped spot nodes: {', '.join(dead)}")
        if dead and self.act:
            self.operation.release_nodes(dead, ())
            self.found = self.operation.found()
        lacking, begun = self._lacking(() if self.act else dead), self._unfinished(dead)
        spot = sorted({name for g, names in lacking.items() if self._is_spot_group(g) for name in names}
                      | {name for g, name in begun if self._is_spot_group(g)})
        others = {name for g, names in lacking.items() if not self._is_spot_group(g) for name in names}
        others |= {i["InstanceName"] for i in self.found.instances if i.get("Status") != "Running" and not is_spot(i)}
        begun = {name for g, name in begun if not self._is_spot_group(g)} - others
        if others:
            self.problems.append("nodes that hold data or serve others are missing or do not run: "
                                 f"{', '.join(sorted(others))}. " + REPAIR.format(self.operation.name))
        if begun:
            self.problems.append(f"nodes were bought and never finished: {', '.join(sorted(begun))}. Run the "
                                 "interrupted command again (create or apply)")
        if others or begun:
            return False
        stale = sorted(set(self.excluded) - {i["InstanceName"] for i in self.found.instances})
        if not (spot or stale or self.beyond):
            return False
        if going:
            # They would go in the middle of it.
            self.done.append(f"{', '.join(going)} will be gone within minutes; the next run does the rest: "
                             f"{', '.join(spot or stale or self.beyond)}")
            return False
        verb = "" if self.act else "would "
        self.done += [f"{verb}replace spot nodes: {', '.join(spot)}"] if spot else []
        self.done += [f"{verb}remove the records of nodes that are gone: {', '.join(stale)}"] if stale else []
        self.done += [f"{verb}release the task groups {', '.join(self.beyond)}: {self._spent()}"] if self.beyond else []
        return True

    def _spent(self) -> str:
        """Of this month's budget, and how the task nodes come back."""
        spent, day = in_words(self.activity["budget"])
        back = " ".join(f"{name}={self.spec.node_groups[name].count or 1}" for name in self.beyond)
        return f"{spent}. To have them again from {day} on, or with a larger budget: emrctl scale {self.operation.name} {back}"

    def _is_spot_group(self, name: str) -> bool:
        return name in self.spec.node_groups and self.spec.node_groups[name].spot is not None

    def _unfinished(self, without) -> list:
        """(group, name) of nodes whose purchase is announced or done, and whose deployment an interruption cut off."""
        announced = [(i.group, name) for i in self.found.anchor.intents for name in i.names(self.operation.name)] if (
            self.found.anchor) else []
        return announced + [(tags_of(i).get("emr:group", ""), i["InstanceName"]) for i in self.found.instances
                            if not tags_of(i).get(READY) and i["InstanceName"] not in without]

    def _lacking(self, without) -> dict:
        """{group: names} that the spec has and nobody is; ``without``: names that count as gone."""
        result: dict = {}
        for group in self.spec.node_groups.values():
            here = {i["InstanceName"] for i in self.found.of_group(group.name)} - set(without)
            ordinals = lowest_free(self.spec.name, group.name, here, self.counts[group.name] - len(here))
            if ordinals:
                result[group.name] = [node_name(self.spec.name, group.name, n) for n in ordinals]
        return result


def check(data: dict) -> None:
    """Raises EmrError when something was found that maintain must not repair."""
    if data["problems"]:
        raise EmrError("; ".join(data["problems"]))
