"""What went wrong in a run, told so that a person can act, and the exit code it means."""
from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

OK, FAILURE, USAGE, REFUSED, UNREACHABLE, TASK_FAILED, CANCELLED = 0, 1, 2, 3, 4, 5, 130
CHANGES = 10  # `plan --gate`: there is something to do; none of the others, so that a gate can tell it from trouble


@dataclass(frozen=True)
class Failure:
    """One failed task on one node. ``refused`` = nothing had been changed when it stopped."""

    node: str
    task: str
    message: str
    unreachable: bool = False
    refused: bool = False
    details: dict = field(default_factory=dict)

    @classmethod
    def from_event(cls, data: dict, unreachable: bool) -> Failure:
        """Build it from the ``event_data`` of a runner event."""
        res = data.get("res") if isinstance(data.get("res"), dict) else {}
        # ansible-runner puts an empty result in the place of one that is too large for it (MAX_EVENT_RES).
        silent = "failed without a message" if res else "failed; the message is too long to show here, see the full log"
        message = str(res.get("msg") or res.get("reason") or silent).strip()
        if res.get("results") and not res.get("module_stderr"):
            failed = [r for r in res["results"] if isinstance(r, dict) and r.get("failed")]
            message = "\n".join([message] + [str(r.get("msg", "")) for r in failed][:5]).strip()
        for key in ("module_stderr", "stderr"):
            text = str(res.get(key) or "").strip()
            if text and text not in message:
                message += "\n" + "\n".join(text.splitlines()[-6:])
                break
        task = " : ".join(part for part in (data.get("role"), data.get("task")) if part)
        return cls(str(data.get("host", "?")), task, message, unreachable or bool(res.get("emr_unreachable")),
                   bool(res.get("emr_refused")), res)


# A command in a sentence that was made where the cluster's name is not known.
_COMMAND = re.compile(r"\b(emrctl (?:[a-z-]+ )+)NAME\b")


def named(text: str, cluster: str | None) -> str:
    """A sentence of ours with the cluster's name in the commands that it tells to run next."""
    return _COMMAND.sub(lambda found: found[1] + cluster, text) if cluster else text


def exit_code(result) -> int:
    """The exit code for a run's Result."""
    if result.cancelled or result.status == "canceled":
        return CANCELLED
    if result.rc == 0:
        return FAILURE if result.lost else OK
    if any(f.refused for f in result.failures):
        return REFUSED
    if any(f.unreachable for f in result.failures):
        return UNREACHABLE
    return TASK_FAILED if result.failures else FAILURE


def explain(result, command: str = "") -> str:
    """Lines for stderr: what failed where, the log, and the next command. ``command`` is what a rerun would be."""
    if result.cancelled:
        lines = ["Cancelled. What was done so far stays; the same command goes on where it stopped."]
    elif result.failures:
        lines = [named(line, result.cluster) for line in _failure_lines(result.failures)]
    elif result.rc == 0 and result.lost:
        lines = ["The playbook has done its work, but its result was too large for an event of ansible-runner and is lost:",
                 *(f"  {task}" for task in result.lost)]
    else:
        lines = ["ansible-playbook failed:", *_log_tail(result.log)]
    if not (result.failures and all(f.refused for f in result.failures)):
        lines.append(f"Full log: {result.log}")
        if command and not any("next:" in line.lower() for line in lines):
            lines.append(f"Next: {command}")
    return "\n".join(lines)


def _failure_lines(failures) -> list[str]:
    """One paragraph per distinct message; nodes with the same message share it."""
    groups: dict[tuple, list[str]] = {}
    for failure in failures:
        key = (failure.task, failure.message, failure.unreachable, failure.refused)
        groups.setdefault(key, []).append(failure.node)
    lines = []
    for (task, message, unreachable, refused), nodes in groups.items():
        where = "" if nodes == ["localhost"] else f" on {', '.join(sorted(set(nodes)))}"
        what = "Refused; nothing was changed" if refused else "Unreachable" if unreachable else f"Failed: {task}"
        lines += [f"{what}{where}:", *("  " + line for line in message.splitlines())]
    return lines


def _log_tail(log, count: int = 12) -> list[str]:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ["  (no output)"]
    return ["  " + line for line in text.splitlines() if line.strip()][-count:]


def fail(message: str, code: int = FAILURE):
    """Print ``message`` on stderr and leave with ``code``."""
    print(f"emrctl: {message}", file=sys.stderr)
    raise SystemExit(code)
