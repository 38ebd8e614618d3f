"""The cluster spec: one document that describes the wanted cluster.

``parse_spec`` reads YAML text, ``load_spec`` a file, ``spec_from_dict`` what ``Spec.to_dict`` gave. All of them raise
SpecError with everything that is wrong. YAML is imported only to read text.
"""
from __future__ import annotations

import os
from dataclasses import field as default_of, make_dataclass

from ...services.metastore import DATABASE, SPEC as METASTORE
from ...services.receivers import RECEIVER, SPEC as MONITORING
from ...services.registry import expand_services, joining
from ...services.spark_spec import SPEC as SPARK
from ..errors import Refused, SpecError, SpecProblem
from . import schema
from .field import Field

# {name of an object of the schema: its class}
CLASSES: dict = {}
# The VPC that is made when nothing else is said.
DEFAULT_VPC = "192.168.0.0/16"


def of(field: Field, named: bool = False):
    """Class decorator: a frozen dataclass with the keys and defaults of an object of the schema, what is required first.

    ``named``: it stands in a map, and its key there is its ``name``. A class may have ``completed``: what follows from checked values.
    """
    def made(cls):
        rows = [("name", str)] * named + [(part.name, object) for part in field.fields if part.required]
        rows += [(part.name, object, _default(part)) for part in field.fields if not part.required]
        result = make_dataclass(cls.__name__, rows, bases=(cls,), frozen=True,
                                namespace={"__doc__": cls.__doc__, "__module__": cls.__module__, "FIELD": field, "NAMED": named})
        CLASSES[field.name] = result
        return result

    return made


def _default(part: Field):
    if part.default != {}:
        return part.default
    return CLASSES[part.name]() if part.kind == "object" else default_of(default_factory=dict)


@of(schema.SYSTEM_DISK)
class SystemDisk:
    """The disk that a node boots from."""


@of(schema.DISK)
class DiskSpec:
    """``count`` data disks of one kind on each node; ``size_gib`` is the size of each."""


@of(schema.SPOT)
class Spot:
    """Spot instances; without a ``price_limit`` they bid the market price."""

    @property
    def strategy(self) -> str:
        """ECS's SpotStrategy."""
        return "SpotAsPriceGo" if self.price_limit is None else "SpotWithPriceLimit"


@of(schema.NETWORK)
class Network:
    """Where the nodes live."""

    @staticmethod
    def completed(raw: dict) -> dict:
        create = raw["create"]
        vpc = raw["vpc_cidr"] or (DEFAULT_VPC if create else None)
        return {**raw, "access": raw["access"] or ("bastion" if create else "vpc"), "vpc_cidr": vpc,
                "vswitch_cidr": raw["vswitch_cidr"] or (first_part(vpc) if create else None)}


@of(schema.LOGIN)
class Login:
    """How to log in."""


@of(schema.GROUP, named=True)
class NodeGroup:
    """A named group of equal nodes; ``config`` is {file: {key: value}} of this group alone."""

    @staticmethod
    def completed(raw: dict) -> dict:
        return {**raw, "role": raw["role"] or raw["name"]}

    @property
    def disks_per_node(self) -> int:
        """Data disks on each node."""
        return sum(d.count for d in self.data_disks)


@of(schema.STEP)
class Bootstrap:
    """A script of the user's that runs on every node."""


@of(schema.BACKUP)
class Backup:
    """Copies of the NameNode's metadata."""


@of(schema.LOGS)
class Logs:
    """Logs of jobs."""


@of(schema.BUDGET)
class Budget:
    """What the cluster may cost in a month."""


@of(DATABASE)
class Database:
    """A database outside of the cluster."""


@of(METASTORE)
class Metastore:
    """The service metastore; without a ``database`` its tables lie on the master's disk."""


@of(SPARK)
class Spark:
    """The service spark."""


@of(RECEIVER, named=True)
class Receiver:
    """Somebody who gets messages of alerts."""

    @property
    def has_secret(self) -> bool:
        """Whether there is something of it that a spec must not hold."""
        return self.type == "dingtalk" or bool(self.user if self.type == "email" else self.secret)

    @property
    def variable(self) -> str:
        """The controller's variable that its secret comes from."""
        return f"EMR_RECEIVER_{self.name.upper().replace('-', '_')}"


