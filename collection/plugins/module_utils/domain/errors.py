"""Errors that a person can act on."""
from __future__ import annotations


class EmrError(Exception):
    """Something failed. ``remedy`` is the next step for the reader; ``exit_code`` is one of emrctl/failures.py."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "", details: dict | None = None):
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


class Refused(EmrError):
    """Refused before any change (exit code 3)."""

    exit_code = 3


class SpecProblem:
    """One thing wrong in a spec: where (file, line, key), what was found and expected, the remedy."""

    def __init__(self, key: str, message: str, remedy: str, line: int | None = None, source: str = "<spec>"):
        self.key, self.message, self.remedy, self.line, self.source = key, message, remedy, line, source

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{where}: {self.key}: {self.message}. {self.remedy}"


class SpecError(Refused):
    """The spec is not usable. ``problems`` lists everything wrong in it, not only the first."""

    def __init__(self, problems: list[SpecProblem]):
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))
