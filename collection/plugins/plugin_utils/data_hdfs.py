"""put and get for paths of HDFS, streamed between this machine and the cluster."""
from __future__ import annotations

import os

from ..module_utils.domain.errors import EmrError
from ..module_utils.node.common import NodeError
from .hdfs_tunnel import TunnelledHdfs
from .streams import Progress, Reader, parquet_rows, receive


class HdfsData:
    """The operations; ``tell(text)`` gets progress."""

    def __init__(self, hdfs: TunnelledHdfs, tell):
        self.hdfs, self.tell = hdfs, tell

    def put(self, path: str, files: list) -> dict:
        """Files into HDFS. Several, or a target that is a folder: below it under their names. Each appears at once."""
        found = self.hdfs.status(path.rstrip("/") or "/")
        folder = len(files) > 1 or path.endswith("/") or bool(found and found["type"] == "DIRECTORY")
        progress = Progress(sum(os.path.getsize(name) for name in files), self.tell)
        done = []
        for local in files:
            target = f"{path.rstrip('/')}/{os.path.basename(local)}" if folder else path
            self.hdfs.make(os.path.dirname(target) or "/", "755")
            self._put(local, target, progress)
            done.append({"path": target, "bytes": os.path.getsize(local)})
        return {"changed": True, "put": done}

    def _put(self, local: str, target: str, progress: Progress) -> None:
        temporary = os.path.join(os.path.dirname(target), "." + os.path.basename(target) + ".uploading")
        try:
            with open(local, "rb") as source:
                self.hdfs.write(temporary, _Told(source, progress), os.path.getsize(local))
            if self.hdfs.status(temporary)["length"] != os.path.getsize(local):
                raise EmrError(f"{local} changed while it was sent", "Run the same command again")
            if self.hdfs.status(target):
                self.hdfs.delete(target)
            self.hdfs.rename(temporary, target)
        except BaseException:
            self.hdfs.close()
            self.hdfs.delete(temporary)
            raise

    def get(self, path: str, target: str) -> dict:
        """A file, or a folder with all below it, to this machine."""
        path = path.rstrip("/") or "/"
        target = os.path.abspath(os.path.expanduser(target or "."))
        found = self.hdfs.status(path)
        if not found:
            raise EmrError(f"there is no {path} in HDFS")
        if found["type"] == "FILE":
            name = os.path.basename(path)
            rows = [(path, os.path.join(target, name) if os.path.isdir(target) else target, found)]
        else:
            if os.path.exists(target) and not os.path.isdir(target):
                raise EmrError(f"{target} is a file, but a folder was asked for", "Name a folder")
            rows = list(self._below(path, target))
        progress = Progress(sum(row["length"] for _path, _final, row in rows), self.tell)
        for source, final, row in rows:
            receive(final, row["length"], f"{row['fileId']}-{row['modificationTime']}",
                    lambda take, at, source=source, size=row["length"]: self.hdfs.read(source, take, at, size - at),
                    progress)
        return {"changed": False, "got": [{"path": source, "bytes": row["length"]} for source, _final, row in rows],
                "files": sorted(final for _source, final, _row in rows)}

    def _below(self, path: str, target: str):
        """(path, file here, status) of each file below a folder; folders are made on the way."""
        os.makedirs(target, exist_ok=True)
        for row in self.hdfs.listing_up_to(path, 1 << 30)[0]:
            source, final = f"{path.rstrip('/')}/{row['pathSuffix']}", os.path.join(target, row["pathSuffix"])
            if row["type"] == "DIRECTORY":
                yield from self._below(source, final)
            else:
                yield source, final, row

    def rows(self, path: str, size: int, most: int) -> list:
        """The first rows of a Parquet file."""
        return parquet_rows(Reader(size, lambda take, at, count: self.hdfs.read(path, take, at, count)), most, path)

    def perform(self, step, *args):
        """Result of put or get. Raises EmrError with HDFS's own words."""
        try:
            return step(*args)
        except NodeError as error:
            raise EmrError(str(error)) from error
        finally:
            self.hdfs.close()


class _Told:
    """A file whose reading is progress."""

    def __init__(self, source, progress: Progress):
        self.source, self.progress = source, progress

    def read(self, count: int = -1) -> bytes:
        data = self.source.read(count)
        self.progress.add(len(data))
        return data
