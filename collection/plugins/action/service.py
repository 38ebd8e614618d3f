"""Start or stop services: options of the module ``service`` from the catalogue."""
from __future__ import annotations

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import units
from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons.scope import select
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.people import accounts as people
from ansible_collections.emr.cluster.plugins.module_utils.domain.text.names import instead
from ansible_collections.emr.cluster.plugins.module_utils.services.model import nothing
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import (
    BUNDLES,
    COMPONENTS,
    SERVICES,
    components_for,
    components_on,
    expand_services,
    homes,
)
from ansible_collections.emr.cluster.plugins.plugin_utils.component_args import (
    describe,
    file_system,
    having,
    refresh_row,
)
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import LOOK_S, NodeAction, keep
from ansible_collections.emr.cluster.plugins.plugin_utils.run import run_id


class ActionModule(NodeAction):
    """See the module's documentation.

    ``ahead`` starts all services of the cluster in one run, since daemons take their time side by side; a later task
    for one of them then finds it ready and needs no run of the module. It waits for the task that may format what has no data yet.
    """

    MODULE = "service"

    def work(self, context, args):
        scope = expand_services(known(args.get("services") or context.services))
        state = args.get("state", "started")
        scope = tuple(s for s in scope if s in context.services)
        may_format = boolean(args.get("format", False))
        if state == "started" and args.get("ahead") and (may_format or has_data(context)):
            scope = context.services
        given = plain(args.get("scope")) or {}
        components = components_on(scope, context.topology, context.node)
        # A scope is the first that a playbook does with nodes; other uses come after changes.
        self.REFUSES = bool(given)
        if args.get("agreeing"):
            components = tuple(c for c in components if c.placement.least > 1 and not c.elects)
        if given:
            names = select(given, context.topology, context.services).get(context.host, [])
            components = tuple(c for c in components if c.name in names)
        self.components, self.state = components, state
        if not components or (state == "started" and self._ready(context, components)):
            return {"result": {"changed": False, "changes": []}}
        options = {"format": {}, "file_system": {}, "data_dirs": [], "environment": {}, "state": state,
                   "components": [describe(c, context) for c in components],
                   "cluster_id": context.topology.cluster_id, "limit_s": args.get("limit_s", 600),
                   "stale": str(args.get("stale") or ("keep" if rolls(context) else "restart"))}
        if state == "started":
            options.update(look_s=LOOK_S, bootstrap=context.bootstrap("after_start"), **self._applications(context, components))
            options.update(self._storage(context, components, may_format))
            whole = not (given or args.get("agreeing"))
            if context.is_control_node and (any(c.leads for c in components) or whole and has_data(context)):
                options["file_system"] = self._file_system(context, scope)
        return options

    @staticmethod
    def _ready(context, components) -> bool:
        done = context.fact("emr_started") or {}
        return done.get("run") == run_id() and {c.name for c in components} <= set(done.get("components", []))

    @staticmethod
    def _applications(context, components) -> dict:
        """For daemons that are applications of YARN: it has to know the queues as they are now, and says why one does not begin."""
        if not any(c.application for c in components):
            return {}
        rows = [(c, refresh) for c in components_for(context.services) for refresh in c.refreshes if refresh.early]
        return {"answers": {c.service: context.url(c.name) for c, _refresh in rows},
                "refreshes": [refresh_row(c, refresh, context) for c, refresh in rows]}

    @staticmethod
    def _file_system(context, scope) -> dict:
        """What belongs into the cluster's file system; nothing where no service serves one."""
        if not file_system(context):
            return {"base": "", "directories": [], "homes": [], "archives": []}
        effective = context.effective if any(home.archives is not nothing for home in homes(scope)) else {}
        return {"base": file_system(context), "directories": units.hdfs_directories(context.services),
                "homes": people.homes(context.spec),
                "archives": units.hdfs_archives(scope, effective)}

    def _storage(self, context, components, may_format) -> dict:
        seen, result = context.fact("emr_storage") or {}, {}
        for component in [c for c in components if c.marked]:
            dirs = [row["path"] for row in seen.get(component.name, [])]
            if not component.leads:
                result["data_dirs"] = dirs
            elif dirs and may_format:
                result["format"] = {"dirs": dirs, "cluster_id": context.topology.cluster_id, **origin(context, component)}
                result["environment"] = dict(units.environment(component, context.java_home), HADOOP_LOGFILE="format.log")
        return result

    def after(self, context, result):
        keep(result, "emr_stale", "emr_refresh", "emr_idle")
        if self.state == "started" and not result.get("failed"):
            before = context.fact("emr_started") or {}
            done = set(before.get("components", [])) if before.get("run") == run_id() else set()
            done |= {c.name for c in self.components}
            changed = touched(result.get("changes", [])) or bool(before.get("changed") and before.get("run") == run_id())
            result.setdefault("ansible_facts", {})["emr_started"] = {
                "run": run_id(), "components": sorted(done), "changed": changed}


def has_data(context) -> bool:
    """Whether all that lead (NameNodes) have their data on some node: the start of one that does not is for the role that may format it."""
    return all(having(context, component) for component in components_for(context.services) if component.marked and component.leads)


def rolls(context) -> bool:
    """Whether the playbook says that it restarts what is stale in turns afterwards."""
    return boolean(context.vars.get("emr_rolls") or False)


def origin(context, component) -> dict:
    """Where the file system of this node's NameNode comes from: made new (``refusal``: why it must not be), or copied from ``others`` that have it."""
    several = context.topology.running(component)
    if len(several) == 1:
        return {"refusal": format_refusal(context)}
    unseen = [node.name for node in several if (context.fact("emr_storage", node.name) or {}).get(component.name) is None]
    holders = having(context, component)
    unclear = bool(unseen) and not holders
    refusal = f"the NameNode directories of {', '.join(unseen)} were not looked at" if unclear else format_refusal(context)
    first = unclear or not holders and several[0].name == context.host
    others = [e for e in context.topology.endpoints(component) if e.host != context.host and (not holders or e.host in holders)]
    return {"refusal": refusal, "others": [] if first else [e.url for e in others],
            "shared": [e.url for e in context.topology.endpoints(COMPONENTS[component.shares])]}


def format_refusal(context) -> str:
    """Why no NameNode of this cluster may be formatted, or ''."""
    holders = [c for c in components_for(context.services) if c.marked and not c.leads]
    for node, holder in ((node, c) for c in holders for node in context.topology.running(c)):
        seen = (context.fact("emr_storage", node.name) or {}).get(holder.name)
        if seen is None:
            return f"the DataNode directories of {node.name} were not looked at"
        holding = [row["path"] for row in seen if row["state"] not in ("empty", "missing")]
        if holding:
            return (f"{node.name} holds data in {', '.join(holding)}. A new file system would make it worthless. Bring back "
                    f"the NameNode from a backup (emrctl restore {context.topology.cluster}) or by its directory, or empty the "
                    "DataNodes yourself if the data may go")
    return ""


def touched(changes) -> bool:
    """Whether a daemon that stores or computes was started, so that the cluster wants a full check."""
    names = [row.name for row in COMPONENTS.values() if row.turn]
    return any(change.split(":")[0] in names for change in changes)


def known(services) -> list:
    """These names of services and bundles. Raises Refused for one that there is not."""
    for name in services:
        if name not in SERVICES and name not in BUNDLES:
            raise Refused(f"service: there is no service {name}", instead(name, [*BUNDLES, *SERVICES]))
    return list(services)
