"""The daemons that admit nodes by lists, and drain them: their files, and how they read these again."""
from __future__ import annotations

# ``words`` of the service's own program, run as its own account; ``timed`` besides where nodes are drained: without it their work ends at once.
LISTS = {
    "namenode": {"service": "hdfs", "files": ("dfs.hosts", "dfs.hosts.exclude"), "words": ("dfsadmin", "-refreshNodes"), "timed": ()},
    "resourcemanager": {"service": "yarn", "files": ("yarn.include", "yarn.exclude"), "words": ("rmadmin", "-refreshNodes"),
                        "timed": ("-g", "{seconds}", "-server")},
}
