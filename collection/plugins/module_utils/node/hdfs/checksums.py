"""CRC-64 of files in HDFS: by threads here, or by a job of the cluster when there is much to read."""
from __future__ import annotations

import json
import os
import subprocess
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor

from ...domain import paths
from .. import hadoop_cli
from ..common import NodeError
from ..oss.crc64 import combine
from .client import WebHdfs
from .crc_mapper import of_hdfs

# Bytes: pieces that are read on their own, and how much is read here at most before the cluster does it.
PIECE, HERE = 256 << 20, 1 << 30
THREADS = 4


class Checksums:
    """A function of (HdfsSide, {name: bytes}); see ``transfer_sides.HdfsSide``. ``maps``: containers at once, at most."""

    def __init__(self, user, env, settings, maps, tell, here=HERE, piece=PIECE):
        self.user, self.env, self.settings, self.maps, self.tell = user, env, settings, maps, tell
        self.here, self.piece = here, piece

    def __call__(self, side, sizes):
        names = sorted(sizes)
        pieces = [(number, offset, min(self.piece, sizes[name] - offset), side.path(name)) for number, name in enumerate(names)
                  for offset in range(0, sizes[name], self.piece)]
        total = sum(sizes.values())
        self.tell(f"computing CRC-64 of {len(names)} files, {total:,} bytes, in HDFS")
        parts = self._here(side.namenode, pieces) if total <= self.here else self._cluster(side.namenode, pieces)
        found = dict.fromkeys(range(len(names)), 0)
        for number, _offset, length, _path in pieces:  # in the order of offsets
            found[number] = combine(found[number], parts[(number, _offset)], length)
        return {name: found[number] for number, name in enumerate(names)}

    def _here(self, namenode, pieces):
        with ThreadPoolExecutor(THREADS) as pool:
            values = pool.map(lambda row: of_hdfs(namenode, self.user, row[3], row[1], row[2]), pieces)
            return {(row[0], row[1]): value for row, value in zip(pieces, values)}

    def _cluster(self, namenode, pieces):
        """Hadoop Streaming with crc_mapper; its input and output are a folder of the user's, for this run."""
        client = WebHdfs(namenode, self.user)
        folder = f"/user/{self.user}/.emr/checksums/{uuid.uuid4().hex}"
        client.make(folder, "700")
        try:
            local = os.path.abspath("pieces")
            with open(local, "w", encoding="utf-8") as out:
                out.writelines(f"{number}\t{offset}\t{length}\t{json.dumps(path)}\n" for number, offset, length, path in pieces)
            with open(local, "rb") as source:
                client.write(f"{folder}/in", source, os.path.getsize(local))
            self._stream(namenode, folder, max(1, -(-len(pieces) // self.maps)))
            return self._read(client, f"{folder}/out")
        finally:
            client.delete(folder, recursive=True)

    def _stream(self, namenode, folder, lines):
        settings = {**self.settings, "mapreduce.input.lineinputformat.linespermap": lines, "mapreduce.job.reduces": 0,
                    "stream.map.input.ignoreKey": "true", "mapreduce.job.name": "verification of a copy",
                    "mapreduce.map.speculative": "false"}
        program = os.path.abspath("code.zip")
        package_zip(program, "hdfs.crc_mapper")
        addresses = namenode if isinstance(namenode, str) else ",".join(namenode)
        words = ["streaming"] + [word for key, value in sorted(settings.items()) for word in ("-D", f"{key}={value}")] + [
            "-files", program, "-inputformat", "org.apache.hadoop.mapred.lib.NLineInputFormat", "-input", f"{folder}/in",
            "-output", f"{folder}/out", "-mapper", f"{paths.PYTHON} code.zip {addresses} {self.user}"]
        child = hadoop_cli.start("mapred", words, only=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        try:
            for line in child.stdout:
                if not line.startswith("\tat "):
                    self.tell(line.rstrip("\n"))
            if child.wait():
                raise NodeError(f"the job that computes checksums ended with {child.returncode}")
        except BaseException:
            child.terminate()
            raise

    def _read(self, client, folder):
        rows = {}
        for row in client.listing(folder):
            if row["type"] == "FILE" and row["length"] and not row["pathSuffix"].startswith("_"):
                local = os.path.abspath("checksums")
                with open(local, "wb") as out:
                    client.read_to(f"{folder}/{row['pathSuffix']}", out)
                with open(local, encoding="utf-8") as found:
                    for line in found:
                        number, offset, _length, value = line.split()
                        rows[(int(number), int(offset))] = int(value)
        return rows


def package_zip(path, module):
    """Write the code of this package as one file that Python runs by itself, for containers. ``module``: of node/, with ``main(arguments)``."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, _folders, names in os.walk(root):
            for name in sorted(names):
                if name.endswith(".py"):
                    archive.write(os.path.join(folder, name), os.path.join("emr_node", os.path.relpath(os.path.join(folder, name), root)))
        archive.writestr("__main__.py", f"import sys\n\nfrom emr_node.node.{module} import main\n\nmain(sys.argv[1:])\n")
