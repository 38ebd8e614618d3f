"""MariaDB and PostgreSQL from Debian's packages and Kafka from Maven's, as real servers in a network namespace of a test's own.

The namespace hangs on the bridge of a local ECS, so that its hosts reach the servers as they would reach RDS. Packages are
unpacked into the cache, never installed. What a test starts here ends with the context, also after a failure.
"""
from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from emrctl.dist import fetch

CACHE = Path.home() / ".cache" / "emr" / "databases"
PACKAGES = ("mariadb-server", "postgresql-15")
KAFKA = ("kafka_2.13", "kafka-tools")
KAFKA_VERSION = "3.9.1"
USER = "shop"
LIMIT_S = 300.0


def packages() -> Path:
    """Folder with the unpacked packages and all they need; fetched once through apt-get."""
    root = CACHE / "root"
    if root.exists():
        return root
    debs, fresh = CACHE / "debs", CACHE / "root.new"
    shutil.rmtree(debs, ignore_errors=True)
    shutil.rmtree(fresh, ignore_errors=True)
    (debs / "partial").mkdir(parents=True)
    done = subprocess.run(["apt-get", "install", "-y", "--reinstall", "--no-install-recommends", "--download-only", "-o",
                           "DPkg::Lock::Timeout=300", "-o", f"Dir::Cache::archives={debs}", *PACKAGES], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"apt-get could not fetch {' '.join(PACKAGES)} (apt-get update first?):\n{done.stderr[-2000:]}"
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(deb), str(fresh)], check=True, timeout=300)
    fresh.rename(root)
    return root


class Namespace:
    """A network namespace with one address on the bridge of a local ECS. ``run`` starts programs that end with it."""

    def __init__(self, lab, folder: Path, number: int = 240):
        self.lab, self.folder = lab, folder
        self.name, self.cable = f"{lab.prefix}db", f"{lab.prefix}db0"
        self.address = lab.gateway.rsplit(".", 1)[0] + f".{number}"
        self.children: list[subprocess.Popen] = []

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self._remove()
        for command in (f"netns add {self.name}", f"link add {self.cable} type veth peer name eth0 netns {self.name}",
                        f"link set {self.cable} master {self.lab.prefix}0 up", f"-n {self.name} link set lo up",
                        f"-n {self.name} addr add {self.address}/24 dev eth0", f"-n {self.name} link set eth0 up"):
            subprocess.run(["ip", *command.split()], check=True, timeout=30)
        return self

    def __exit__(self, *_error):
        for child in reversed(self.children):
            self.end(child)
        self._remove()

    def _remove(self) -> None:
        subprocess.run(["ip", "link", "del", self.cable], check=False, capture_output=True, timeout=30)
        if Path("/run/netns", self.name).exists():
            subprocess.run(["ip", "netns", "del", self.name], check=True, timeout=30)

    def command(self, argv, mapped: bool = False) -> list:
        """This command line inside the namespace; ``mapped`` for what refuses to run as root: it then sees another user."""
        become = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if mapped else []
        return ["ip", "netns", "exec", self.name, *become, *map(str, argv)]

    def run(self, argv, log: str, mapped: bool = False, env=None) -> subprocess.Popen:
        """Start a program in the background."""
        with (self.folder / log).open("ab") as out:
            child = subprocess.Popen(self.command(argv, mapped), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     env={**os.environ, **(env or {})}, start_new_session=True)
        self.children.append(child)
        return child

    @staticmethod
    def end(child, how: int = signal.SIGTERM) -> None:
        """End a program and its children; by force after 20 seconds."""
        for number, limit in ((how, 20), (signal.SIGKILL, 20)):
            try:
                os.killpg(child.pid, number)
            except ProcessLookupError:
                pass
            try:
                child.wait(limit)
                if _group_is_gone(child.pid, 5):
                    return
            except subprocess.TimeoutExpired:
                continue


class Alone(Namespace):
    """A network namespace with nothing but its loopback: databases and the programs that use them, without hosts."""

    def __init__(self, folder: Path, name: str):
        self.folder, self.name, self.address = folder, name, "127.0.0.1"
        self.children: list[subprocess.Popen] = []

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self._remove()
        for command in (f"netns add {self.name}", f"-n {self.name} link set lo up"):
            subprocess.run(["ip", *command.split()], check=True, timeout=30)
        return self

    def _remove(self) -> None:
        if Path("/run/netns", self.name).exists():
            subprocess.run(["ip", "netns", "del", self.name], check=True, timeout=30)


