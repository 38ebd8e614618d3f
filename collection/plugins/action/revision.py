"""Read the newest revision of the spec from the control node, and make the wanted spec of it and of what was asked for.

One small command over SSH instead of a module: nothing is transferred but the files.
"""
from __future__ import annotations

from dataclasses import replace

import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.config import property_names
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.scale.scale_in import present, surplus
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec import edits, history
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.difference import difference
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.switches import switched_off
from ansible_collections.emr.cluster.plugins.module_utils.domain.upgrade import rules as upgrade
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.given_spec import read_spec
from ansible_collections.emr.cluster.plugins.plugin_utils.in_use import check as guard
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction
from ansible_collections.emr.cluster.plugins.plugin_utils.secrets_given import check_master

NEW_SCRIPTS = "bootstrap: its scripts run on nodes that join from now on; those that stand run new ones with emrctl create"


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "revision"
    REFUSES = True

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        given, edit = read_spec(args.get("spec"), args.get("spec_file")), self._edit(args)
        number = int(args["number"]) if args.get("number") else int(edit.get("revert_to") or 0) or None
        asks = bool(given or edit)
        kept, names = self._read(context, number, asks)
        before = spec_from_dict(yaml.safe_load(kept.text()))
        if edit.get("abort"):
            # Nobody leaves: the cluster keeps the nodes that it has.
            counts = present(context.run.nodes)
            edit = {**edit, "groups": {group: n for group, n in counts.items() if group in before.node_groups}}
        if edit.get("rollback"):
            edit = {**edit, "release": history.release_before(kept.metas) or before.release}
        if not asks:
            return {"result": self._told(kept, before, number, bool(args.get("history")))}
        wanted = self._wanted(kept, before, given, edit, number)
        check_master(self, wanted)
        guard(self, context, before, wanted)
        return {"result": self._result(context, kept, before, wanted, edit, names,
                                       str(args.get("why") or edits.describe(edit) or "apply"))}

    @staticmethod
    def _edit(args) -> dict:
        edit = plain(args.get("edit") or {})
        if args.get("add_services"):
            edit = {**edit, "add_services": plain(args["add_services"])}
        return edits.check_edit(edit)

    def _read(self, context, number, with_names: bool) -> tuple:
        """(History, names of Hadoop's properties). Raises EmrError when the master keeps no spec."""
        command = history.read_command(number) + ("; " + property_names.names_command() if with_names else "")
        answer = self.shell(command)
        text, names = property_names.split_names(answer["stdout"])
        if answer["rc"] != 0:
            raise EmrError(f"{context.host}: the spec cannot be read: {answer['stderr'].strip()[-300:]}", "Run it again")
        kept = history.parse(text)
        if not kept.metas:
            raise EmrError(f"{context.host} keeps no spec in {history.FOLDER}: the cluster was never completely deployed",
                           "Run create with the spec again")
        return kept, names

    @staticmethod
    def _wanted(kept, before, given, edit, number):
        """The Spec that is wanted now. Raises Refused for an older base, a lost service or what does not exist."""
        if given is not None:
            if given.name != before.name:
                raise Refused(f"the spec is of cluster '{given.name}', this is '{before.name}'", "Name the right one")
            history.check_base(given, kept, before.to_dict())
            upgrade.check_same(before, given, "the spec")
            # What is switched off by name is not left out by mistake.
            lost = sorted(set(before.expanded_services) - set(given.expanded_services) - switched_off(given))
            if lost:
                raise Refused(f"the cluster runs {', '.join(lost)}, which this spec leaves out", "Add it to `services`, or "
                              f"take it away first: emrctl service remove {before.name} {lost[0]}")
            return replace(given, revision=None)
        data = yaml.safe_load(kept.text(number)) if edit.get("revert_to") else before.to_dict()
        wanted = spec_from_dict(edits.apply_edit(data, edit, kept.newest))
        if not edit.get("release"):
            upgrade.check_same(before, wanted, f"revision {number}")
        return wanted

    @staticmethod
    def _told(kept, before, number, with_history: bool) -> dict:
        """Reading alone: the newest spec, or that of ``number``, and with ``history`` all revisions."""
        shown = spec_from_dict(yaml.safe_load(kept.text(number))) if number else before
        at = number or kept.newest["number"]
        data = {"revision": next((m for m in kept.metas if m["number"] == at), kept.newest)}
        if with_history:
            data["history"] = kept.metas
        return {"changed": False, "revision": data["revision"], "spec": shown.to_dict(), "excluded": kept.excluded,
                "services": list(shown.expanded_services), "ansible_facts": {"emr_spec_data": shown.to_dict(),
                                                                             "emr_placement": {"placement": kept.newest.get("placement") or {}}},
                "emr_result": data}

    @staticmethod
    def _result(context, kept, before, wanted, edit, names, why) -> dict:
        rows = difference(before.to_dict(), wanted.to_dict())
        warnings = property_names.unknown_names(property_names.changed_settings(before.to_dict(), wanted.to_dict()), names)
        if wanted.bootstrap != before.bootstrap:
            warnings.append(NEW_SCRIPTS)
        new = wanted.digest() != before.digest()
        steps = [step.script for step in wanted.bootstrap]
        scripts = {path: text for path in steps if (text := kept.script(path, steps)) is not None}
        facts = {"emr_spec_data": wanted.to_dict(), "emr_spec_before": before.to_dict(), "emr_spec_edit": edit,
                 "emr_spec_why": why, "emr_spec_scripts": scripts,
                 "emr_placement": {"placement": kept.newest.get("placement") or {}}}
        return {"changed": False, "revision": kept.newest, "number": kept.newest["number"] + new, "spec": wanted.to_dict(), "scripts": sorted(scripts),
                "before": before.to_dict(), "services": list(wanted.expanded_services), "excluded": kept.excluded,
                "scales_in": bool(edit.get("remove_nodes") or surplus(wanted, context.run.nodes)),
                "removed_services": sorted(set(before.expanded_services) - set(wanted.expanded_services)),
                "upgrade": ("back" if edit.get("rollback") else "forward") if edit.get("release") else "",
                "named": [str(n) for n in edit.get("remove_nodes") or []],
                "gone": list((kept.newest.get("edit") or {}).get("remove_nodes") or []),
                "hints": warnings, "difference": rows, "ansible_facts": facts,
                "emr_result": {"revision": kept.newest, "kept": {"number": kept.newest["number"] + new}, "difference": rows}}
