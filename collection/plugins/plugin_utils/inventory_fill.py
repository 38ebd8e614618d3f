"""Fills Ansible's inventory with hosts: names, variables and groups, many at a time.

Core's own calls for one variable of one host check and mark the value each time. Here the names of the variables are ours
and the values plain, so a host gets all of them at once, and equal values are one object.
"""
from __future__ import annotations

from collections import Counter

from ansible.errors import AnsibleParserError
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.control import control_nodes, is_control_node
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.hostvars import (
    HOSTNAME,
    RESERVED,
    addresses,
    node_groups,
    node_hostvars,
    sanitise,
)
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import tags_of
from ansible_collections.emr.cluster.plugins.module_utils.cloud.inventory import scrape
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh import doors
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh.login import find_private_key

try:
    # Since 2.19 a text is a template only when it is marked as trusted; before, unless it is marked as unsafe.
    from ansible.template import trust_as_template as _trust  # noqa: F401

    MARK = False
except ImportError:
    MARK = True

_NAMES = {"name": "InstanceName", "instance_id": "InstanceId", "host_name": "HostName"}
ADDRESSES = ("auto", "private", "public", "eip")


def check_hostnames(wanted: list) -> None:
    """Raises AnsibleParserError for a preference that is none."""
    for name in wanted:
        if name not in _NAMES and name not in ("private_ip", "public_ip", "eip") and not name.startswith("tag:"):
            raise AnsibleParserError(f"hostnames: '{name}' is unknown. Write one of {', '.join(_NAMES)}, private_ip, "
                                     "public_ip, eip, or tag:KEY")


def eip(instance: dict) -> str:
    """The elastic address, or empty."""
    return (instance.get("EipAddress") or {}).get("IpAddress") or ""


def by_preference(instance: dict, wanted: list) -> str:
    """The first address that the instance has; the private one when it has none of the wanted."""
    private, public = addresses(instance)
    have = {"private": private, "public": public, "eip": eip(instance)}
    return next((have[w] for w in wanted if have.get(w)), private or public)


