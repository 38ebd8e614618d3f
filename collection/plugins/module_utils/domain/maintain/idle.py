"""When a cluster was last active, and whether its spec says to give it back.

Active is: a YARN application or a job runs or waits, or a client opens, creates, writes or appends to a file in HDFS. When
applications and jobs ended is on record. HDFS only counts, so its work is dated at the look that finds more of it than
the look before: never earlier than it was. Times are seconds since the epoch.
"""
from __future__ import annotations

from dataclasses import dataclass

from ..text import durations

AGE, IDLE = "age", "idle"
KEEP, WARN, WAIT, RELEASE, PROTECTED = "keep", "warn", "wait", "release", "protected"


def advance(record, seen, now):
    """The record of activity after a look. ``record``: of the look before, or None. Both are plain data:

    record {active, why, seen, what was counted by name}; seen {name: what a service or the jobs tell, or None, unknown: [what did not answer]}.
    Each tells in ``words`` what it is about, and either what is running, ended (when last) and what that was, or what it has counted:
    started, operations, open.
    """
    told = {name: part for name, part in seen.items() if part and name != "unknown"}
    counted = {name: part for name, part in told.items() if "operations" in part}
    moments = [(record["active"], record["why"]) if record else (now, "first check")]
    for part in (part for name, part in told.items() if name not in counted):
        if part.get("running"):
            moments.append((now, f"{part['running']} {part['words']} run or wait"))
        elif part.get("ended"):
            # A node's clock may be ahead; nothing has ended later than now.
            moments.append((min(now, part["ended"]), f"{part.get('what') or part['words']} ended"))
    for name, part in counted.items():
        before = (record or {}).get(name)
        if before and _worked(before, part):
            moments.append((now, f"{part['words']} were opened or written since the last check"))
        if part.get("open"):
            # Who writes slowly needs no new block for hours. A writer that died loses its files within the hour.
            moments.append((now, f"{part['open']} {part['words']} are being written"))
    moments += [(now, f"unknown: {text}") for text in seen.get("unknown", [])]
    active, why = max(moments, key=lambda moment: moment[0])
    kept = {name: part for name, part in (record or {}).items() if isinstance(part, dict)}
    return {**kept, **counted, "active": active, "why": why, "seen": now}


def _worked(before, now):
    """Whether clients worked between two looks. A daemon that was restarted counts from zero."""
    if before["started"] != now["started"]:
        return now["operations"] > 0
    return now["operations"] != before["operations"]


@dataclass(frozen=True)
class Warned:
    """The warning on an anchor: when, and for AGE or IDLE."""

    at: int
    reason: str

    @property
    def text(self) -> str:
        """As the tag has it."""
        return f"{self.at} {self.reason}"


def read_warned(text):
    """The Warned of a tag's text, or None when it is none."""
    at, _space, reason = (text or "").partition(" ")
    return Warned(int(at), reason) if at.isdigit() and len(at) < 12 and reason in (AGE, IDLE) else None


@dataclass(frozen=True)
class Verdict:
    """What is to be done with a cluster, why, and for WARN and WAIT from when on it is released."""

    action: str
    reason: str = ""
    text: str = ""
    due: float = 0.0


def judge(max_age, idle_release, created, active, warned, grace, protected, now):
    """The Verdict. ``max_age``, ``idle_release``: durations or None; ``created``, ``active``: moments, None when not
    known; ``warned``: Warned or None; ``grace``: seconds from the warning to the release; ``protected``: may not be
    deleted.
    """
    reasons, since = [], {}
    if max_age and created and now - created >= durations.seconds(max_age):
        reasons.append((AGE, f"it is {durations.words(now - created)} old, max_age is {max_age}"))
        since[AGE] = int(created + durations.seconds(max_age))
    if idle_release and active and now - active >= durations.seconds(idle_release):
        reasons.append((IDLE, f"it was idle for {durations.words(now - active)}, idle_release is {idle_release}"))
        since[IDLE] = int(active + durations.seconds(idle_release))
    if not reasons:
        return Verdict(KEEP)
    # A warning for a reason that no longer holds is none for another one, and none for the same that came anew: between two
    # looks the cluster may have worked, or its key may have been raised.
    warned = warned if warned and warned.at >= since.get(warned.reason, 0) else None
    reason, text = next(((r, t) for r, t in reasons if warned and warned.reason == r), reasons[0])
    if protected:
        return Verdict(PROTECTED, reason, text)
    if not warned or warned.reason != reason:
        return Verdict(WARN, reason, text, now + grace)
    due = warned.at + grace
    return Verdict(RELEASE if now >= due else WAIT, reason, text, due)
