"""Paths of the programs that stay on nodes."""
from __future__ import annotations

# A link to the Python of the node, from 3.8 on; made by the first step on it (domain/install/systems.py).
PYTHON = "/opt/emr/bin/python3"
LIB, LIBEXEC = "/opt/emr/lib", "/opt/emr/libexec"
# Of the package of domain/resident/package.py: on masters, and the last one on every node.
FILES = f"{LIBEXEC}/emr-files"
JOBS, FLOWS, COPY, LOGS = f"{LIBEXEC}/emr-jobs", f"{LIBEXEC}/emr-flow", f"{LIBEXEC}/emr-copy", f"{LIBEXEC}/emr-logs"
# spark-submit takes it for Python by its name.
JDBC = f"{LIBEXEC}/emr_jdbc.py"
NODE = f"{LIBEXEC}/emr-node"
# On the node that makes backups.
BACKUP = f"{LIBEXEC}/emr-backup"
# A program of one file.
RECLAIM = f"{LIBEXEC}/emr-reclaim"
