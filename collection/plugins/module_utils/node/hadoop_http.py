"""The only way from our code on a node to what Hadoop's, YARN's and Spark's daemons serve: addresses, authentication, TLS, limits.

A daemon has one address or several, of which one is active; that one is found by asking and remembered until it answers no more, or
that it stands by.
"""
from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.parse

from .common import NodeError

# Seconds: for a whole answer; for one of several addresses to say whether it is the active one; that it is believed to be.
LIMIT_S, STATE_S, BELIEVED_S = 5.0, 2.0, 10.0
# Seconds for a connection alone: who takes longer for it is gone, however long an answer may take.
CONNECT_S = 10.0
BLOCK = 1 << 20
REDIRECTS = 5
ACTIVE = "active"
_BELIEVED: dict = {}  # {(name, addresses): (the active address, until when it is believed)}
_BROKEN = (OSError, http.client.HTTPException)


class HttpError(NodeError):
    """A daemon did not give what it was asked for. ``status``: of its answer, None when there was none; then another attempt may go well."""

    def __init__(self, daemon, address, asked, last, status=None, body=b""):
        said = f"answered {status} to {asked}: {last}" if status else f"does not answer {asked}: {last}"
        super().__init__(f"the {daemon} at {address} {said}", **({"status": status} if status else {"again": True}))
        self.daemon, self.address, self.asked, self.last, self.status, self.body = daemon, address, asked, last, status, body


class Unreached(HttpError):
    """There was no connection, so nothing was sent."""


class Simple:
    """Hadoop's simple authentication: a daemon believes who asks. Kerberos has the same methods."""

    def query(self, user):
        """What the query of a request gets."""
        return {"user.name": user} if user else {}

    def headers(self, _address):
        """What its headers get."""
        return {}

    def renewed(self, _address):
        """After a 401: whether there are other headers now, so that the request is worth another attempt."""
        return False

    def tls(self):
        """The context for https://."""
        return ssl.create_default_context()


class _Hook:
    authentication = Simple()


def authenticate(authentication):
    """Use this, with the methods of ``Simple``, for all requests of this process."""
    _Hook.authentication = authentication


