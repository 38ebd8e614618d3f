"""What the controller asks of the operations on nodes: one definition, which both sides check.

A request is a dataclass; an operation of several steps has one for each, and a key that names the step. A field without default has to
be there, one with ``None`` may be left out.
"""
from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields


@dataclass(frozen=True)
class Daemon:
    """A daemon of the node that is asked."""

    name: str
    label: str
    service: str
    unit: str
    user: str
    application: bool
    after: list
    leads: bool
    survives: bool
    turn: str
    ports: dict
    native: bool
    log_file: str
    health: dict
    prepare: str = ""
    elects: bool = False
    becomes: str = ""


@dataclass(frozen=True)
class Node:
    """A node that is drained: ``parts`` are the services that have something there, ``drains`` its daemons that empty themselves."""

    name: str
    address: str
    parts: list
    drains: list


@dataclass(frozen=True)
class Host:
    hostname: str
    own: dict
    hosts: list
    keep_recorded: bool
    removed: list
    users: list
    directories: list
    bootstrap: list
    disks: list
    memory_mib: int
    java_packages: list


@dataclass(frozen=True)
class Configure:
    files: list
    java_mark: str
    units: list
    directories: list
    storage: dict
    revision: dict
    install: dict = field(default_factory=dict)
    accounts: list = field(default_factory=list)
    side_units: list = field(default_factory=list)
    hosts: list = field(default_factory=list)
    daemons: list = field(default_factory=list)
    file_system: dict = field(default_factory=dict)
    people: dict = field(default_factory=dict)
    secret_files: dict = field(default_factory=dict)
    absent: dict = field(default_factory=dict)
    lists: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    state: str
    components: list[Daemon]
    cluster_id: str
    limit_s: float
    stale: str
    format: dict
    file_system: dict
    data_dirs: list
    environment: dict
    bootstrap: list = field(default_factory=list)
    answers: dict = field(default_factory=dict)
    refreshes: list = field(default_factory=list)
    restarts: dict = field(default_factory=dict)
    look_s: float = None
    whole_s: float = None


@dataclass(frozen=True)
class RollMark:
    phase: str
    names: list
    mark: bool


@dataclass(frozen=True)
class RollGo:
    phase: str
    components: list[Daemon]
    refreshes: list
    answers: dict
    hosts: list
    cluster_id: str
    state: str
    force: bool
    limit_s: float
    gate_limit_s: float
    again: str
    peers: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Failover:
    phase: str
    answers: dict
    components: list[Daemon]
    hosts: list
    limit_s: float
    peers: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Upgrade:
    phase: str
    answers: dict
    limit_s: float


@dataclass(frozen=True)
class Convert:
    """``others``: whether another node has the data of a daemon by now, {component: bool}."""

    components: list[Daemon]
    answers: dict
    others: dict
    cluster_id: str
    limit_s: float


@dataclass(frozen=True)
class Drain:
    op: str
    answers: dict
    nodes: list[Node]
    copies_over: int
    drain_s: float
    limit_s: float
    before: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Balance:
    op: str
    namenode: str
    threshold: int
    run_s: int
    limit_s: float
    environment: dict


@dataclass(frozen=True)
class Verify:
    answers: dict
    members: dict
    logs: dict
    proofs: list
    limit_s: float
    look_s: float
    whole_s: float = None


@dataclass(frozen=True)
class Status:
    components: list[Daemon]
    answers: dict
    control: bool


@dataclass(frozen=True)
class Check:
    components: list[Daemon]
    answers: dict
    control: bool
    configure: dict
    paths: list
    strays: list
    work: list


@dataclass(frozen=True)
class Bundle:
    components: list[Daemon]
    log_bytes: int
    file_bytes: int
    history: bool


@dataclass(frozen=True)
class Copies:
    namenode: str
    dead: list
    limit_s: float


@dataclass(frozen=True)
class Data:
    op: str
    path: str
    namenode: str
    user: str
    recursive: bool
    most: int
    limit_bytes: int
    rows: int


@dataclass(frozen=True)
class PeopleList:
    op: str
    users: list
    file_system: str
    answers: dict


@dataclass(frozen=True)
class PeopleGuard:
    op: str
    answers: dict
    queues: list
    users: list
    services: list


