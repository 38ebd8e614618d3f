"""What a flow does next: which jobs start, which are left out, how it ends."""
from __future__ import annotations

WAITING, RUNNING, SUCCEEDED, FAILED, KILLED, SKIPPED = "WAITING", "RUNNING", "SUCCEEDED", "FAILED", "KILLED", "SKIPPED"
# A job in one of these has ended otherwise than it should.
BAD = (FAILED, KILLED, "LOST")
ENDED = (SUCCEEDED, SKIPPED) + BAD


def stops(jobs, states):
    """Names of the ended jobs because of which nothing more may start."""
    return [name for name, job in jobs.items() if states.get(name) in BAD and job["on_failure"] == "stop"]


def decide(jobs, states, parallel, killed=False):
    """(names to start, names to leave out, final state or ''), given the jobs {name: {after, on_failure}} and {name: state}.

    A job that failed and says ``continue`` lets those after it run. One that says ``stop`` ends the flow: what runs already
    ends by itself, nothing else starts. The final state comes when nothing runs any more.
    """
    waiting = [name for name in jobs if states.get(name, WAITING) == WAITING]
    running = [name for name in jobs if states.get(name, WAITING) not in (WAITING,) + ENDED]
    stopped = stops(jobs, states)
    if killed or stopped:
        return [], waiting, "" if running else KILLED if killed else FAILED
    ready = [name for name in waiting if all(states.get(before) in ENDED for before in jobs[name]["after"])]
    start = ready[:max(0, parallel - len(running))]
    return start, [], "" if running or waiting else SUCCEEDED


def again(jobs, states):
    """Names of the jobs that a retry runs: all that did not succeed."""
    return [name for name in jobs if states.get(name) != SUCCEEDED]


def cycle(after):
    """The names of a circle of jobs that wait for each other, the first repeated at the end; [] when there is none."""
    done = set()
    for first in after:
        path, position = [first], {first: 0}
        pending = [iter(after[first])]
        while pending:
            name = next(pending[-1], None)
            if name is None:
                pending.pop()
                last = path.pop()
                del position[last]
                done.add(last)
            elif name in position:
                return path[position[name]:] + [name]
            elif name in after and name not in done:
                position[name] = len(path)
                path.append(name)
                pending.append(iter(after[name]))
    return []
