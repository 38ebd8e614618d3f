"""The work of `emrctl init`: answers from flags, defaults and the terminal, the advice, the file, what to do next."""
from __future__ import annotations

import subprocess
import sys
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths as node_paths
from emrctl import cloud, failures
from emrctl.output import Format, emit, table

# Of several NameNodes those that stand by say so.
_SUMMARY = """
import sys, urllib.error as e, urllib.parse as p, urllib.request as u
for address in sys.argv[1].split(","):
    try:
        url = "http://%s:9870/webhdfs/v1%s?op=GETCONTENTSUMMARY&user.name=hdfs" % (address, p.quote(sys.argv[2]))
        print(u.urlopen(url, timeout=60).read().decode())
        break
    except e.HTTPError as error:
        said = error.read().decode()
        if "StandbyException" not in said:
            raise
    except e.URLError as error:
        said = str(error)
else:
    sys.exit(said)
"""


# In place of the id of a vSwitch: make one.
NEW = "new"


class Asker:
    """Answers by name. ``given`` come from flags; with ``asks`` a person is asked for the others."""

    def __init__(self, given: dict, asks: bool):
        self.given, self.asks = given, asks

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def get(self, name: str, question: str, default=None, check=None, required: bool = True):
        """The answer, ``default`` where there is none. Leaves with 2, naming the flag, when a required one is missing.

        ``check(text)`` gives the value or raises an error with a remedy; at a terminal the question is put again.
        """
        check = check or (lambda value: value)
        while True:
            if name in self.given:
                return check(self.given[name])
            if not self.asks:
                if default is None and required:
                    failures.fail(f"{question}: no answer. Next: give --{name}", failures.USAGE)
                return default if default is None else check(default)
            shown = "" if default is None else f" [{default}]"
            print(f"{question}{shown}: ", end="", file=sys.stderr, flush=True)
            line = sys.stdin.readline()
            if not line:
                failures.fail(f"no answer. Next: give --{name}", failures.USAGE)
            text = line.strip() or default
            if text is None:
                if not required:
                    return None
                continue
            try:
                return check(text)
            except Exception as error:
                if not hasattr(error, "remedy"):
                    raise
                print(error, file=sys.stderr)


def one_of(*choices: str):
    """A check for one of these words, or its beginning."""
    def check(text: str) -> str:
        found = [c for c in choices if text and c.startswith(text.lower())]
        if len(found) != 1:
            raise _refused(f"'{text}' is not one of {', '.join(choices)}", "Write one of them")
        return found[0]
    return check


def number(least: float, kind=float):
    """A check for a number of at least ``least``."""
    def check(text):
        try:
            value = kind(text)
        except ValueError:
            raise _refused(f"'{text}' is not {'a whole number' if kind is int else 'a number'}", "Write a number") from None
        if not least <= value < 1e12:
            raise _refused(f"{text} is out of range, expected at least {least:g}", "Correct it")
        return value
    return check


def _refused(message: str, remedy: str):
    from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused

    return Refused(message, remedy)


