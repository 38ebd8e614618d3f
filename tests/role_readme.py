"""The README of each role, made of its argument_specs: `python -m tests.role_readme` writes them, a test compares."""
from __future__ import annotations

import re

import yaml

from tests.lab import REPO

ROLES = REPO / "collection" / "roles"
DAY_TWO = ("restart", "stop", "remove", "health_check")
PLAY = """\
```yaml
- hosts: master:slave
  gather_facts: false
  roles:
    - emr.cluster.{role}
```

The inventory says who is what by the groups `master` (one host) and `slave`; `task` and `gateway` are optional."""
ONE = """\
```yaml
- hosts: master:slave
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: emr.cluster.{role}
        tasks_from: {entry}
```
"""


def roles() -> list:
    """Names of all roles."""
    return sorted(path.name for path in ROLES.iterdir() if path.is_dir())


def specs(role: str) -> dict:
    return yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]


def _plain(text) -> str:
    """A description, or several, with its markup as Markdown."""
    return re.sub(r"[CVO]\(([^()]*)\)", r"`\1`", " ".join([text] if isinstance(text, str) else text))


def readme(role: str) -> str:
    entries = specs(role)
    meta = yaml.safe_load((ROLES / role / "meta" / "main.yml").read_text())
    needs = [row["role"] for row in meta["dependencies"]]
    main = entries["main"]
    lines = [f"# emr.cluster.{role}", "", f"{main['short_description']}. {_plain(main['description'])}", "", PLAY.format(role=role), ""]
    if needs:
        lines += [f"Depends on {', '.join(f'`{name}`' for name in needs)}, which need not be named in the play.", ""]
    if "restart" in entries:
        label = entries["restart"]["short_description"].removeprefix("Restart ")
        lines += [f"Tags: `{role}`, `{role}_install`, `{role}_configure`, `{role}_start`.", "",
                  f"Handler: `notify: Restart {label}`, which restarts one host after the other.", ""]
    lines += ["## Variables", "", "| Variable | Type | Default | Meaning |", "| --- | --- | --- | --- |"]
    for name, row in main["options"].items():
        default = yaml.safe_dump(row.get("default"), default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
        lines.append(f"| `{name}` | {row['type']} | `{default}` | {_plain(row['description'])} |")
    if len(entries) > 1:
        lines += ["", "## Entry points", "", "| `tasks_from` | What |", "| --- | --- |"]
        lines += [f"| `{name}` | {row['short_description']}. {_plain(row['description'])} |" for name, row in entries.items()]
        lines += ["", ONE.format(role=role, entry="restart").rstrip()]
    return "\n".join([*lines, "", "`docs/deploy.md` says what belongs to a cluster, and which variables all roles share."]) + "\n"


if __name__ == "__main__":
    for each in roles():
        (ROLES / each / "README.md").write_text(readme(each))
