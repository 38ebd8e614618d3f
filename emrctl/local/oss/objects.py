"""Objects: put, read, copied and deleted."""
from __future__ import annotations

import base64
import time
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from . import conditions
from .answer import Answer, http_date, iso, sums, xml
from .buckets import ACLS, acl_of
from .errors import OssError
from .index import Stored
from .listing import OWNER, Names
from .request import Request
from .xml import document, parse

MOST_BYTES = 5 << 30
MOST_DELETED = 1000
OBJECT_ACLS = ("default", *ACLS)
# What of a request is kept and sent along with the object.
_KEPT = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires")


def kept_headers(request: Request) -> dict:
    """Headers that belong to the object."""
    return {name: value for name, value in request.headers.items() if name in _KEPT or name.startswith("x-oss-meta-")}


def object_acl(request: Request) -> str:
    """The access control list of a new object. Raises OssError."""
    return acl_of(request, "x-oss-object-acl", "default", OBJECT_ACLS)


def found(oss, request: Request) -> Stored:
    """The object of the request. Raises OssError NoSuchKey."""
    stored = oss.index.get(request.bucket, request.raw_key)
    if stored is None:
        raise OssError("NoSuchKey", Key=request.raw_key.decode("utf-8", "replace"))
    return stored


def refuse_overwrite(oss, request: Request) -> None:
    """Raises OssError when the object is there and the request forbids to replace it."""
    if request.headers.get("x-oss-forbid-overwrite", "").lower() == "true" and \
            oss.index.get(request.bucket, request.raw_key):
        raise OssError("FileAlreadyExists")


def received(oss, request: Request, headers: dict, acl: str = "default") -> Stored:
    """The body of a request in a file. Raises OssError."""
    if not request.body.known:
        raise OssError("MissingContentLength")
    if (request.body.length or 0) > MOST_BYTES:
        raise OssError("EntityTooLarge")
    return oss.files.write(request.body, time.time(), headers, acl, request.headers.get("content-md5", ""))


def put(oss, request: Request) -> Answer:
    """PutObject. What was there stays readable until the new content has arrived."""
    refuse_overwrite(oss, request)
    stored = received(oss, request, kept_headers(request), object_acl(request))
    keep(oss, request, stored)
    return Answer(headers={**sums(stored), "Content-MD5": _md5(stored)})


def keep(oss, request: Request, stored: Stored) -> None:
    """Make a file the content of the object. Raises OssError, and then removes the file."""
    with oss.index.lock:
        try:
            oss.bucket_of(request)
            refuse_overwrite(oss, request)
        except OssError:
            oss.files.remove(stored.file)
            raise
        old = oss.index.put(request.bucket, request.raw_key, stored)
        if old:
            oss.files.remove(old.file)


def _md5(stored: Stored) -> str:
    return base64.b64encode(bytes.fromhex(stored.md5)).decode()


def described(stored: Stored) -> dict:
    """Headers that tell of an object."""
    headers = {"Content-Type": "application/octet-stream", **{name.title(): v for name, v in stored.headers.items()
                                                              if not name.startswith("x-oss-")},
               **{name: v for name, v in stored.headers.items() if name.startswith("x-oss-")}}
    return headers | sums(stored) | {
        "Last-Modified": http_date(stored.modified), "Accept-Ranges": "bytes", "x-oss-object-type": stored.kind,
        "x-oss-storage-class": "Standard", **({"Content-MD5": _md5(stored)} if stored.md5 else {})}


def head(oss, request: Request) -> Answer:
    """HeadObject."""
    stored = found(oss, request)
    conditions.check(request.headers, stored)
    return Answer(headers=described(stored), length=stored.size)


def meta(oss, request: Request) -> Answer:
    """GetObjectMeta: only size, time and tag."""
    stored = found(oss, request)
    return Answer(headers={**sums(stored), "Last-Modified": http_date(stored.modified)}, length=stored.size)


