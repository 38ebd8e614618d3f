"""Proves, before money is spent, that each artifact of a cluster can be had.

A source answers when this machine gets the first bytes of the file from it (http, https), or OSS knows the object (oss), within
LIMIT_S. Where the SHA-512 lies beside the file (FILE.sha512, as Apache's mirrors and ``emrctl dist publish`` have it), it must be
the release's: a mirror of last year answers as well as today's. Nodes may reach less than this machine does, so what the first node then
cannot fetch is given to it from this machine's cache, where that has it. An address that only the nodes reach does not count: nobody can prove it from here.
"""
from __future__ import annotations

import ipaddress
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from ...domain.errors import EmrError, Refused
from ...domain.install import sources
from ...node.oss.client import OssError, split
from ...services.registry import HOMES, SWITCHES
from ..oss import client as oss_client
from .dist_cache import cached, dist_dir

LIMIT_S = 5.0
# Seconds that a signed address lives: the first node fetches everything within minutes.
SIGNED_S = 3600
_GZIP = b"\x1f\x8b"
BESIDE = ".sha512"
_TEXT, _DIGEST = 4096, re.compile(r"\b[0-9a-fA-F]{128}\b")


def look(spec, standing=(), find=None, region: str = "", environ=None) -> list:
    """One row for each artifact: {artifact, version, file, source, address, push_mib}.

    ``standing``: components whose files the running cluster has, {component: node that has it}; ``find()`` returns the cloud
    credentials, for ``oss://``, and ``region`` is that of the buckets (default: the spec's). Raises Refused, with what each
    source said, when an artifact has none that answers.
    """
    environ = os.environ if environ is None else environ
    standing = dict(standing)
    wanted = sources.artifacts(spec)
    asked = {a.component: sources.sources(spec, a, environ.get(sources.VARIABLE, "")) for a in wanted if a.component not in standing}
    ask = Asker(region or spec.region, find, environ)
    digests = {s.address: a.sha512 for a in wanted for s in asked.get(a.component, ())}
    with ThreadPoolExecutor(16) as pool:
        said = dict(zip(digests, pool.map(ask, digests, digests.values()), strict=True))
    rows, lacking = [], []
    for artifact in wanted:
        row = {"artifact": artifact.component, "version": artifact.version, "file": artifact.file, "push_mib": 0}
        good = next((s for s in asked.get(artifact.component, ()) if not said[s.address]), None)
        path = None if good or artifact.component in standing else cached(artifact.file, artifact.sha512)
        if artifact.component in standing:
            rows.append({**row, "source": sources.CLUSTER, "address": standing[artifact.component]})
        elif good:
            rows.append({**row, "source": good.kind, "address": good.address})
        elif path:
            rows.append({**row, "source": sources.CACHE, "address": str(path), "push_mib": -(-path.stat().st_size >> 20)})
        else:
            lacking.append((artifact, asked[artifact.component]))
    if lacking:
        raise _refusal(lacking, said, spec)
    return rows


def _refusal(lacking, said: dict, spec) -> Refused:
    lines = ["No source gives the nodes " + ", ".join(a.file for a, _why in lacking)]
    for artifact, rows in lacking:
        lines += [f"  {s.address} ({s.kind}): {said[s.address]}" for s in rows]
        state = "holds another file of that name" if (dist_dir() / artifact.file).exists() else "has no such file"
        lines.append(f"  {dist_dir() / artifact.file} ({sources.CACHE}): {state}")
    names = [artifact.component for artifact, _rows in lacking]
    own = [f"artifacts.{name}.urls" for name in names if name in spec.artifacts]
    remedies = [f"Correct {' and '.join(own)} in the spec: the file must answer at one of the addresses"] if own else []
    if len(own) < len(names):
        # Those that few clusters want are made only when they are named.
        named = " ".join(["", *names]) if any(artifact.on_demand for artifact, _rows in lacking) else ""
        remedies.append(f"Make the files here with: emrctl dist build{named} (create then gives them to the first node), put them into a bucket with: "
                        "emrctl dist publish oss://BUCKET/PREFIX, or name a folder that holds them in the spec's mirrors")
    remedies += [f"The spec may do without {HOMES[service].software}: {key}: {{enabled: false}}" for service, key in SWITCHES.items()
                 if HOMES[service].software in names]
    return Refused("\n".join(lines), ". ".join(remedies))


class Asker:
    """Called with an address and the SHA-512 that its file must have: '' when it will do, else why it will not."""

    def __init__(self, region: str, find, environ):
        self.region, self.find, self.environ = region, find, environ

    def __call__(self, address: str, digest: str) -> str:
        ask, read = (self._oss, self._oss_text) if address.startswith("oss://") else (self._http, self._http_text)
        try:
            return ask(address) or _other(read(f"{address}{BESIDE}"), digest)
        except (OSError, ValueError, OssError, EmrError) as error:
            return str(getattr(error, "reason", "") or getattr(error, "message", "") or error or type(error).__name__)

    def _bucket(self):
        return oss_client.client(self.environ, self.region, self.find, 1, LIMIT_S)

    def _oss(self, address: str) -> str:
        return "" if self._bucket().head(*split(address)) else "there is no such object"

    def _oss_text(self, address: str) -> bytes:
        found = bytearray()
        try:
            self._bucket().get(*split(address), found.extend, end=_TEXT)
        except OssError:
            return b""
        return bytes(found)

    @staticmethod
    def _http(address: str) -> str:
        if _loopback(urllib.parse.urlsplit(address).hostname or ""):
            return "names the node itself, when a node reads it"
        try:
            begins = _read(address, 2)
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}"
        if address.endswith((".tar.gz", ".tgz")) and begins != _GZIP:
            return "answers, but not with a gzip file"
        return ""

    @staticmethod
    def _http_text(address: str) -> bytes:
        try:
            return _read(address, _TEXT)
        except OSError:
            return b""


def _read(address: str, most: int) -> bytes:
    """The first bytes of what an address answers with. Raises OSError."""
    request = urllib.request.Request(address, headers={"Range": f"bytes=0-{most - 1}"})
    with urllib.request.build_opener().open(request, timeout=LIMIT_S) as answer:
        return answer.read(most)


def _other(beside: bytes, digest: str) -> str:
    """Why the file is not the wanted one, by the text that lies beside it; '' when that does not tell."""
    found = _DIGEST.search(beside.decode("ascii", "replace"))
    if not found or found[0].lower() == digest.lower():
        return ""
    return f"is another file of that name: its {BESIDE} has {found[0][:16].lower()}…, wanted is {digest[:16]}…"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def signed(addresses, region: str, find, environ=None) -> dict:
    """{address: signed one, for nodes of the region} of those of these addresses that lie in OSS."""
    places = [address for address in addresses if address.startswith("oss://")]
    if not places:
        return {}
    oss = oss_client.inside(os.environ if environ is None else environ, region, find)
    return {address: oss.signed(*split(address), SIGNED_S) for address in places}
