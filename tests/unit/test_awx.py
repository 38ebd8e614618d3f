"""What awx/ sets up: playbooks and variables that exist, surveys and credentials of the form that AWX takes."""
from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import find_credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh import login
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import JOINING, SERVICES
from ansible_collections.emr.cluster.plugins.plugin_utils.arguments import options
from tests.lab import REPO

AWX, PLAYBOOKS = REPO / "awx", REPO / "collection" / "playbooks"
# A question of a survey: AWX refuses it without the first four, and with a type that it does not know.
NEEDED = {"variable": str, "question_name": str, "type": str, "required": bool}
TYPES = ("text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float")


class Loader(yaml.SafeLoader):
    """YAML with Ansible's tag for what is not a template."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode)
                       else loader.construct_scalar(node))


def read(name):
    return yaml.load((AWX / name).read_text(), Loader)


QUESTIONS, TEMPLATES = (read("job_templates.yml")[f"emr_awx_{what}"] for what in ("questions", "job_templates"))


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_has_the_form_of_awx(name):
    row = QUESTIONS[name]
    assert all(isinstance(row.get(key), kind) for key, kind in NEEDED.items()) and row["type"] in TYPES
    if row["type"] == "multiplechoice":
        assert row["choices"] and all(isinstance(choice, str) for choice in row["choices"])
        assert row.get("default", row["choices"][0]) in row["choices"]


def text_of(playbook) -> str:
    """A playbook with all that it imports."""
    path = PLAYBOOKS / playbook
    text = path.read_text()
    parts = re.findall(r"import_playbook: (\S+)", text)
    return text + "".join(text_of((path.parent / part).relative_to(PLAYBOOKS)) for part in parts)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda row: row["name"])
def test_a_template_asks_for_variables_of_its_playbook(template):
    text = text_of(f"{template['name']}.yml")
    for question in template["survey"]:
        assert f"lookup('emr.cluster.given', '{QUESTIONS[question]['variable']}'" in text, question
    for variable in re.findall(r"emr_\w+", template["description"]):
        assert template["ask"] and f"lookup('emr.cluster.given', '{variable}'" in text


def test_choices_are_those_of_the_collection():
    assert sorted(QUESTIONS["service"]["choices"]) == sorted(set(SERVICES) - set(JOINING))
    assert set(QUESTIONS["job_type"]["choices"]) <= set(options("job")["type"]["choices"])


def test_the_credential_is_what_the_collection_reads(tmp_path):
    kind = read("credential_type.yml")["emr_awx_credential_type"]
    fields = {row["id"] for row in kind["inputs"]["fields"]}
    env = kind["injectors"]["env"]
    named = set(re.findall(r"{{ (\w+) }}", "".join([*env.values(), *kind["injectors"]["file"].values()])))
    assert named == fields and set(kind["inputs"]["required"]) <= fields
    filled = {name: re.sub(r"{{ (\w+) }}", r"\1", value) for name, value in env.items()}
    found = find_credentials(environ=filled)
    assert (found.access_key_id, found.access_key_secret, found.security_token, found.region) == (
        "access_key_id", "access_key_secret", "security_token", "region")
    assert env["EMR_PRIVATE_KEY_FILE"] == "{{ tower.filename.login_key }}" and "EMR_PRIVATE_KEY_FILE" in login._VARIABLES


def test_the_execution_environment_gets_the_collection():
    given = read("execution-environment.yml")
    assert given["additional_build_files"] == [{"src": "../collection", "dest": "emr"}]
    assert given["dependencies"]["galaxy"]["collections"] == [{"name": "./emr", "type": "dir"}]
    assert read("emr.yml")["plugin"] == "emr.cluster.ecs"
