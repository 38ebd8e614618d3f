"""Names in sentences: lists of them, and the one that somebody may have meant."""
from __future__ import annotations


def nearest(name: str, names) -> str:
    """The most similar of these names, or an empty text."""
    import difflib  # seldom needed

    lowered = {n.lower().replace("_", "-"): n for n in names}
    found = difflib.get_close_matches(name.lower().replace("_", "-"), list(lowered), 1, 0.6)
    return lowered[found[0]] if found else ""


def listed(names) -> str:
    """Names for a sentence: ``a, b or c``."""
    names = list(names)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def instead(name: str, names, aliases=None) -> str:
    """Remedy for an unknown name: the nearest valid one, or all of them."""
    guess = (aliases or {}).get(name.lower()) or nearest(name, names)
    if guess:
        return f"Did you mean {guess}? Valid here: {listed(names)}."
    return f"Remove it or use a valid name: {listed(names)}."
