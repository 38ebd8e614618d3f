"""Uploads in parts."""
from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import replace
from itertools import chain

from . import conditions, objects
from .answer import Answer, iso, sums, xml
from .errors import OssError
from .index import Stored
from .listing import Names, number
from .request import Request
from .xml import document, parse

MOST_PARTS = 10000
LEAST_PART = 100 << 10


def begin(oss, request: Request) -> Answer:
    """InitiateMultipartUpload."""
    request.document()
    objects.refuse_overwrite(oss, request)
    upload = secrets.token_hex(16).upper()
    oss.index.put_upload(upload, request.bucket, request.raw_key, time.time(), objects.kept_headers(request),
                         objects.object_acl(request))
    names = Names(request.query)
    return xml(document("InitiateMultipartUploadResult", {
        "EncodingType": names.encoding, "Bucket": request.bucket, "Key": names(request.raw_key), "UploadId": upload}))


def _upload(oss, request: Request) -> dict:
    """The upload that the request is about. Raises OssError NoSuchUpload."""
    upload = oss.index.upload(request.query["uploadId"], request.bucket, request.raw_key)
    if upload is None:
        raise OssError("NoSuchUpload", UploadId=request.query["uploadId"])
    return upload


def put_part(oss, request: Request) -> Answer:
    """UploadPart."""
    _upload(oss, request)
    part = _keep(oss, request, objects.received(oss, request, {}))
    return Answer(headers=sums(part))


def copy_part(oss, request: Request) -> Answer:
    """UploadPartCopy."""
    _upload(oss, request)
    request.document()
    with oss.index.lock:
        source = objects.source_of(oss, request)
        # a name of its own, so that the content stays while it is copied
        held = replace(source, file=oss.files.link(source))
    try:
        wanted = request.headers.get("x-oss-copy-source-range", "")
        first, length = (conditions.span(wanted, source.size, strict=True) if wanted else None) or (0, source.size)
        part = _keep(oss, request, oss.files.write(oss.files.read(held, first, length), time.time()))
    finally:
        oss.files.remove(held.file)
    return xml(document("CopyPartResult", {"LastModified": iso(part.modified), "ETag": f'"{part.etag}"'}), **sums(part))


def _keep(oss, request: Request, part: Stored) -> Stored:
    """Make a file one of the parts, unless the upload has ended meanwhile."""
    with oss.index.lock:
        try:
            at = number(request.query, "partNumber", 0, MOST_PARTS)
            _upload(oss, request)
        except OssError:
            oss.files.remove(part.file)
            raise
        old = oss.index.put_part(request.query["uploadId"], at, part)
        if old:
            oss.files.remove(old.file)
    return part


def complete(oss, request: Request) -> Answer:
    """CompleteMultipartUpload: the parts one after the other become the object."""
    upload, number_of = _upload(oss, request), request.query["uploadId"]
    have = oss.index.parts(number_of)
    body = request.document()
    every = request.headers.get("x-oss-complete-all", "").lower() == "yes"
    if every and body.strip():
        raise OssError("InvalidArgument", "Should not speficy both complete all header and http body.")
    wanted = list(have.items()) if every else _named(body, have)
    if not wanted:
        raise OssError("MalformedXML")
    for at, part in wanted[:-1]:
        if part.size < LEAST_PART:
            raise OssError("EntityTooSmall", MinSizeAllowed=LEAST_PART, ProposedSize=part.size, PartNumber=at,
                           ETag=part.etag)
    try:
        whole = oss.files.write(chain.from_iterable(oss.files.read(part) for _, part in wanted), time.time())
    except FileNotFoundError:  # completed or aborted by somebody else meanwhile
        raise OssError("NoSuchUpload", UploadId=number_of) from None
    tag = hashlib.md5(b"".join(bytes.fromhex(part.etag) for _, part in wanted), usedforsecurity=False).hexdigest()
    stored = replace(whole, etag=f"{tag.upper()}-{len(wanted)}", md5="", kind="Multipart", headers=upload["headers"],
                     acl=upload["acl"])
    _finish(oss, request, stored)
    names = Names(request.query)
    return xml(document("CompleteMultipartUploadResult", {
        "EncodingType": names.encoding, "Location": f"http://{request.host}/{names(request.raw_key)}",
        "Bucket": request.bucket, "Key": names(request.raw_key), "ETag": f'"{stored.etag}"'}), **sums(stored))


def _finish(oss, request: Request, stored: Stored) -> None:
    with oss.index.lock:
        try:
            _upload(oss, request)
            objects.refuse_overwrite(oss, request)
        except OssError:
            oss.files.remove(stored.file)
            raise
        gone = oss.index.end_upload(request.query["uploadId"], request.bucket, request.raw_key, stored)
    oss.files.remove(*(each.file for each in gone))


def _named(body: bytes, have: dict) -> list:
    """The parts that a document names, in its order. Raises OssError."""
    wanted, last = [], 0
    for element in parse(body, "CompleteMultipartUpload").findall("Part"):
        at, tag = element.findtext("PartNumber") or "", (element.findtext("ETag") or "").strip('" ').upper()
        if not at.isdigit():
            raise OssError("MalformedXML")
        if int(at) <= last:
            raise OssError("InvalidPartOrder")
        last = int(at)
        if last not in have or have[last].etag != tag:
            raise OssError("InvalidPart", PartNumber=last, ETag=tag)
        wanted.append((last, have[last]))
    return wanted


def abort(oss, request: Request) -> Answer:
    """AbortMultipartUpload."""
    with oss.index.lock:
        _upload(oss, request)
        gone = oss.index.end_upload(request.query["uploadId"], request.bucket, request.raw_key, None)
    oss.files.remove(*(part.file for part in gone))
    return Answer(204)


def list_parts(oss, request: Request) -> Answer:
    """ListParts."""
    _upload(oss, request)
    query, names = request.query, Names(request.query)
    limit = number(query, "max-parts", 1000, 1000)
    marker = number(query, "part-number-marker", 0, MOST_PARTS, 0)
    behind = [(at, part) for at, part in oss.index.parts(query["uploadId"]).items() if at > marker]
    shown = behind[:limit]
    rows = [{"PartNumber": at, "LastModified": iso(p.modified), "ETag": f'"{p.etag}"', "HashCrc64ecma": p.crc,
             "Size": p.size} for at, p in shown]
    return xml(document("ListPartsResult", {
        "EncodingType": names.encoding, "Bucket": request.bucket, "Key": names(request.raw_key),
        "UploadId": query["uploadId"], "StorageClass": "Standard", "PartNumberMarker": marker,
        "NextPartNumberMarker": shown[-1][0] if shown else marker, "MaxParts": limit,
        "IsTruncated": len(behind) > limit, "Part": rows}))
