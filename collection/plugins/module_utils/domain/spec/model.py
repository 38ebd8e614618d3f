"""The cluster spec: one document that describes the wanted cluster.

``parse_spec`` reads YAML text, ``load_spec`` a file, ``spec_from_dict`` what ``Spec.to_dict`` gave. All of them raise
SpecError with everything that is wrong. YAML is imported only to read text.
"""
from __future__ import annotations

import os
from dataclasses import dataclass, field

from ..catalogue import expand_services
from ..errors import Refused, SpecError, SpecProblem


@dataclass(frozen=True)
class SystemDisk:
    """The disk that a node boots from; ``size_gib`` in GiB."""

    category: str = "cloud_essd"
    size_gib: int = 40


@dataclass(frozen=True)
class DiskSpec:
    """``count`` data disks of one kind on each node; ``size_gib`` is the size of each in GiB."""

    category: str
    size_gib: int
    count: int = 1


@dataclass(frozen=True)
class Spot:
    """Spot instances; ``price_limit`` is the highest hourly price of one instance, None bids the market price."""

    price_limit: float | None = None

    @property
    def strategy(self) -> str:
        """ECS's SpotStrategy."""
        return "SpotAsPriceGo" if self.price_limit is None else "SpotWithPriceLimit"


# The VPC that is made when nothing else is said.
DEFAULT_VPC = "192.168.0.0/16"


@dataclass(frozen=True)
class Network:
    """Where the nodes live. ``ssh_from``: networks (CIDR) from which SSH is admitted.

    With ``create`` there is no ``vswitch_id``; ``vpc_cidr`` and ``vswitch_cidr`` are then what is made.
    """

    vswitch_id: str | None
    access: str = "vpc"
    ssh_from: tuple = ()
    create: bool = False
    vpc_cidr: str | None = None
    vswitch_cidr: str | None = None


@dataclass(frozen=True)
class Login:
    """How to log in. ``private_key_file`` is a path on the controller, ``key_pair`` an existing ECS key pair."""

    user: str = "root"
    private_key_file: str | None = None
    key_pair: str | None = None


@dataclass(frozen=True)
class NodeGroup:
    """A named group of equal nodes; ``config`` is {file: {key: value}} of this group alone."""

    name: str
    role: str
    count: int
    instance_types: tuple
    system_disk: SystemDisk = SystemDisk()
    data_disks: tuple = ()
    spot: Spot | None = None
    config: dict = field(default_factory=dict)

    @property
    def disks_per_node(self) -> int:
        """Data disks on each node."""
        return sum(d.count for d in self.data_disks)


@dataclass(frozen=True)
class Bootstrap:
    """A script of the user's that runs on every node."""

    script: str
    when: str = "before_install"
    on_failure: str = "stop"


@dataclass(frozen=True)
class Backup:
    """Copies of the NameNode's metadata. ``every`` is a duration, ``keep`` a number of copies, ``oss`` an oss:// address."""

    enabled: bool = True
    every: str = "1h"
    keep: int = 24
    oss: str | None = None


@dataclass(frozen=True)
class Logs:
    """Logs of jobs. ``keep`` is a duration, ``oss`` an oss:// address, ``job_output_mib`` for each output of an attempt."""

    keep: str = "7d"
    oss: str | None = None
    job_output_mib: int = 64


@dataclass(frozen=True)
class Database:
    """A database outside of the cluster; ``url`` is mysql:// or postgresql:// with host and name."""

    url: str
    user: str


@dataclass(frozen=True)
class Metastore:
    """The service metastore; without a ``database`` its tables lie on the master's disk."""

    database: Database | None = None


@dataclass(frozen=True)
class Queue:
    """A queue of YARN. Percent of the cluster: what it is sure of, and what it may take while others leave it.

    ``users``: who may submit, everybody when empty; ``state`` is running, or stopped: what runs ends, nothing new begins.
    """

    name: str
    capacity: float
    max_capacity: float = 100.0
    users: tuple = ()
    state: str = "running"


