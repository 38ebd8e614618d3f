"""A small client of OSS: what imports, exports and looks at files need.

The official ``oss2`` is not part of a node's system, and this needs the standard library only. Requests are signed with version 4.
They are repeated when the connection breaks or the service is busy; what was refused is told with the service's own code.
"""
from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import http.client
import ipaddress
import random
import re
import threading
import time
import urllib.parse
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ..common import NodeError

ATTEMPTS = 9
LONGEST_WAIT_S = 10.0
TIMEOUT_S = 60
SERVICE = re.compile(r"oss-([a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com$")
ADDRESS = re.compile(r"oss://([a-z0-9][a-z0-9-]{1,61}[a-z0-9])(?:/(.*))?$", re.DOTALL)


class OssError(NodeError):
    """OSS refused or did not answer. ``code``: its own word for it, such as NoSuchBucket; '' when nobody answered."""

    def __init__(self, message, code="", status=0):
        super().__init__(message)
        self.code, self.status = code, status


# Words of OSS -> what people can do about them.
_STEPS = {"NoSuchBucket": "look at the bucket's name, and whether it is in the region of the endpoint",
          "InvalidAccessKeyId": "check OSS_ACCESS_KEY_ID, or the file of --credentials",
          "SignatureDoesNotMatch": "check OSS_ACCESS_KEY_SECRET, or the file of --credentials",
          "SecurityTokenExpired": "get a new token (OSS_SESSION_TOKEN), then run the same command again",
          "AccessDenied": "grant this to the key's owner (RAM policy of the user, policy of the bucket)",
          "": "check that the nodes reach the endpoint (--endpoint), then run the same command again"}


def with_step(error):
    """The words of a NodeError, with the next step where OSS said what is wrong."""
    step = _STEPS.get(error.code) if isinstance(error, OssError) else None
    return f"{str(error).rstrip('.')}. Next: {step}" if step and "Next: " not in str(error) else str(error)


def split(address):
    """(bucket, key) of an address oss://BUCKET/KEY. Raises OssError."""
    match = ADDRESS.match(address)
    if not match:
        raise OssError(f"{address}: not a place in OSS, such as oss://my-bucket/data")
    return match.group(1), (match.group(2) or "")


def endpoint_of(endpoint, region, inside=True):
    """URL of the service: as given (HTTPS when no scheme is), else that of the region, from inside the VPC or not."""
    endpoint = endpoint or f"oss-{region}{'-internal' if inside else ''}.aliyuncs.com"
    return (endpoint if "://" in endpoint else f"https://{endpoint}").rstrip("/")


