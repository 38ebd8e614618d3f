"""Types of settings: a wrong one stops a daemon, or is silently replaced by a default."""
from __future__ import annotations

import re

INT, BOOL, SHARE, NUMBER, SIZE = "a whole number", "true or false", "a number from 0 to 1", "a number", "a size such as 2g or 1536m"
CHECKS = {INT: re.compile(r"^-?\d+$"), BOOL: re.compile(r"^(true|false)$"), NUMBER: re.compile(r"^-?\d+(\.\d+)?$"),
          SHARE: re.compile(r"^(0(\.\d+)?|1(\.0+)?|\.\d+)$"), SIZE: re.compile(r"^[1-9]\d*[kmgt]b?$", re.IGNORECASE)}
EXAMPLES = {INT: "2", BOOL: "true", NUMBER: "2.1", SHARE: "0.5", SIZE: "2g"}
# Families of keys of which the name tells the type.
ENABLED = (re.compile(r"\.enabled$"), BOOL)
MILLISECONDS = (re.compile(r"[.-](interval|timeout)-ms$"), INT)
MEGABYTES = (re.compile(r"(memory[.-]mb|resource\.mb|allocation-mb|vcores|cpu-vcores|allocation-vcores)$"), INT)