class Answers:
    """Everything that has to be known, in the order in which it is asked for."""

    def __init__(self, asker: Asker):
        self.asker = asker

    @cached_property
    def region(self) -> str:
        """The region; that of the environment or profile is the default."""
        from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import (
            default_region,
            find_credentials,
        )

        return self.asker.get("region", "Region", find_credentials().region or default_region() or None)

    @cached_property
    def client(self):
        """Client of the region."""
        return cloud.client(self.region)

    @cached_property
    def name(self) -> str:
        """The cluster's name."""
        return self.asker.get("name", "Name of the cluster", check=_cluster_name)

    @cached_property
    def measured(self):
        """What --measure found, or None."""
        return measure(self.asker.given["measure"], self.asker.given.get("region")) if "measure" in self.asker else None

    @cached_property
    def services(self) -> tuple:
        """Services as written."""
        default = "hadoop" if self.workload == "batch" else "hadoop,spark"
        return self.asker.get("services", "Services, hadoop or hadoop,spark", default, _services)

    @cached_property
    def workload(self) -> str:
        """The kind of work."""
        return self.asker.get("workload", "Kind of work: batch, interactive or streaming",
                              check=one_of("batch", "interactive", "streaming"))

    @cached_property
    def needs(self):
        """The business characteristics."""
        from ansible_collections.emr.cluster.plugins.module_utils.cloud.sizing.measure import gib
        from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing.needs import Needs
        from ansible_collections.emr.cluster.plugins.module_utils.services.registry import SWITCHES, expand_services

        ask, workload = self.asker.get, self.workload
        found = self.measured
        data = found.gib if found else ask("data", "Data to keep now, one copy, such as 500GB (or give --measure)", check=gib)
        growth = ask("growth", "New data per month", "0", gib)
        months = ask("retention", "Months that data is kept", 12, number(0, int))
        tenth = f"{max(data / 10, 1):.0f}GiB"
        if workload == "streaming":
            working, minutes = ask("working-set", "State that the stream holds in memory", "1GiB", gib), 60.0
        else:
            working = ask("working-set", "Data that one job reads", tenth, gib)
            minutes = ask("deadline", "Minutes that such a job may take", 60, number(0.1))
        budget = ask("budget", "Most that the cluster may cost per month (empty: no limit)", None, number(0), required=False)
        return Needs(workload, data, growth, months, working, minutes, budget, expand_services((*self.services, *SWITCHES)),
                     found.files if found else 0)

    @cached_property
    def place(self):
        """Where the cluster shall live, from flags and from what the API shows."""
        from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs import images, market
        from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import DEFAULT
        from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing.text import Place

        ask, client = self.asker.get, self.client
        zone, switch = self._network(market)
        picture = None if "image" in self.asker else images.find_image(client)
        image = ask("image", "Image", picture and picture["ImageId"])
        doors = ("vpc", "bastion", "public") if switch else ("bastion", "public")
        access = ask("access", f"How you reach the nodes: {', '.join(doors[:-1])} or public", doors[0], one_of(*doors))
        hint = market.suggested_ssh_from(client, switch["CidrBlock"] if switch else "", access)
        admitted = ask("ssh-from", "Network to admit on SSH, such as 203.0.113.0/24", hint or None)
        free = switch.get("AvailableIpAddressCount") if switch else None
        return Place(
            self.name, DEFAULT, client.region, zone, self.services, image, switch["VSwitchId"] if switch else "", access, admitted,
            image_why=f"the newest public {picture.get('OSName', 'Linux')}" if picture and image == picture["ImageId"] else "",
            vswitch_why=f"{switch['CidrBlock']}" + ("" if free is None else f", {free} free addresses") if switch else
            "a VPC and a vSwitch for this cluster alone, released with it",
            ssh_why="this machine, as the nodes see it" if admitted == hint else "")

    def _network(self, market) -> tuple:
        """(zone, vSwitch), None for one that create makes. Raises Refused."""
        ask, client, given = self.asker.get, self.client, self.asker.given
        if "vswitch" in given and given["vswitch"] != NEW:
            switch = market.vswitch(client, given["vswitch"])
            return ask("zone", "Zone", switch["ZoneId"]), switch
        switch = None if "vswitch" in given else market.find_vswitch(client, given.get("zone"))
        zone = ask("zone", "Zone", switch["ZoneId"] if switch else market.zone_without_network(client, given.get("zone")))
        if switch and zone != switch["ZoneId"]:
            switch = market.find_vswitch(client, zone)
        if switch is None:
            market.zone_without_network(client, zone)
            agreed = "vswitch" in given or ask("vswitch", f"There is no vSwitch in {zone}. Answer {NEW} to make a VPC and a vSwitch "
                                               "for this cluster, or give the id of another vSwitch", NEW) == NEW
            if not agreed:
                raise _refused("the answer is not a vSwitch of this zone", f"Give --vswitch {NEW}, or --vswitch with an id and its --zone")
        return zone, switch


def _cluster_name(text: str) -> str:
    import re

    from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.schema import SPEC

    field = SPEC.fields[0]
    if not re.fullmatch(field.pattern, text):
        raise _refused(f"'{text}' is not a name for a cluster, expected {field.expect}", f"Write for example {field.example}")
    return text


def _services(text: str) -> tuple:
    names = tuple(dict.fromkeys(w.strip() for w in text.strip("[] ").split(",") if w.strip()))
    from ansible_collections.emr.cluster.plugins.module_utils.services.registry import expand_services

    try:
        expand_services(names)
    except KeyError as error:
        raise _refused(f"the service {error} is unknown", "Write hadoop, or hadoop,spark") from None
    return names


