"""Buckets: made, described, listed and deleted, and their access control list."""
from __future__ import annotations

import re
import time

from .answer import Answer, iso, xml
from .errors import OssError
from .listing import OWNER, number
from .request import Request
from .xml import document

ACLS = ("private", "public-read", "public-read-write")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def check_name(name: str) -> None:
    """Raises OssError InvalidBucketName."""
    if not _NAME.fullmatch(name):
        raise OssError("InvalidBucketName", BucketName=name)


def acl_of(request: Request, header: str, default: str, known=ACLS) -> str:
    """The access control list that a header asks for. Raises OssError."""
    acl = request.headers.get(header, default)
    if acl not in known:
        raise OssError("InvalidArgument", "no such bucket access control exists", ArgumentName=header,
                       ArgumentValue=acl)
    return acl


def put(oss, request: Request) -> Answer:
    """PutBucket. The own bucket again is fine."""
    check_name(request.bucket)
    request.document()
    known = oss.index.bucket(request.bucket)
    acl = acl_of(request, "x-oss-acl", known[2] if known else "private")
    oss.index.put_bucket(request.bucket, time.time(), acl)
    return Answer(headers={"Location": f"/{request.bucket}"})


def delete(oss, request: Request) -> Answer:
    """DeleteBucket."""
    if not oss.index.delete_bucket(request.bucket):
        raise OssError("BucketNotEmpty", BucketName=request.bucket)
    return Answer(204)


def list_all(oss, request: Request) -> Answer:
    """ListBuckets."""
    query = request.query
    prefix, marker = query.get("prefix", ""), query.get("marker", "")
    limit = number(query, "max-keys", 100, 1000)
    rows = [row for row in oss.index.buckets() if row[0].startswith(prefix) and row[0] > marker]
    more = len(rows) > limit
    shown = [_described(oss, row) for row in rows[:limit]]
    head = {"Prefix": prefix, "Marker": marker, "MaxKeys": limit, "IsTruncated": more,
            "NextMarker": rows[limit - 1][0] if more else None}
    return xml(document("ListAllMyBucketsResult", {**head, "Owner": OWNER, "Buckets": {"Bucket": shown}}))


def _described(oss, row: tuple) -> dict:
    return {"Name": row[0], "CreationDate": iso(row[1]), "Location": f"oss-{oss.region}", "Region": oss.region,
            "ExtranetEndpoint": oss.endpoint, "IntranetEndpoint": oss.endpoint, "StorageClass": "Standard"}


def info(oss, request: Request) -> Answer:
    """GetBucketInfo."""
    row = oss.index.bucket(request.bucket)
    return xml(document("BucketInfo", {"Bucket": {**_described(oss, row), "Owner": OWNER, "DataRedundancyType": "LRS",
                                                  "AccessControlList": {"Grant": row[2]}}}))


def location(oss, request: Request) -> Answer:
    """GetBucketLocation."""
    return xml(f'<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint>oss-{oss.region}</LocationConstraint>'
               .encode())


def stat(oss, request: Request) -> Answer:
    """GetBucketStat."""
    objects, size, uploads = oss.index.totals(request.bucket)
    return xml(document("BucketStat", {"Storage": size, "ObjectCount": objects, "MultipartUploadCount": uploads,
                                       "StandardStorage": size, "StandardObjectCount": objects}))


def get_acl(oss, request: Request) -> Answer:
    """GetBucketAcl."""
    grant = oss.index.bucket(request.bucket)[2]
    return xml(document("AccessControlPolicy", {"Owner": OWNER, "AccessControlList": {"Grant": grant}}))


def put_acl(oss, request: Request) -> Answer:
    """PutBucketAcl."""
    request.document()
    oss.index.put_bucket(request.bucket, 0, acl_of(request, "x-oss-acl", ""))
    return Answer()
