"""Access key of a local ECS, made once per state folder."""
from __future__ import annotations

import os
import secrets
from pathlib import Path

FILE = "credentials"


def ensure(state: Path | str) -> tuple:
    """(key id, secret) of the state folder: two lines of a file for its owner only (mode 0600)."""
    path = Path(state) / FILE
    try:
        key_id, secret = path.read_text().split()
        return key_id, secret
    except FileNotFoundError:
        pass
    pair = "LTAI" + secrets.token_hex(10), secrets.token_hex(15)
    temporary = path.with_name(f".{FILE}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(pair) + "\n")
    try:
        # link, not rename: of two first users one wins and both read the same key
        os.link(temporary, path)
    except FileExistsError:
        return ensure(state)
    finally:
        os.unlink(temporary)
    return pair
