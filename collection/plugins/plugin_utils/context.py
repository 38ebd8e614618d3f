"""What the controller knows while a playbook runs: nodes, spec, release, seen through hostvars.

Used by the action plugins, which compute on the controller what a module needs, in plain Python without templates.
"""
from __future__ import annotations

import getpass
import hashlib
import ipaddress
import os
import socket

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils.cloud.cluster.control import GROUP
from ..module_utils.cloud.cluster.hostvars import role_of
from ..module_utils.cloud.credentials.chain import default_region
from ..module_utils.domain.config import role_variables, settings as config
from ..module_utils.domain.errors import EmrError, Refused
from ..module_utils.domain.install import releases, sources
from ..module_utils.domain.spec.model import spec_from_dict
from ..module_utils.domain.topology import endpoints, record as node_record
from ..module_utils.domain.topology.nodes import Disk, Node, Topology
from ..module_utils.domain.topology.placement import CONTROL, resolve
from ..module_utils.services.registry import COMPONENTS, ROLES, components_for, components_on, homes
from . import bootstrap_scripts, roles_said
from .given import OURS, given, plain
from .given_spec import read_spec
from .run import Run

TARGET = "emr_target"
SEEN = "emr_seen"
SCALE_IN = "emr_scale_in"
# A spec describes a purchase; hosts that are there already have these in its place.
UNBOUGHT = {"region": "xx-unbought", "zone": "xx-unbought-a", "image": "none", "vswitch_id": "vsw-none",
            "type": "ecs.unbought.host"}


