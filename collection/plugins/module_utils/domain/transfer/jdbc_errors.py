"""What databases say when they refuse, and what people can do about it."""
from __future__ import annotations

import re

# What a message holds -> the next step. The first that fits is taken; {place} is host, port and database.
_STEPS = (
    (r"Access denied for user .*to database|Unknown database|database \".*\" does not exist",
     "check the database's name in the address, and what the user may see"),
    (r"RSA public key|caching_sha2|sha256_password|must use SSL|require_secure_transport|no encryption|insecure transport|hostssl",
     "give --tls: this server accepts users over encrypted connections only"),
    (r"no pg_hba\.conf entry|is not allowed to connect", "let the server admit the nodes' addresses (for RDS: its white list)"),
    (r"Access denied for user|password authentication failed|role \".*\" does not exist|no password was provided",
     "check user and password: EMR_DB_USER and EMR_DB_PASSWORD, or the file of --credentials"),
    (r"does not support SSL|SSL not enabled|ssl not enabled|not support SSL|trying to connect with ssl",
     "leave out --tls: this server has no encrypted connections"),
    (r"Connection (to .* )?refused|[Cc]onnect(ion)? timed out|Socket fail to connect|UnknownHost|No route to host|Connection attempt",
     "check the address; the nodes must reach {place} (for RDS: its address inside the VPC, and its white list)"),
    (r"[Dd]uplicate (entry|key)", "--mode upsert --key COLUMN renews rows that are there, --mode overwrite replaces all"),
    (r"command denied|permission denied|must be owner", "ask the database's owner to grant it to this user"),
    (r"primary key|PRIMARY KEY", "--mode upsert --key COLUMN makes the table with a key, or make the table yourself"),
    (r"Data too long|Out of range|out of range|value too long|Incorrect .* value|invalid input|cannot be null|null value in column|violates",
     "make the data fit in Spark, or change the table's column; the table is as it was"),
    (r"error in your SQL syntax|syntax error|Unknown column|column .* does not exist|operator does not exist|function .* does not exist",
     "try the SQL of --query or --where in the database's own client"),
    (r"Socket error|[Cc]onnection (reset|has been closed|is closed)|I/O error|terminating|Broken pipe|gone away|end of stream",
     "check the database, then run the same command again"),
    (r"Permission denied: user=", "choose a path that this user may write, such as one below /user/NAME, or give --user"),
)


def said(message: str, place: str) -> str:
    """The message of a driver without what only programs read, and the next step where there is one."""
    text = re.sub(r"^(SQL\w*Exception|PSQLException|MariaDb\w+|AccessControlException): ", "", message.strip())
    text = re.sub(r"\(conn=\d+\) ", "", text).strip()
    step = next((step for pattern, step in _STEPS if re.search(pattern, text)), "")
    return text + (f". Next: {step.format(place=place)}" if step and "Next: " not in text else "")
