"""What a home says of its service: the words that every engine reads.

A home is a module beside this one that exports one ``SERVICE``. What is data stays data; what has to be computed is a pure function
of ``Facts``. No engine compares with the name of a service or component: what it wants to know of one is a field here.
"""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..domain.config import writers
from ..domain.topology.placement import Rule, count, first, on, quorum

ROLES = ("master", "slave", "task", "gateway")
DOTTED = re.compile(r"^(?=.{3,255}$)[A-Za-z][A-Za-z0-9_*-]*(\.[A-Za-z0-9_/*$-]+)+$")
# The account of the jobs: what runs other people's statements runs as it, since it has no rights of its own in HDFS.
JOB_USER = "emr"
# The group of all daemons' users, which HDFS takes for its superusers.
GROUP = "hadoop"


@dataclass(frozen=True)
class Heap:
    """Heap rule: ``share`` of the node's memory, in MiB not under ``least`` (from 8 GiB up: ``roomy``) nor over ``most``."""

    share: float
    least: int
    most: int
    roomy: int = 0


@dataclass(frozen=True)
class Health:
    """How to ask a daemon whether it serves: GET ``path`` on its ``port`` (a key of ``ports``).

    ``kind`` selects the reader of the answer: ``http`` (any 200 answer), ``tcp`` (the port accepts connections; no path), or one of the
    probes in node/services/, as ``service.probe``.
    """

    kind: str
    port: str
    path: str = ""


@dataclass(frozen=True)
class Refresh:
    """Settings that a running daemon takes over by a command: words below Hadoop's ``bin``, run as the daemon's
    user, ``{node}`` being the node's name. A command with ``-reconfig`` is started, then asked for its end.

    ``keys``: rows as in ``Component.ignores``. ``early``: wanted before an application's daemon starts.
    """

    name: str
    command: tuple
    keys: tuple
    early: bool = False


@dataclass(frozen=True)
class Drain:
    """How a daemon is emptied before its node goes, at ``path`` of its ``port``: a PUT begins it, asking again does no harm; a GET
    tells ``{"done": true or false, "left": how much is still there}``."""

    port: str
    path: str


@dataclass(frozen=True)
class Draining:
    """A drain's row of a node, as far as it is this service's (ROW and ``empty`` in node/services/).

    ``said(row)``: what is left there, '' when nothing; ``sums``: (key, words) for many nodes; ``moves``: keys whose change is progress;
    ``done(row)``: nothing has to move there any more; ``timed(row)``: it works until the limit of the drain; ``hint(row)``: why it may not go on.
    ``weight(told, name)``: (whether a node is dead, how much it has), of what ``load`` told of all. ``may_leave(going, staying, coming, told,
    stopped)`` raises Refused: ``coming`` nodes are bought before, the instances of ``stopped`` do not run.
    """

    said: Callable
    sums: tuple
    moves: tuple
    done: Callable
    weight: Callable
    timed: Callable = lambda row: False
    hint: Callable = lambda row: ""
    may_leave: Callable | None = None


@dataclass(frozen=True)
class Proof:
    """How a service shows that it does its work, by ``prove`` of its module in node/services/: ``name`` of the result, what was ``done`` then,
    and ``options(version)`` beside the address of who answers for it."""

    name: str
    done: str
    options: Callable = lambda version: {}


@dataclass(frozen=True)
class Metrics:
    """Where a daemon shows its figures in Prometheus' format: GET ``path`` on its ``port`` (a key of ``ports``)."""

    port: str = "http"
    path: str = "/prom"


