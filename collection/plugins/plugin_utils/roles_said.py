"""What a play of somebody's own says by its roles and their variables, where no spec describes the cluster."""
from __future__ import annotations

from ..module_utils.domain.config import role_variables
from ..module_utils.domain.errors import Refused
from ..module_utils.domain.topology import record
from ..module_utils.services.registry import BUNDLES, JOINING, SERVICES, expand_services
from .given import plain


def parameters(task) -> dict:
    """What the roles of a task's play were given where the play names them, as it stands there.

    Only the tasks of that role see it, but all roles write the same files.
    """
    above = task
    while above is not None and getattr(above, "_play", None) is None:
        above = getattr(above, "_parent", None)
    found: dict = {}
    for role in getattr(getattr(above, "_play", None), "roles", None) or []:
        found.update({**role._role_params, **(role.vars or {})})
    return found


def only_needed(task) -> bool:
    """Whether a task is one of a role that another needs, of which a single entry point was asked for.

    Core runs the whole of a role that another depends on, also when that one is only to stop, or to be taken away.
    """
    asking = [role for role in task.get_dep_chain() or () if task._role is None or role.get_name() != task._role.get_name()]
    return any(role._from_files.get("tasks", "main").removesuffix(".yml") != "main" for role in asking)


def setting(context, name: str):
    """A variable of a role, or None: of the play or the cluster, else of another role of this play."""
    value = context.setting(name)
    if not value and name in context.role_parameters:
        value = context.role_parameters[name]
        value = context.templar.template(value) if context.templar is not None else value
    return plain(value) if value else None


def said(context) -> dict:
    """What variables say in place of a spec: its services, config, users and queues."""
    return {"services": services(context), "config": config(context), "users": plain(context.setting("emr_users", {})),
            "queues": plain(context.setting("emr_queues", {}))}


def config(context) -> dict:
    """A spec's ``config``, of emr_config and the variables of the roles."""
    return role_variables.merged(plain(context.setting("emr_config", {})), lambda name: setting(context, name))


def refuse_beside_spec(context) -> None:
    """Raises Refused where a spec and a variable of a role say what the settings are: one of them would be silently nothing."""
    both = [name for name in role_variables.names() if setting(context, name)]
    if both:
        raise Refused(f"there is a spec, and {', '.join(both)} besides", "Put the settings into the spec's `config`, or give no spec")


def folders(context, effective: dict) -> dict:
    """The effective configuration of this node with the folders that its inventory names."""
    return role_variables.with_folders(effective, lambda name: plain(context.get(context.host, name)) or setting(context, name))


def services(context) -> list:
    """Services of the cluster: as said, else those that it has with those of this play's roles, without what is being removed."""
    said = plain(context.setting("emr_services", []))
    if not said:
        roles = [*context.vars.get("ansible_role_names", []), str(context.vars.get("ansible_role_name", ""))]
        # Single services, as they are on record afterwards: the next run must not find another spec.
        said = expand_services(list(dict.fromkeys([*_kept(context), *role_variables.services_of(roles)])) or ["hadoop"])
    # What runs is on record with what joined by itself, which nobody names.
    names = [str(name) for name in ([said] if isinstance(said, str) else said) if name not in JOINING]
    if not context.dropped or set(names) - set(SERVICES) - set(BUNDLES):
        return names
    return [name for name in expand_services(names) if name not in context.dropped]


def _kept(context) -> tuple:
    """Services that the cluster has, as configured in this run, else as on record."""
    hosts = (context.control, context.host)
    done = next((found for host in hosts if (found := context.fact("emr_services_kept", host)) is not None), None)
    if done is not None:
        return tuple(done)
    name = str(context.setting("emr_cluster_name", ""))
    rows = [record.services((context.fact("emr_node", host) or {}).get("record"), name) for host in hosts]
    return next((row for row in rows if row), ())
