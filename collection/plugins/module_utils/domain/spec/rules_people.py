"""Rules about the queues and users of a spec, found before anything is changed."""
from __future__ import annotations

from ...services.hdfs import replication
from ...services.registry import COMPONENTS
from ..people import accounts as people
from ..text.names import instead

# Accounts of the usual images; the nodes refuse any other name that is taken there.
_USUAL = """root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody
    _apt adm shutdown halt operator ftp sshd messagebus dbus polkitd tss chrony ntp postfix admin ecs-user systemd-network
    systemd-resolve systemd-timesync systemd-coredump hadoop"""
TAKEN = frozenset(_USUAL.split()) | {c.user for c in COMPONENTS.values()}
# Bytes of a block where the spec says nothing else.
BLOCK = 128 << 20


def check_people(spec, checker, note) -> None:
    """Notes what cannot work in ``queues`` and ``users``. ``note`` is spec_rules._note."""
    if spec.queues:
        _queues(spec, checker, note)
    _users(spec, checker, note)


def _queues(spec, checker, note) -> None:
    if "yarn" not in spec.expanded_services:
        note(checker, "queues", "queues are YARN's, and the cluster does not run it", "Add yarn to services, or remove queues.")
    total = sum(queue.capacity for queue in spec.queues.values())
    if abs(total - 100) > 0.01:
        shares = ", ".join(f"{name} {queue.capacity:g}" for name, queue in spec.queues.items())
        note(checker, "queues", f"the capacities add up to {total:g} ({shares}), expected 100", "Change them so that they add up "
             "to 100.")
    for name, queue in spec.queues.items():
        key = f"queues.{name}"
        if name == "root":
            note(checker, key, "root is the parent of all queues, expected another name", "Choose a name such as analysts.")
        if queue.max_capacity < queue.capacity:
            note(checker, f"{key}.max_capacity", f"{queue.max_capacity:g} is under the capacity of {queue.capacity:g}",
                 f"Write at least {queue.capacity:g}, or remove it.")
        for index, user in enumerate(queue.users):
            if user not in spec.users and user != people.JOB_USER:
                _unknown(checker, note, f"{key}.users[{index}]", "user", user, {*spec.users, people.JOB_USER})
    for path, config in [("config", spec.config)] + [(f"node_groups.{g.name}.config", g.config)
                                                     for g in spec.node_groups.values()]:
        for key in config.get("capacity-scheduler", {}):
            if key in (f"{people.ROOT}.queues", people.MAPPINGS):
                note(checker, f"{path}.capacity-scheduler.{key}", "contradicts the key queues, which makes this setting",
                     "Remove the line, or describe all queues by it and remove queues.")


def _users(spec, checker, note) -> None:
    numbers: dict = {}
    queues = queue_names(spec)
    for name, user in spec.users.items():
        key = f"users.{name}"
        if name in TAKEN or name in (people.JOB_USER, people.GROUP):
            note(checker, key, f"{name} is the name of an account that the nodes have anyway, expected another",
                 "Choose the person's own name.")
        number = people.uid_of(name, user.uid)
        if number in numbers:
            note(checker, key, f"{name} and {numbers[number]} would both have the number {number}",
                 f"Give one of them another, for example: uid: {_free(spec)}")
        numbers.setdefault(number, name)
        if user.queue and user.queue not in queues:
            _unknown(checker, note, f"{key}.queue", "queue", user.queue, queues)
        if user.space_quota:
            _quota(spec, checker, note, key, user)


def queue_names(spec) -> list:
    """Names of all queues, the default one included."""
    own = spec.config.get("capacity-scheduler", {}).get(f"{people.ROOT}.queues", "")
    return sorted({*spec.queues, people.DEFAULT_QUEUE, *(q.strip() for q in own.split(",") if q.strip())})


def _free(spec) -> int:
    used = {people.uid_of(name, user.uid) for name, user in spec.users.items()}
    return next(n for n in range(people.FIRST_UID, people.LAST_UID) if n not in used)


def _quota(spec, checker, note, key, user) -> None:
    if "hdfs" not in spec.expanded_services:
        note(checker, f"{key}.space_quota", "a quota is HDFS's, and the cluster does not run it", "Remove it, or add hdfs to "
             "services.")
        return
    config = spec.config.get("hdfs-site", {})
    copies = config.get("dfs.replication") or str(replication(spec.count("slave")))
    block = str(config.get("dfs.blocksize") or BLOCK)
    least = (int(block) if block.isdigit() else BLOCK) * (int(copies) if copies.isdigit() else 3)
    if people.size_bytes(user.space_quota) < least:
        note(checker, f"{key}.space_quota", f"{user.space_quota} is too small for any file: HDFS sets aside {least >> 20} MB for a block "
             f"with its {copies} copies", f"Write at least {-(-least >> 20)}m, or remove it.")


def _unknown(checker, note, key: str, what: str, name: str, names) -> None:
    note(checker, key, f"there is no {what} {name}", instead(name, sorted(names)))