@dataclass(frozen=True)
class Alert:
    """A rule of Prometheus: it fires when ``expr`` has answered for ``for_s`` seconds.

    ``at``: the threshold, which stands in ``expr`` as ``{at}``; '' when it has none. ``unit``: what it is measured in. ``means``: a sentence of
    what is wrong, in which Prometheus fills in ``{{ $labels.node }}`` and ``{{ $value }}``; ``help``: the emrctl command that helps, with
    ``{cluster}`` for its name, and ``{node}`` for the node that the alert is about. ``follows``: alerts that explain this one: no message is sent
    of it while one of them fires.
    """

    name: str
    expr: str
    means: str
    help: str
    severity: str = "warning"
    for_s: int = 30
    at: str = ""
    unit: str = ""
    follows: tuple = ()


@dataclass(frozen=True)
class Figures:
    """A table for a live view: a row for each value of the label ``by``, or one row in all; ``columns`` are (name, PromQL, unit), units as in Panel."""

    title: str
    by: str
    columns: tuple


@dataclass(frozen=True)
class Panel:
    """A picture of figures: ``queries`` are pairs of PromQL (with ``$range`` for the width of a step's window) and a legend, in which ``{{node}}`` is
    a label.

    ``page``: overview, nodes, or the name of what it belongs to. ``kind``: lines, area (stacked) or number; of a number the second query is what it is
    out of. ``unit``: bytes, bytes_per_second, per_second, percent, seconds, until (seconds from now to a day) or '' (a count). ``kept``: its queries are
    costly over a long time, so their answers are kept every minute, and pictures of a long time are made of those.
    """

    title: str
    page: str
    queries: tuple
    unit: str = ""
    kind: str = "lines"
    kept: bool = False

    @property
    def id(self) -> str:
        """What the panel is called in addresses: unique, and the same as long as page and title are."""
        return f"{self.page}-{re.sub(r'[^a-z0-9]+', '-', self.title.lower()).strip('-')}"


@dataclass(frozen=True)
class Component:
    """One daemon of a service.

    A change of a file that it ``reads`` wants a restart, except for keys that it ``ignores`` (pairs of a stem and a pattern:
    they need nothing) and keys of its ``refreshes``. What is not known to be harmless restarts. An ``application`` is itself an
    application of YARN, which runs as long as the daemon does.

    ``storage``: (stem, key) of settings whose values are its local folders. ``counts``: MiB that it gives away beside its own heap, from
    the node's memory; ``beside``: MiB that it
    needs beside its heap at least; ``takes``: MiB that it takes of what others give away. ``work``: what its nodes do, for the message that there is
    none. ``leads``: it serves the file system, so it starts and restarts alone, before all others. ``marked``: its folders carry the
    id of the cluster. ``together(effective)``: how many of them may be down at a time. ``turn``: the hook in node/services/ with what has to hold around its
    restart. ``survive``: a restart leaves its children alive; stopping ends them. ``heap_env``: a variable that its launcher
    takes the heap from, instead of an option. ``lists``: files by which it admits nodes, and drains them. ``native``: its JVM
    has Hadoop's native library loaded. ``metrics``: where it shows its figures. ``jvm``:
    it runs on Java, which takes memory beside the heap. ``front``: its web page is where a person begins. ``asks``: (socket, program of the resident package)
    pairs: whenever it connects to the socket, and nobody else can, the program runs as root with the connection as its stdout.
    ``prepare``: the hook in node/services/ that runs before it is started, not restarted. ``elects``: it decides which of several daemons that it
    starts after is the active one, so it does not wait until one of them is. ``shares``: the component that keeps what several of it have in common:
    all of those serve before the first of it is made. ``becomes``: the hook in node/services/ that makes the only one of it, which is stopped for that,
    the first of several. ``words(effective)``: more words of its command.
    """

    name: str
    placement: Rule
    user: str
    command: tuple
    ports: dict
    heap: Heap
    health: Health
    reads: frozenset
    after: tuple = ()
    jvm_opts_env: str = ""
    jvm_flags: tuple = ()
    label: str = ""
    web: str = ""
    ignores: tuple = ()
    refreshes: tuple = ()
    group: str = GROUP
    application: bool = False
    storage: tuple = ()
    storage_mode: str = "0755"
    survive: bool = False
    leads: bool = False
    marked: bool = False
    together: Callable | None = None
    turn: str = ""
    heap_env: str = ""
    counts: Callable | None = None
    beside: int = 0
    takes: int = 0
    env: dict = field(default_factory=dict)
    work: str = ""
    lists: tuple = ()
    native: bool = False
    metrics: Metrics | None = None
    jvm: bool = True
    front: bool = False
    asks: tuple = ()
    drain: Drain | None = None
    prepare: str = ""
    elects: bool = False
    shares: str = ""
    becomes: str = ""
    words: Callable = lambda effective: ()
    # Filled in by the service.
    service: str = ""
    software: str = ""

    @property
    def roles(self) -> frozenset:
        """The roles whose nodes may run it."""
        return self.placement.roles

    @property
    def unit(self) -> str:
        """Name of the systemd unit, without ``.service``."""
        return f"emr-{self.name}"


