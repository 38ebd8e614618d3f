"""Publishing a release: its tarballs from this machine's cache into a bucket, from where nodes fetch them by signed addresses.

Interrupted, it goes on: parts that OSS has are not sent again. A file is published only when its SHA-512 is the release's, and an
object counts only when its CRC-64, as OSS computes it, is the file's.
"""
from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible_collections.emr.cluster.plugins.module_utils.cloud.install.dist_cache import cached
from ansible_collections.emr.cluster.plugins.module_utils.cloud.install.sources import BESIDE
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.node.oss.client import Oss, OssError, split
from ansible_collections.emr.cluster.plugins.module_utils.node.oss.crc64 import combine, crc64
from ansible_collections.emr.cluster.plugins.module_utils.node.oss.files import PART, THREADS, crc64_of

TELL_S = 2.0


def place_of(address: str) -> tuple:
    """(bucket, prefix) of an address oss://BUCKET/PREFIX. Raises Refused."""
    try:
        bucket, prefix = split(address)
    except OssError as error:
        raise Refused(str(error), "Write for example: emrctl dist publish oss://my-bucket/emr") from None
    return bucket, prefix.strip("/")


def publish(oss: Oss, address: str, artifacts, say: Callable) -> list:
    """Upload what is not there yet, and beside each file its SHA-512, by which a plan tells it from one of another release. Returns {file, address, sha512, sent (bytes)} of each artifact.

    Raises Refused when a tarball was not built here, EmrError when OSS refuses or does not answer.
    """
    bucket, prefix = place_of(address)
    files = [(artifact, cached(artifact.file, artifact.sha512)) for artifact in artifacts]
    missing = [artifact.file for artifact, path in files if path is None]
    if missing:
        raise Refused(f"not built on this machine: {', '.join(missing)}", "Build them first: emrctl dist build")
    rows = []
    try:
        for artifact, path in files:
            key = f"{prefix}/{artifact.file}".lstrip("/")
            sent = Upload(oss, bucket, key, path, say).run()
            oss.put(bucket, key + BESIDE, f"{artifact.sha512}  {artifact.file}\n".encode())
            rows.append({"file": artifact.file, "address": f"oss://{bucket}/{key}", "sha512": artifact.sha512, "sent": sent})
    except OssError as error:
        raise EmrError(str(error), "Check the bucket, the key and the region (--region, ALIBABA_CLOUD_OSS_ENDPOINT); then run the same "
                       "command again, it goes on from here") from error
    return rows


class Upload:
    """One file to one object, in parts, going on where an earlier run stopped."""

    def __init__(self, oss: Oss, bucket: str, key: str, path: Path, say: Callable):
        self.oss, self.bucket, self.key, self.path, self.say = oss, bucket, key, path, say
        self.size, self.told, self.done = path.stat().st_size, time.monotonic(), 0

    def run(self) -> int:
        """Bytes that were sent. Raises OssError."""
        if self._there():
            self.say(f"{self.path.name}: already there")
            return 0
        uploads = [upload for key, upload in self.oss.uploads(self.bucket, self.key) if key == self.key]
        upload, parts = self._begun(uploads)
        for other in uploads:
            if other != upload:
                self.oss.abort(self.bucket, self.key, other)
        upload = upload or self.oss.begin(self.bucket, self.key)
        have = sum(size for _etag, size in parts.values())
        if have:
            self.say(f"{self.path.name}: going on after {have / 1e6:,.1f} MB")
        self.done = have
        count = -(-self.size // PART)
        with open(self.path, "rb") as source, ThreadPoolExecutor(THREADS) as pool:
            try:
                found = list(pool.map(lambda number: self._part(source.fileno(), upload, number, parts.get(number)),
                                      range(1, count + 1)))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        wanted = 0
        for _etag, crc, length in found:
            wanted = combine(wanted, crc, length)
        crc = self.oss.complete(self.bucket, self.key, upload, [row[0] for row in found])
        if crc != wanted:
            self.oss.delete(self.bucket, [self.key])
            raise OssError(f"oss://{self.bucket}/{self.key}: arrived with the CRC-64 {crc}, expected {wanted}")
        return self.size - have

    def _there(self) -> bool:
        head = self.oss.head(self.bucket, self.key)
        return bool(head) and head["size"] == self.size and head["crc64"] == crc64_of(self.path)

    def _begun(self, uploads: list) -> tuple:
        """(upload of an earlier run or '', {number: (etag, size)} of its parts that are the right ones)."""
        for upload in uploads:
            parts = {number: (etag, size) for number, etag, size in self.oss.parts(self.bucket, self.key, upload)
                     if size == min(PART, self.size - (number - 1) * PART)}
            if parts:
                return upload, parts
        return "", {}

    def _part(self, source: int, upload: str, number: int, have: tuple | None) -> tuple:
        """(etag, CRC-64, bytes) of a part; one that OSS has is compared by its MD5, which is its etag there."""
        data = os.pread(source, PART, (number - 1) * PART)
        if have and have[0].lower() == md5(data):
            return have[0], crc64(data), len(data)
        etag, crc = self.oss.put_part(self.bucket, self.key, upload, number, data)
        if crc != crc64(data):
            raise OssError(f"part {number} of oss://{self.bucket}/{self.key} arrived with the CRC-64 {crc}, sent was {crc64(data)}")
        self.done += 0 if have else len(data)
        if time.monotonic() - self.told > TELL_S:
            self.told = time.monotonic()
            self.say(f"{self.path.name}: {self.done / 1e6:,.1f} of {self.size / 1e6:,.1f} MB ({100 * self.done // self.size}%)")
        return etag, crc, len(data)


def md5(data: bytes) -> str:
    """MD5 in hex, which OSS gives as the etag of a part."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