class Context:
    """Nodes, spec and release of the running operation."""

    def __init__(self, task_vars: dict, templar=None):
        self.vars, self.templar = task_vars, templar
        self.hostvars = task_vars["hostvars"]
        self.host = task_vars["inventory_hostname"]
        self._cache: dict = {}
        # What roles were given where the play names them, and services that this task takes away.
        self.role_parameters, self.dropped = {}, ()

    def _once(self, key, make):
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def get(self, host: str, name: str, default=None):
        """A variable of a host, or ``default`` when it is undefined or empty."""
        value = self._once((host, name), lambda: self._variable(host, name))
        return default if value is None or value == "" else value

    def _variable(self, host: str, name: str):
        """A variable, or None. Ansible puts all variables of a host together at each look into hostvars, which takes
        milliseconds, and here every node looks at every other: so it is done once for each host. What was given with the call
        is read as it was written.
        """
        if name.startswith(OURS) or name in role_variables.ALL:
            there, value = given(name)
            if there:
                return value
        if host not in self.hostvars:
            return None
        try:
            return self._once(("all", host, ""), lambda: self.hostvars[host])[name]
        except KeyError:
            return None

    def setting(self, name: str, default=None):
        """A variable of the whole cluster: of the play (``vars`` of a play, role, task or import), else of the control node.

        Variables of a play stand in no host's; they are what a task sees that its host does not have so.
        """
        own = None if given(name)[0] else self.vars.get(name)
        if own is not None and self.templar is not None and own != self.get(self.host, name):
            own = self._once(("play", name), lambda: plain(self.templar.template(own)))
            return default if own is None or own == "" else own
        return self.get(self._declared, name, default)

    def fact(self, name: str, host: str | None = None):
        """A fact that one of our modules returned for a host in this run, or None."""
        facts = self.get(host or self.host, "ansible_facts", {})
        return plain(facts.get(name)) if facts.get(name) is not None else None

    @property
    def hosts(self) -> list:
        """Names of the cluster's nodes: those that play 1 found (SEEN: dead ones too), else those of the inventory."""
        return list(self._once(("hosts",), self._hosts))

    def _hosts(self) -> list:
        groups = self.vars["groups"]
        found = self.run.own_hosts or list(groups.get(TARGET, []) or groups.get(SEEN, []))
        going = set(groups.get(SCALE_IN, []))
        return [host for host in found or self._members() if self.role(host) and host not in going]

    @property
    def found_by_play(self) -> bool:
        """Whether a play of this run found the nodes in the cloud; else the inventory says who they are."""
        return bool(self.vars["groups"].get(TARGET) or self.vars["groups"].get(SEEN)) and not self.run.own_hosts

    def _members(self) -> list:
        """Hosts of the inventory that belong to this cluster, whoever of them this run reaches (``--limit``, ``serial``).

        Those in the groups of roles, and of the play, that have the same ``emr_cluster_name`` (or none, as this host).
        """
        groups = self.vars["groups"]
        names = dict.fromkeys(host for role in ROLES for host in groups.get(role, []))
        names.update(dict.fromkeys(self.vars.get("ansible_play_hosts_all", [])))
        own = self.get(self.host, "emr_cluster_name", "")
        return [host for host in names if self.get(host, "emr_cluster_name", "") == own]

    @property
    def remembered(self) -> dict:
        """{name: Node} of nodes that are in the cluster's own record, but that the inventory does not have (any more)."""
        return self._once("remembered", self._remembered) if not self.found_by_play else {}

    def _remembered(self) -> dict:
        names = set(self.hosts)
        addresses = {self.address(host) for host in names}
        return {node.name: node for node in self._record.values()
                if node.name not in names and node.address not in addresses}

    @property
    def _record(self) -> dict:
        """{name: Node} as the control node has it on record, else this node."""
        return {node.name: node for node in node_record.nodes(self._written)}

    @property
    def _written(self):
        """The record of this cluster that a node has: the control node's, else this node's, else None."""
        return self._once("record", self._read_record)

    def _read_record(self):
        for host in (self._declared, self.host):
            found = (self.fact("emr_node", host) or {}).get("record")
            if node_record.nodes(found, self.setting("emr_cluster_name", "")):
                return found
        return None

    @property
    def _kept_placement(self) -> dict:
        """Where components are by the newest revision, as far as this run has read it, else by the record of the nodes."""
        return node_record.placement(self.fact("emr_placement", self._declared)) or node_record.placement(self._written)

    @property
    def removed(self) -> tuple:
        """Names of hosts that are to leave a cluster of the inventory for good. Raises Refused for what is not a list of names."""
        given = plain(self.setting("emr_removed_hosts", []))
        names = given.replace(",", " ").split() if isinstance(given, str) else given
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise Refused(f"emr_removed_hosts: {given!r} is not a list of host names", "Write it as [s1, s2]")
        still = sorted(set(names) & set(self.hosts))
        if still:
            raise Refused(f"emr_removed_hosts: the inventory still has {', '.join(still)}", "Take them out of the inventory as well")
        return tuple(names)

    @property
    def draining(self) -> tuple:
        """Nodes that are about to leave, and are therefore no part of the topology; none any more once they are released.

        The lists of HDFS and YARN and the hosts file must still name them: their data is read and copied until the end.
        """
        if boolean(self.vars.get("emr_released") or False):
            return ()
        if not self.found_by_play:
            removed = self.removed
            return tuple(node for node in self.remembered.values() if node.name in removed)
        return tuple(self._node(host) for host in sorted(self.vars["groups"].get(SCALE_IN, [])) if self.role(host))

    @property
    def kept(self) -> tuple:
        """Nodes that are part of the cluster although the inventory does not have them: nobody said that they leave."""
        removed = self.removed if self.remembered else ()
        return tuple(node for name, node in sorted(self.remembered.items()) if name not in removed)

    def role(self, host: str) -> str:
        """Role of a host: its variable, else the group it is in."""
        return role_of(self.get(host, "emr_role"), self.get(host, "group_names", []))

    @property
    def control(self) -> str:
        """Name of the control node; without a master the host of the task."""
        return next((name for name in self._kept_placement.get(CONTROL, ()) if name in self.hosts), self._declared)

    @property
    def _declared(self) -> str:
        """The control node by the inventory: of the group ``emr_control``, else the master whose name sorts first. Its variables are the cluster's."""
        masters = sorted(h for h in self.hosts if self.role(h) == "master")
        named = self.vars["groups"].get(GROUP, [])
        return next((h for h in masters if h in named), next(iter(masters), self.host))

    @property
    def topology(self) -> Topology:
        return self._once("topology", self._topology)

    def _topology(self) -> Topology:
        nodes = sorted([*(self._node(host) for host in self.hosts), *self.kept], key=lambda n: (n.role != "master", n.name))
        if not nodes or nodes[0].role != "master":
            raise Refused("no host with the role master in the inventory", "Put one into the group `master` (and the others "
                          "into `slave`), or set emr_role")
        name = str(self.setting("emr_cluster_name") or self.spec_or_none("name") or "cluster")
        # Hosts that were not bought have no birth certificate: their id follows from what identifies them.
        made_up = "emr-" + hashlib.sha256(f"{name}/{nodes[0].name}".encode()).hexdigest()[:12]
        kept = {**self._kept_placement, CONTROL: (self.control,)}
        services = self.spec_or_none("expanded_services")
        # Where the spec is not known, or is refused later, what is on record holds.
        rows = [COMPONENTS[row] for row in kept if row in COMPONENTS] if services is None else components_for(services)
        return Topology(name, str(self.get(self._declared, "emr_cluster_id") or made_up), tuple(nodes), resolve(rows, nodes, kept))

    def _node(self, host: str) -> Node:
        measured = self.fact("emr_node", host) or {}
        # A host that this run does not reach has the shape that it had when it was last configured.
        before = self._record.get(host) if not measured and not self.found_by_play else None
        role = self.role(host)
        return Node(
            name=host, group=str(self.get(host, "emr_group", role)), role=role, address=self.address(host),
            memory_mib=int(self.get(host, "emr_memory_mib") or measured.get("memory_mib", 0) or getattr(before, "memory_mib", 0)),
            vcpus=int(self.get(host, "emr_vcpus") or measured.get("vcpus", 0) or getattr(before, "vcpus", 0)),
            disks=tuple(Disk(str(d["serial"]), int(d.get("size_gib") or 0)) for d in self.get(host, "emr_disks", [])),
            instance_id=str(self.get(host, "emr_instance_id", "")),
            instance_type=str(self.get(host, "emr_instance_type", "")))

    def address(self, host: str) -> str:
        """Address under which the other nodes reach this one."""
        text = str(self.get(host, "emr_private_ip") or self.get(host, "ansible_host") or host)
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            try:
                return socket.gethostbyname(text)
            except OSError as error:
                raise Refused(f"{host}: {text} has no address ({error})", "Set ansible_host or emr_private_ip to an IP "
                              "address that the other nodes reach") from error

    @property
    def node(self) -> Node:
        """The node this task runs on."""
        return self.topology.node(self.host)

    @property
    def is_control_node(self) -> bool:
        return self.control == self.host

    @property
    def run(self) -> Run:
        """What the actions of the cloud's side told in this run."""
        return self._once("run", lambda: Run(self.get("localhost", "ansible_facts", {})))

    @property
    def spec(self):
        """The cluster's spec: of this operation, else as given to ``deploy``, else made of variables."""
        return self._once("spec", self._spec)

    def _spec(self):
        if self.fact("emr_spec_data", self.control):
            return spec_from_dict(self.fact("emr_spec_data", self.control))
        if self.run.spec:
            return spec_from_dict(self.run.spec)
        given = self.setting("emr_spec"), self.setting("emr_spec_file")
        if any(given):
            roles_said.refuse_beside_spec(self)
        return read_spec(*given) or spec_from_dict(self._spec_of_variables())

    def spec_or_none(self, name: str):
        """A field of a spec that was given as a whole, without making one up."""
        try:
            return getattr(self.spec, name, None)
        except EmrError:
            return None

    def _spec_of_variables(self) -> dict:
        """A spec for hosts that were not bought: services, release and configuration from variables."""
        counts: dict = {}
        there = [(str(self.get(host, "emr_group", self.role(host))), self.role(host)) for host in self.hosts]
        for group, role in [*there, *((node.group, node.role) for node in self.kept)]:
            counts.setdefault(group, {"role": role, "count": 0})["count"] += 1
        for row in counts.values():
            row["instance_types"] = [UNBOUGHT["type"]]
        # What is not offered for several masters is off where nobody can say so.
        several = sum(row["count"] for row in counts.values() if row["role"] == "master") > 1
        mirrors = self.setting("emr_mirrors") or os.environ.get("EMR_MIRRORS", "").split(",")
        return {"name": str(self.setting("emr_cluster_name", "cluster")),
                "region": UNBOUGHT["region"], "zone": UNBOUGHT["zone"], "image": UNBOUGHT["image"],
                "network": {"vswitch_id": UNBOUGHT["vswitch_id"], "ssh_from": ["127.0.0.1/32"]},
                "release": str(self.setting("emr_release", releases.DEFAULT)),
                **roles_said.said(self),
                "mirrors": [str(m) for m in ([mirrors] if isinstance(mirrors, str) else mirrors) if m],
                "artifacts": plain(self.setting("emr_artifacts", {})),
                "node_groups": counts, **({"backup": {"enabled": False}} if several else {})}

    @property
    def services(self) -> tuple:
        """Expanded services of the cluster."""
        return self.spec.expanded_services

    @property
    def release(self):
        return releases.release(self.spec.release)

    @property
    def components(self) -> tuple:
        """Components of this node, in start order."""
        return components_on(self.services, self.topology, self.node)

    @property
    def effective(self) -> dict:
        """Effective configuration of this node."""
        return self._once("effective", self._effective)

    def _effective(self) -> dict:
        unknown = [node.name for node in self.topology.nodes if not node.memory_mib or not node.vcpus]
        if unknown:
            raise Refused(f"the memory and vCPUs are unknown of {', '.join(unknown)}, on which the configuration of all nodes "
                          "depends", "Run once without --limit and serial, or put a play with the role emr.cluster.host for all hosts "
                          "before this one, or set emr_memory_mib and emr_vcpus for them")
        return roles_said.folders(self, config.effective_config(self.spec, self.topology, self.node, self.release))

    @property
    def region(self) -> str:
        """Region whose OSS is meant: the spec's; for hosts that were not bought, that of this machine's environment."""
        return default_region() if self.spec.region == UNBOUGHT["region"] else self.spec.region

    def artifacts(self, role: str) -> list:
        """Artifacts for a node of this role, as the module ``install`` wants them."""
        mirrors = os.environ.get(sources.VARIABLE, "")
        return [{"name": a.component, "file": a.file, "sha512": a.sha512, "target": a.top, "link": a.component,
                 "urls": [s.address for s in sources.sources(self.spec, a, mirrors)]}
                for a in sources.artifacts(self.spec, role)]

    def url(self, component: str, port: str = "http") -> str:
        """Base URL of a component for what runs on nodes, several with commas between them; '' when no node runs it."""
        return endpoints.addresses(self.topology, self.services, component, port)

    def answers(self, anywhere: bool = True) -> dict:
        """{service: URL of the component that answers for all of it}; with ``anywhere`` false on the control node alone."""
        asked = {home.name: home.answers for home in homes(self.services) if home.answers} if anywhere or self.is_control_node else {}
        return {service: self.url(component) for service, component in asked.items()}

    def links(self) -> dict:
        """{title: URL} of the web pages of the cluster, by node name where there are several."""
        result = {}
        for row in sorted(components_for(self.services), key=lambda row: not row.front):
            found = endpoints.urls(self.topology, self.services, row.name, row.web) if row.web and "master" in row.roles else ()
            if found:
                result[row.label] = f"{found[0]}/"
        return result

    def count(self, component: str) -> int:
        """Number of nodes that run this component."""
        return len(self.topology.running(COMPONENTS[component]))

    def bootstrap(self, when: str = "") -> list:
        """The user's scripts for this moment, without one all that the cluster shall keep, as {name, place, content, on_failure}."""
        scripts = []
        for step in (row for row in self.spec.bootstrap if when in ("", row.when)):
            content = self._script(step.script, bool(when))
            if content is not None:
                scripts.append({"name": os.path.basename(step.script), "place": step.script, "content": content, "on_failure": step.on_failure})
        return scripts

    def _script(self, script: str, needed: bool):
        """Content of a script, or None. Raises Refused when nobody has it and this node is to be deployed with it."""
        beside, kept = self.setting("emr_spec_file"), (self.fact("emr_spec_scripts", self.control) or {}).get(script)
        found = bootstrap_scripts.content(script, beside, kept) if needed or beside else kept
        if found is None and needed and (beside or self.host in self.vars["groups"].get("emr_new", [])):
            raise bootstrap_scripts.refusal([script], beside)
        return found

    @property
    def java_home(self) -> str:
        measured = self.fact("emr_node") or {}
        if not measured.get("java_home"):
            raise EmrError(f"Java on {self.host} is unknown", "The role emr.cluster.host must run before")
        return measured["java_home"]


def who() -> str:
    """The person and machine that run this operation, for records."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{os.environ.get('EMR_USER') or user}@{socket.gethostname()}"


__all__ = ["Context", "plain", "who"]
