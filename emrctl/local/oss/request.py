"""One request to OSS: its bucket and key, whichever style the address has, its parameters and its body as a stream."""
from __future__ import annotations

from urllib.parse import parse_qsl, unquote_to_bytes

from .errors import Cut, OssError

OTHER_PAGES = ("/dist/", "/latest/", "/_local/")
MOST_DOCUMENT = 2 << 20


def bucket_of_host(host: str) -> str:
    """Bucket of an address such as ``bucket.oss-cn-hangzhou.aliyuncs.com``; empty for any that names none."""
    name = host.rpartition("]")[2].partition(":")[0]
    first, _, rest = name.partition(".")
    return first if rest.startswith("oss") else ""


def is_oss(headers, target: str) -> bool:
    """Whether a request on the common port is for OSS: signed for it, in a bucket's domain, or for a path of no one
    else."""
    if headers.get("Authorization", "").startswith(("OSS ", "OSS2 ", "OSS4-")):
        return True
    path, _, query = target.partition("?")
    if any(pair.partition("=")[0] in ("OSSAccessKeyId", "x-oss-signature") for pair in query.split("&")):
        return True
    return bool(bucket_of_host(headers.get("Host", ""))) or not (path in ("", "/") or path.startswith(OTHER_PAGES))


class Request:
    """method, bucket, key, query (decoded, invalid UTF-8 as surrogates), headers (lower-case names, values as latin-1).

    ``cut``: the connection is to break after so many bytes of content; None: never. ``principal`` is set by the check
    of the signature, None for a caller without one.
    """

    def __init__(self, method: str, target: str, headers, stream):
        self.method = method
        self.headers = {name.lower(): value for name, value in headers.items()}
        raw_path, _, self.raw_query = target.partition("?")
        self.path = unquote_to_bytes(raw_path)
        self.query = dict(parse_qsl(self.raw_query, keep_blank_values=True, errors="surrogateescape"))
        self.host = self.headers.get("host", "")
        host_bucket = bucket_of_host(self.host)
        if host_bucket:
            self.bucket, key = host_bucket, self.path[1:]
        else:
            first, _, key = self.path[1:].partition(b"/")
            self.bucket = first.decode("utf-8", "replace")
        self.raw_key = key
        self.cut: int | None = None
        self.principal = None
        self.body = Body(stream, self.headers)

    @property
    def resource(self) -> bytes:
        """``/bucket/key`` as it is signed."""
        return b"/" + self.bucket.encode() + b"/" + self.raw_key if self.bucket else b"/"

    def break_after(self, size: int) -> None:
        """Let the connection break after so many bytes of content, whichever way it goes."""
        self.cut = self.body.cut = size

    def document(self) -> bytes:
        """The whole body, for requests that carry an XML document. Raises OssError."""
        data = b"".join(self.body)
        self.body.check()
        return data


class Body:
    """Content of a request, by pieces. Understands Content-Length and chunked transfer."""

    PIECE = 256 << 10

    def __init__(self, stream, headers: dict):
        length = headers.get("content-length", "")
        self._stream = stream
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self.length = int(length) if length.isdigit() else None
        self._left = 0 if self._chunked else self.length or 0
        self._ended = not self._chunked and not self._left
        self.received = 0
        self.cut: int | None = None

    @property
    def known(self) -> bool:
        """Whether the end of the content can be told."""
        return self._chunked or self.length is not None

    def __iter__(self):
        while not self._ended:
            piece = self._piece()
            if piece:
                self.received += len(piece)
                if self.cut is not None and self.received > self.cut:
                    raise Cut
                yield piece

    def _piece(self) -> bytes:
        if self._chunked and not self._left and not self._next_chunk():
            return b""
        piece = self._stream.read(min(self._left, self.PIECE))
        if not piece:
            raise Cut
        self._left -= len(piece)
        if self._chunked and not self._left:
            self._stream.readline()
        elif not self._left:
            self._ended = True
        return piece

    def _next_chunk(self) -> bool:
        line = self._stream.readline(1024)
        try:
            self._left = int(line.split(b";")[0], 16)
        except ValueError:
            raise Cut from None
        if not self._left:
            while self._stream.readline(8192) not in (b"\r\n", b"\n", b""):
                pass
            self._ended = True
        return not self._ended

    def check(self) -> None:
        """Raises OssError when a document is larger than one can be."""
        if self.received > MOST_DOCUMENT:
            raise OssError("MalformedXML")

    def drain(self, most: int) -> bool:
        """Read what the client still sends, so that it gets to read the answer. False: there is more than ``most``."""
        try:
            for _ in self:
                if self.received > most:
                    return False
        except Cut:
            return False
        return True
