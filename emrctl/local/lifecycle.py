"""What the commands of `emrctl local` do: bring a local ECS up, take it down, tell about it."""
from __future__ import annotations

import fcntl
import json
import os
import shlex
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from emrctl.local import keys, process, settings
from emrctl.local.settings import Settings
from emrctl.local.shell import DriverError, Refused

EXAMPLE = """\
# A cluster for the local ECS {prefix}: emrctl create THIS_FILE
name: {name}
release: emr-1.0
region: {region}
zone: {zone}
services: [hadoop]
image: {image}
network:
  vswitch_id: {vswitch}
  access: vpc
  ssh_from: {gateway}/32
node_groups:
  master: {{count: 1, instance_types: [ecs.c6.large]}}
  slave: {{count: 3, instance_types: [ecs.c6.large]}}
"""


@contextmanager
def _alone(prefix: str):
    """One `up` or `down` of a prefix at a time."""
    folder = Path("/run/lock") if os.access("/run/lock", os.W_OK) else Path("/tmp")
    with (folder / f"emr-local-{prefix}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wanted(prefix: str, subnet: str | None, port: int | None, state: Path | None, api_only: bool,
            memory_mib: int | None = None) -> Settings:
    """The settings that `up` asks for: what is stored wins over the defaults. Raises Refused when they contradict."""
    folder = settings.state_folder(prefix, state)
    try:
        old = settings.load(folder)
    except FileNotFoundError:
        old = None
    given = {"prefix": prefix, "subnet": subnet, "port": port, "api_only": api_only or None}
    if old:
        for name, value in given.items():
            if value is not None and value != getattr(old, name):
                raise Refused(f"the local ECS in {folder} has {name} {getattr(old, name)}, not {value}",
                              f"leave the option out, choose another --prefix, or take it down: emrctl local down{again(old)}")
        if memory_mib is None or memory_mib == old.memory_mib:
            return old
        if process.find(old):
            now = f"memory_mib {old.memory_mib}" if old.memory_mib else "the machine's memory (no memory_mib)"
            raise Refused(f"the local ECS in {folder} runs with {now}, not {memory_mib}",
                          f"leave the option out, or halt it, which keeps its hosts and their data: emrctl local down --keep{again(old)}; "
                          f"then: emrctl local up --memory-mib {memory_mib}{again(old)}")
        return replace(old, memory_mib=memory_mib)
    default = settings.API_ONLY_SUBNET if api_only else settings.DEFAULT_SUBNET
    return replace(settings.make(prefix, subnet or default, port or settings.DEFAULT_PORT, state, api_only), memory_mib=memory_mib or 0)


def again(at: Settings) -> str:
    """The options by which a later command means the same local ECS; starts with a blank unless there are none."""
    prefix = [] if at.prefix == settings.DEFAULT_PREFIX else ["--prefix", at.prefix]
    state = [] if at.folder == settings.state_folder(at.prefix) else ["--state", at.state]
    return "".join(f" {shlex.quote(word)}" for word in prefix + state)


def up(prefix: str, subnet: str | None, port: int | None, state: Path | None, api_only: bool,
       say: Callable[[str], None], memory_mib: int | None = None) -> Settings:
    """Bring a local ECS up, or complete it. Raises Refused before any change, DriverError after cleaning up."""
    settings.check_prefix(prefix)
    # Folders of images and hosts are what hosts see: their modes are not those of whoever starts the local ECS.
    os.umask(0o022)
    with _alone(prefix):
        wanted = _wanted(prefix, subnet, port, state, api_only, memory_mib)
        new = not (wanted.folder / settings.FILE).exists()
        if not wanted.api_only:
            _check(wanted, new, say)
        if process.find(wanted) is None:
            from emrctl.local.checks import port_free

            port_free(wanted.port, prefix)
        if not wanted.api_only:
            wanted = _with_image(wanted, say)
        try:
            wanted.save()
            keys.ensure(wanted.folder)
            if not wanted.api_only:
                from emrctl.local import network

                network.make_bridge(wanted)
            process.start(wanted)
        except BaseException:
            _undo(wanted, new)
            raise
    return wanted


def _check(wanted: Settings, new: bool, say: Callable[[str], None]) -> None:
    """Whether this machine can have these hosts. Raises Refused; may install missing tools."""
    from emrctl.local import checks, network

    checks.machine(wanted)
    checks.tools(say)
    if new:
        _refuse_strangers(wanted.prefix)
    network.check_subnet(wanted)
    checks.raise_limits(say)


def _with_image(wanted: Settings, say: Callable[[str], None]) -> Settings:
    """Hosts that exist need the image that they were made from; only a new local ECS takes a newer recipe."""
    from emrctl.local import image

    built = Path(wanted.image) if wanted.image and Path(wanted.image).exists() else image.build(say)
    return replace(wanted, image=str(built), class_data=image.class_data(built, say))


def _refuse_strangers(prefix: str) -> None:
    """The names of a new local ECS must be free: a failed `up` removes all that has them. Raises Refused."""
    from emrctl.local import network, teardown

    found = teardown.leftovers(prefix)
    if found:
        owner = network.state_of_bridge(prefix)
        raise Refused(f"the prefix {prefix} is in use{f' by the local ECS in {owner}' if owner else ''}: "
                      f"{', '.join(found[:3])}",
                      f"choose another --prefix, or take it away: emrctl local down --prefix {prefix}")


