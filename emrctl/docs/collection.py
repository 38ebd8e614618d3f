"""docs/reference/{playbooks,roles,modules}.md: what the collection's own files say of themselves."""
from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import yaml

from emrctl.docs import REPO, table

COLLECTION = REPO / "collection"
PLAYBOOKS = COLLECTION / "playbooks"
_LOOKUP = re.compile(r"lookup\('emr\.cluster\.given', *'(\w+)'(, needed=true)?(?:, default=('[^']*'|[\w.]+))?\)(?: \| default\(('[^']*'|[\w.]+), true\))?")
# Ansible's markup -> Markdown. https://docs.ansible.com/ansible/latest/dev_guide/ansible_markup.html
_MARKUP = ((r"\b[BI]\(([^)]*)\)", r"*\1*"), (r"\b(?:C|V|RV|E)\(((?:\\.|[^)\\])*)\)", r"`\1`"),
           (r"\bO\((?:[\w.]+#module:)?([^)=]*)=?([^)]*)\)", lambda found: f"`{found[1]}`" if not found[2] else f"`{found[1]}: {found[2]}`"),
           (r"\bL\(([^,)]*), *([^)]*)\)", r"[\1](\2)"), (r"\bU\(([^)]*)\)", r"<\1>"), (r"\bP\(([\w.]+)#(\w+)\)", r"`\1`"))


def header(path: Path) -> tuple:
    """(what a playbook does, names of its variables), from its first lines."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    rows = [line[1:].strip() for line in lines[:next(at for at, line in enumerate(lines) if not line.startswith("#"))]]
    about, _, names = " ".join(rows[:rows.index("")] if "" in rows else rows).partition(" Variables: ")
    return about, re.findall(r"\w+", names)


def meanings() -> dict:
    """{variable: {type, doc, in}} of collection/docs/variables.yml."""
    return yaml.safe_load((COLLECTION / "docs/variables.yml").read_text(encoding="utf-8"))


def read_by(path: Path) -> dict:
    """{variable: (needed, default)} that a playbook reads itself, or that parts it imports read."""
    found: dict = {}
    for name, needed, default, other in _LOOKUP.findall(path.read_text(encoding="utf-8")):
        default = (default or other).strip("'")
        if name not in found or needed or (default and default != "omit"):
            found[name] = (bool(needed), "" if default in ("omit", "") else default)
    for part in re.findall(r"import_playbook: (\S+)", path.read_text(encoding="utf-8")):
        found = {**read_by(path.parent / part), **found}
    return found


def playbooks() -> str:
    """The page of the playbooks."""
    rows = ["# Playbooks and their variables", "",
            "Run a playbook with `ansible-playbook emr.cluster.NAME -e VARIABLE=VALUE`, from an AWX job template, or through",
            "[`emrctl`](cli.md). Values given with `-e` are data: `{{ }}` in them stays as it is written. Give maps and lists as JSON or `@file`.", ""]
    meaning = meanings()
    for path in sorted(PLAYBOOKS.glob("*.yml")):
        about, names = header(path)
        read = read_by(path)
        rows += [f"## {path.stem}", "", about, "",
                 *table(["Variable", "Type", "Default", "Meaning"],
                        [[f"`{name}`", meaning[name]["type"], _default(*read.get(name, (False, ""))),
                          meaning[name].get("in", {}).get(path.stem) or meaning[name]["doc"]] for name in names])]
    return "\n".join(rows).rstrip() + "\n"


def _default(needed: bool, value) -> str:
    return "**required**" if needed else f"`{value}`" if value not in ("", "{}", "[]", None) else ""


def roles() -> str:
    """The page of the roles."""
    rows = ["# Roles", "", "Use them in plays of your own on hosts of any inventory; [Deploy on hosts that exist already](../deploy.md) shows how.",
            "On a terminal: `ansible-doc -t role emr.cluster.NAME`.", ""]
    for path in sorted((COLLECTION / "roles").glob("*/meta/argument_specs.yml")):
        role = path.parts[-3]
        rows += [f"## {role}", ""]
        for entry, spec in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].items():
            rows += [f"### {role}: {entry}", ""] if entry != "main" else []
            rows += [_sentence(spec.get("short_description", "")), "", *_lines(spec.get("description")), *_options(spec.get("options"))]
    return "\n".join(rows).rstrip() + "\n"


def modules() -> str:
    """The page of the plugins: inventory, lookup, and the modules that playbooks call."""
    rows = ["# Modules and plugins", "", "On a terminal: `ansible-doc -t module emr.cluster.NAME`. The playbooks call these; call them yourself in",
            "plays of your own.", ""]
    for folder, kind in (("inventory", "Inventory plugin"), ("lookup", "Lookup plugin"), ("modules", "Module")):
        for path in sorted((COLLECTION / "plugins" / folder).glob("*.py")):
            texts = documentation(path)
            if not texts:
                continue
            doc = texts["DOCUMENTATION"]
            doc["options"] = {**(doc.get("options") or {}), **_shared(doc)}
            rows += [f"## {path.stem}" + ("" if folder == "modules" else f" ({folder} plugin)"), "", f"{kind} `emr.cluster.{path.stem}`.",
                     _sentence(_markdown(doc["short_description"])), "", *_lines(doc.get("description")), *_options(doc.get("options"))]
            if texts.get("EXAMPLES"):
                rows += ["```yaml", texts["EXAMPLES"].strip(), "```", ""]
            returns = texts.get("RETURN") or {}
            rows += table(["Returns", "Type", "Meaning"], [[f"`{name}`", row.get("type", ""), _text(row.get("description"))]
                                                           for name, row in returns.items()]) if returns else []
    return "\n".join(rows).rstrip() + "\n"


def documentation(path: Path) -> dict:
    """{DOCUMENTATION, EXAMPLES, RETURN} of a plugin; EXAMPLES as its text."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        name = getattr(node.targets[0], "id", "") if isinstance(node, ast.Assign) else ""
        if name in ("DOCUMENTATION", "RETURN", "EXAMPLES"):
            text = ast.literal_eval(node.value)
            found[name] = text if name == "EXAMPLES" else yaml.safe_load(text)
    return found