class Daemon:
    """A daemon's HTTP. ``addresses``: http[s]://host:port, several as a list or with commas; ``user``: whom to act as; ``name``: what people call it.

    With ``keep`` each thread keeps a connection for the next request.
    """

    NAME = "daemon"
    # Where a daemon says whether it is the active one.
    STATE = ""

    def __init__(self, addresses, user="", name="", keep=False):
        self.addresses = addresses.split(",") if isinstance(addresses, str) else list(addresses)
        self.user, self.name, self.keep = user, name or self.NAME, keep
        self._links = threading.local()

    def __str__(self):
        return f"{self.name} at {' or '.join(self.addresses)}"

    def look(self, path, limit_s=LIMIT_S):
        """Parsed JSON of a GET; None when nobody answers, the answer is an error, or it is not JSON."""
        try:
            return json.loads(self.ask(path, limit_s=limit_s))
        except (HttpError, ValueError):
            return None

    def ask(self, path, method="GET", query=None, data=None, headers=None, limit_s=LIMIT_S):
        """Body of an answer. ``path`` may have a query of its own. Raises HttpError; nothing takes longer than ``limit_s`` seconds."""
        with self.stream(path, method, query, data, headers, limit_s) as answer:
            return answer.rest(time.monotonic() + limit_s)

    @contextlib.contextmanager
    def stream(self, path, method="GET", query=None, data=None, headers=None, limit_s=LIMIT_S):
        """An ``Answer`` to be read bit by bit, within ``limit_s`` seconds for each. Raises HttpError, while it is read too."""
        request = _Request(self, path, method, query, data, headers, limit_s)
        address = self.active(limit_s)
        try:
            answer = self._answer(address, request)
        except HttpError as error:
            # What may have been done already must not be done twice.
            if len(self.addresses) == 1 or not (isinstance(error, _StandsBy) or method == "GET" and error.status is None):
                raise
            self._forget()
            address = self.active(limit_s)
            answer = self._answer(address, request)
        try:
            yield answer
        finally:
            if not self.keep or not answer.whole:
                self._drop(answer.address)

    def active(self, limit_s=LIMIT_S):
        """The address that answers for all; of several the active one. Raises HttpError with what each of them said."""
        if len(self.addresses) == 1:
            return self.addresses[0]
        key, now = (self.name, tuple(self.addresses)), time.monotonic()
        before, until = _BELIEVED.get(key, ("", 0.0))
        if now < until:
            return before
        said = {}
        for address in sorted(self.addresses, key=lambda address: address != before):
            said[address] = self._state(address, max(0.1, min(STATE_S, now + limit_s - time.monotonic())))
            if said[address] == ACTIVE:
                _BELIEVED[key] = (address, time.monotonic() + BELIEVED_S)
                return address
        raise HttpError(self.name, " or ".join(self.addresses), "who is active", "; ".join(f"{address}: {words}" for address, words in said.items()))

    def states(self, limit_s=STATE_S):
        """{address: active, standby, another state, or why it is not known} of each of its addresses."""
        return {address: self._state(address, limit_s) for address in self.addresses}

    def _forget(self):
        _BELIEVED.pop((self.name, tuple(self.addresses)), None)

    def _state(self, address, limit_s):
        """``active``, another state, or why it is not known. A daemon that has no states is active when it answers."""
        try:
            answer = Daemon(address, self.user, self.name).ask(self.STATE or "/", limit_s=limit_s)
            return self.state(json.loads(answer)) if self.STATE else ACTIVE
        except HttpError as error:
            return ACTIVE if error.status and not self.STATE else error.last
        except (ValueError, AttributeError):
            return "no answer that tells its state"

    @staticmethod
    def state(_answer):
        """The state in an answer to STATE."""
        return ACTIVE

    # -- one exchange

    def _answer(self, address, request):
        """The answer of this address, behind redirections. Raises HttpError."""
        target = request.target
        for _redirect in range(REDIRECTS):
            answer = self._exchange(address, target, request)
            if answer.status in (301, 302, 303, 307, 308) and request.method == "GET" and len(self.addresses) == 1 and answer.header("Location"):
                place = urllib.parse.urljoin(f"{address}{target}", answer.header("Location"))
                answer.rest(time.monotonic() + request.limit_s)
                self._drop(address)
                address, target = base_of(place)
            elif answer.status == 401 and _Hook.authentication.renewed(address) and request.data is None:
                answer.rest(time.monotonic() + request.limit_s)
            elif answer.status >= 300:
                body = answer.rest(time.monotonic() + request.limit_s, 1 << 16)
                self._drop(address)
                raise (_StandsBy if _stands_by(body) else HttpError)(self.name, address, request.asked, _words(body), answer.status, body)
            elif answer.header("Refresh"):  # so a ResourceManager that stands by answers, in place of what it was asked for
                body = answer.rest(time.monotonic() + request.limit_s, 1 << 16)
                self._drop(address)
                raise _StandsBy(self.name, address, request.asked, _words(body), None, body)
            else:
                return answer
        raise HttpError(self.name, address, request.asked, f"it leads on more than {REDIRECTS} times")

    def _exchange(self, address, target, request):
        while True:
            kept = self._kept().get(address)
            link = kept or _connection(address, request.limit_s)
            headers = {**request.headers, **_Hook.authentication.headers(address)}
            if not self.keep:
                headers["Connection"] = "close"
            if link.sock is None:
                self._connect(link, address, request)
            try:
                link.request(request.method, target, body=request.data, headers=headers)
                link.sock.settimeout(request.limit_s)
                place = link.sock
                answer = link.getresponse()
            except _BROKEN as error:
                link.close()
                self._kept().pop(address, None)
                if kept and isinstance(error, (ConnectionError, http.client.RemoteDisconnected)):
                    continue  # it rested, and the other end has closed it meanwhile
                raise HttpError(self.name, address, request.asked, _reason(error, request.limit_s))
            except BaseException:  # of who gives the data
                link.close()
                self._kept().pop(address, None)
                raise
            self._kept()[address] = link
            return Answer(self, address, request, answer, place)

    def _connect(self, link, address, request):
        try:
            link.timeout = min(CONNECT_S, request.limit_s)
            link.connect()
        except _BROKEN as error:
            link.close()
            raise Unreached(self.name, address, request.asked, _reason(error, link.timeout))
        link.sock.settimeout(request.limit_s)

    def _kept(self):
        if not hasattr(self._links, "by_address"):
            self._links.by_address = {}
        return self._links.by_address

    def _drop(self, address):
        link = self._kept().pop(address, None)
        if link:
            link.close()

    def close(self):
        """End this thread's connections."""
        for address in list(self._kept()):
            self._drop(address)


class NameNode(Daemon):
    """HDFS's NameNode."""

    NAME = "NameNode"
    STATE = "/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus"

    @staticmethod
    def state(answer):
        return ((answer.get("beans") or [{}])[0].get("State") or "starting").lower()

    def fsck(self, limit_s, **options):
        """The lines of Hadoop's check of the file system as they come: what `hdfs fsck` prints, without a JVM."""
        return self.stream("/fsck", query={"ugi": "hdfs", **options}, limit_s=limit_s)


