"""The names of a file system that several NameNodes serve: its own, and that of the master that once was the only one."""
from __future__ import annotations

# A proxy for an address that is one, not a name.
ADDRESS = "org.apache.hadoop.hdfs.server.namenode.ha.IPFailoverProxyProvider"


def one_name_of(rows: dict) -> list:
    """Words for daemons and programs that are told of NameNodes by their hosts, one of which is a name for everybody else. ``rows``: of hdfs-site."""
    own = rows.get("dfs.nameservice.id", "")
    former = [name for name in rows.get("dfs.nameservices", "").split(",") if name != own]
    words = [f"dfs.nameservices={own}", *(f"dfs.client.failover.proxy.provider.{name}={ADDRESS}" for name in former)]
    return [word for row in words for word in ("-D", row)] if own else []