def _shared(doc: dict) -> dict:
    """Options of the fragments that a documentation extends."""
    found = {}
    names = doc.get("extends_documentation_fragment") or []
    for name in (name for name in names if name.startswith("emr.cluster.")):
        fragment, _, part = name.removeprefix("emr.cluster.").partition(".")
        texts = import_module(f"ansible_collections.emr.cluster.plugins.doc_fragments.{fragment}").ModuleDocFragment
        found.update(yaml.safe_load(getattr(texts, part.upper() or "DOCUMENTATION")).get("options") or {})
    return found


def _options(options: dict | None) -> list:
    return table(["Option", "Type", "Default", "Meaning"], _option_rows(options, "")) if options else []


def _option_rows(options: dict, before: str) -> list:
    rows = []
    for name, row in options.items():
        kind = row.get("type", "str") + (f" of {row['elements']}" if row.get("elements") else "")
        default = row.get("default")
        shown = f"`{str(default).lower() if isinstance(default, bool) else default}`" if default not in (None, "", [], {}) else ""
        choices = f" One of {', '.join(f'`{choice}`' for choice in row['choices'])}." if row.get("choices") else ""
        rows.append([f"`{before}{name}`", kind, _default(bool(row.get("required")), "") or shown, _text(row.get("description")) + choices])
        rows += _option_rows(row.get("options") or row.get("suboptions") or {}, f"{before}{name}.")
    return rows


def _text(description) -> str:
    return " ".join(_markdown(part) for part in ([description] if isinstance(description, str) else description or []))


def _lines(description) -> list:
    return [row for part in ([description] if isinstance(description, str) else description or []) for row in (_markdown(part), "")]


def _sentence(text: str) -> str:
    return text if text.endswith(".") else text + "."


def _markdown(text: str) -> str:
    text = re.sub(r"\bM\(emr\.cluster\.(\w+)\)", r"[emr.cluster.\1](#\1)", str(text))
    text = re.sub(r"\bM\(([\w.]+)\)", r"`\1`", text)
    for pattern, made in _MARKUP:
        text = re.sub(pattern, made, text)
    return text