@dataclass(frozen=True)
class ConfFile:
    """A file of settings: what a spec calls it, where it lies, who writes it, and which keys it may have.

    ``prefixes``: keys that belong here. ``takes``: stems whose keys it may have as well. ``only``: what a key that belongs nowhere is
    answered with (message, remedy); '' accepts it. ``types``, ``reserved``: of single keys, and ``*_patterns`` of families. ``roles``: nodes
    that have it; or ``at``: those with one of these components. ``everywhere``: written whatever the services are, since it is part of the clients of all.
    """

    stem: str
    path: str
    write: Callable = writers.site_xml
    roles: tuple = ROLES
    at: tuple = ()
    everywhere: bool = False
    prefixes: tuple = ()
    aliases: tuple = ()
    takes: tuple = ()
    only: tuple = ()
    key: object = DOTTED
    key_hint: str = "Copy the name from the documentation of Hadoop or Spark, for example dfs.blocksize."
    check: Callable = lambda key, text: writers.site_properties({key: text})
    types: dict = field(default_factory=dict)
    type_patterns: tuple = ()
    reserved: dict = field(default_factory=dict)
    reserved_patterns: tuple = ()
    counted: tuple = ()


@dataclass(frozen=True)
class TextFile:
    """Any other file: ``make(facts, effective)`` gives its text."""

    path: str
    make: Callable
    roles: tuple = ROLES
    at: tuple = ()
    everywhere: bool = False
    mode: str = "0644"


@dataclass(frozen=True)
class Facts:
    """What a home may know when it computes: the cluster as it is wanted, and the node that it is for.

    ``draining``: nodes that are not part of the topology any more, but must stay admitted until they are drained.
    """

    spec: object
    topology: object
    node: object
    version: Callable = lambda artifact: ""
    draining: tuple = ()

    @property
    def services(self) -> tuple:
        """Expanded services of the cluster."""
        return self.spec.expanded_services

    def runs(self, service: str) -> bool:
        """Whether the cluster has this service."""
        return service in self.services

    def here(self, component) -> bool:
        """Whether a component runs on this node."""
        return self.topology.runs(component, self.node)

    def endpoint(self, component, port: str = "http"):
        """The endpoint of a component that runs on one node, or the first of several. Raises ValueError when none does."""
        return self.topology.endpoint(component, port)


def nothing(*_given) -> dict:
    """The answer of a home that has nothing to say."""
    return {}


@dataclass(frozen=True)
class Secret:
    """A secret that comes once, from the controller's ``variable``, and is kept at ``path`` where ``component`` runs; ``what`` it is, in
    words, ``of`` the key of the spec that asks for it. With an ``alias`` it lies in a credential provider of Hadoop, else as it is."""

    of: str
    what: str
    path: str
    variable: str
    component: str
    alias: str = ""


