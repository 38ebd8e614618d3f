"""Process of a local ECS: ``python -m emrctl.local.server --state DIR --port 7788 --listen 127.0.0.1``.

It writes DIR/server.json (pid, port, addresses) when it answers, and holds a lock on DIR/server.lock while it runs.
"""
from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from . import keys, offers, settings
from .cloud import UNLIMITED, Cloud, machine_memory_mib
from .nulldriver import NullDriver
from .oss.service import Oss
from .signature import Verifier
from .web import Server

log = logging.getLogger(__name__)


class Running:
    """A server in this process: its cloud, its OSS and one listener per address."""

    def __init__(self, cloud: Cloud, listen: list, port: int, access_keys: dict, dist: Path):
        self.cloud = cloud
        self._verifier = Verifier(access_keys, sessions=cloud.sessions)
        self._dist = dist
        self.oss = Oss(cloud.state / "oss", self._verifier.secret, cloud.sessions.principal, cloud.faults,
                       offers.DEFAULT_REGION)
        self.servers: list = []
        self._metadata: dict = {}
        self._guard = threading.Lock()
        try:
            for address in listen:
                self.servers.append(Server((address, port), cloud, self._verifier, dist,
                                           open_metadata=self.open_metadata, oss=self.oss))
                port = port or self.servers[0].server_address[1]
        except OSError:
            self._close_sockets()
            self.oss.close()
            raise
        self.port = port
        cloud.endpoint = f"{listen[0]}:{port}"
        # the last address is the one that hosts reach, too
        self.oss.endpoint = f"{listen[-1]}:{port}"
        for server in self.servers:
            self._serve(server)

    @staticmethod
    def _serve(server: Server) -> None:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def open_metadata(self, instance_id: str) -> int:
        """Port of 127.0.0.1 that is the metadata service of one instance, until this server ends."""
        with self._guard:
            if instance_id not in self._metadata:
                server = Server(("127.0.0.1", 0), self.cloud, self._verifier, self._dist, instance_id)
                self.servers.append(server)
                self._metadata[instance_id] = server.server_address[1]
                self._serve(server)
            return self._metadata[instance_id]

    def _close_sockets(self) -> None:
        for server in self.servers:
            server.server_close()

    def close(self) -> None:
        """Stop listening, then finish the work in hand."""
        for server in self.servers:
            server.shutdown()
        self._close_sockets()
        self.oss.close()
        self.cloud.close()


@contextlib.contextmanager
def single(state: Path):
    """Only one server per state folder. Raises BlockingIOError when there is one."""
    with (state / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def make_cloud(state: Path, api_only: bool, subnet: str, memory_mib: int | None, boot_seconds: float) -> Cloud:
    """The cloud of a state folder, with hosts or without. Raises OSError, ImportError."""
    if api_only:
        driver = NullDriver(state, boot_seconds)
        return Cloud(state, driver, subnet or settings.API_ONLY_SUBNET, memory_mib or UNLIMITED, workers=32)
    from .driver import NspawnDriver
    driver = NspawnDriver(state)
    return Cloud(state, driver, subnet or driver.settings.subnet, memory_mib or machine_memory_mib())


def arguments(argv: list) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m emrctl.local.server", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--state", type=Path, required=True, help="folder of everything this server keeps")
    parser.add_argument("--port", type=int, default=7788, help="0 takes a free one")
    parser.add_argument("--listen", action="append", help="address; may be repeated (default 127.0.0.1 and, with "
                                                          "hosts, the first of the subnet)")
    parser.add_argument("--api-only", action="store_true", help="instances are records, no hosts are booted")
    parser.add_argument("--subnet", default="", help="network of the instances")
    parser.add_argument("--prefix", default="emr", help="prefix of the names of interfaces and namespaces")
    parser.add_argument("--memory-mib", type=int, help="memory of all running instances together")
    parser.add_argument("--boot-seconds", type=float, default=0.0, help="with --api-only: time that a boot takes")
    parser.add_argument("--dist", type=Path, default=None, help="folder served at /dist (default ~/.cache/emr/dist)")
    return parser.parse_args(argv)


def main(argv: list | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit codes: 0 ended, 1 cannot start."""
    args = arguments(sys.argv[1:] if argv is None else argv)
    os.umask(0o022)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    args.state.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        with single(args.state):
            cloud = make_cloud(args.state, args.api_only, args.subnet, args.memory_mib, args.boot_seconds)
            listen = args.listen or ["127.0.0.1", *([str(cloud.subnet[1])] if cloud.real_hosts else [])]
            running = Running(cloud, listen, args.port, dict([keys.ensure(args.state)]),
                              args.dist or settings.cache_dir() / "dist")
            _announce(args.state, running.port, listen)
            ended.wait()
            running.close()
            (args.state / "server.json").unlink(missing_ok=True)
    except BlockingIOError:
        log.error("another server uses %s", args.state)
        return 1
    except OSError as error:
        log.error("cannot start: %s", error)
        return 1
    return 0


def _announce(state: Path, port: int, listen: list) -> None:
    temporary = state / "server.json.new"
    temporary.write_text(json.dumps({"pid": os.getpid(), "port": port, "listen": listen}))
    os.replace(temporary, state / "server.json")
    log.info("answering on %s", ", ".join(f"{a}:{port}" for a in listen))


if __name__ == "__main__":
    sys.exit(main())
