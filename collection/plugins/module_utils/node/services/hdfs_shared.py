"""A NameNode with edits of its own becomes the first of several, whose edits the JournalNodes keep."""
from __future__ import annotations

import os
import re

from .. import hadoop_cli
from ..common import NodeError
from ..daemons.refresh import unit_environment
from ..hdfs.names import one_name, settings

SEGMENT = re.compile(r"edits_(?:inprogress_)?(\d+)(?:-\d+)?$")
LIMIT_S = 600


def newest_segment(folders):
    """Number of the first transaction in the newest segment of edits in these folders; 0 where there is none."""
    names = (name for folder in folders if os.path.isdir(folder) for name in os.listdir(folder))
    return max((int(match.group(1)) for match in map(SEGMENT.match, names) if match), default=0)


def share_edits(params, component):
    """Give the JournalNodes the edits of this NameNode, which does not run. What was done, or ''.

    Again after an interruption, they are given anew: until another NameNode has the file system, nobody but this one has written edits.
    Raises NodeError where the JournalNodes have edits that this NameNode does not have.
    """
    if params["others"].get(component["name"]):
        return ""
    site = settings()
    own = [folder.replace("file://", "") + "/current" for folder in site["dfs.namenode.name.dir"].split(",")]
    journal = f"{site['dfs.journalnode.edits.dir']}/{site['dfs.nameservice.id']}/current"
    if newest_segment([journal]) > newest_segment(own):
        raise NodeError(f"the JournalNode has newer edits in {journal} than the NameNode in {', '.join(own)}: another NameNode was active. Nothing was "
                        "changed. Look at both, and start the NameNode that wrote them")
    words = ["namenode", *one_name(), "-initializeSharedEdits", "-force"]
    hadoop_cli.run("hdfs", words, "hdfs", dict(unit_environment(component["unit"]), HADOOP_LOGFILE="shared-edits.log"), limit_s=LIMIT_S)
    return f"{component['name']}: its edits are the JournalNodes' now"