@dataclass(frozen=True)
class PeopleDelete:
    op: str
    paths: list
    local: list
    file_system: str


@dataclass(frozen=True)
class Backup:
    action: str
    bring: str
    root: str
    limit_s: float


@dataclass(frozen=True)
class RestoreFetch:
    step: str
    root: str
    id: str
    archive: str


@dataclass(frozen=True)
class Restore:
    """Of each other step, with what the single ones need besides."""

    step: str
    namenode: str
    limit_s: float
    datanodes: int
    who: str
    dirs: list = None
    archive: str = None
    id: str = None
    cluster_id: str = None
    log_file: str = None
    last_block: int = None
    genstamp: int = None
    changed: list = None
    answering: int = None
    delete: bool = None
    without: bool = None
    root: str = None
    txid: int = None


@dataclass(frozen=True)
class Activity:
    look_only: bool
    answers: dict


@dataclass(frozen=True)
class Transfer:
    job: dict
    files: dict
    place: object
    keep: str
    secret_file: str
    provider_path: str
    again: str


@dataclass(frozen=True)
class BenchSubmit:
    op: str
    request: dict
    job: dict
    artifact: dict
    signed: dict
    limit_s: float


@dataclass(frozen=True)
class BenchRead:
    op: str
    user: str
    ids: list = field(default_factory=list)


REQUESTS = {
    "host": Host, "configure": Configure, "service": Service, "roll": {"mark": RollMark, "go": RollGo}, "drain": Drain, "failover": Failover,
    "upgrade": Upgrade,
    "convert": Convert,
    "balance": Balance,
    "verify": Verify, "status": Status, "check": Check, "bundle": Bundle, "copies": Copies, "data": Data,
    "people": {"list": PeopleList, "guard": PeopleGuard, "delete": PeopleDelete}, "backup": Backup,
    "restore": {"fetch": RestoreFetch, **dict.fromkeys(("look", "place", "scan", "edits", "report", "accept", "restored", "finish"), Restore)},
    "activity": Activity, "transfer": Transfer, "bench": {"submit": BenchSubmit, "list": BenchRead, "show": BenchRead}}
# The key that names the step.
STEPS = {"roll": "phase", "people": "op", "restore": "step", "bench": "op"}
_KINDS = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "list": (list, tuple), "dict": (dict,), "object": (object,)}
_ROWS = {row.__name__: row for row in (Daemon, Node)}


def checked(op: str, options: dict) -> dict:
    """The options of an operation, with the defaults of what was left out. Raises ValueError for anything that its request does not have.

    ``secrets``, which travel beside them, come along as they are.
    """
    beside = {name: options[name] for name in ("secrets",) if name in options}
    options = {name: value for name, value in options.items() if name not in beside}
    request = REQUESTS[op]
    if isinstance(request, dict):
        step = options.get(STEPS[op])
        if step not in request:
            raise ValueError(f"{op}: {STEPS[op]} is {step!r}, expected one of {', '.join(request)}")
        request = request[step]
    return {**_fields(request, options, op), **beside}


def _fields(request, given: dict, where: str) -> dict:
    rows = {row.name: row for row in fields(request)}
    unknown = sorted(set(given) - set(rows))
    if unknown:
        raise ValueError(f"{where}: unknown option {', '.join(map(str, unknown))}")
    found = {}
    for name, row in rows.items():
        if name in given:
            found[name] = _value(row, given[name], f"{where}.{name}")
        elif row.default_factory is not MISSING:
            found[name] = row.default_factory()
        elif row.default is MISSING:
            raise ValueError(f"{where}: the option {name} is missing")
    return found


def _value(row, value, where: str):
    kind, _bracket, inner = row.type.partition("[")
    right = isinstance(value, _KINDS[kind]) and (kind == "bool" or kind == "object" or not isinstance(value, bool))
    if not right:
        raise ValueError(f"{where}: found {type(value).__name__}, expected {kind}")
    return [_fields(_ROWS[inner[:-1]], one, f"{where}[{at}]") for at, one in enumerate(value)] if inner else value


__all__ = ["REQUESTS", "Daemon", "Node", "checked"]
