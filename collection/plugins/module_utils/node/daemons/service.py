"""Start and stop the daemons of a node, gated on their health.

All daemons of a node start as early as their dependencies on the same node allow; daemons that wait for another node
(DataNode, NodeManager) retry by themselves, so nodes come up together.
"""
from __future__ import annotations

import os
import time

from ...domain.waiting import wait
from ..common import NodeError, log_tail, read_text, run, unit_states
from ..config.configure import inspect
from ..hdfs.client import SUPERUSER, WebHdfs, ensure_archive, ensure_directories
from ..host.bootstrap import run_scripts
from ..install.install import SERVER_UNIT
from ..people.accounts import settle_homes
from ..services.hooks import asked, hook
from .format import format_if_empty, held
from .health import hdfs_summary, probe
from .refresh import refresh
from .stale import RUNNING, stale_parts, wants_refresh, wants_restart

MAX_RESTARTS = 3
GROUPS = "/sys/fs/cgroup"
# Containers outlive their NodeManager when it restarts; when it is stopped they get so many seconds to end.
ORPHANS_S = 10


def apply(params, check):
    """Do what the module's options ask for. Returns the module's result."""
    if params["state"] == "stopped":
        return stop(params["components"], check)
    result = Start(params, check).run()
    if params.get("stale") == "keep":
        found = stale_parts([c["name"] for c in params["components"]])
        result.update(emr_stale=found["restart"], emr_refresh=found["refresh"], emr_idle=found["idle"])
    return result


def stop(components, check):
    """Stop the daemons, in one call; systemd stops them side by side. Containers of a NodeManager end with it."""
    states = unit_states([c["unit"] for c in components])
    running = [c for c in reversed(components)
               if states.get(c["unit"], {}).get("ActiveState") not in ("inactive", "failed", None)]
    if running and not check:
        run(["systemctl", "stop"] + [f"{c['unit']}.service" for c in running], limit_s=180)
    orphans = [] if check else [c for c in components if c.get("survives") and end_orphans(c["unit"])]
    return {"changed": bool(running or orphans), "stopped": [c["name"] for c in running or orphans]}


def end_orphans(unit):
    """End what a stopped unit left behind in its control group; whether there was anything."""
    if not _members(unit):
        return False
    for signal in ("TERM", "KILL"):
        # The processes may end by themselves meanwhile, which systemctl calls a failure.
        run(["systemctl", "kill", "--kill-who=all", f"--signal={signal}", f"{unit}.service"], check=False)
        if not wait(lambda: _members(unit), ORPHANS_S, 0.1):
            return True
    raise NodeError(f"processes of {unit}.service do not end: {', '.join(_members(unit))}. Look at them with ps.")


def _members(unit):
    """Ids of the processes in a unit's control group, also when the unit itself has stopped."""
    path = run(["systemctl", "show", "-p", "ControlGroup", "--value", f"{unit}.service"], check=False)[1].strip()
    found = []
    for root in (GROUPS, f"{GROUPS}/systemd", f"{GROUPS}/unified"):
        # The group of a unit that is not there any more has no path; the root group is not ours.
        if path in ("", "/"):
            break
        found += (read_text(f"{root}{path}/cgroup.procs") or "").split()
    return sorted(set(found))


