"""Jobs whose records and logs are in OSS: read from here, so that they outlive their cluster."""
from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

from emrctl import failures

CLUSTER_ID = r"emr-[0-9a-z]+"
MOST = 200


class Archive:
    """What ``logs.oss`` of a spec names, for the clusters called ``name``. Leaves with the exit code of what is wrong."""

    def __init__(self, address: str, name: str, region: str | None):
        from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import (
            default_region,
            find_credentials,
        )
        from ansible_collections.emr.cluster.plugins.module_utils.cloud.oss.client import client
        from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
        from ansible_collections.emr.cluster.plugins.module_utils.node.oss.client import OssError, split

        self.address, self.name, self.refusal = address, name, OssError
        try:
            self.oss = client(os.environ, region or default_region() or "cn-hangzhou", find_credentials)
            self.bucket, folder = split(address)
        except (OssError, Refused) as error:
            failures.fail(str(error), failures.REFUSED)
        self.folder = folder.rstrip("/") + "/" if folder else ""

    def jobs(self) -> list:
        """All jobs, the newest first; the same names as those of a running cluster."""
        keys = sorted((row["folder"] for cluster in self._clusters() for row in self._list(f"{cluster}jobs/", "/") if "folder" in row),
                      key=lambda key: key.rstrip("/").rpartition("/")[2], reverse=True)[:MOST]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda key: self._read(f"{key}job.json"), keys))
        return [json.loads(text) for text in found if text]

    def job(self, job_id: str) -> dict:
        """One job's record."""
        return json.loads(self._read(f"{self._folder(job_id)}job.json"))

    def logs(self, job_id: str, yarn: bool) -> dict:
        """A job's output, as `jobs logs` gives it."""
        folder = self._folder(job_id)
        out, err = (self._read(f"{folder}{name}.log").decode(errors="replace") for name in ("stdout", "stderr"))
        containers = self._read(f"{folder}yarn.log").decode(errors="replace") if yarn else ""
        return {"job": self.job(job_id), "stdout": out, "stderr": err, "log": err + out + containers}

    def _folder(self, job_id: str) -> str:
        for cluster in self._clusters():
            if self._read(f"{cluster}jobs/{job_id}/job.json"):
                return f"{cluster}jobs/{job_id}/"
        return failures.fail(f"{self.address} has no job {job_id} of a cluster {self.name}. Next: emrctl jobs list {self.name} --from "
                             f"{self.address}", failures.REFUSED)

    def _clusters(self) -> list:
        """Folders of the clusters of this name, one for each of its lives."""
        wanted = re.compile(re.escape(f"{self.folder}{self.name}-") + CLUSTER_ID + "/")
        found = [row["folder"] for row in self._list(f"{self.folder}{self.name}-", "/") if wanted.fullmatch(row.get("folder", ""))]
        if not found:
            failures.fail(f"{self.address} has no jobs of a cluster {self.name}", failures.REFUSED)
        return found

    def _list(self, prefix: str, delimiter: str) -> list:
        try:
            return list(self.oss.list(self.bucket, prefix, delimiter))
        except self.refusal as error:
            return failures.fail(str(error), failures.FAILURE)

    def _read(self, key: str) -> bytes:
        """Content of an object; nothing where there is none."""
        parts: list = []
        try:
            head = self.oss.head(self.bucket, key)
            if head and head["size"]:
                self.oss.get(self.bucket, key, parts.append, 0, head["size"])
        except self.refusal as error:
            failures.fail(str(error), failures.FAILURE)
        return b"".join(parts)
