"""Install and configure a node: everything is computed and rendered here, the module only fetches and writes."""
from __future__ import annotations

import os
from dataclasses import asdict, replace

import yaml
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import removal
from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import find_credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.install.dist_cache import cached
from ansible_collections.emr.cluster.plugins.module_utils.cloud.install.sources import signed
from ansible_collections.emr.cluster.plugins.module_utils.domain.backup import places as backups
from ansible_collections.emr.cluster.plugins.module_utils.domain.config import render
from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import asked, units
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.figures import units as figures
from ansible_collections.emr.cluster.plugins.module_utils.domain.flows import units as resident_flows
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import logs as job_logs, resident as resident_jobs
from ansible_collections.emr.cluster.plugins.module_utils.domain.people import accounts as people
from ansible_collections.emr.cluster.plugins.module_utils.domain.resident import package as resident
from ansible_collections.emr.cluster.plugins.module_utils.domain.scale import reclaim
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import homes
from ansible_collections.emr.cluster.plugins.plugin_utils import pushing
from ansible_collections.emr.cluster.plugins.plugin_utils.component_args import file_system
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain, who
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction, keep
from ansible_collections.emr.cluster.plugins.plugin_utils.run import run_id

# The control node serves artifacts to the other nodes here, for so many seconds.
PORT, SERVE_LIMIT_S = 8099, 900
# Seconds that containers get on nodes that YARN drains while the lists of nodes are read again.
DRAIN_LIMIT_S = 600


