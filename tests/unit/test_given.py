"""No playbook reads what a person gives in any other way than by the lookup that makes no template of it."""
from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest
import yaml

PLAYBOOKS = Path(__file__).parents[2] / "collection/playbooks"
FILES = sorted(PLAYBOOKS.rglob("*.yml"))
# Facts and host variables that our own modules and the inventory give.
FACTS = {"emr_drained", "emr_loads", "emr_refused", "emr_role", "emr_state", "emr_turns"}
BARE = ("when", "failed_when", "changed_when", "until")


def texts(node, key: str = ""):
    """(text, whether it is an expression as a whole) of everything in a playbook."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from texts(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value, key)
    elif isinstance(node, str):
        yield node, key in BARE


@functools.cache
def own_names() -> set:
    """Variables that the playbooks themselves set: registered, noted, or handed to a part of them."""
    found = set()

    def look(node):
        if isinstance(node, dict):
            if isinstance(node.get("register"), str):
                found.add(node["register"])
            found.update(node.get("ansible.builtin.set_fact") or ())
            found.update(node.get("vars") or ())
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    for path in FILES:
        look(yaml.safe_load(path.read_text()))
    return found


@functools.cache
def given_names() -> set:
    """Variables that any playbook reads by the lookup."""
    return {name for path in FILES for name in re.findall(r"'emr\.cluster\.given', '(\w+)'", path.read_text())}


def read_as_templates(text: str, whole: bool) -> set:
    """Names of variables of ours that an expression reads by themselves, its texts in quotes left out."""
    parts = [text] if whole else re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL)
    bare = " ".join(re.sub(r"'[^']*'|\"[^\"]*\"", " ", part) for part in parts)
    return set(re.findall(r"(?<![\w.])emr_\w+", bare))


def test_this_test_sees_a_variable_that_is_read_as_a_template():
    assert read_as_templates("{{ emr_job_args | default([], true) }}", False) == {"emr_job_args"}
    assert read_as_templates("not (emr_x | bool) and hostvars['emr_y'].emr_z", True) == {"emr_x"}
    assert read_as_templates("{{ lookup('emr.cluster.given', 'emr_name') }} emr_name", False) == set()


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PLAYBOOKS).as_posix())
def test_what_a_person_gives_is_read_by_the_lookup_alone(path):
    used = {name for text, whole in texts(yaml.safe_load(path.read_text())) for name in read_as_templates(text, whole)}
    both = given_names()
    assert not used & both, "these are read by lookup('emr.cluster.given', …), which makes no template of them"
    assert used <= own_names() | FACTS, "a variable that no playbook sets is given by a person"


# A host of hostvars without the name of one variable behind it: a literal or a group's member between the brackets, or `extract` without one.
WHOLE_HOST = re.compile(r"hostvars(?>\.\w+|\[(?:[^\[\]]|\[[^\]]*\])*\])(?![.\[])|'extract', *hostvars *\)")


def test_this_test_sees_a_host_that_is_read_as_a_whole():
    for text in ("hostvars['localhost']]", "hostvars[groups['x'][0]] if x else {}", "map('extract', hostvars) | list", "hostvars.localhost | default"):
        assert WHOLE_HOST.search(text), text
    for text in ("hostvars['localhost'].emr_x", "hostvars[groups['x'][0]]['emr_x']", "map('extract', hostvars, 'emr_x')", "hostvars.localhost.a",
                 "hostvars[groups['x'] | intersect(groups['y']) | first].emr_x"):
        assert not WHOLE_HOST.search(text), text


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PLAYBOOKS).as_posix())
def test_no_host_is_read_as_a_whole(path):
    """Before 2.19 core makes templates of all variables in a value, of those that were given with the call too."""
    assert not [text for text, _whole in texts(yaml.safe_load(path.read_text())) if WHOLE_HOST.search(text)]


def test_every_variable_of_a_header_is_read_by_the_lookup():
    """What the first lines of a playbook offer is what the lookup reads."""
    for path in PLAYBOOKS.glob("*.yml"):
        head = "".join(line for line in path.read_text().splitlines(keepends=True) if line.startswith("#"))
        offered = set(re.findall(r"\bemr_[a-z_]+", head.partition("Variables")[2]))
        odd = offered - given_names() - own_names() - {"emr_cluster_name", "emr_services", "emr_release", "emr_config", "emr_mirrors",
                                                       "emr_artifacts"}
        assert not odd, f"{path.name}: {odd}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PLAYBOOKS).as_posix())
def test_a_text_of_a_loop_stays_a_text(path):
    """Before 2.19 core makes a list of a text that looks like one, unless it went through the filter ``string``."""
    for text, _whole in texts(yaml.safe_load(path.read_text())):
        assert not re.search(r"^\{\{ *item\.(path|target|name) *\}\}$", text) or is_label(path, text)


def is_label(path: Path, text: str) -> bool:
    """Whether a text of a playbook is only what is shown of a loop's item."""
    lines = [line for line in path.read_text().splitlines() if text in line]
    return all(line.lstrip().startswith("label:") for line in lines)
