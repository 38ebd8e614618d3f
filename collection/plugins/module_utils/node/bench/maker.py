"""Makes the tables of TPC-H in HDFS, many files at once: what one task of Spark runs in its container, and what all tasks are."""
from __future__ import annotations

import math
import os
import subprocess
import tempfile

from ..common import NodeError
from ..hdfs.client import WebHdfs, upload

# MB of Parquet at scale 1.
SIZES = {"region": 0, "nation": 0, "supplier": 1, "customer": 13, "part": 8, "partsupp": 45, "orders": 60, "lineitem": 210}
# A file has so many MB at most; where that leaves cores without work, at least so many.
MOST_MB, LEAST_MB = 64, 8
GENERATOR = "tpchgen-cli"
LIMIT_S = 3600


def pieces(scale, slots):
    """(table, part, parts) of all files, the largest first. ``slots``: tasks that can run at once."""
    found = []
    for table, size in sorted(SIZES.items(), key=lambda row: -row[1]):
        size = size * scale
        parts = max(1, math.ceil(size / MOST_MB), min(slots, math.ceil(size / LEAST_MB)))
        found += [(table, part, parts) for part in range(1, parts + 1)]
    return found


def make(piece, scale, target, namenode, user):
    """Make one file and put it into HDFS. Returns its bytes. The generator came into this container's folder with the job."""
    table, part, parts = piece
    with tempfile.TemporaryDirectory(dir=".") as folder:
        words = [os.path.abspath(GENERATOR), "parquet", "--scale-factor", f"{scale:g}", "--tables", table, "--output-dir", folder, "--quiet",
                 "--num-threads", "1", "--parts", str(parts), "--part", str(part)]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False)
        made = f"{folder}/{table}/{table}.{part}.parquet"
        if done.returncode or not os.path.exists(made):
            raise NodeError(f"{table}, part {part} of {parts}: the generator ended with {done.returncode}: {done.stdout.decode(errors='replace')[-500:]}")
        upload(WebHdfs(namenode, user), made, f"{target}/{table}/{part:05d}.parquet")
        return os.path.getsize(made)