@of(MONITORING)
class Monitoring:
    """The service monitoring."""


@of(schema.QUEUE, named=True)
class Queue:
    """A queue of YARN. Percent of the cluster: what it is sure of, and what it may take while others leave it."""


@of(schema.USER, named=True)
class User:
    """A person who works on the cluster."""


@of(schema.SPEC)
class Spec:
    """A whole spec; values are checked and complete. Config values are text as it goes into the files.

    ``revision``: of which stored revision this document was made (export writes it); says nothing about the cluster.
    """

    @property
    def expanded_services(self) -> tuple:
        """Services with ``hadoop`` resolved, and those that join by the number of nodes, in catalogue order."""
        return expand_services((*self.services, *joining(self.count)))

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
        if self.spark == Spark():
            del data[SPARK.name]
        elif not self.spark.tables:
            del data[SPARK.name]["tables"]
        if self.budget is None:
            del data["budget"]
        # Services say it, and what a spec of before this key says is still the same.
        del data[MONITORING.name]["enabled"]
        if not any(data[MONITORING.name].values()):
            del data[MONITORING.name]
        if not self.network.create:
            for key in ("create", "vpc_cidr", "vswitch_cidr"):
                del data["network"][key]
        return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _plain(value):
    """Objects, dicts and tuples as plain data, in the order of the schema; a name that is a key is not repeated inside."""
    if hasattr(value, "FIELD"):
        return {name: _plain(getattr(value, name)) for name in value.FIELD.names()}
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
    spec = _checked(item, source, problems, written=True)
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

    ``odd``, when given, says that a person made the mapping, and learns of values that their YAML may have changed.
    """
    from .reader import read_data

    try:
        item = read_data(data)
    except TypeError as error:
        raise SpecError([SpecProblem("spec", f"found {error}, expected the data of a spec", "Pass what Spec.to_dict "
                                     "returned.")]) from None
    return _checked(item, "<spec>", [], odd, written=odd is not None)


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


def _checked(item, source: str, problems: list, odd: list | None = None, written: bool = False) -> Spec:
    """Checks the tree and builds the Spec, or raises SpecError with every problem in order of lines. ``written``: by a person."""
    from .check import BAD, Checker
    from .rules import check_rules
    from .switches import as_kept, as_written

    checker = Checker(source)
    checker.problems.extend(problems)
    data = checker.document(schema.SPEC, item, "the cluster's name, for example: name: sales", odd)
    spec = None
    if data is not BAD:
        spec, wrong = as_written(_build(schema.SPEC, data)) if written else (as_kept(_build(schema.SPEC, data)), ())
        check_rules(spec, checker, wrong)
    checker.tell(data)
    return spec


def _build(part: Field, value, name: str = ""):
    """Checked values with the classes of their objects. ``name``: the key that an object has in its map."""
    if part.kind == "list":
        return tuple(_build(part.item, row) for row in value)
    if part.kind == "map":
        return {key: _build(part.item, row, key) for key, row in value.items()}
    made = CLASSES.get(part.name) if part.kind == "object" else None
    if made is None or (value is None and not made.NAMED):
        return value
    values = {key.name: _build(key, value[key.name]) for key in part.fields if key.name in (value or {})}
    if made.NAMED:
        values["name"] = name
    return made(**(made.completed(values) if hasattr(made, "completed") else values))


def first_part(cidr: str) -> str:
    """The first /20 of a network, or all of a smaller one."""
    import ipaddress

    network = ipaddress.IPv4Network(cidr)
    return str(network if network.prefixlen >= 20 else next(network.subnets(new_prefix=20)))


def _with_mirrors(spec: Spec, environ) -> Spec:
    """The spec with the mirrors of the environment, when that names usable ones."""
    from dataclasses import replace

    from ..install.sources import VARIABLE, environment_mirrors

    try:
        found = environment_mirrors(environ.get(VARIABLE, ""))
    except Refused as error:
        raise SpecError([SpecProblem("mirrors", error.message, error.remedy + ".")]) from None
    return replace(spec, mirrors=found) if found else spec
