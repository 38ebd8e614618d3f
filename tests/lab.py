"""A local ECS of a test's own, and `emrctl` pointed at it. Cleans up whatever it started."""
from __future__ import annotations

import fcntl
import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import DEFAULT, release
from emrctl.dist.paths import dist_dir
from emrctl.local import lifecycle, settings, teardown

REPO = Path(__file__).resolve().parent.parent
EMRCTL = [sys.executable, "-m", "emrctl"]
# Seconds that a lab waits for another test run that uses the same one: as long as the longest file of `make test`.
CLAIM_LIMIT = 900


def claim(prefix: str) -> int:
    """Descriptor of a lock on the local ECS of a prefix, which ends with this process; whatever a killed run has left of it is taken down.

    Waits while another run on this machine has it. Raises AssertionError after CLAIM_LIMIT.
    """
    path = f"/run/lock/emr-lab-{prefix}"
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(CLAIM_LIMIT):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(1)
        else:
            if teardown.leftovers(prefix) or settings.state_folder(prefix, None).exists():
                lifecycle.down(prefix, None, keep=False)
            return lock
    raise AssertionError(f"another run on this machine has had the local ECS {prefix} for {CLAIM_LIMIT} s: {path} is locked")


class Lab:
    """One local ECS (own prefix, subnet, port, state folder, HOME) and the commands to work with it."""

    def __init__(self, folder: Path, prefix: str, third_octet: int, port: int):
        self.folder, self.prefix, self.port = folder, prefix, port
        self.subnet = f"10.77.{third_octet}.0/24"
        self.gateway = f"10.77.{third_octet}.1"
        self.home = folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.log_start = 0
        self.options = ["--prefix", prefix]
        self._claim = None
        self.env = dict(os.environ, EMR_CACHE=str(Path.home() / ".cache" / "emr"), HOME=str(self.home),
                        PYTHONPATH=str(REPO))

    @property
    def state(self) -> Path:
        """State folder of the local ECS."""
        return Path("/var/lib/emr-local") / self.prefix

    def watch_from(self) -> None:
        """api_log() starts here."""
        self.log_start = (self.state / "server.log").stat().st_size

    def api_log(self) -> str:
        """What the API server has logged since watch_from()."""
        with (self.state / "server.log").open() as log:
            log.seek(self.log_start)
            return log.read()

    def local(self, verb: str, *args: str, timeout: float = 600) -> str:
        """Run `emrctl local VERB` and return its stdout."""
        done = subprocess.run([*EMRCTL, "local", verb, *self.options, *args], env=self.env, text=True, cwd=self.folder,
                              capture_output=True, timeout=timeout, check=False)
        assert done.returncode == 0, f"local {verb}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def up(self, *options: str) -> None:
        """Start the local ECS. The first time nothing of an earlier run is there, also when that one was killed in the middle."""
        if self._claim is None:
            self._claim = claim(self.prefix)
        self.local("up", "--subnet", self.subnet, "--port", str(self.port), *options)
        for line in self.local("env").splitlines():
            match = re.match(r"export (\w+)=(.*)$", line)
            if match:
                self.env[match[1]] = shlex.split(match[2])[0]

    def down(self) -> None:
        self.local("down")
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def spec(self, name: str, **changes) -> Path:
        """Write the example spec of this local ECS for cluster `name`, with top-level keys replaced.

        Monitoring is off unless the test speaks of it: it is the subject of few, and a share of the hosts' memory.
        """
        import yaml
        document = yaml.safe_load(self.local("example", "--name", name))
        document.update(changes)
        if "monitoring" not in document.get("services", ()):
            document.setdefault("monitoring", {"enabled": False})
        path = self.folder / f"{name}.yml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return path

    def start(self, *args: str) -> subprocess.Popen:
        """Start emrctl in a process group of its own, without a terminal; stderr follows stdout in one pipe."""
        return subprocess.Popen([*EMRCTL, *args], env=self.env, text=True, cwd=self.folder, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def emrctl(self, *args: str, expect: int | None = 0, timeout: float = 900) -> subprocess.CompletedProcess:
        """Run emrctl to its end. With `expect`, its exit code must be that."""
        done = subprocess.run([*EMRCTL, *args], env=self.env, text=True, cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=timeout, check=False)
        if expect is not None:
            assert done.returncode == expect, (
                f"emrctl {' '.join(args)}: exit {done.returncode}, expected {expect}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *args: str, **kwargs):
        """What `emrctl … -o json` prints, decoded. What follows `--` belongs to a job and stays at the end."""
        at = args.index("--") if "--" in args else len(args)
        return json.loads(self.emrctl(*args[:at], "-o", "json", *args[at:], **kwargs).stdout)

    def ecs(self, action: str, **params) -> dict:
        """One ECS API call, by the official core SDK."""
        from aliyunsdkcore.client import AcsClient
        from aliyunsdkcore.request import CommonRequest
        host = self.env["ALIBABA_CLOUD_ECS_ENDPOINT"].split("://")[-1]
        client = AcsClient(self.env["ALIBABA_CLOUD_ACCESS_KEY_ID"], self.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
                           self.env.get("ALIBABA_CLOUD_REGION_ID", "cn-hangzhou"))
        request = CommonRequest(domain=host, version="2014-05-26", action_name=action)
        request.set_protocol_type("http")
        request.set_method("POST")
        for key, value in {"RegionId": "cn-hangzhou", **params}.items():
            request.add_query_param(key, value)
        for attempt in range(40):
            try:
                return json.loads(client.do_action_with_exception(request))
            except Exception as error:  # the SDK's ServerException; only throttling is retried
                if "Throttling" not in str(error) or attempt == 39:
                    raise
                time.sleep(0.2)
        raise AssertionError("unreachable")

    def instances(self, cluster: str) -> list[dict]:
        answer = self.ecs("DescribeInstances", **{"Tag.1.Key": "emr:cluster", "Tag.1.Value": cluster, "MaxResults": 100})
        return answer["Instances"]["Instance"]

    def ssh(self, cluster: str, node: str, command: str, check: bool = True, timeout: float = 120) -> str:
        done = self.emrctl("ssh", cluster, node, "--", command, expect=0 if check else None, timeout=timeout)
        return done.stdout


@contextmanager
def lab(folder: Path, prefix: str, third_octet: int, port: int, *options: str):
    """A running Lab (``options`` of `emrctl local up`); taken down at the end, also after a failure."""
    it = Lab(folder, prefix, third_octet, port)
    try:
        it.up(*options)
        yield it
    finally:
        it.down()


@contextmanager
def crowded_agent(folder: Path):
    """Environment of an ssh agent with seven keys, none of which opens anything: sshd ends a connection after six."""
    folder.mkdir(parents=True, exist_ok=True)
    told = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    env = dict(re.findall(r"(SSH_\w+)=([^;]+);", told))
    try:
        for number in range(7):
            key = folder / f"other-{number}"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
            subprocess.run(["ssh-add", "-q", str(key)], env={**os.environ, **env}, check=True)
        yield env
    finally:
        os.kill(int(env["SSH_AGENT_PID"]), signal.SIGTERM)


def tarball(component: str) -> Path:
    """The finished tarball of a component of the default release; those of other releases may lie beside it."""
    return dist_dir() / release(DEFAULT).artifacts[component].file


def until(true, what: str, limit: float) -> None:
    """Wait until ``true()`` holds. Raises AssertionError after so many seconds."""
    deadline = time.monotonic() + limit
    while not true():
        assert time.monotonic() < deadline, f"not within {limit:.0f} s: {what}"
        time.sleep(1)


def line_matches(pattern: str):
    """Moment: a line of emrctl's output matches."""
    return lambda _lab, lines: any(re.search(pattern, line) for line in lines)


def api_log_matches(pattern: str):
    """Moment: the local ECS has logged a matching line since this emrctl was started (see `watch_from`)."""
    return lambda it, _lines: re.search(pattern, it.api_log()) is not None


def host_runs(pattern: str):
    """Moment: a process with a matching command line runs on one of the hosts."""
    def check(it: Lab, _lines: list) -> bool:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if re.search(pattern, command) and f"/{it.prefix}/" in (path / "cgroup").read_text():
                    return True
            except OSError:
                continue
        return False
    return check


def kill_when(it: Lab, arguments: list, how: signal.Signals, moment, delay: float, limit: float = 600) -> str:
    """Start emrctl and send it `how` `delay` seconds after `moment(lab, output lines)` has come true. Returns the output.

    SIGINT goes to the process group, as a terminal does; SIGKILL to emrctl alone, as the kernel does.
    Fails if the process ended before, so that a kill that hit nothing is not counted as survived.
    """
    it.watch_from()
    process = it.start(*arguments)
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(iter(process.stdout.readline, "")), daemon=True)
    reader.start()
    deadline = time.monotonic() + limit
    while not moment(it, seen):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"the moment did not come before the end:\n{''.join(seen)}")
        time.sleep(0.03)
    time.sleep(delay)
    assert process.poll() is None, f"ended within {delay:.2f} s after the moment:\n{''.join(seen)}"
    if how == signal.SIGINT:
        os.killpg(process.pid, how)
    else:
        process.send_signal(how)
    process.wait(timeout=120)
    reader.join(timeout=10)
    return "".join(seen)


def seeded(seed: int) -> random.Random:
    """The random source of a kill run; the seed is printed so that a failure can be replayed."""
    print(f"seed {seed}")
    return random.Random(seed)