def measure(path: str, region: str | None):
    """What there is at a path: a folder or file, hdfs://CLUSTER/PATH, listing:FILE. Raises Refused."""
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.sizing import measure as ruler

    if path.startswith("listing:"):
        source = path.removeprefix("listing:")
        try:
            with (sys.stdin if source == "-" else open(source, encoding="utf-8", errors="replace")) as stream:
                return ruler.measure_listing(stream, source)
        except OSError as error:
            raise _refused(f"{source}: {error.strerror}", "Correct --measure") from None
    if path.startswith("oss://"):
        raise _refused("OSS can be measured only from a listing",
                       f"Save one with: ossutil ls {path} > listing.txt, then give --measure listing:listing.txt")
    if path.startswith("hdfs://"):
        parts = urlsplit(path)
        if not parts.hostname:
            raise _refused(f"{path} does not name a cluster", "Write hdfs://CLUSTER/PATH with the name that emrctl list shows")
        return ruler.measure_summary(_ask_hdfs(parts.hostname, parts.path or "/", region), path)
    return ruler.measure_folder(path)


def _ask_hdfs(cluster: str, path: str, region: str | None) -> str:
    """GETCONTENTSUMMARY from the control node of a cluster, over SSH."""
    import shlex

    from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.endpoints import endpoints

    found = cloud.nodes(cluster, region)
    master = cloud.control_node(found)
    addresses = ",".join(row.address for row in endpoints(cloud.topology(found), "namenode"))
    command = shlex.join([node_paths.PYTHON, "-", addresses, path])
    done = subprocess.run(["ssh", *cloud.ssh_arguments(master), command], input=_SUMMARY, capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode == 255:
        failures.fail(f"{master['name']} does not answer: {done.stderr.strip()}. Next: emrctl status {cluster}",
                      failures.UNREACHABLE)
    return done.stdout or done.stderr


def write(answers: Answers, file: Path, output: Format, quiet: bool = False) -> None:
    """Ask, advise, write the file and tell what was advised; ``quiet``: not what is going on meanwhile. Raises errors of module_utils, which main() tells."""
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs import market
    from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing.advice import advise
    from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing.text import cluster_yml
    from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec

    answers.name  # noqa: B018 - the first question
    needs, place = answers.needs, answers.place
    if answers.measured:
        found = answers.measured
        print(f"{found.source}: {found.gib:,.1f} GiB in {found.files:,} files", file=sys.stderr)
    if not quiet:
        print(f"Asking {place.region} for types, stock and prices …", file=sys.stderr)
    advice = advise(needs, market.read_market(answers.client, place.zone, place.image, needs))
    text = cluster_yml(advice, place)
    parse_spec(text, str(file))  # what is written must be what create takes
    if str(file) == "-":
        print(text, end="")
        return
    file.write_text(text, encoding="utf-8")
    emit(as_data(advice, place, file), output, for_people(advice, place, file))


def as_data(advice, place, file: Path) -> dict:
    """The advice for programs."""
    groups = [{"group": g.name, "role": g.role, "count": g.count, "instance_types": list(g.types), "spot": g.spot,
               "system_disk_gib": g.layout.system_gib,
               "data_disks": [{"category": c, "size_gib": s, "count": n} for c, s, n in g.layout.data],
               "price_hour": round(g.price_hour, 4), "reasons": [r for r in g.reasons if r],
               "rejected": [{"alternative": a, "why": w} for a, w in g.rejected]} for g in advice.groups]
    return {"file": str(file), "name": place.name, "region": place.region, "zone": place.zone,
            "demand": {"volume_gib": advice.demand.volume_gib, "vcpus": advice.demand.vcpus,
                       "yarn_mib": advice.demand.yarn_mib, "why": list(advice.demand.why)},
            "groups": groups, "hourly": advice.hourly, "monthly": advice.monthly, "currency": advice.currency,
            "source": advice.source}


def for_people(advice, place, file: Path) -> str:
    """The advice in short; the reasons are in the file."""
    rows = [{"group": g.name, "count": g.count, "instance_type": g.types[0], "spot": g.spot,
             "disks": ", ".join(f"{n} x {s} GiB {c}" for c, s, n in g.layout.data) or f"{g.layout.system_gib} GiB system",
             "price_hour": g.price_hour} for g in advice.groups]
    source = f" ({advice.source})" if advice.source else ""
    return "\n".join([table(rows, list(rows[0])), "",
                      f"{advice.hourly:,.2f} {advice.currency} an hour, {advice.monthly:,.2f} a month{source}.",
                      f"Wrote {file}; the reasons and the rejected alternatives are in it.",
                      f"Next: emrctl plan {file}", f"      emrctl create {file}"])
