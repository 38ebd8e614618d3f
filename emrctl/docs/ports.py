"""docs/reference/ports.md: the ports of the component catalogue."""
from __future__ import annotations

from emrctl.docs import table


def page() -> str:
    """The page."""
    from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS

    rows = [[port, row.label, f"`{name}`", f"`{row.service}`", ", ".join(sorted(row.roles)), f"`{row.unit}`", "yes" if name == row.web else ""]
            for row in COMPONENTS.values() for name, port in row.ports.items()]
    return "\n".join(["# Ports", "",
                      "Daemons listen on these ports. The security group admits the cluster's own nodes to them, and nobody else;",
                      "from outside, [`emrctl open`](cli.md#emrctl-open) reaches the web pages through SSH.", "",
                      *table(["Port", "Daemon", "Use", "Service", "Nodes", "systemd unit", "Web page"], sorted(rows, key=lambda row: row[0])),
                      "SSH listens on port 22, which is open to the addresses in `network.ssh_from` of the [spec](../spec.md)."]) + "\n"