class Oss:
    """``key``: {access_key_id, access_key_secret, security_token or nothing}. Used from several threads at once.

    ``attempts``: how often a request is sent; ``limit_s``: seconds that each of them may stay without an answer.
    """

    def __init__(self, endpoint, region, key, attempts=ATTEMPTS, limit_s=TIMEOUT_S):
        self.attempts, self.limit_s = attempts, limit_s
        place = urllib.parse.urlsplit(endpoint)
        self.secure, self.host, self.port = place.scheme == "https", place.hostname, place.port
        match = SERVICE.match(self.host or "")
        self.region = match.group(1) if match else region
        self.endpoint, self._key, self._links = endpoint, key, threading.local()
        try:
            ipaddress.ip_address(self.host)
            self.in_path = True
        except ValueError:
            self.in_path = self.host == "localhost"

    # -- operations

    def list(self, bucket, prefix="", delimiter="", most=1000, after=""):
        """Yield {key, size, modified (text), etag} of each object, and {folder} of each common prefix, in order."""
        query = {"list-type": "2", "prefix": prefix, "max-keys": str(min(most, 1000)), "encoding-type": "url"}
        if delimiter:
            query["delimiter"] = delimiter
        if after:
            query["start-after"] = after
        while True:
            page = _xml(self.call("GET", bucket, query=query)[1])
            rows = [{"key": _text(row, "Key"), "size": int(_text(row, "Size")), "modified": _text(row, "LastModified"),
                     "etag": _text(row, "ETag").strip('"')} for row in page.iter("Contents")]
            rows += [{"folder": _text(row, "Prefix")} for row in page.iter("CommonPrefixes")]
            yield from sorted(rows, key=lambda row: row.get("key") or row["folder"])
            if _text(page, "IsTruncated") != "true":
                return
            query["continuation-token"] = _text(page, "NextContinuationToken")

    def head(self, bucket, key):
        """{size, crc64 (a number; None for an object without one), modified (text)} of an object; None when there is none."""
        try:
            headers = self.call("HEAD", bucket, key)[0]
        except OssError as error:
            if error.status == 404 and error.code in ("NoSuchKey", ""):
                return None
            raise
        crc = headers.get("x-oss-hash-crc64ecma")
        return {"size": int(headers.get("content-length", 0)), "crc64": int(crc) if crc else None,
                "modified": headers.get("last-modified", ""), "etag": headers.get("etag", "").strip('"')}

    def get(self, bucket, key, take, start=0, end=None, etag=""):
        """Hand the content from ``start`` to before ``end`` to ``take(bytes)``, going on where a connection broke.

        ``etag``: the object must still be the one that has it. Returns the number of bytes.
        """
        at, failures = start, 0
        while end is None or at < end:
            headers = {"range": f"bytes={at}-{'' if end is None else end - 1}"} if at or end is not None else {}
            if etag:
                headers["if-match"] = f'"{etag}"'
            answer = self._open("GET", bucket, key, headers=headers)
            if at and answer.status != 206:
                raise OssError(f"oss://{bucket}/{key}: asked for the bytes from {at}, got all")
            try:
                for block in iter(functools.partial(answer.read, 1 << 20), b""):
                    take(block)
                    at += len(block)
                    failures = 0
                if answer.length in (0, None):
                    break
                raise http.client.IncompleteRead(b"", answer.length)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                failures += 1
                if failures >= ATTEMPTS:
                    raise OssError(f"reading oss://{bucket}/{key} broke {failures} times at byte {at}: {error}")
                _pause(failures)
        return at - start

    def put(self, bucket, key, data, headers=None):
        """Write an object from bytes. Returns its CRC-64 as OSS computed it."""
        return int(self.call("PUT", bucket, key, body=data, headers=headers)[0]["x-oss-hash-crc64ecma"])

    def delete(self, bucket, keys):
        """Delete objects; fine when they are gone already."""
        for first in range(0, len(keys), 1000):
            rows = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys[first:first + 1000])
            body = f'<?xml version="1.0" encoding="UTF-8"?><Delete><Quiet>true</Quiet>{rows}</Delete>'.encode()
            digest = base64.b64encode(hashlib.md5(body).digest()).decode()
            self.call("POST", bucket, query={"delete": ""}, body=body, headers={"content-md5": digest, "content-type": "application/xml"})

    def uploads(self, bucket, prefix=""):
        """Yield (key, upload id) of each upload in parts that was begun and neither completed nor aborted."""
        query = {"uploads": "", "prefix": prefix, "encoding-type": "url", "max-uploads": "1000"}
        while True:
            page = _xml(self.call("GET", bucket, query=query)[1])
            for row in page.iter("Upload"):
                yield _text(row, "Key"), _text(row, "UploadId", plain=True)
            if _text(page, "IsTruncated") != "true":
                return
            query["key-marker"] = _text(page, "NextKeyMarker")
            query["upload-id-marker"] = _text(page, "NextUploadIdMarker", plain=True)

    def abort(self, bucket, key, upload):
        """Abort an upload in parts; fine when it is gone already."""
        try:
            self.call("DELETE", bucket, key, query={"uploadId": upload})
        except OssError as error:
            if error.code != "NoSuchUpload":
                raise

    def begin(self, bucket, key):
        """Begin an upload in parts; returns its id."""
        return _text(_xml(self.call("POST", bucket, key, query={"uploads": ""}, body=b"")[1]), "UploadId", plain=True)

    def parts(self, bucket, key, upload):
        """Yield (number, etag, bytes) of each part that an upload has."""
        query = {"uploadId": upload, "max-parts": "1000"}
        while True:
            page = _xml(self.call("GET", bucket, key, query=query)[1])
            for row in page.iter("Part"):
                yield int(_text(row, "PartNumber")), _text(row, "ETag", plain=True).strip('"'), int(_text(row, "Size"))
            if _text(page, "IsTruncated") != "true":
                return
            query["part-number-marker"] = _text(page, "NextPartNumberMarker")

    def put_part(self, bucket, key, upload, number, data):
        """Write a part; returns (etag, CRC-64) of it."""
        headers = self.call("PUT", bucket, key, query={"partNumber": str(number), "uploadId": upload}, body=data)[0]
        return headers["etag"].strip('"'), int(headers["x-oss-hash-crc64ecma"])

    def complete(self, bucket, key, upload, etags):
        """Make the object of its parts, all at once. Returns its CRC-64."""
        rows = "".join(f"<Part><PartNumber>{at}</PartNumber><ETag>{etag}</ETag></Part>" for at, etag in enumerate(etags, 1))
        headers = self.call("POST", bucket, key, query={"uploadId": upload},
                            body=f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode())[0]
        return int(headers["x-oss-hash-crc64ecma"])

    # -- requests

    def call(self, method, bucket, key="", query=None, headers=None, body=None):
        """One request, repeated when it may help. Returns ({header: value}, body). Raises OssError."""
        for attempt in range(1, self.attempts + 1):
            answer = self._open(method, bucket, key, query, headers, body, attempt)
            try:
                content = answer.read()
                return {name.lower(): value for name, value in answer.getheaders()}, content
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                if attempt >= self.attempts:
                    raise OssError(f"{method} oss://{bucket}/{key}: {error}")
                _pause(attempt)

    def _open(self, method, bucket, key="", query=None, headers=None, body=None, attempt=1):
        """The answer to a request when it is a good one. Raises OssError for a refusal, or after all attempts."""
        while True:
            try:
                answer = self._send(method, bucket, key, query or {}, headers or {}, body)
                if answer.status < 300:
                    return answer
                error = self._refusal(answer, method, bucket, key)
                if answer.status < 500 and error.code not in ("RequestTimeout", "RequestTimeTooSkewed"):
                    raise error
            except (OSError, http.client.HTTPException) as broken:
                error = OssError(f"{self.endpoint} does not answer: {broken or type(broken).__name__}")
            self._drop()
            if attempt >= self.attempts:
                raise error
            _pause(attempt)
            attempt += 1

    def _send(self, method, bucket, key, query, headers, body):
        host = self.host if self.in_path or not bucket else f"{bucket}.{self.host}"
        if getattr(self._links, "host", None) != host:
            self._drop()
            make = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
            self._links.host, self._links.link = host, make(host, self.port, timeout=self.limit_s)
        path = urllib.parse.quote(f"/{bucket}/{key}" if bucket and self.in_path else f"/{key}")
        text = _query(query)
        self._links.link.request(method, path + (f"?{text}" if text else ""), body=body,
                                 headers={**headers, **self._signature(method, bucket, key, text, headers)})
        return self._links.link.getresponse()

    def signed(self, bucket, key, lives_s):
        """An address by which anybody may GET the object for so many seconds, and nothing else. It is a secret for that time."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        query = {"x-oss-signature-version": "OSS4-HMAC-SHA256", "x-oss-date": now, "x-oss-expires": str(lives_s),
                 "x-oss-credential": f"{self._key['access_key_id']}/{self._scope(now)}"}
        if self._key.get("security_token"):
            query["x-oss-security-token"] = self._key["security_token"]
        text = _query(query)
        host = self.host if self.in_path else f"{bucket}.{self.host}"
        place = f"http{'s' if self.secure else ''}://{host}{f':{self.port}' if self.port else ''}"
        path = urllib.parse.quote(f"/{bucket}/{key}" if self.in_path else f"/{key}")
        return f"{place}{path}?{text}&x-oss-signature={self._signed('GET', bucket, key, text, '', now)}"

    def _signature(self, method, bucket, key, query, headers):
        """The headers that sign a request, version 4."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        signed = {"x-oss-date": now, "x-oss-content-sha256": "UNSIGNED-PAYLOAD"}
        if self._key.get("security_token"):
            signed["x-oss-security-token"] = self._key["security_token"]
        names = {name: value for name, value in headers.items()
                 if name in ("content-type", "content-md5") or name.startswith("x-oss-")}
        canonical = "".join(f"{name}:{value.strip()}\n" for name, value in sorted({**names, **signed}.items()))
        found = self._signed(method, bucket, key, query, canonical, now)
        credential = f"{self._key['access_key_id']}/{self._scope(now)}"
        return {**signed, "authorization": f"OSS4-HMAC-SHA256 Credential={credential},Signature={found}"}

    def _scope(self, now):
        return f"{now[:8]}/{self.region}/oss/aliyun_v4_request"

    def _signed(self, method, bucket, key, query, headers, now):
        """The signature, version 4, of a request with these canonical parameters and headers."""
        resource = urllib.parse.quote(f"/{bucket}/{key}" if bucket else "/")
        request = f"{method}\n{resource}\n{query}\n{headers}\n\nUNSIGNED-PAYLOAD"
        text = f"OSS4-HMAC-SHA256\n{now}\n{self._scope(now)}\n{hashlib.sha256(request.encode()).hexdigest()}"
        secret = ("aliyun_v4" + self._key["access_key_secret"]).encode()
        for part in self._scope(now).split("/"):
            secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
        return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()

    def _refusal(self, answer, method, bucket, key):
        """What OSS said, as an OssError: a HEAD has it in a header."""
        body = answer.read() or base64.b64decode(answer.getheader("x-oss-err") or "")
        code = re.search(rb"<Code>([^<]{1,100})</Code>", body)
        said = re.search(rb"<Message>([^<]{1,300})</Message>", body)
        code = code.group(1).decode() if code else ""
        words = said.group(1).decode(errors="replace") if said else http.client.responses.get(answer.status, "")
        return OssError(f"{method} oss://{bucket}/{key}: {code or answer.status}: {words}", code, answer.status)

    def _drop(self):
        """Forget this thread's connection, of whose state nothing is known."""
        if getattr(self._links, "host", None):
            self._links.link.close()
            self._links.host = None


def _query(query):
    """Parameters as they are sent and signed: sorted, without a sign of equality where there is no value."""
    rows = sorted((urllib.parse.quote(name, safe=""), urllib.parse.quote(value, safe="")) for name, value in query.items())
    return "&".join(f"{name}={value}" if value else name for name, value in rows)


def _xml(body):
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise OssError(f"OSS answered no XML: {error}")
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _text(element, name, plain=False):
    """Text of a child, decoded as ``encoding-type: url`` asks for unless ``plain``; '' when there is none."""
    found = element.findtext(name) or ""
    return found if plain else urllib.parse.unquote(found)


def _pause(attempt):
    time.sleep(min(0.2 * 2 ** attempt, LONGEST_WAIT_S) * random.uniform(0.5, 1.0))