def _undo(wanted: Settings, new: bool) -> None:
    """After a failed `up` nothing may stay of a new local ECS; of an old one only the server is taken back."""
    if new:
        _down(wanted, keep=False)
    else:
        process.stop(wanted)


def _down(at: Settings, keep: bool) -> int:
    if at.api_only or os.geteuid() != 0:
        import shutil

        process.stop(at)
        if not keep:
            shutil.rmtree(at.folder, ignore_errors=True)
        return 0
    from emrctl.local import teardown

    return teardown.down(at, keep)


def _settings_for_down(prefix: str, state: Path | None) -> Settings:
    """Stored settings, or ones with the right names when the record is lost. Raises Refused for an impossible prefix."""
    settings.check_prefix(prefix)
    folder = settings.state_folder(prefix, state)
    if not state and not folder.exists():
        from emrctl.local import network

        folder = Path(network.state_of_bridge(prefix) or folder)
    try:
        return settings.load(folder)
    except (OSError, ValueError, TypeError):
        return settings.make(prefix, settings.DEFAULT_SUBNET, settings.DEFAULT_PORT, folder, api_only=False)


def down(prefix: str, state: Path | None, keep: bool) -> int:
    """Take a local ECS away, whatever is left of it; returns the number of hosts. Raises DriverError."""
    at = _settings_for_down(prefix, state)
    with _alone(at.prefix):
        return _down(at, keep)


def count_hosts(prefix: str, state: Path | None) -> int:
    """Hosts that `down` would remove."""
    from emrctl.local import teardown

    return len(teardown.host_ids(_settings_for_down(prefix, state)))


def environment(at: Settings) -> dict[str, str]:
    """The environment that points any client at this local ECS."""
    from emrctl.local import offers

    key, secret = keys.ensure(at.folder)
    host = "127.0.0.1" if at.api_only else at.gateway
    return {"ALIBABA_CLOUD_ACCESS_KEY_ID": key, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret,
            "ALIBABA_CLOUD_REGION_ID": offers.DEFAULT_REGION,
            "ALIBABA_CLOUD_ECS_ENDPOINT": f"http://127.0.0.1:{at.port}",
            "ALIBABA_CLOUD_STS_ENDPOINT": f"http://127.0.0.1:{at.port}",
            "ALIBABA_CLOUD_OSS_ENDPOINT": f"http://{host}:{at.port}",
            "EMR_MIRRORS": f"http://{host}:{at.port}/dist"}


def example(at: Settings, name: str) -> str:
    """A spec that this local ECS can fulfil."""
    from emrctl.local import offers

    zone = offers.DEFAULT_ZONE
    return EXAMPLE.format(prefix=at.prefix, name=name, region=offers.DEFAULT_REGION, zone=zone, image=offers.IMAGE_ID,
                          vswitch=offers.vswitch_id(zone), gateway=at.gateway)


def status(at: Settings) -> dict:
    """Server and hosts as they are now."""
    pid = process.find(at)
    shown = {"prefix": at.prefix, "endpoint": f"http://127.0.0.1:{at.port}", "subnet": at.subnet, "state": at.state,
             "server": "answers" if pid and process.answers(at.port) else "does not answer" if pid else "not running"}
    if at.api_only:
        return {**shown, "api_only": True}
    from emrctl.local import teardown
    from emrctl.local.hosts import Host

    rows = []
    for host_id in teardown.host_ids(at):
        host = Host(at, host_id)
        record = host.load() if host.record.exists() else {}
        rows.append({"id": host_id, "name": record.get("hostname", "-"), "ip": record.get("private_ip", "-"),
                     "memory_mib": record.get("memory_mib", 0), "state": host.state()})
    return {**shown, "bridge": at.bridge, "hosts": rows}


def call_faults(at: Settings, method: str, values: dict | None = None) -> dict:
    """GET, POST (merge) or DELETE the faults of the server. Raises DriverError, Refused for a value it does not take."""
    return _call(at, "faults", method, values, "see emrctl local fault --help")


def seed(at: Settings, values: dict) -> dict:
    """Add running instances at once, see emrctl.local.seed. Raises DriverError, Refused for a value it does not take."""
    if not at.api_only:
        raise Refused("this local ECS has real hosts", "start one without: emrctl local up --api-only --prefix NAME")
    return _call(at, "seed", "POST", values, "see emrctl local seed --help", limit=600)


def make_bucket(at: Settings, name: str) -> dict:
    """Make a bucket unless it is there; returns its name and those of all. Raises DriverError, Refused."""
    return _call(at, "bucket", "POST", {"name": name}, "give 3 to 63 lower-case letters, digits and hyphens")


def _call(at: Settings, page: str, method: str, values: dict | None, remedy: str, limit: float = 10) -> dict:
    """A page below /_local/ of the server. limit: seconds. Raises DriverError, Refused."""
    request = urllib.request.Request(f"http://127.0.0.1:{at.port}/_local/{page}", method=method,
                                     data=json.dumps(values).encode() if values else None,
                                     headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=limit) as answer:
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace").strip()
        raise Refused(f"the server does not take these {page} values: {text}", remedy) from error
    except OSError as error:
        raise DriverError(f"the server on port {at.port} does not answer ({error}); see {at.state}/server.log") from error