def _group_is_gone(group: int, limit: float) -> bool:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def _children(parent: int) -> list:
    """Ids of the processes that this one has started (PostgreSQL's have sessions of their own)."""
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(word) for word in done.stdout.split()]


def _input(text: str | None) -> dict:
    return {"stdin": subprocess.DEVNULL} if text is None else {"input": text}


class Server:
    """A database server. ``password`` belongs to USER, who owns the database ``shop``."""

    scheme, port, mapped = "", 0, False

    def __init__(self, space: Namespace):
        self.space, self.root, self.password = space, packages(), secrets.token_hex(12)
        self.data = space.folder / self.scheme
        self.child = None
        libraries = [self.root / "usr/lib/x86_64-linux-gnu", self.root / "lib/x86_64-linux-gnu", self.root / "usr/lib/aarch64-linux-gnu"]
        self.env = {"LD_LIBRARY_PATH": ":".join(str(path) for path in libraries if path.is_dir()), "TZ": "Asia/Shanghai"}

    @property
    def address(self) -> str:
        return f"{self.scheme}://{USER}@{self.space.address}:{self.port}/shop"

    def _call(self, argv, mapped=False, stdin=None, **more) -> str:
        done = subprocess.run(self.space.command(argv, mapped), **_input(stdin), capture_output=True, text=True, timeout=300, check=False,
                              env={**os.environ, **self.env, **more})
        assert done.returncode == 0, f"{argv[0]}: {done.stderr[-2000:]}"
        return done.stdout

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.child = self.space.run(self._server(), f"{self.scheme}.log", self.mapped, self.env)
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                self.sql("SELECT 1", admin=True)
                return
            except AssertionError as error:
                assert self.child.poll() is None and time.monotonic() < deadline, f"{self.scheme} does not answer: {error}\n" + \
                    (self.space.folder / f"{self.scheme}.log").read_text()[-2000:]
                time.sleep(0.3)

    def kill(self) -> None:
        """SIGKILL for all its processes, as when a machine loses its power."""
        for pid in _children(self.child.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.space.end(self.child, signal.SIGKILL)

    def _server(self) -> list:
        raise NotImplementedError

    def sql(self, text: str, admin: bool = False) -> list:
        """Rows of a query as lists of texts; NULL is None."""
        raise NotImplementedError


class MariaDb(Server):
    """Debian's MariaDB."""

    scheme, port = "mysql", 3306

    def __enter__(self):
        self.data.mkdir(mode=0o755)
        self._call([self.root / "usr/bin/mariadb-install-db", "--no-defaults", f"--basedir={self.root}/usr", f"--datadir={self.data}",
                    "--user=root", "--skip-test-db", "--auth-root-authentication-method=normal"], PATH=self._path())
        self.start()
        self.sql(f"CREATE DATABASE shop CHARACTER SET utf8mb4; CREATE USER {USER}@'%' IDENTIFIED BY '{self.password}'; "
                 f"GRANT ALL ON shop.* TO {USER}@'%'", admin=True)
        return self

    def __exit__(self, *_error):
        self.space.end(self.child)

    def _path(self) -> str:
        return f"{self.root}/usr/bin:{self.root}/usr/sbin:{os.environ['PATH']}"

    def _server(self) -> list:
        return [self.root / "usr/sbin/mariadbd", "--no-defaults", "--user=root", f"--datadir={self.data}", f"--socket={self.data}/s",
                f"--pid-file={self.data}/pid", f"--lc-messages-dir={self.root}/usr/share/mysql", f"--bind-address={self.space.address}",
                f"--port={self.port}", "--innodb-buffer-pool-size=64M", "--default-time-zone=+08:00"]

    def sql(self, text, admin=False):
        sign_on = [f"--socket={self.data}/s", "-uroot"] if admin else [f"-h{self.space.address}", f"-u{USER}"]
        # -N -B: no names, tab-separated with NULL written as NULL
        out = self._call([self.root / "usr/bin/mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-NB", *sign_on, *([] if admin else ["shop"])], stdin=text,
                         MYSQL_PWD="" if admin else self.password)
        return [[None if field == "NULL" else field for field in line.split("\t")] for line in out.splitlines()]


class Postgres(Server):
    """Debian's PostgreSQL."""

    scheme, port, mapped = "postgresql", 5432, True

    def __init__(self, space):
        super().__init__(space)
        self.bin = self.root / "usr/lib/postgresql/15/bin"

    def __enter__(self):
        self.data.mkdir(mode=0o700)
        self._call([self.bin / "initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust"], self.mapped)
        (self.data / "pg_hba.conf").write_text("local all all trust\nhost all all all scram-sha-256\n")
        self.start()
        for text in (f"CREATE USER {USER} PASSWORD '{self.password}'", f"CREATE DATABASE shop OWNER {USER}"):
            self.sql(text, admin=True)
        return self

    def __exit__(self, *_error):
        self.space.end(self.child, signal.SIGINT)

    def _server(self) -> list:
        return [self.bin / "postgres", "-D", self.data, "-k", self.data, "-h", self.space.address, "-p", self.port,
                "-c", "shared_buffers=64MB", "-c", "timezone=Asia/Shanghai"]

    def sql(self, text, admin=False):
        sign_on = ["-h", self.data, "-U", "postgres", "postgres"] if admin else ["-h", self.space.address, "-U", USER, "shop"]
        out = self._call([self.bin / "psql", "-X", "-q", "-At", "-F", "\t", "-P", "null=\\N", "-v", "ON_ERROR_STOP=1", *sign_on],
                         stdin=text, **({} if admin else {"PGPASSWORD": self.password}))
        return [[None if field == "\\N" else field for field in line.split("\t")] for line in out.splitlines()]


def kafka_jars() -> Path:
    """Folder with Kafka's jars; fetched once through Maven."""
    folder = CACHE / f"kafka-{KAFKA_VERSION}"
    if not folder.exists():
        fresh = folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fetch.copy_artifacts(fetch.pom(fetch.dependency("org.apache.kafka", name, KAFKA_VERSION) for name in KAFKA), fresh)
        fresh.rename(folder)
    return folder


class Kafka:
    """One broker of Kafka, its own controller (KRaft). Clients are Kafka's own programs."""

    port = 9092

    def __init__(self, space: Namespace):
        self.space = space
        self.classpath = ":".join(str(path) for path in sorted(kafka_jars().rglob("*.jar")))
        self.bootstrap = f"{space.address}:{self.port}"

    def __enter__(self):
        conf = self.space.folder / "server.properties"
        conf.write_text("\n".join((
            "process.roles=broker,controller", "node.id=1", f"controller.quorum.voters=1@{self.space.address}:9093",
            f"listeners=PLAINTEXT://{self.bootstrap},CONTROLLER://{self.space.address}:9093", f"advertised.listeners=PLAINTEXT://{self.bootstrap}",
            "controller.listener.names=CONTROLLER", f"log.dirs={self.space.folder}/kafka", "offsets.topic.replication.factor=1",
            "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1", "group.initial.rebalance.delay.ms=0", "")))
        self.tool("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", conf)
        self.child = self.space.run(self._java("kafka.Kafka", conf), "kafka.log")
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                self.tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.bootstrap, "--list")
                return self
            except AssertionError as error:
                assert self.child.poll() is None and time.monotonic() < deadline, f"Kafka does not answer: {error}\n" + \
                    (self.space.folder / "kafka.log").read_text()[-2000:]

    def __exit__(self, *_error):
        self.space.end(self.child)

    def _java(self, program, *args) -> list:
        return ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", self.classpath, program, *args]

    def tool(self, program, *args, stdin: str | None = None) -> str:
        """Output of one of Kafka's programs."""
        done = subprocess.run(self.space.command(self._java(program, *args)), **_input(stdin), capture_output=True, text=True,
                              timeout=180, check=False)
        assert done.returncode == 0, f"{program}: {done.stdout[-1000:]}{done.stderr[-2000:]}"
        return done.stdout

    def topic(self, name: str, partitions: int) -> None:
        self.tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.bootstrap, "--create", "--topic", name, "--partitions",
                  partitions)

    def send(self, topic: str, lines) -> None:
        """Records with these values, acknowledged when this returns."""
        self.tool("kafka.tools.ConsoleProducer", "--bootstrap-server", self.bootstrap, "--topic", topic, "--producer-property",
                  "acks=all", stdin="".join(f"{line}\n" for line in lines))

    def ends(self, topic: str) -> dict:
        """{partition: offset behind its last record}."""
        out = self.tool("org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", self.bootstrap, "--topic", topic)
        return {int(line.split(":")[1]): int(line.split(":")[2]) for line in out.split()}


@contextmanager
def both(lab, folder: Path):
    """MariaDB and PostgreSQL beside the hosts of a local ECS."""
    with Namespace(lab, folder) as space, MariaDb(space) as mysql, Postgres(space) as postgres:
        yield mysql, postgres
