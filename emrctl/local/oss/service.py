"""The OSS of one local ECS: what a request asks for, whether its caller may have it, and the doing."""
from __future__ import annotations

from pathlib import Path

from ..api.errors import ApiError
from . import buckets, listing, multipart, objects
from .answer import Answer
from .errors import Cut, OssError, from_api
from .files import Files
from .index import Index
from .request import Request
from .signature import Checker

MOST_KEY = 1023
# (method, sub-resource or empty) -> (action as in policies and faults, function)
_SERVICE = {("GET", ""): ("ListBuckets", buckets.list_all)}
_BUCKET = {
    ("PUT", ""): ("PutBucket", buckets.put),
    ("DELETE", ""): ("DeleteBucket", buckets.delete),
    ("GET", ""): ("ListObjects", lambda oss, request: listing.list_objects(oss.index, request)),
    ("GET", "bucketInfo"): ("GetBucketInfo", buckets.info),
    ("GET", "location"): ("GetBucketLocation", buckets.location),
    ("GET", "stat"): ("GetBucketStat", buckets.stat),
    ("GET", "acl"): ("GetBucketAcl", buckets.get_acl),
    ("PUT", "acl"): ("PutBucketAcl", buckets.put_acl),
    ("GET", "uploads"): ("ListMultipartUploads", lambda oss, request: listing.list_uploads(oss.index, request)),
    ("POST", "delete"): ("DeleteMultipleObjects", objects.delete_several),
}
_OBJECT = {
    ("PUT", ""): ("PutObject", objects.put),
    ("PUT", "copy"): ("CopyObject", objects.copy),
    ("GET", ""): ("GetObject", objects.get),
    ("HEAD", ""): ("HeadObject", objects.head),
    ("HEAD", "objectMeta"): ("GetObjectMeta", objects.meta),
    ("DELETE", ""): ("DeleteObject", objects.delete),
    ("GET", "acl"): ("GetObjectAcl", objects.get_acl),
    ("PUT", "acl"): ("PutObjectAcl", objects.put_acl),
    ("POST", "uploads"): ("InitiateMultipartUpload", multipart.begin),
    ("PUT", "uploadId"): ("UploadPart", multipart.put_part),
    ("PUT", "uploadId copy"): ("UploadPartCopy", multipart.copy_part),
    ("POST", "uploadId"): ("CompleteMultipartUpload", multipart.complete),
    ("DELETE", "uploadId"): ("AbortMultipartUpload", multipart.abort),
    ("GET", "uploadId"): ("ListParts", multipart.list_parts),
}
_KNOWN = frozenset(sub.partition(" ")[0] for table in (_BUCKET, _OBJECT) for _, sub in table) - {"", "copy"}
# Sub-resources of the service that are refused rather than mistaken for a plain read or write.
_UNKNOWN = frozenset([
    "append", "cors", "encryption", "inventory", "lifecycle", "logging", "policy", "referer", "replication",
    "requestPayment", "restore", "symlink", "tagging", "transferAcceleration", "versioning", "versions", "website",
    "worm", "x-oss-process", "resourceGroup", "qosInfo", "style", "cname", "accessPoint", "publicAccessBlock",
    "metaQuery",
])
_READS = frozenset(("GetObject", "HeadObject", "GetObjectMeta"))
_WRITES = frozenset(("PutObject", "DeleteObject", "InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload",
                     "AbortMultipartUpload"))


class Oss:
    """Buckets in a folder. ``secret`` and ``principal`` say who a key belongs to, ``faults`` what goes wrong."""

    def __init__(self, folder: Path, secret, principal, faults, region: str):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.region = region
        # where clients find it, without scheme; known once it listens
        self.endpoint = ""
        self.index = Index(folder / "index.sqlite")
        self.files = Files(folder / "files")
        self.files.sweep(self.index.files())
        self._checker = Checker(secret, principal, region)
        self._faults = faults

    def close(self) -> None:
        """Close the index."""
        self.index.close()

    def make_bucket(self, name: str) -> dict:
        """Make a private bucket unless it is there. Raises OssError."""
        buckets.put(self, Request("PUT", f"/{name}", {}, None))
        return {"bucket": name, "buckets": [row[0] for row in self.index.buckets()]}

    def bucket_of(self, request: Request) -> tuple:
        """The bucket of a request. Raises OssError."""
        bucket = self.index.bucket(request.bucket)
        if bucket is None:
            raise OssError("NoSuchBucket", BucketName=request.bucket)
        return bucket

    def handle(self, request: Request) -> tuple:
        """(action, answer) of a request. Raises OssError, and Cut where a fault breaks the connection."""
        action, work = self._wanted(request)
        try:
            request.principal = self._checker.caller(request)
            self._inject(action, request)
            self._may(action, request)
            answer = work(self, request)
            self._faults.after(action)
        except ApiError as error:
            if error.code == "Disconnect":
                raise Cut from None
            raise from_api(error) from None
        return action, answer

    def _inject(self, action: str, request: Request) -> None:
        try:
            self._faults.before(action, self.region)
        except ApiError as error:
            if error.code != "Disconnect" or "bytes" not in error.detail:
                raise
            request.break_after(int(error.detail["bytes"]))

    @staticmethod
    def _wanted(request: Request) -> tuple:
        """(action, function). Raises OssError for what is not known here."""
        unknown = sorted(_UNKNOWN.intersection(request.query))
        if unknown:
            raise OssError("NotImplemented", f"The local OSS does not implement {unknown[0]}.")
        known = sorted(_KNOWN.intersection(request.query) - {"partNumber"})
        sub = known[0] if known else ""
        table = (_OBJECT if request.raw_key else _BUCKET) if request.bucket else _SERVICE
        if table is _OBJECT and request.method == "PUT" and "x-oss-copy-source" in request.headers:
            sub = f"{sub} copy".strip()
        if (request.method, sub) not in table:
            raise OssError("MethodNotAllowed", Method=request.method, ResourceType=sub or "Object")
        return table[(request.method, sub)]

    def _may(self, action: str, request: Request) -> None:
        """Raises OssError unless the bucket is there (or to be made) and the caller may do this."""
        caller = request.principal
        if caller and self._faults.denied(action, caller.role):
            raise OssError("AccessDenied", f"The bucket you access does not belong to you (no permission for "
                                           f"oss:{action}).")
        if request.raw_key:
            _check_key(request.raw_key)
        bucket = self.bucket_of(request) if request.bucket and action != "PutBucket" else None
        if caller:
            return
        stored = self.index.get(request.bucket, request.raw_key) if bucket and action in _READS else None
        acl = stored.acl if stored and stored.acl != "default" else bucket[2] if bucket else "private"
        if not (action in _READS and acl.startswith("public-") or action in _WRITES and acl == "public-read-write"):
            raise OssError("AccessDenied")


def _check_key(key: bytes) -> None:
    try:
        key.decode()
    except UnicodeDecodeError:
        raise OssError("InvalidObjectName") from None
    if len(key) > MOST_KEY or key.startswith(b"\\"):
        raise OssError("InvalidObjectName")


__all__ = ["Answer", "Oss"]