def get(oss, request: Request) -> Answer:
    """GetObject."""
    with oss.index.lock:
        stored = found(oss, request)
        conditions.check(request.headers, stored)
        file = oss.files.path(stored.file).open("rb")
    try:
        headers = described(stored)
        for name, value in request.query.items():
            if name.startswith("response-"):
                headers[name[len("response-"):].title()] = value
        strict = request.headers.get("x-oss-range-behavior") == "standard"
        part = conditions.span(request.headers["range"], stored.size, strict) if "range" in request.headers else None
    except BaseException:
        file.close()
        raise
    if part is None:
        return Answer(200, headers, file=file, length=stored.size)
    first, length = part
    headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{stored.size}"
    return Answer(206, headers, file=file, start=first, length=length)


def source_of(oss, request: Request) -> Stored:
    """The object that x-oss-copy-source names. Raises OssError."""
    text = unquote_to_bytes(request.headers["x-oss-copy-source"].partition("?")[0])
    name, _, key = text.lstrip(b"/").partition(b"/")
    bucket = name.decode("utf-8", "replace")
    if not bucket or not key:
        raise OssError("InvalidArgument", "Copy Source must mention the source bucket and key.")
    if not oss.index.bucket(bucket):
        raise OssError("NoSuchBucket", BucketName=bucket)
    stored = oss.index.get(bucket, key)
    if stored is None:
        raise OssError("NoSuchKey", Key=key.decode("utf-8", "replace"))
    try:
        conditions.check(request.headers, stored, "x-oss-copy-source-")
    except OssError as error:
        raise OssError("PreconditionFailed") if error.code == "NotModified" else error from None
    return stored


def copy(oss, request: Request) -> Answer:
    """CopyObject: a further name for the same content, with headers of its own."""
    directive = request.headers.get("x-oss-metadata-directive", "COPY").upper()
    if directive not in ("COPY", "REPLACE"):
        raise OssError("InvalidArgument", "Invalid metadata directive.")
    request.document()
    refuse_overwrite(oss, request)
    with oss.index.lock:
        source = source_of(oss, request)
        stored = replace(source, file=oss.files.link(source), modified=time.time(), acl=object_acl(request),
                         headers=kept_headers(request) if directive == "REPLACE" else source.headers)
    keep(oss, request, stored)
    return xml(document("CopyObjectResult", {"ETag": f'"{stored.etag}"', "LastModified": iso(stored.modified)}),
               **sums(stored))


def delete(oss, request: Request) -> Answer:
    """DeleteObject; an absent one is fine."""
    old = oss.index.delete(request.bucket, request.raw_key)
    if old:
        oss.files.remove(old.file)
    return Answer(204)


def delete_several(oss, request: Request) -> Answer:
    """DeleteMultipleObjects."""
    names = Names(request.query)
    tree = parse(request.document(), "Delete")
    keys = [(element.findtext("Key") or "").encode() for element in tree.findall("Object")]
    if not keys or len(keys) > MOST_DELETED or not all(keys):
        raise OssError("MalformedXML")
    for key in keys:
        old = oss.index.delete(request.bucket, key)
        if old:
            oss.files.remove(old.file)
    if (tree.findtext("Quiet") or "").lower() == "true":
        return Answer()
    return xml(document("DeleteResult", {"EncodingType": names.encoding, "Deleted": [{"Key": names(k)} for k in keys]}))


def get_acl(oss, request: Request) -> Answer:
    """GetObjectAcl."""
    grant = found(oss, request).acl
    return xml(document("AccessControlPolicy", {"Owner": OWNER, "AccessControlList": {"Grant": grant}}))


def put_acl(oss, request: Request) -> Answer:
    """PutObjectAcl."""
    request.document()
    with oss.index.lock:
        stored = replace(found(oss, request), acl=object_acl(request))
        oss.index.put(request.bucket, request.raw_key, stored)
    return Answer()
