import io
import json

import pytest

from emrctl import output, views
from emrctl.failures import Failure, exit_code, explain, named
from emrctl.output import Format
from emrctl.runner import Result, merge


def emitted(data, form, text=None):
    stream = io.StringIO()
    output.emit(data, form, text, stream)
    return stream.getvalue()


def test_columns_are_aligned_and_numbers_to_the_right():
    rows = [{"name": "sales", "nodes": 4}, {"name": "night", "nodes": 12}]
    assert output.table(rows, ["name", "nodes"]) == "NAME   NODES\nsales      4\nnight     12"


def test_json_and_yaml_carry_the_data_and_never_the_text():
    data = {"name": "sales", "nodes": [{"name": "a"}]}
    assert json.loads(emitted(data, Format.json, "for people")) == data
    assert emitted(data, Format.yaml, "for people") == "name: sales\nnodes:\n- name: a\n"
    assert emitted(data, Format.table, "for people") == "for people\n"


def test_what_is_no_plain_data_still_becomes_json_and_yaml():
    class Tagged(str):
        pass

    assert emitted({"v": Tagged("x")}, Format.yaml) == "v: x\n"


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (True, "yes"), ([], "-"), (["a", "b"], "a, b"), (1.5, "1.50"),
                                             ("a\x1b[31mb", "a [31mb")])
def test_cells(value, text):
    assert output.render({"k": value}) == f"k: {text}"


def test_nested_data_is_indented_and_records_become_a_table():
    assert output.render({"a": {"b": 1}, "c": [{"d": "x"}]}) == "a:\n  b: 1\nc:\n  D\n  x"


def test_merge_goes_into_dicts_and_replaces_the_rest():
    assert merge({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2], "d": 3}}) == {"a": {"b": 1, "c": [2], "d": 3}}


def result(tmp_path, **kwargs):
    return Result("create", tmp_path / "stdout", **kwargs)


def failure(**kwargs):
    return Failure(**{"node": "n1", "task": "hdfs : Start", "message": "boom", **kwargs})


@pytest.mark.parametrize(("kwargs", "code"), [
    ({"rc": 0}, 0), ({"rc": 1}, 1), ({"rc": 4}, 1), ({"rc": 2, "failures": [failure()]}, 5),
    ({"rc": 4, "failures": [failure(unreachable=True)]}, 4), ({"rc": 2, "failures": [failure(refused=True)]}, 3),
    ({"rc": 99, "cancelled": True}, 130), ({"rc": 254, "status": "canceled"}, 130)])
def test_exit_codes(tmp_path, kwargs, code):
    assert exit_code(result(tmp_path, **kwargs)) == code


def test_nodes_with_the_same_trouble_are_told_once(tmp_path):
    text = explain(result(tmp_path, rc=2, failures=[failure(), failure(node="n2"), failure(node="n3", message="bang")]), "redo")
    assert text.count("boom") == 1 and "on n1, n2:" in text and "on n3:" in text and text.endswith("Next: redo")


def test_a_next_command_in_the_message_is_not_doubled(tmp_path):
    text = explain(result(tmp_path, rc=2, failures=[failure(message="boom\nNext: emrctl logs x")]), "redo")
    assert text.count("Next:") == 1


def test_a_loop_shows_the_items_that_failed():
    found = Failure.from_event({"host": "h", "task": "t", "res": {
        "msg": "One or more items failed", "results": [{"msg": "fine"}, {"failed": True, "msg": "disk full"}]}}, False)
    assert "disk full" in found.message and "fine" not in found.message


def test_config_is_shown_with_origins_only_when_asked():
    part = {"core-site": {"fs.defaultFS": {"value": "hdfs://m:8020", "origin": "computed"}}}
    assert "computed" in views.shown("config", part, True)
    assert "computed" not in views.shown("config", part, False)


@pytest.mark.parametrize("told, seen", [
    ("there is no job j-1. Next: emrctl jobs list NAME", "there is no job j-1. Next: emrctl jobs list sales"),
    ("See emrctl logs NAME --component nodemanager, then emrctl repair NAME", "See emrctl logs sales --component nodemanager, then emrctl repair sales"),
    ("NAME is no column of /NAME/x; emrctl NAME", "NAME is no column of /NAME/x; emrctl NAME"),
    ("emrctl jobs show NAMES", "emrctl jobs show NAMES")])
def test_a_command_to_run_next_has_the_name_of_the_cluster(tmp_path, told, seen):
    assert named(told, "sales") == seen and named(told, None) == told
    assert seen in explain(result(tmp_path, rc=2, cluster="sales", failures=[failure(message=told)]))
    assert told in explain(result(tmp_path, rc=2, failures=[failure(message=told)]))
