"""Listing a bucket: pages of keys below a prefix, those with a common beginning folded into one."""
from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import quote

from ..identity import ACCOUNT_ID
from .answer import Answer, iso, xml
from .errors import OssError
from .index import Index
from .request import Request
from .xml import document

OWNER = {"ID": ACCOUNT_ID, "DisplayName": ACCOUNT_ID}
MOST_KEYS = 1000


@dataclass
class Page:
    """Keys and common prefixes of a page, and the last entry when there are more."""

    keys: list = field(default_factory=list)
    prefixes: list = field(default_factory=list)
    last: bytes | None = None


def successor(text: bytes) -> bytes | None:
    """The first text behind all that begin with this one; None for the empty one."""
    return text[:-1] + bytes([text[-1] + 1]) if text else None


def page(index: Index, bucket: str, prefix: bytes, delimiter: bytes, marker: bytes, limit: int) -> Page:
    """Up to ``limit`` keys and prefixes behind the marker."""
    found, first, past = Page(), max(prefix, marker + b"\0") if marker else prefix, successor(prefix)
    if delimiter and marker.startswith(prefix) and delimiter in marker[len(prefix):]:
        # the marker may be a prefix that was listed, or lie below it: what it stands for is over
        first = max(first, successor(_folded(marker, prefix, delimiter)))
    entry = b""
    while True:
        rows = index.after(bucket, first, past, limit + 1)
        for key, stored in rows:
            folder = _folded(key, prefix, delimiter) if delimiter else b""
            if len(found.keys) + len(found.prefixes) == limit:
                found.last = entry
                return found
            first = key + b"\0"
            if folder:
                found.prefixes.append(folder)
                entry, first = folder, successor(folder)
                break
            found.keys.append((key, stored))
            entry = key
        else:
            return found


def _folded(key: bytes, prefix: bytes, delimiter: bytes) -> bytes:
    """The common prefix that stands for a key, empty for a key that stands for itself."""
    at = key.find(delimiter, len(prefix))
    return key[:at + len(delimiter)] if at >= 0 else b""


class Names:
    """How keys are written in a document: as they are, or URL-encoded when the client asks for it."""

    def __init__(self, query: dict):
        self.encoding = query.get("encoding-type") or None
        if self.encoding not in (None, "url"):
            raise OssError("InvalidArgument", "Invalid Encoding Method specified in Request.")

    def __call__(self, key: bytes) -> str:
        return quote(key, safe="") if self.encoding else key.decode("utf-8", "replace")


def text(query: dict, name: str) -> bytes:
    """A parameter as the bytes of a key."""
    return query.get(name, "").encode("utf-8", "surrogateescape")


def number(query: dict, name: str, default: int, most: int, least: int = 1) -> int:
    """A parameter that is a number. Raises OssError."""
    value = query.get(name) or str(default)
    if not value.isdigit() or not least <= int(value) <= most:
        raise OssError("InvalidArgument", f"Argument {name} must be an integer between {least} and {most}.",
                       ArgumentName=name, ArgumentValue=value)
    return int(value)


def list_objects(index: Index, request: Request) -> Answer:
    """ListObjects, and ListObjectsV2 with ``list-type=2``."""
    query, names = request.query, Names(request.query)
    two = query.get("list-type") == "2"
    prefix, delimiter = text(query, "prefix"), text(query, "delimiter")
    limit = number(query, "max-keys", 100, MOST_KEYS)
    marker = _continued(query) if two else text(query, "marker")
    found = page(index, request.bucket, prefix, delimiter, marker, limit)
    owned = not two or query.get("fetch-owner") == "true"
    head = {"Name": request.bucket, "Prefix": names(prefix), "MaxKeys": limit, "Delimiter": names(delimiter),
            "EncodingType": names.encoding, "IsTruncated": found.last is not None}
    if two:
        head |= {"KeyCount": len(found.keys) + len(found.prefixes), "StartAfter": names(text(query, "start-after")),
                 "ContinuationToken": query.get("continuation-token") or None,
                 "NextContinuationToken": base64.b64encode(found.last).decode() if found.last is not None else None}
    else:
        head |= {"Marker": names(marker), "NextMarker": names(found.last) if found.last is not None else None}
    rows = [{"Key": names(key), "LastModified": iso(s.modified), "ETag": f'"{s.etag}"', "Type": s.kind, "Size": s.size,
             "StorageClass": "Standard", "Owner": OWNER if owned else None} for key, s in found.keys]
    folders = [{"Prefix": names(folder)} for folder in found.prefixes]
    return xml(document("ListBucketResult", {**head, "Contents": rows, "CommonPrefixes": folders}))


def _continued(query: dict) -> bytes:
    """Where version 2 goes on: behind its token, or at first behind ``start-after``."""
    token = query.get("continuation-token", "")
    if not token:
        return text(query, "start-after")
    try:
        return base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        raise OssError("InvalidArgument", "The continuation token provided is incorrect.",
                       ArgumentName="continuation-token") from None


def list_uploads(index: Index, request: Request) -> Answer:
    """ListMultipartUploads."""
    query, names = request.query, Names(request.query)
    prefix, delimiter = text(query, "prefix"), text(query, "delimiter")
    limit = number(query, "max-uploads", 1000, 1000)
    key_marker, id_marker = text(query, "key-marker"), query.get("upload-id-marker", "")
    uploads, folders, last, truncated = [], [], (b"", ""), False
    for key, upload, initiated in index.uploads(request.bucket):
        folder = _folded(key, prefix, delimiter) if delimiter else b""
        seen = (folder or key) < key_marker or (folder or key) == key_marker and (folder or upload <= id_marker
                                                                                  or not id_marker)
        if not key.startswith(prefix) or key_marker and seen or folder and folder in folders:
            continue
        if len(uploads) + len(folders) == limit:
            truncated = True
            break
        last = (folder or key, "" if folder else upload)
        if folder:
            folders.append(folder)
        else:
            uploads.append({"Key": names(key), "UploadId": upload, "Initiated": iso(initiated),
                            "StorageClass": "Standard"})
    return xml(document("ListMultipartUploadsResult", {
        "Bucket": request.bucket, "KeyMarker": names(key_marker), "UploadIdMarker": id_marker,
        "NextKeyMarker": names(last[0]) if truncated else "", "NextUploadIdMarker": last[1] if truncated else "",
        "Prefix": names(prefix), "Delimiter": names(delimiter), "EncodingType": names.encoding, "MaxUploads": limit,
        "IsTruncated": truncated, "Upload": uploads, "CommonPrefixes": [{"Prefix": names(f)} for f in folders]}))
