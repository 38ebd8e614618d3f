"""What the collection's metadata says of its own parts."""
from __future__ import annotations

import ast
from functools import cache

import yaml

from tests.lab import REPO

COLLECTION = REPO / "collection"
# Of ansible-test's pylint: a reader learns nothing from them.
BAD_NAMES = {"_", "bar", "baz", "foo", "toto", "tutu", "tata"}


def test_the_action_group_names_every_module_but_the_one_that_is_not_for_playbooks():
    runtime = yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text())
    modules = {path.stem for path in (COLLECTION / "plugins" / "modules").glob("*.py")} - {"node"}
    assert set(runtime["action_groups"]["all"]) == modules
    assert runtime["action_groups"]["all"] == sorted(modules)


@cache
def plugins() -> tuple:
    """(path, tree) of every file of Python in the collection."""
    return tuple((path.relative_to(COLLECTION), ast.parse(path.read_text())) for path in sorted((COLLECTION / "plugins").rglob("*.py")))


def test_names_are_those_that_sanity_tests_allow():
    bad = [f"{path}:{node.lineno}: {node.id}" for path, tree in plugins() for node in ast.walk(tree)
           if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in BAD_NAMES]
    bad += [f"{path}:{node.lineno}: {node.name}" for path, tree in plugins() for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name in BAD_NAMES]
    assert not bad


def test_fragments_of_the_documentation_are_texts_to_who_only_reads_them():
    for path, tree in plugins():
        if path.parent.name == "doc_fragments":
            classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
            assert all(isinstance(line.value, ast.Constant) for found in classes for line in found.body if isinstance(line, ast.Assign)), path


def test_fragments_of_the_changelog_are_one_document_of_lists_each():
    for path in sorted((COLLECTION / "changelogs/fragments").glob("*.yml")):
        found = yaml.safe_load(path.read_text())
        assert found and all(isinstance(text, str) for rows in found.values() for text in rows), path


def test_lines_of_yaml_are_no_longer_than_the_lint_takes():
    long = [f"{path.relative_to(COLLECTION)}:{number}" for path in sorted(COLLECTION.rglob("*.yml"))
            for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > 160]
    assert not long
