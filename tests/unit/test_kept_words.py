"""YAML that people write keeps their words, whatever YAML 1.1 takes them for."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.action import transfer as action
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused, SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.flows.definition import flow_from, parse_flow
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec, spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.domain.text import credential_words
from ansible_collections.emr.cluster.plugins.module_utils.domain.transfer import jdbc as transfer_jdbc

WORDS = ("0123456", "1_000", "0x1F", "12:30:45", "190:20:30.15", "yes", "NO", "on", "~", "null", "1e3", "1.50", "0o17", "2024-01-02",
         ".inf", "+5", "-0", "=")


def credentials(tmp_path, text: str) -> dict:
    """What an import signs on with."""
    path = tmp_path / "db.yml"
    path.write_text(text)
    path.chmod(0o600)
    return action.credentials(transfer_jdbc, str(path), {})


@pytest.mark.parametrize("word", [*WORDS, '"in quotes: yes"', "'it''s'", "a#b", "x{{ 7*7 }}", "ein Wort", "密码"])
def test_a_password_of_a_file_is_what_stands_there(tmp_path, word):
    said = {'"in quotes: yes"': "in quotes: yes", "'it''s'": "it's"}.get(word, word)
    assert credentials(tmp_path, f"user: etl\npassword: {word}\n") == {"user": "etl", "password": said}
    assert credentials(tmp_path, f"# a comment\nuser: etl\npassword: {word}") == {"user": "etl", "password": said}


@pytest.mark.parametrize("text", ["password: geheim #1", "password: {geheim: 1}", "password: [geheim]", "password: geheim\npassword: other",
                                  "password: 'geheim", "geheim", "password: !x geheim", "passwort: geheim", "password: *geheim"])
def test_a_file_that_says_something_else_is_refused_without_its_words(tmp_path, text):
    with pytest.raises(Refused) as caught:
        credentials(tmp_path, text)
    assert "geheim" not in str(caught.value).replace("passwort", "") and "db.yml" in str(caught.value)


def test_a_value_left_empty_is_not_given(tmp_path):
    assert credentials(tmp_path, "user: etl\npassword:\n") == {"user": "etl"}


@pytest.mark.parametrize("word", [word for word in WORDS if word not in ("~", "null")])
def test_arguments_and_parameters_of_flows_are_what_stands_there(word):
    found = parse_flow(f"name: f\nparameters: {{p: {word}}}\njobs:\n  a: {{type: SHELL, args: [{word}], environment: {{E: {word}}}}}\n")
    assert (found["parameters"]["p"], found["jobs"]["a"]["args"], found["jobs"]["a"]["environment"]["E"]) == (word, [word], word)


@pytest.mark.parametrize("word", ("~", "null", ""))
def test_nothing_in_a_flow_is_refused_with_the_way_to_write_it(word):
    with pytest.raises(SpecError, match='an empty text as ""'):
        parse_flow(f"name: f\njobs:\n  a: {{type: SHELL, args: [x], environment: {{E: {word}}}}}\n")


SPEC = """name: demo
region: cn-hangzhou
zone: cn-hangzhou-h
image: x.vhd
network: {vswitch_id: vsw-1, ssh_from: [10.0.0.1/32]}
node_groups:
  master: {count: 1, instance_types: [ecs.g6.large]}
  slave: {count: 2, instance_types: [ecs.g6.large]}
config:
  spark-defaults: {spark.my.code: %s, spark.sql.shuffle.partitions: 8, spark.eventLog.enabled: true}
"""


@pytest.mark.parametrize("word", ["0123", "0x1F", "12:30:45", "190:20:30.15", "1e3", "1.50"])
def test_a_setting_of_a_spec_is_what_stands_there(word):
    assert parse_spec(SPEC % word).config["spark-defaults"]["spark.my.code"] == word


def test_a_spec_given_as_a_mapping_tells_what_yaml_may_have_changed():
    import yaml

    odd: list = []
    spec_from_dict(yaml.safe_load(SPEC % "0123"), odd)
    assert len(odd) == 1 and "spark.my.code" in odd[0] and "83" in odd[0] and "quote" in odd[0], "known numbers and truth values are no news"
    for fine in ('"0123"', "word"):
        odd = []
        spec_from_dict(yaml.safe_load(SPEC % fine), odd)
        assert not odd
    with pytest.raises(SpecError, match='quote it: release: "1.0"'):
        spec_from_dict(yaml.safe_load(SPEC % "x" + "release: 1.0\n"))


def test_a_flow_given_as_a_mapping_is_read_as_one():
    odd: list = []
    job = {"type": "SHELL", "args": ["it's\n{{ 7*7 }}\\", 83, True], "properties": {"a.b": "None"}}
    found = flow_from({"name": "f", "jobs": {"a": job}}, "emr_flow", odd=odd)
    assert found["jobs"]["a"]["args"] == ["it's\n{{ 7*7 }}\\", "83", "true"] and found["jobs"]["a"]["properties"] == {"a.b": "None"}
    assert len(odd) == 2 and "jobs.a.args[1]" in odd[0]


REFERENCES = ('--password="$DB_PASSWORD"', "--password=$1", "--password=${DB_PASSWORD}", "PASSWORD=$(cat f) run", "password=`cat f`",
              "jdbc:mysql://u:$PW@h/d", "jdbc:mysql://u:${PW}@h/d", "--conf spark.x.secret=${sec}")
COMPARISONS = ("select * from t where secret = 1", "where secret=1 and x=2", "on a.password=b.password", "if [ $password = x ]; then",
               'x.password == "y"', "and password != ''", "case when (secret=1) then 2 end")
CREDENTIALS = ("--password=hunter2", "export DB_PASSWORD=hunter2; run", "jdbc:mysql://u:hunter2@h/d", "jdbc:mysql://h/d?user=u&password=hunter2",
               "-Djavax.net.ssl.trustStorePassword=hunter2", "--password={{ hunter2 }}", "password=${X:-hunter2}", "LTAI5tAbCdEfGhIjKlMn",
               "-----BEGIN RSA PRIVATE KEY-----", "-p,password=hunter2", "'password=hunter2'")


@pytest.mark.parametrize("text", REFERENCES + COMPARISONS)
def test_references_and_comparisons_are_no_credentials(text):
    assert not credential_words.secret_value(text)
    parse_flow(f"name: f\njobs:\n  a:\n    type: SHELL\n    args:\n      - {text!r}\n" if "'" not in text else
               f'name: f\njobs:\n  a:\n    type: SHELL\n    args:\n      - |-\n        {text}\n')


@pytest.mark.parametrize("text", CREDENTIALS)
def test_flow_and_submit_judge_alike(text):
    from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.request import shown_credentials

    assert credential_words.secret_value(text) and shown_credentials({"args": ["x", text]}) == ["args[1]"]
    with pytest.raises(SpecError, match="credential"):
        parse_flow(f"name: f\njobs:\n  a:\n    type: SHELL\n    args:\n      - |-\n        {text}\n")


def test_a_variable_of_a_flow_may_name_a_secret_and_hold_none():
    parse_flow("name: f\njobs:\n  a: {type: SHELL, args: [x], environment: {DB_PASSWORD: '${VAULT}'}}\n")
    with pytest.raises(SpecError, match="credential"):
        parse_flow("name: f\njobs:\n  a: {type: SHELL, args: [x], environment: {DB_PASSWORD: hunter2}}\n")