@dataclass(frozen=True)
class User:
    """A person who works on the cluster; ``uid`` None follows from the name, ``space_quota`` is a size such as 500g."""

    name: str
    queue: str | None = None
    space_quota: str | None = None
    uid: int | None = None


@dataclass(frozen=True)
class Spec:
    """A whole spec; values are checked and complete. Config values are text as it goes into the files."""

    name: str
    release: str
    region: str
    zone: str
    services: tuple
    image: str
    network: Network
    login: Login
    tags: dict
    deletion_protection: bool
    node_groups: dict
    config: dict
    bootstrap: tuple
    mirrors: tuple
    artifacts: dict
    idle_release: str | None = None
    max_age: str | None = None
    queues: dict = field(default_factory=dict)
    users: dict = field(default_factory=dict)
    backup: Backup = Backup()
    logs: Logs = Logs()
    metastore: Metastore = Metastore()
    # Of which stored revision this document was made (export writes it); says nothing about the cluster.
    revision: int | None = None

    @property
    def expanded_services(self) -> tuple:
        """Services with ``hadoop`` resolved, in catalogue order."""
        return expand_services(self.services)

    def groups_with_role(self, *roles: str) -> tuple:
        """The node groups that have one of these roles."""
        return tuple(g for g in self.node_groups.values() if g.role in roles)

    def count(self, *roles: str) -> int:
        """Wanted nodes of these roles."""
        return sum(g.count for g in self.groups_with_role(*roles))

    def to_dict(self) -> dict:
        """Plain data: dicts, lists, text, numbers; ``spec_from_dict`` reads it back."""
        data = _plain(self)
        if self.revision is None:
            del data["revision"]
        return data

    def digest(self) -> str:
        """SHA-256 (hex) of the spec's meaning. Mirrors are left out: the files are the same wherever they come from."""
        import hashlib
        import json

        data = self.to_dict()
        del data["mirrors"]
        data.pop("revision", None)
        for key in ("queues", "users"):
            # What a spec of before these keys says is still the same.
            if not data[key]:
                del data[key]
        if self.logs == Logs():
            del data["logs"]
        if not self.network.create:
            for key in ("create", "vpc_cidr", "vswitch_cidr"):
                del data["network"][key]
        return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _plain(value):
    """Dataclasses, dicts and tuples as plain data; a name that is a key is not repeated inside."""
    if hasattr(value, "__dataclass_fields__"):
        skip = ("name",) if isinstance(value, (NodeGroup, Queue, User)) else ()
        return {k: _plain(getattr(value, k)) for k in value.__dataclass_fields__ if k not in skip}
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value


def parse_spec(text: str, source: str = "<spec>", environ=None) -> Spec:
    """The Spec that this YAML text describes. Raises SpecError with all problems, each with line, key and remedy.

    Without ``mirrors`` in the text they come from the variable EMR_MIRRORS (addresses with commas between them).
    """
    from .reader import read_yaml

    item, problems = read_yaml(text, source)
    spec = _checked(item, source, problems)
    if not spec.mirrors:
        spec = _with_mirrors(spec, os.environ if environ is None else environ)
    return spec


def load_spec(path) -> Spec:
    """The Spec in a file. Raises SpecError, also when the file cannot be read."""
    path = str(path)
    try:
        with open(path, encoding="utf-8-sig") as stream:
            return parse_spec(stream.read(), path)
    except UnicodeDecodeError:
        raise _file_error(path, "not UTF-8 text", "Save the file as UTF-8.") from None
    except FileNotFoundError:
        raise _file_error(path, "there is no such file", "Check the path, or start from an example: emrctl local "
                          "example prints one.") from None
    except OSError as error:
        raise _file_error(path, f"cannot be read: {error.strerror}", "Give the path of a readable file.") from None


def spec_from_dict(data: dict, odd: list | None = None) -> Spec:
    """The Spec that ``Spec.to_dict`` described. Raises SpecError (without lines) when it is not one.

    ``odd``, when given, learns of values that the YAML of who made the mapping may have changed.
    """
    from .reader import read_data

    try:
        item = read_data(data)
    except TypeError as error:
        raise SpecError([SpecProblem("spec", f"found {error}, expected the data of a spec", "Pass what Spec.to_dict "
                                     "returned.")]) from None
    return _checked(item, "<spec>", [], odd)