class Start:
    """One run of starting: which daemons, what was started, what became ready after how long (seconds)."""

    def __init__(self, params, check):
        self.params, self.check = params, check
        self.components = params["components"]
        self.names = {c["name"] for c in self.components}
        self.leads = {c["name"] for c in self.components if c.get("leads")}
        # Daemons that lead, and serve as far as it is theirs, while none of several is active yet.
        self.standing = set()
        self.changes, self.said, self.ready = [], {}, {}
        self.launched, self.restarts = set(), {}
        self.archives = list(params["file_system"].get("archives", []))
        self.begun = time.monotonic()

    def run(self):
        """Start what is not running, restart what is stale (or leave that to the roll), wait until all serve."""
        states = unit_states([c["unit"] for c in self.components])
        for component in self.components:
            if states.get(component["unit"], {}).get("LoadState") == "not-found" and not self.check:
                raise NodeError(f"{component['unit']}.service is not there: run create or deploy first")
        # An earlier look at the same start counted from when it began.
        self.restarts = self.params.get("restarts") or {unit: int(state.get("NRestarts") or 0) for unit, state in states.items()}
        todo = {c["name"]: self._needed(c, states) for c in self.components}
        self._check_data()
        if self.check:
            changes = [f"{name}: {verb}" for name, verb in todo.items() if verb]
            return {"changed": bool(changes), "changes": changes}
        if self.params["file_system"] and not self.leads:
            self._directories()
        waits = self._loop(todo)
        if waits:
            return {"changed": bool(self.changes), "changes": self.changes, "waits": waits, "again": {"restarts": self.restarts}}
        if self.params["file_system"]:
            # All nodes have their software by now: nobody needs the control node's archives any more.
            run(["systemctl", "stop", f"{SERVER_UNIT}.service"], check=False)
        done, told = run_scripts(self.params["bootstrap"], False)
        self.changes += done
        return {"changed": bool(self.changes), "changes": self.changes, "told": told,
                "emr_ready": {name: round(seconds, 2) for name, seconds in self.ready.items()}}

    def _needed(self, component, states):
        """'start', 'restart' (its configuration is older than the files, and no roll will come to it) or ''."""
        if states.get(component["unit"], {}).get("ActiveState") not in RUNNING:
            return "start"
        if not wants_restart(component["name"]):
            return ""
        # Its turn to restart comes when everything serves here: what does not would be waited for in vain.
        return "" if self.params.get("stale") == "keep" and probe(component["health"])[0] else "restart"

    def relaunch(self, todo):
        """Start or restart exactly these: {component: start or restart}, and wait until they serve."""
        self.restarts = {unit: int(state.get("NRestarts") or 0)
                         for unit, state in unit_states([c["unit"] for c in self.components]).items()}
        self._loop(todo)

    def _check_data(self):
        """Refuse to start a DataNode on directories of another cluster; it would only say so in its log."""
        for path in self.params["data_dirs"]:
            found = inspect(path)
            if found["state"] == "formatted" and found["cluster_id"] != self.params["cluster_id"]:
                raise NodeError(f"{path} holds blocks of cluster {found['cluster_id']}, this is "
                                f"{self.params['cluster_id']}. It is left alone: move it away if you do not need it.")

    def _loop(self, todo):
        """Launch in order and wait until all serve. Returns '', or what is waited for when one look (``look_s``) is over."""
        deadline = self.begun + self.params["limit_s"]
        look = self.begun + self.params.get("look_s", self.params["limit_s"])
        while True:
            self._launch([c for c in self.components if c["name"] not in self.launched and self._may_start(c)], todo)
            self._archives()
            for component in self.components:
                if component["name"] in self.launched and component["name"] not in self.ready:
                    self._look(component)
            waiting = [c for c in self.components if c["name"] not in self.ready]
            if not waiting and not self.archives:
                return ""
            self._check_alive()
            if deadline > look and time.monotonic() > look:
                return f"{waiting[0]['label']}: {self._why(waiting[0])}" if waiting else self.said["archives"]
            if time.monotonic() > deadline:
                if not waiting:
                    raise NodeError(f"{self.archives[0]['path']} could not be put into HDFS within {self.params['limit_s']} s: "
                                    f"{self.said['archives']}. Look with: emrctl status; then run the command again")
                raise self._failure(waiting[0], f"not ready after {self.params.get('whole_s', self.params['limit_s'])} s: "
                                    f"{self._why(waiting[0])}")
            time.sleep(0.15)

    def _why(self, component):
        """What a daemon that does not serve said last, or waits for."""
        said = self.said.get(component["name"], "waits for " + (", ".join(component["after"]) or "its start"))
        held = asked(self.params.get("answers", {}), "waiting") if component.get("application") else {}
        return next(filter(None, held.values()), said)

    def _may_start(self, component):
        if component.get("application") and self.archives:
            return False  # its containers start from them
        if component.get("leads"):
            said = held(self.params["format"])
            self.said.update({component["name"]: said} if said else {})
            if said:
                return False
        there = {*self.ready, *(self.standing if component.get("elects") else ())}
        return all(name in there for name in component["after"] if name in self.names)

    def _launch(self, components, todo):
        """Start or restart these units; what leads is formatted first where that is right."""
        if any(c.get("application") for c in components):
            self._refresh_queues()
        for group in ([c for c in components if not c.get("leads")], [c for c in components if c.get("leads")]):
            for component in group:
                if component.get("leads") and self.params["format"]:
                    done = format_if_empty(self.params["format"], self.params["environment"])
                    self.changes += [done] if done else []
                if component.get("prepare") and todo[component["name"]] == "start":
                    done = hook(component["prepare"], "PREPARE")(component)
                    self.changes += [done] if done else []
            for verb in ("start", "restart"):
                units = [f"{c['unit']}.service" for c in group if todo[c["name"]] == verb]
                if units:
                    run(["systemctl", verb] + units, limit_s=180)
                    self.changes += [f"{c['name']}: {verb}ed" for c in group if todo[c["name"]] == verb]
            self.launched |= {c["name"] for c in group}

    def _refresh_queues(self):
        """An application needs the share of application masters as the files have it, before its daemon waits for YARN to begin it."""
        for row in self.params.get("refreshes", ()):
            manager = row["component"]
            running = unit_states([row["unit"]]).get(row["unit"], {}).get("ActiveState") in RUNNING
            if running and not wants_restart(manager) and row["name"] in wants_refresh(manager):
                self.changes.append(refresh(row))

    def _look(self, component):
        ready, said = probe(component["health"])
        self.said[component["name"]] = said
        if ready:
            if component.get("leads") and self.params["file_system"]:
                if not self._active():
                    self.standing.add(component["name"])
                    self.said[component["name"]] = f"none of several is active yet ({said})"
                    return
                self._directories()
            self.ready[component["name"]] = time.monotonic() - self.begun

    def _active(self):
        """Whether the file system has somebody who serves it: of several one has to become active first."""
        base = self.params["file_system"]["base"]
        return "," not in base or bool(hdfs_summary(base))

    def _directories(self):
        wanted = self.params["file_system"]
        made = ensure_directories(WebHdfs(wanted["base"], SUPERUSER), wanted["directories"], False, 60)
        self.changes += [f"HDFS {path}" for path in made]
        if wanted.get("homes"):
            self.changes += settle_homes(wanted["base"], wanted["homes"], False)

    def _archives(self):
        """Put archives into HDFS, once it takes them, while daemons launched just now come up."""
        if not self.archives or not self.leads <= set(self.ready):
            return
        base = self.params["file_system"]["base"]
        self.archives = [row for row in self.archives if not WebHdfs(base, row["owner"]).status(row["path"])]
        while self.archives and self._takes_files(base):
            row = self.archives.pop(0)
            if ensure_archive(WebHdfs(base, row["owner"]), row):
                self.changes.append(f"HDFS {row['path']}")

    def _takes_files(self, base):
        """Whether HDFS can be written to. An empty one leaves safe mode before the first DataNode has come."""
        found = hdfs_summary(base)
        if not found:
            self.said["archives"] = f"the NameNode does not answer at {base}"
        elif found["safe_mode"]:
            self.said["archives"] = "HDFS is in safe mode: " + found["safe_mode"].split(".")[0]
        else:
            self.said["archives"] = f"{found['live']} DataNodes are live, with {found['free_bytes']} bytes free"
        return bool(found and not found["safe_mode"] and found["live"] and found["free_bytes"])

    def _check_alive(self):
        """Fail at once for a daemon that has given up instead of waiting for the limit."""
        waiting = [c for c in self.components if c["name"] in self.launched and c["name"] not in self.ready]
        for unit, state in unit_states([c["unit"] for c in waiting]).items():
            restarts = int(state.get("NRestarts") or 0) - self.restarts.get(unit, 0)
            if state.get("ActiveState") == "failed" or restarts >= MAX_RESTARTS:
                component = next(c for c in waiting if c["unit"] == unit)
                raise self._failure(component, f"keeps ending (exit status {state.get('ExecMainStatus')}, "
                                    f"{restarts} restarts)")

    @staticmethod
    def _failure(component, what):
        lines = log_tail(component["unit"], component["log_file"])
        log = component["log_file"] if os.path.exists(component["log_file"]) else f"journalctl -u {component['unit']}"
        return NodeError(f"{component['label']} on {os.uname().nodename}: {what}. Full log there: {log}. "
                         "Its last lines:\n  " + "\n  ".join(lines), component=component["name"], log=lines)
