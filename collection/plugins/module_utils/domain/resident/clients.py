"""Hadoop's and Spark's programs under their own names for every shell of a node: of a login, of ``ssh NODE hdfs …``, of cron and sudo.

A small program for each lies in /usr/local/bin, which every shell searches; those of a service that
is not there say where it comes from. So adding and removing services changes none of them.
"""
from __future__ import annotations

from ...services.registry import HOMES
from .. import paths
from ..daemons.units import JAVA_MARK
from ..paths import HADOOP_CONF, HADOOP_HOME, SPARK_CONF, SPARK_HOME
from .files import NOTE, root_file

PROFILE = paths.PROFILE
BIN = "/usr/local/bin"
# service -> (folder of its programs, their names)
PROGRAMS = {name: (f"{home.home}/bin", home.programs) for name, home in HOMES.items() if home.programs}

PROFILE_TEXT = f"""# {NOTE}
export JAVA_HOME="${{JAVA_HOME:-{JAVA_MARK}}}"
export HADOOP_CONF_DIR="${{HADOOP_CONF_DIR:-{HADOOP_CONF}}}"
export YARN_CONF_DIR="${{YARN_CONF_DIR:-{HADOOP_CONF}}}"
export SPARK_CONF_DIR="${{SPARK_CONF_DIR:-{SPARK_CONF}}}"
for emr_home in {HADOOP_HOME} {SPARK_HOME}; do
  if [ -d "$emr_home/bin" ]; then PATH="$PATH:$emr_home/bin"; fi
done
unset emr_home
export PATH
"""


def client_files() -> list:
    """Rows of the operation configure. What somebody else has put under one of these names stays (``yields``)."""
    rows = [root_file(PROFILE, PROFILE_TEXT)]
    for service, (folder, names) in PROGRAMS.items():
        rows += [dict(root_file(f"{BIN}/{name}", _program(service, folder, name), "0755"), yields=NOTE) for name in names]
    return rows


def _program(service: str, folder: str, name: str) -> str:
    return f"""#!/bin/sh
# {NOTE}
if [ ! -x {folder}/{name} ]; then
  echo "{name} is not on this node. It comes with the service {service}, to masters and gateways. Next: emrctl service add NAME {service}" >&2
  exit 127
fi
. {PROFILE}
exec {folder}/{name} "$@"
"""