def as_spec(spec) -> Spec:
    """A Spec from a Spec or from its plain data."""
    return spec if isinstance(spec, Spec) else spec_from_dict(spec)


def json_schema() -> dict:
    """JSON Schema of a spec, for editors."""
    from .docs import json_schema as build

    return build()


def spec_reference() -> str:
    """The reference page of the spec (docs/spec.md)."""
    from .docs import reference

    return reference()


def _file_error(path: str, message: str, remedy: str) -> SpecError:
    return SpecError([SpecProblem("spec", message, remedy, None, path)])


def _checked(item, source: str, problems: list, odd: list | None = None) -> Spec:
    """Checks the tree and builds the Spec, or raises SpecError with every problem in order of lines."""
    from .check import BAD, Checker
    from .rules import check_rules
    from .schema import SPEC

    checker = Checker(source)
    checker.problems.extend(problems)
    if item.kind != "map":
        checker.problem("spec", f"found {item.describe()}, expected a mapping of keys and values",
                        "Begin with the cluster's name, for example: name: sales", item.line)
        raise SpecError(checker.problems)
    data = checker.check(SPEC, item, "")
    if odd is not None:
        odd += checker.odd
    spec = None
    if data is not BAD:
        spec = _build(data)
        check_rules(spec, checker)
    if checker.problems or spec is None:
        raise SpecError(sorted(checker.problems, key=lambda p: p.line or 0))
    return spec


def _build(data: dict) -> Spec:
    """A Spec from checked values."""
    groups = {}
    for name, raw in data["node_groups"].items():
        groups[name] = NodeGroup(
            name=name, role=raw["role"] or name, count=raw["count"], instance_types=tuple(raw["instance_types"]),
            system_disk=SystemDisk(**raw["system_disk"]),
            data_disks=tuple(DiskSpec(**d) for d in raw["data_disks"]),
            spot=None if raw["spot"] is None else Spot(**raw["spot"]), config=raw["config"])
    rest = {k: data[k] for k in ("name", "release", "region", "zone", "image", "tags", "deletion_protection", "config",
                                 "artifacts", "idle_release", "max_age", "revision")}
    rest["queues"] = {name: Queue(**{**raw, "name": name}) for name, raw in data["queues"].items()}
    rest["users"] = {name: User(**{**(raw or {}), "name": name}) for name, raw in data["users"].items()}
    return Spec(services=tuple(data["services"]), network=_network(data["network"]), login=Login(**data["login"]),
                backup=Backup(**data["backup"]), logs=Logs(**data["logs"]), metastore=_metastore(data["metastore"]),
                node_groups=groups, bootstrap=tuple(Bootstrap(**b) for b in data["bootstrap"]),
                mirrors=tuple(data["mirrors"]), **rest)


def _network(raw: dict) -> Network:
    """The network with what follows from the rest of it."""
    create = raw["create"]
    vpc = raw["vpc_cidr"] or (DEFAULT_VPC if create else None)
    return Network(raw["vswitch_id"], raw["access"] or ("bastion" if create else "vpc"), raw["ssh_from"], create, vpc,
                   raw["vswitch_cidr"] or (first_part(vpc) if create else None))


def first_part(cidr: str) -> str:
    """The first /20 of a network, or all of a smaller one."""
    import ipaddress

    network = ipaddress.IPv4Network(cidr)
    return str(network if network.prefixlen >= 20 else next(network.subnets(new_prefix=20)))


def _metastore(raw: dict) -> Metastore:
    return Metastore(Database(**raw["database"]) if raw["database"] else None)


def _with_mirrors(spec: Spec, environ) -> Spec:
    """The spec with the mirrors of the environment, when that names usable ones."""
    from dataclasses import replace

    from ..install.sources import VARIABLE, environment_mirrors

    try:
        found = environment_mirrors(environ.get(VARIABLE, ""))
    except Refused as error:
        raise SpecError([SpecProblem("mirrors", error.message, error.remedy + ".")]) from None
    return replace(spec, mirrors=found) if found else spec