class Filler:
    """Hosts of one inventory file. ``plugin`` gives the options; ``warn`` takes a text for people."""

    def __init__(self, plugin, warn):
        self._plugin, self._warn = plugin, warn
        self._inventory = plugin.inventory
        self._address = plugin.get_option("address")
        self._wanted = plugin.get_option("hostnames")
        self._prefix, self._suffix = plugin.get_option("hostvars_prefix"), plugin.get_option("hostvars_suffix")
        self._shared: dict = {}
        self._keys: dict = {}
        check_hostnames(self._wanted)

    def fill(self, records: list) -> None:
        """Add one host for each ``(account, instance)``. The list is emptied on the way, to save memory."""
        bastions = doors.bastions(instance for _client, instance in records)
        controls = control_nodes(instance for _client, instance in records)
        names = self._names(records, self._groups_to_be(records))
        groups: dict = {}
        constructed = any(self._plugin.get_option(o) for o in ("compose", "groups", "keyed_groups"))
        alike = Counter((tags_of(instance).get("emr:cluster"), tags_of(instance).get("emr:role")) for _client, instance in records)
        records.reverse()
        for name in names:
            account, instance = records.pop()
            node, found, variables = node_hostvars(
                instance, self._address[0] if len(self._address) == 1 and self._address[0] != "eip" else "private",
                self._plugin.get_option("user") or "root", instance.get("Disks", ()), self._key(instance),
                doors.bastion_for(instance, bastions), is_control_node(instance, controls))
            if self._plugin.get_option("scrape_targets") and variables["emr_role"]:
                variables["emr_scrape_targets"] = scrape.targets(
                    node, variables, is_control_node(instance, controls), alike[variables["emr_cluster_name"], variables["emr_role"]])
            if not variables["emr_cluster_name"]:
                self._leave_access(variables)
            if len(self._address) > 1 or self._address == ["eip"]:
                variables["ansible_host"] = by_preference(instance, self._address)
            if account:
                variables["emr_account"] = account
                found.append("emr_account_" + sanitise(account))
            host = self._add(name, self._plain(variables))
            for group in found:
                groups.setdefault(group, []).append(host)
            if constructed:
                self._construct(name, host)
        self._group(groups)

    def _leave_access(self, variables: dict) -> None:
        """How to log in to an instance of no cluster is not ours to say: variables of a host would win over group_vars."""
        for option, name in (("user", "ansible_user"), ("private_key_file", "ansible_ssh_private_key_file")):
            if not self._plugin.get_option(option):
                variables.pop(name, None)
        del variables["ansible_ssh_common_args"]

    def _groups_to_be(self, records: list) -> set:
        """Names that a host must not have: of groups that exist or will, and words that mean something to Ansible."""
        taken = {*RESERVED, *self._inventory.groups, *self._plugin.get_option("groups")}
        for account, instance in records:
            taken.update(node_groups(instance))
            if account:
                taken.add("emr_account_" + sanitise(account))
        return taken

    def _names(self, records: list, taken: set) -> list:
        """A name for each record. Where several have one name, each of these is called by its id: none is mistaken."""
        before, after = self._plugin.get_option("hostname_prefix"), self._plugin.get_option("hostname_suffix")
        passed: dict = {}

        def may_be(name: str, instance: dict) -> bool:
            if before + name + after not in taken:
                return True
            passed.setdefault(before + name + after, []).append(instance["InstanceId"])
            return False

        found = [self._name(instance, may_be) for _client, instance in records]
        for name, ids in passed.items():
            self._warn(f"'{name}' cannot be a host name: it is the name of a group, or has a meaning in Ansible "
                       f"({', '.join(ids[:5])}{', …' if len(ids) > 5 else ''})")
        twice = {name: [] for name, count in Counter(found).items() if count > 1}
        for number, (_client, instance) in enumerate(records):
            if found[number] in twice:
                twice[found[number]].append(instance["InstanceId"])
                found[number] = instance["InstanceId"]
        for name, ids in twice.items():
            self._warn(f"'{name}' is the name of several instances ({', '.join(ids[:5])}{', …' if len(ids) > 5 else ''}); "
                       "their ids are their names here")
        return [before + name + after for name in found] if before or after else found

    def _name(self, instance: dict, may_be) -> str:
        for wanted in self._wanted:
            if wanted in _NAMES:
                value = instance.get(_NAMES[wanted], "")
            elif wanted.startswith("tag:"):
                value = tags_of(instance).get(wanted[4:], "")
            else:
                value = eip(instance) if wanted == "eip" else addresses(instance)[wanted == "public_ip"]
            # A name goes into commands and patterns: what could not be a host name is passed over.
            if HOSTNAME.fullmatch(value) and may_be(value, instance):
                return value
        return instance["InstanceId"]

    def _key(self, instance: dict):
        pair = instance.get("KeyPairName", "")
        if pair not in self._keys:
            self._keys[pair] = find_private_key(pair, self._plugin.get_option("private_key_file"))
        return self._keys[pair]

    def _plain(self, variables: dict) -> dict:
        """The variables under the wanted names, their equal values shared, the tags marked where core needs that."""
        share = self._shared
        for name, value in variables.items():
            if isinstance(value, str):
                variables[name] = share.setdefault(value, value)
            elif isinstance(value, list):
                variables[name] = share.setdefault(repr(value), value)
        if MARK:
            variables["emr_tags"] = wrap_var(variables["emr_tags"])
        if not self._prefix and not self._suffix:
            return variables
        return {n if n.startswith("ansible_") else f"{self._prefix}{n}{self._suffix}": v for n, v in variables.items()}

    def _add(self, name: str, variables: dict):
        """The host with its variables; one that another inventory source made keeps what it has besides."""
        known = name in self._inventory.hosts
        self._inventory.add_host(name)
        host = self._inventory.hosts[name]
        if known:
            for key, value in variables.items():
                self._inventory.set_variable(name, key, value)
        else:
            host.vars = {**host.vars, **variables}
        return host

    def _construct(self, name: str, host) -> None:
        plugin, strict = self._plugin, self._plugin.get_option("strict")
        plugin._set_composite_vars(plugin.get_option("compose"), dict(host.vars), name, strict=strict)
        plugin._add_host_to_composed_groups(plugin.get_option("groups"), dict(host.vars), name, strict=strict)
        plugin._add_host_to_keyed_groups(plugin.get_option("keyed_groups"), dict(host.vars), name, strict=strict)

    def _group(self, groups: dict) -> None:
        for name, hosts in groups.items():
            group = self._inventory.groups[self._inventory.add_group(name)]
            for host in hosts:
                group.add_host(host)
