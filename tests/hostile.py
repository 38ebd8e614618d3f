"""Texts that programs on their way like to take for something else: templates, shell, escapes, options, formats of files."""
from __future__ import annotations

import random

PIECES = ("{{ 7*7 }}", "{{ lookup('pipe', 'id') }}", "{% raw %}", "{% endraw %}", "{#", "#}", "a=(x y); echo ${#a[@]}", "$(id)", "`id`", "${HOME}",
          "$HOME", "'", '"', "\n", "\r\n", "\t", "\\", "\\n", "\\u0041", "#", " #", ";", "--", "=", ":", ": ", "!", "%", "%%", "%s", "*", "?", "[1]",
          "{a,b}", "&", "|", "<", ">", "]]>", "&amp;", "~", "-", " ", "  ", ",", "数据", "é", "😀", "\u2028", "\x7f", "True", "None", "null",
          "yes", "0123", "1_000", "0x1F", "12:30:45", "1e3", "2024-01-02", "!unsafe x", "!!python/object:x", "@file", "[1, 2]", "{'a': 1}",
          '{"a": 1}', "name=x", "x", "word")
# Whole texts that every pass sends, whatever the seed.
ALWAYS = ("", " ", "{{ 7*7 }}", "a=(x y); echo ${#a[@]}", "{% raw %}", "$(id)", "it's", 'say "so"', "two\nlines\n", "a\tb", "\\", "ends\\", "# no comment",
          "--", "a=b", "-x", "数据", "😀", "['a', 1]", '["a"]', "{'a': 1}", "True", "0123", "~", "x" * 4000)


def texts(seed: int, number: int) -> list:
    """ALWAYS, and ``number`` others that are the same for the same seed."""
    rng = random.Random(seed)
    return [*ALWAYS, *("".join(rng.choices(PIECES, k=rng.randint(1, 6))) for _ in range(number))]
