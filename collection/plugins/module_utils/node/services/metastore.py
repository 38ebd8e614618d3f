"""The metastore on a node: how it says that it serves."""
from __future__ import annotations

import struct

from ..hadoop_http import connect, exactly


def _metastore(url, limit_s):
    """Asks for the databases, so that the answer says something of the metastore's own database too."""
    name = b"get_all_databases"
    call = struct.pack(">II", 0x80010001, len(name)) + name + struct.pack(">IB", 1, 0)
    try:
        with connect(url, limit_s) as connection:
            connection.sendall(call)
            head = exactly(connection, 8 + len(name) + 4)
            if head[:4] != b"\x80\x01\x00\x02":
                return False, "answers with an error"
            # The field 0 of the answer is the list of names; an exception is field 1.
            field = exactly(connection, 3)
            if field != b"\x0f\x00\x00":
                return False, "cannot read its database"
            count = struct.unpack(">BI", exactly(connection, 5))[1]
            return True, f"{count} database{'s' if count != 1 else ''}"
    except OSError as error:
        return False, f"no answer from {url}: {error}"


SOCKETS = {"metastore": _metastore}
