"""The configuration for floor.sh: what the measured deployment rendered, merged into one folder that fits all hosts."""
from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

CONF = "/etc/emr/hadoop"
FLOOR = "/opt/floor/conf"
# Where DataNodes listen for readers on the same host: bare hosts do not have the folder.
SOCKETS, FLOOR_SOCKETS = "/run/emr/datanode", "/opt/floor"
PROPERTY = re.compile(r"<property><name>([^<]*)</name><value>([^<]*)</value></property>")
EXPORT = re.compile(r"export (\w+_OPTS)=(.*)")


def read_conf(archive: bytes) -> dict[str, str]:
    """File name -> text, from an uncompressed tar of a node's configuration folder."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {Path(m.name).name: tar.extractfile(m).read().decode() for m in tar.getmembers() if m.isfile()}


def merge(master: dict[str, str], slave: dict[str, str], addresses: dict[str, str]) -> dict[str, str]:
    """One folder for master and slaves: all properties of both, and every daemon's own JVM options.

    ``addresses`` maps host name -> address: bare hosts do not know each other's names, so addresses stand for them.
    A slave's own name becomes the wildcard address where it stands before a port, and is left out where it stands alone.
    """
    merged = {}
    for name, text in {**slave, **master}.items():
        if name.endswith(".xml"):
            values = dict(PROPERTY.findall(slave.get(name, "")))
            slaves = [host for host in addresses if "-slave-" in host]
            values = {k: re.sub(rf"^({'|'.join(slaves)}):", "0.0.0.0:", v) for k, v in values.items() if v not in slaves}
            values |= dict(PROPERTY.findall(master.get(name, "")))
            body = "".join(f"<property><name>{k}</name><value>{v}</value></property>\n" for k, v in sorted(values.items()))
            text = f"<configuration>\n{body}</configuration>\n"
        elif name == "hadoop-env.sh":
            text = "".join(f"export {variable}={value}\n" for variable, value in sorted(
                {**dict(EXPORT.findall(slave[name])), **dict(EXPORT.findall(text))}.items()))
        # NodeManagers register by their own names, which the lists of YARN must have.
        for host, address in () if name.startswith("yarn.") else addresses.items():
            text = re.sub(rf"\b{re.escape(host)}\b", address, text)
        merged[name] = text.replace(CONF, FLOOR).replace(SOCKETS, FLOOR_SOCKETS)
    return merged


def daemon_opts(conf: dict[str, str]) -> str:
    """The NameNode's JVM options, without quotes."""
    return dict(EXPORT.findall(conf["hadoop-env.sh"]))["HDFS_NAMENODE_OPTS"].strip("'\"")