@dataclass(frozen=True)
class History:
    """Where what its applications did is kept after their end: the ``hook`` in node/services/ that asks ``component`` for it; and
    ``remedies``: what helps against a cause of slowness or waste (domain/jobs/slowness.py, domain/jobs/report.py), {cause: text},
    with ``least_heap_mib`` where a task's heap has a least size."""

    hook: str
    component: str
    remedies: dict


@dataclass(frozen=True)
class Service:
    """One service. Functions of ``Facts`` give {stem: {key: text}}: ``defaults``, ``sizes`` and ``queues`` (what follows from the people of
    the spec), each layer over the one before, and a stem may be another service's.

    ``needs``: services that it cannot run without. ``bundle``: what its name means in a spec, when it is not a service of its own.
    ``software``: artifact that it runs from; ``home`` the folder of it, ``clients`` roles that have it besides; ``also(spec, role)``: names of
    further artifacts for nodes of a role (None: of any) that this spec asks for. ``hdfs_paths``: (path, owner,
    group, mode), parents first; ``directories``: (path, owner, mode) on every node; ``data``: folders below a node's data roots.
    ``secrets(spec)``: each Secret that it needs; ``secret_folder``: (path, component) of a folder that holds nothing else.
    ``rules(spec, configs)``: what cannot work; ``too_small(rest)``: sentences; ``offers(spec, rows)``: numbers for plans;
    ``answers``: its component that answers for all of it, and ``members``: the one whose nodes that knows one by one (what is asked of it is in
    node/services/; ``counted``: the key of how many of them it has, as people say it). ``troubles(told)``: sentences on what it told.
    ``proof``: that it works. ``spec``: fields
    that a spec has for it. ``python``: the least that its nodes need of it as (version, who needs it, what does not run without it). ``rate``:
    MB a second and vCPU of a whole job, for the advice on sizes. ``findings``: (name, function of what was seen) of a check. ``used_by``: types of
    YARN applications, and of jobs, that cannot go on
    without it; None means all. ``alerts``, ``panels``, ``figures``: of what the cluster keeps of it. ``switch``: the object of a spec whose
    ``enabled`` says whether the service runs; it does in every spec that a person writes without a word on it. ``pauses(spec)``: sentences, what
    waits while its software is upgraded.
    """

    name: str
    needs: tuple = ()
    bundle: tuple = ()
    software: str = "hadoop"
    more_software: tuple = ()
    also: Callable = nothing
    home: str = ""
    clients: tuple = ()
    components: tuple = ()
    files: tuple = ()
    texts: tuple = ()
    env_names: tuple = ()
    env_aliases: tuple = ()
    defaults: Callable = nothing
    sizes: Callable = nothing
    queues: Callable = nothing
    hdfs_paths: tuple = ()
    archives: Callable = nothing
    directories: tuple = ()
    data: tuple = ()
    deletable: bool = True
    secrets: Callable = nothing
    secret_folder: tuple = ()
    rules: Callable = nothing
    too_small: Callable = nothing
    programs: tuple = ()
    offers: Callable = nothing
    findings: tuple = ()
    answers: str = ""
    members: str = ""
    counted: str = ""
    troubles: Callable = nothing
    proof: Proof | None = None
    draining: Draining | None = None
    spec: tuple = ()
    python: tuple = ()
    rate: float = 0.0
    used_by: tuple = ((), ())
    alerts: tuple = ()
    panels: tuple = ()
    figures: tuple = ()
    pauses: Callable = nothing
    history: History | None = None
    switch: str = ""

    def __post_init__(self):
        object.__setattr__(self, "components", tuple(
            replace(c, service=self.name, software=self.software, env={**c.env}) for c in self.components))


__all__ = ["DOTTED", "GROUP", "JOB_USER", "ROLES", "Alert", "Component", "ConfFile", "Drain", "Draining", "Facts", "Figures", "Health", "Heap",
           "History", "Metrics",
           "Panel", "Proof", "Refresh", "Secret", "Service", "TextFile", "count", "first", "nothing", "on", "quorum"]
