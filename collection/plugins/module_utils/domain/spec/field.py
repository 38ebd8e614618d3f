"""One key of a document that people write, or one option of a command: its name, type, range, default and explanation. Python 3.8."""
from __future__ import annotations

from dataclasses import dataclass, field

MISSING = object()
USER_NAME = r"[a-z_][a-z0-9_-]{0,31}"
QUEUE_NAME = r"[a-z][a-z0-9_-]{0,39}"


@dataclass(frozen=True)
class Field:
    """One key of the spec.

    ``kind``: text, int, number, bool, list, object (fixed keys), map (free keys) or config (one file's settings).
    ``least``/``most``: range of a number, of a text's length (of a duration: in seconds), or of a list's or map's size.
    ``expect`` says in words what is expected; ``example`` is YAML that a reader may copy. ``form`` names a check in check.FORMS.
    """

    name: str
    kind: str
    doc: str
    expect: str = ""
    example: str = ""
    required: bool = False
    default: object = MISSING
    pattern: str = ""
    choices: tuple = ()
    least: object = None
    most: object = None
    form: str = ""
    item: object = None
    fields: tuple = ()
    unique: bool = False
    single: bool = False
    aliases: dict = field(default_factory=dict)

    def names(self) -> tuple:
        """Names of the keys of an object."""
        return tuple(f.name for f in self.fields)
