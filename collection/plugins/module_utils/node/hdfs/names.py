"""The names of the cluster's file system, as the files of this node have them."""
from __future__ import annotations

from ...domain import paths
from ...domain.config.file_system import one_name_of
from ..config.keys import keys_of


def settings():
    """{key: value} of this node's hdfs-site."""
    return keys_of(f"{paths.HADOOP_CONF}/hdfs-site.xml")


def one_name():
    """Words for programs that are told of NameNodes by their hosts; nothing where there is one NameNode."""
    return one_name_of(settings())
