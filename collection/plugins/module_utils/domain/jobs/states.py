"""What has become of a job, from its program's end and YARN's words."""
from __future__ import annotations

ALIVE = ("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING")
FINAL = ("SUCCEEDED", "FAILED", "KILLED", "LOST")
# A script may do anything with its applications, so its own exit code counts and nothing else.
FREE = ("SHELL",)


def alive(apps):
    """Those of YARN's applications that have not ended."""
    return [app for app in apps if app.get("state") in ALIVE]


def status(app):
    """State of a job that is nothing but this ended application."""
    if app.get("state") == "FINISHED":
        return {"SUCCEEDED": "SUCCEEDED", "KILLED": "KILLED"}.get(app.get("finalStatus", ""), "FAILED")
    return "KILLED" if app.get("state") == "KILLED" else "FAILED"


def judge(kind, code, apps):
    """{state, exit_code, reason} of an attempt whose applications have ended.

    ``code``: exit code of the program on the master, negative: the signal that ended it, None: it went with its machine.
    ``apps``: what the ResourceManager knows of its applications, in the order of their birth.
    """
    last = apps[-1] if apps and kind not in FREE else None
    said = status(last) if last else ""
    if code is None or code < 0:
        how = "the program on the master is gone" if code is None else f"the program on the master was killed by signal {-code}"
        if last:
            return {"state": said, "exit_code": 0 if said == "SUCCEEDED" else None,
                    "reason": f"{how}; {last.get('id', 'its application')} ended as {said}"}
        return {"state": "LOST" if code is None else "FAILED", "exit_code": None if code is None else 128 - code, "reason": how}
    if said in ("FAILED", "KILLED") and (code == 0 or said == "KILLED"):
        return {"state": said, "exit_code": code, "reason": f"{last.get('id', 'its application')} ended as {said}"}
    return {"state": "SUCCEEDED" if code == 0 else "FAILED", "exit_code": code, "reason": ""}