class ResourceManager(Daemon):
    """YARN's ResourceManager."""

    NAME = "ResourceManager"
    STATE = "/ws/v1/cluster/info"

    @staticmethod
    def state(answer):
        return ((answer.get("clusterInfo") or {}).get("haState") or "starting").lower()

    def kill(self, application):
        """Have an application killed. Raises HttpError."""
        self.ask(f"/ws/v1/cluster/apps/{application}/state", "PUT", data=b'{"state": "KILLED"}', headers={"Content-Type": "application/json"})


class Answer:
    """What a daemon answers, read bit by bit; a break raises HttpError."""

    def __init__(self, daemon, address, request, answer, place):
        self.address, self.status, self.whole = address, answer.status, False
        self._daemon, self._request, self._answer, self._place = daemon, request, answer, place

    def header(self, name):
        """A header, '' when it is not there."""
        return self._answer.getheader(name) or ""

    def read(self, size=BLOCK):
        """Some bytes, b'' at the end."""
        return self._guarded(lambda: self._complete(self._answer.read(size)))

    def __iter__(self):
        """Its lines."""
        return iter(lambda: self._guarded(self._answer.readline), b"")

    def rest(self, end, most=None):
        """All of it, at most ``most`` bytes. Raises HttpError for what has not come by then (seconds of the monotonic clock)."""
        found, size = [], 0
        while most is None or size < most:
            left = end - time.monotonic()
            if left <= 0:
                raise HttpError(self._daemon.name, self.address, self._request.asked, f"{size} bytes came within {self._request.limit_s:g} s, and no end")
            self._wait_at_most(left)
            block = self._guarded(self._some)
            if not block:
                break
            found.append(block)
            size += len(block)
        self._wait_at_most(self._request.limit_s)
        return b"".join(found)

    def _wait_at_most(self, seconds):
        if not self._answer.isclosed():
            self._place.settimeout(seconds)

    def _some(self):
        """What has come, at least a byte of it; b'' at the end."""
        # Of read1, Pythons before 3.11 do not count what was read.
        coming = 0 if self._answer.length == 0 else len(self._answer.peek(1))
        return self._complete(self._answer.read(max(1, min(coming, 1 << 16))))

    def _complete(self, block):
        if not block and self._answer.length:
            raise http.client.IncompleteRead(b"", self._answer.length)
        return block

    def _guarded(self, step):
        try:
            found = step()
        except _BROKEN as error:
            raise HttpError(self._daemon.name, self.address, self._request.asked, _reason(error, self._request.limit_s))
        self.whole = self._answer.isclosed() and not self._answer.will_close
        return found


class _Request:
    """What is asked, the same for each address."""

    def __init__(self, daemon, path, method, query, data, headers, limit_s):
        said = {**(query or {}), **_Hook.authentication.query(daemon.user)}
        # As the path is written here for people: without what authenticates.
        self.asked = f"{method} {path}" + (f" ({', '.join(f'{key}={value}' for key, value in query.items())})" if query else "")
        self.target = path + (("&" if "?" in path else "?") + urllib.parse.urlencode(said) if said else "")
        self.method, self.data, self.headers, self.limit_s = method, data, headers or {}, limit_s


class _StandsBy(HttpError):
    """This address is not the active one."""


def base_of(url):
    """(http://host:port, path and query) of an address."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def connect(address, limit_s):
    """A plain connection to what speaks something else than HTTP. ``address``: scheme://host:port, or unix:/path. Raises OSError."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme == "unix":
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.settimeout(limit_s)
        try:
            link.connect(parts.path)
        except OSError:
            link.close()
            raise
        return link
    return socket.create_connection((parts.hostname, parts.port), limit_s)


def exactly(connection, size):
    """So many bytes of a plain connection. Raises OSError when the other side ends before."""
    found = b""
    while len(found) < size:
        piece = connection.recv(size - len(found))
        if not piece:
            raise OSError("the connection was closed")
        found += piece
    return found


def _connection(address, limit_s):
    parts = urllib.parse.urlsplit(address)
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=limit_s, context=_Hook.authentication.tls(), blocksize=1 << 18)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=limit_s, blocksize=1 << 18)


def _reason(error, limit_s):
    if isinstance(error, socket.timeout):
        return f"nothing came for {limit_s:g} s"
    return str(error) or type(error).__name__


def _remote(body):
    try:
        found = json.loads(body)["RemoteException"]
        return found if isinstance(found, dict) else {}
    except (ValueError, KeyError, TypeError):
        return {}


def _stands_by(body):
    return _remote(body).get("exception") == "StandbyException" or b"This is standby RM" in body


def _words(body):
    """What an error is about: HDFS and YARN wrap it, with a trace of theirs."""
    message = str(_remote(body).get("message") or "").strip()
    return message.splitlines()[0] if message else body[:2000].decode(errors="replace").strip()
