"""The revisions of a cluster's spec that its control node keeps: how they are read, and what may follow on the newest.

A revision is NNNNNN.yml (the spec) and NNNNNN.json (number, digest, who, why, when, edit);
without the latter it was never completed.
"""
from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

from .. import paths
from ..errors import EmrError, Refused
from ..install.releases import DEFAULT
from .difference import difference, sentences

FOLDER = paths.REVISIONS
CONF = paths.HADOOP_CONF
# The user's own scripts as they ran on this node, NAME-DIGEST with the path that the spec had in NAME-DIGEST.place; new nodes run
# them too, wherever the command is given.
SCRIPTS = paths.BOOTSTRAP
_MARK = "=== "


def read_command(number: int | None = None) -> str:
    """A shell command that prints all meta data, the newest spec (and that of revision ``number``) and the excluded nodes."""
    wanted = f"{number:06d}" if number else ""
    return (f"cd {FOLDER} 2>/dev/null || exit 0; last=; "
            'for f in [0-9]*.json; do [ -f "$f" ] && cat "$f" && last=${f%.json}; done; '
            f'for n in $last {wanted}; do [ -f "$n.json" ] && echo "{_MARK}$n" && cat "$n.yml"; done; '
            f'echo "{_MARK}excluded"; cat {CONF}/dfs.hosts.exclude {CONF}/yarn.exclude 2>/dev/null; '
            # The oldest first, so that of several versions of a script the last one counts.
            f'( cd {SCRIPTS} 2>/dev/null || exit 0; ls -tr | grep -E -e "-[0-9a-f]{{16}}$" | while IFS= read -r f; do '
            f'if [ -f "$f.place" ]; then echo "{_MARK}script $(base64 -w0 < "$f.place")"; else '
            f'echo "{_MARK}unplaced $(printf %s "${{f%-*}}" | base64 -w0)"; fi; base64 -w0 < "$f"; echo; done ); true')


@dataclass
class History:
    """What the control node keeps. ``metas`` by number, oldest first; ``texts``: YAML by number of those that were read.

    ``scripts``: content by the path that the spec had; ``unplaced``: by name, of those that ran before places were kept.
    """

    metas: list = field(default_factory=list)
    texts: dict = field(default_factory=dict)
    excluded: list = field(default_factory=list)
    scripts: dict = field(default_factory=dict)
    unplaced: dict = field(default_factory=dict)

    def script(self, path: str, steps) -> str | None:
        """Content of a script of the spec; ``steps``: paths of all of them. None when it is not known for certain."""
        if path in self.scripts:
            return self.scripts[path]
        name = path.rpartition("/")[2]
        alike = [step for step in steps if step.rpartition("/")[2] == name]
        return self.unplaced.get(name) if alike == [path] else None

    @property
    def newest(self) -> dict:
        """Meta data of the newest revision; empty when there is none."""
        return self.metas[-1] if self.metas else {}

    def text(self, number: int | None = None) -> str:
        """The YAML of a revision, by default the newest. Raises Refused when there is no such revision."""
        number = self.newest.get("number") if number is None else number
        if number not in self.texts:
            known = ", ".join(str(m["number"]) for m in self.metas[-10:])
            raise Refused(f"there is no revision {number}", f"The newest ones: {known or 'none'}; emrctl history lists all")
        return self.texts[number]

    def since(self, number: int) -> list:
        """Meta data of the revisions after this one."""
        return [m for m in self.metas if m["number"] > number]


def parse(output: str) -> History:
    """The History in the output of ``read_command``. Raises EmrError when it is not one."""
    history, part, lines = History(), "", []

    def keep():
        if part == "excluded":
            history.excluded = sorted({line.strip() for line in lines if line.strip()})
        elif part.startswith(("script ", "unplaced ")):
            kind, _space, name = part.partition(" ")
            kept = history.scripts if kind == "script" else history.unplaced
            kept[_text(name)] = _text("".join(lines))
        elif part:
            history.texts[int(part)] = "".join(lines)

    try:
        for line in output.splitlines(keepends=True):
            if line.startswith(_MARK):
                keep()
                part, lines = line[len(_MARK):].strip(), []
            elif part:
                lines.append(line)
            elif line.strip():
                history.metas.append(json.loads(line))
        keep()
        history.metas.sort(key=lambda m: m["number"])
    except (ValueError, KeyError, TypeError) as error:
        raise EmrError(f"the revisions in {FOLDER} cannot be read: {error}",
                       "Look at the files there on the control node") from error
    return history


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode("utf-8", "surrogateescape")


def release_before(metas) -> str:
    """The release to which a rollback goes: the one before the newest change of it. One that was interrupted goes where it went.

    ``metas``: of the revisions, oldest first. Those of before there were two name none. '' where it has never changed.
    """
    names = [meta.get("release") or DEFAULT for meta in metas]
    for number in range(len(metas) - 1, 0, -1):
        if names[number] != names[number - 1]:
            return names[number if (metas[number].get("edit") or {}).get("rollback") else number - 1]
    return ""


def check_base(spec, history: History, newest: dict) -> None:
    """Raises Refused when a whole spec was made of an older revision: applying it would take later changes back.

    ``spec`` is the Spec that is given, ``newest`` the newest one as plain data. Known is it by having exactly the content of
    an older revision (an exported file that was edited and applied is one), else by the key ``revision`` of ``export``. Where
    that names the newest, somebody has seen it, and goes back on purpose if the content is an older one.
    """
    digest, last = spec.digest(), history.newest
    if not last or digest == last["digest"] or spec.revision == last["number"]:
        return
    if (spec.revision or 0) > last["number"]:
        raise Refused(f"the spec says it is of revision {spec.revision}, but the newest is {last['number']}",
                      "Is it a spec of another cluster? Take this one's with: emrctl export NAME")
    base = next((m["number"] for m in reversed(history.metas) if m["digest"] == digest), spec.revision)
    if base is None:
        return
    later = "\n".join(f"    {m['number']}  {m['when']}  {m['who']}  {m['why']}" for m in history.since(base))
    rows = "\n".join(f"    {line}" for line in sentences(difference(newest, spec.to_dict())))
    raise Refused(f"this spec is of revision {base}, and the cluster has changed since:\n{later}\n"
                  f"  Applied, it would change:\n{rows or '    (nothing)'}",
                  f"Put your change into the newest spec (emrctl export {spec.name} > cluster.yml), or go back on purpose: "
                  f"emrctl revert {spec.name} {base}", {"base": base, "newest": last["number"]})