# The options of a run that writes nothing.
NOTHING = {"files": [], "java_mark": "", "units": [], "directories": [], "storage": {}, "revision": {}}


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "configure"
    ONCE = True

    def work(self, context, args):
        if not context.found_by_play:
            context.dropped = leaving(context, args)
        if args.get("part") == "software":
            found = self._install(context, args)
            return {**NOTHING, "install": found} if found else {"result": {"changed": False}}
        if args.get("part") == "beside":
            return {**NOTHING, "install": self._beside(context, args), "revision": self._revision(context, args) if context.is_control_node else {}}
        spec, topology, node = context.spec, context.topology, context.node
        effective = context.effective
        versions = {a["name"]: a["sha512"] for a in context.artifacts(node.role)}
        rows = units.node_units(context.components, effective, topology.cluster, units.JAVA_MARK, versions)
        conf = render.render_conf(effective, spec, topology, node, context.draining, context.release)
        files = [self._list(context, row) for row in conf]
        return {"install": self._install(context, args), "files": files + resident.node_files() + units.unit_files(rows), "java_mark": units.JAVA_MARK,
                "accounts": units.service_users(),
                "units": [row["unit"] for row in rows], "side_units": self._side_units(context),
                **self._standing(context),
                "directories": units.node_directories(context.components, effective) + backups.directories(spec, topology, node),
                "storage": {c.name: units.storage_dirs(c.name, effective) for c in context.components
                            if c.marked},
                "people": self._people(context, args), **self._secrets(context),
                "absent": removal.absent(context.services) if boolean(args.get("prune", False)) else {},
                "lists": {"drain_s": int(args.get("drain_limit_s") or DRAIN_LIMIT_S)} if any(c.lists for c in context.components) else {},
                "revision": self._revision(context, args) if node.role == "master" else {}}

    @staticmethod
    def _secrets(context) -> dict:
        """What has to be secret on this node, and what of it this run was given."""
        here = {c.name: c for c in context.components}
        found = [s for home in homes(context.services) for s in home.secrets(context.spec) or () if s.component in here]
        rows = [{**asdict(s), "user": here[s.component].user, "group": here[s.component].group} for s in found]
        folders = [home.secret_folder[0] for home in homes(context.services) if home.secret_folder and home.secret_folder[1] in here]
        given = {s.path: os.environ[s.variable] for s in found if os.environ.get(s.variable)}
        return {"secret_files": {"rows": rows, "folders": folders}, **({"secrets": {"files": given}} if given else {})}

    @staticmethod
    def _side_units(context) -> list:
        """Units of this node that are no daemons of the catalogue; see node/daemons/side.py."""
        spec, topology, node = context.spec, context.topology, context.node
        return (reclaim.side_units(spec, topology, node) + backups.side_units(spec, topology, node, context.effective)
                + job_logs.side_units(spec, topology, node, context.effective)
                + resident_jobs.side_units(topology, node, context.services, spec) + resident_flows.side_units(topology, node)
                + asked.side_units(context.components, topology.cluster) + figures.side_units(spec, topology, node, context.effective))

    @staticmethod
    def _list(context, row):
        """A list of excluded nodes is only pruned: of nodes that are gone, or new under an old name."""
        if not row["path"].endswith(".exclude"):
            return row
        known = {node.name for node in context.topology.nodes + context.draining}
        return dict(row, keep=sorted(known - set(context.vars["groups"].get("emr_new", []))))

    @staticmethod
    def _people(context, args) -> dict:
        """Accounts of this node, and the HDFS homes where it is the control node; nothing where there is nothing to do."""
        prune = boolean(args.get("prune", False))
        if not context.spec.users and not prune:
            return {}
        return {"users": people.accounts(context.spec), "prune": prune,
                "homes": people.homes(context.spec) if context.is_control_node else [], "file_system": file_system(context)}

    @staticmethod
    def _revision(context, args):
        text = yaml.safe_dump(replace(context.spec, revision=None).to_dict(), sort_keys=False, allow_unicode=True)
        return {"text": text, "digest": context.spec.digest(), "services": list(context.services), "who": who(),
                "placement": {name: list(hosts) for name, hosts in context.topology.placement.items()},
                "users": sorted(context.spec.users), "queues": sorted(context.spec.queues),
                "prunes": boolean(args.get("prune", False)),
                "release": context.spec.release, "price": (plain(context.run.plan) or {}).get("price") or {},
                "removed": [str(s) for s in plain(args.get("removed_services") or [])],
                "edit": context.fact("emr_spec_edit", context.control) or {}, "scripts": context.bootstrap(),
                "why": str(context.fact("emr_spec_why", context.control) or args.get("why") or "deploy")}

    @staticmethod
    def _standing(context) -> dict:
        """For a node that stands since an earlier run: the hosts file, and the daemons and paths in HDFS whose state is asked
        for. In a first deployment the role host writes that file, and starting looks after the rest."""
        if context.fact("emr_node") and not context.run.own_hosts:
            return {"hosts": [], "daemons": [], "file_system": {}}
        wanted = {}
        if context.is_control_node and file_system(context):
            paths = [*units.hdfs_directories(context.services), *units.hdfs_archives(context.services, context.effective)]
            wanted = {"base": file_system(context), "paths": [row["path"] for row in paths]}
        return {"file_system": wanted, "hosts": [{"name": n.name, "address": n.address} for n in (*context.topology.nodes, *context.draining)],
                "daemons": [c.name for c in context.components]}

    @classmethod
    def _install(cls, context, args) -> dict:
        """What to install and from where; nothing when all is there. The control node takes part as long as anybody
        lacks something, because it serves the others. A node that was not looked at in this run looks itself."""
        others = [n for n in context.topology.nodes if n.name != context.control]
        seen = [n for n in context.topology.nodes if context.fact("emr_node", n.name)]
        lacking = {n.name for n in seen if lacks(context, n)} | set(context.vars["groups"].get("emr_new", []))
        serves = bool(lacking & {n.name for n in others}) or software_changes(context)
        here = context.is_control_node
        if context.fact("emr_software") == run_id():
            return {}
        if context.fact("emr_node") and context.host not in lacking and not (here and serves):
            return {}
        return cls._sources(context, args, serves)

    @classmethod
    def _beside(cls, context, args) -> dict:
        """What of another release is unpacked beside the one in use, by all nodes."""
        return {**cls._sources(context, args, serves=True), "beside": True}

    @staticmethod
    def _sources(context, args, serves: bool) -> dict:
        """All artifacts of this node, which the control node serves to the others."""
        first, here = context.topology.control_node, context.is_control_node
        return {"artifacts": context.artifacts(context.node.role), "limit_s": int(args.get("install_limit_s", 600)),
                "peer": f"http://{first.address}:{PORT}" if serves and not here else "",
                "serve_address": first.address if serves and here else "", "serve_port": PORT,
                "serve_limit_s": SERVE_LIMIT_S}

    def module(self, options: dict, op: str = "") -> dict:
        """The operation. What the node could not fetch it is given, if that can be done from here, and then it goes on.

        Nodes may reach less than this machine does, and one that stands mostly lacks nothing: addresses in OSS are signed for
        it only when it does after all.
        """
        install = options.get("install") or {}
        if install and (install["serve_address"] or self.context.fact("emr_node")):
            options = self._signed(options)
        found = super().module(options, op)
        if not found.get("unfetched"):
            return found
        lacking = [a for a in install["artifacts"] if a["name"] in found["unfetched"]]
        more = options if install["serve_address"] or self.context.fact("emr_node") else self._signed(options)
        if self._pushed(lacking) or more is not options:
            return super().module(more, op)
        return found

    def _signed(self, options: dict) -> dict:
        """The options, with addresses by which the node can read what lies in OSS: secrets for the hour that they live."""
        urls = [url for a in options["install"]["artifacts"] for url in a["urls"]]
        found = {} if self._task.check_mode else signed(urls, self.context.region, find_credentials)
        return {**options, "secrets": {**options.get("secrets", {}), "signed": found}} if found else options

    def _pushed(self, lacking: list) -> bool:
        """Whether the control node was given any of these from this machine's cache."""
        files = [(cached(a["file"], a["sha512"]), a["sha512"]) for a in lacking] if self.context.is_control_node else []
        return bool(pushing.push(self, [row for row in files if row[0]]))

    def after(self, context, result):
        if context.is_control_node and context.kept:
            names = ", ".join(node.name for node in context.kept)
            result.setdefault("warnings", []).append(
                f"no longer in the inventory, but still in the cluster: {names}. To remove a host: emr.cluster.deploy with "
                "emr_removed_hosts, a list of names, which drains it first")
        if self._task.args.get("part") == "beside":
            result.pop("emr_storage", None)
            return
        if self._task.args.get("part") == "software":
            result.pop("emr_storage", None)
            result.setdefault("ansible_facts", {})["emr_software"] = run_id()
        elif not context.found_by_play and not result.get("failed"):
            result.setdefault("ansible_facts", {})["emr_services_kept"] = list(context.services)
        keep(result, "emr_storage", "emr_idle", "emr_stale", "emr_refresh", "emr_lacks")


def leaving(context, args) -> tuple:
    """Services that this task takes away from a cluster of an inventory. Raises Refused where nothing would be left."""
    names = [str(name) for name in args.get("removed_services") or []]
    if names and not set(context.services) - set(names):
        raise Refused(f"{', '.join(names)} is all that the cluster runs", "Stop it: include_role with tasks_from: stop")
    # The spec is made of variables anew, without them.
    context._cache.pop("spec", None)
    return tuple(names)


def software_changes(context) -> bool:
    """Whether the wanted spec has other software than the one that the cluster was last made by."""
    before = context.fact("emr_spec_before", context.control)
    return before is not None and any(before.get(key) != context.spec.to_dict().get(key)
                                      for key in ("release", "services", "artifacts"))


def lacks(context, node) -> bool:
    """Whether a node has other artifacts than the release says, as its facts tell."""
    installed = (context.fact("emr_node", node.name) or {}).get("installed", {})
    return any(installed.get(a["name"]) != a["sha512"] for a in context.artifacts(node.role))
