"""Hostile texts through each text option of the playbooks, by the doors `-e`, AWX and emrctl, on each ansible-core: what reaches the node, or
OSS, is what was given. Nodes are instances of the local API; the way to them writes down what arrives (far_end/recorder.py)."""
from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.flows.definition import parse_flow
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import spec_from_dict
from emrctl.local.testing import api_only
from tests.cores import CORES, python_of
from tests.hostile import texts

from .test_inventory import KEY, buy

REPO = Path(__file__).parents[2]
SEED = int(os.environ.get("EMR_TEXT_SEED", "10"))
NUMBER = int(os.environ.get("EMR_TEXT_NUMBER", "40"))
WANTED = texts(SEED, NUMBER)
# Names that Linux takes for files; behind a # an option has the name of a file in containers.
NAMES = sorted({text for text in WANTED if text and "/" not in text and "#" not in text and "\0" not in text and len(text.encode()) < 200
                and text not in (".", "..")})


class Bed:
    """A cluster of the local API, and runs of playbooks by one core."""

    def __init__(self, ecs, folder: Path, python: str):
        self.ecs, self.folder, self.python, self.count = ecs, folder, python, 0
        self.env = {**os.environ, **ecs.env, "ANSIBLE_CONFIG": str(REPO / "ansible.cfg"), "ANSIBLE_COLLECTIONS_PATH": str(REPO),
                    "ANSIBLE_CONNECTION_PLUGINS": str(Path(__file__).parent / "far_end"), "PYTHONPATH": str(REPO), "HOME": str(folder),
                    "EMR_CACHE": str(folder / "cache"), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}

    def run(self, playbook: str, **variables) -> tuple:
        """(process, what reached the nodes) of one run of ``ansible-playbook -e``, as AWX starts it, too."""
        self.count += 1
        given, seen = self.folder / f"given-{self.count}", self.folder / f"seen-{self.count}"
        given.write_text(json.dumps({"emr_name": "demo", "ansible_connection": "recorder", **variables}))
        done = subprocess.run([self.python, "-m", "ansible", "playbook", str(REPO / f"collection/playbooks/{playbook}.yml"), "-e", f"@{given}"],
                              env=dict(self.env, RECORDED=str(seen)), cwd=REPO, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        return done, [json.loads(line) for line in seen.read_text().splitlines()] if seen.exists() else []

    def module(self, playbook: str, **variables) -> dict:
        """What the module on the control node was given."""
        done, seen = self.run(playbook, **variables)
        found = [json.loads(row["stdin"])["ANSIBLE_MODULE_ARGS"] for row in seen if row["command"] == "module"]
        assert found, done.stdout[-3000:] + done.stderr[-1000:]
        return found[-1]

    def asked(self, playbook: str, program: str, **variables) -> dict:
        """What the program on the control node was asked."""
        done, seen = self.run(playbook, **variables)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
        found = [json.loads(row["stdin"].split("\n", 1)[0]) for row in seen if program in row["command"]]
        assert found, done.stdout + done.stderr
        return found[0]


@contextlib.contextmanager
def bed_of(core: str, folder: Path):
    """A bed with the cluster ``demo``."""
    python = python_of(core)
    with api_only(folder / "ecs", visibility_delay=0) as ecs:
        buy(ecs, ecs.region, "demo", {"note": "{{ 7*7 }}", "emr:hostkey": KEY, "emr:ready": "yes"})
        yield Bed(ecs, folder, python)


@pytest.fixture(scope="module", params=CORES)
def bed(request, tmp_path_factory):
    """One bed for each core."""
    with bed_of(request.param, tmp_path_factory.mktemp("doors")) as it:
        yield it


def rows(prefix: str, wanted=None) -> dict:
    """A map with a text as each value."""
    return {f"{prefix}{at}": text for at, text in enumerate(WANTED if wanted is None else wanted)}


def named(prefix: str, wanted=None) -> list:
    """What names each of a map's entries: a parameter that nothing names is refused."""
    return ["${" + key + "}" for key in rows(prefix, wanted)]


def test_everything_of_a_job(bed):
    files = bed.folder / "files"
    files.mkdir(exist_ok=True)
    for name in NAMES:
        (files / name).write_text(name)
    options = {"properties": rows("x.y"), "environment": rows("E"), "parameters": rows("p"), "on_failure": WANTED[3]}
    one = {"name": "{{ 7*7 }} 'n' \"q\" # \\", "queue": "{% raw %}", "token": "['a', 1]", "user": "$(id)"}
    asked = bed.asked("submit", "emr-jobs", emr_job_type="SHELL", emr_job_args=[*WANTED, *named("p")], emr_job_files=[str(files / name) for name in NAMES],
                      emr_job_options=options, **{f"emr_job_{key}": value for key, value in one.items()})
    assert asked["args"] == [*WANTED, *named("p")] and {key: asked[key] for key in options} == options and {key: asked[key] for key in one} == one
    assert [row["name"] for row in asked["inline"]] == NAMES


def lines(wanted) -> list:
    """Those that a property may have: of one line."""
    return [text for text in wanted if "\n" not in text]


def portions(wanted: list, most: int = 150) -> list:
    """Lists of at most so many of them: a flow takes 200 parameters."""
    return [wanted[at:at + most] for at in range(0, len(wanted), most)]


def test_everything_of_a_flow_and_a_schedule(bed):
    flow = {"name": "f", "parameters": {}, "jobs": {"a": {"type": "SHELL", "args": ["x"], "properties": {}, "environment": {}}}}

    def with_texts(wanted) -> str:
        job = dict(flow["jobs"]["a"], args=[*named("p", wanted), *wanted], properties=rows("x.y", lines(wanted)), environment=rows("E", wanted))
        return yaml.safe_dump(dict(flow, parameters=rows("p", wanted), jobs={"a": job}), allow_unicode=True)

    good, bad = [], []
    for text in WANTED:
        try:
            parse_flow(with_texts([text]))
            good.append(text)
        except SpecError as error:
            assert all(problem.remedy for problem in error.problems)
            bad.append(text)
    assert len(good) > len(bad) * 3
    file = bed.folder / "{{ 7*7 }} # flow.yml"
    for some in portions(good):
        asked = bed.asked("flow", "emr-flow", emr_flow=with_texts(some), emr_flow_token="{{ 7*7 }}", emr_flow_time="{{ 1 }}", emr_flow_zone="'\"")
        job = asked["flow"]["jobs"]["a"]
        assert job["args"] == [*named("p", some), *some] and job["properties"] == rows("x.y", lines(some)) and job["environment"] == rows("E", some)
        assert asked["flow"]["parameters"] == rows("p", some) and (asked["token"], asked["time"], asked["zone"]) == ("{{ 7*7 }}", "{{ 1 }}", "'\"")
        file.write_text(with_texts(some))
        asked = bed.asked("schedule", "emr-flow", emr_schedule_op="add", emr_flow_file=str(file), emr_schedule_at="daily", emr_schedule="{% raw %}")
        assert asked["flow"]["jobs"]["a"]["args"] == [*named("p", some), *some] and asked["name"] == "{% raw %}"
    job = {"type": "SHELL", "args": good}
    asked = bed.asked("schedule", "emr-flow", emr_schedule_op="add", emr_schedule_job=job, emr_schedule_at="daily", emr_schedule="s")
    assert asked["flow"]["jobs"]["s"]["args"] == good


@pytest.mark.parametrize(("playbook", "program", "where", "more"), [
    ("jobs_show", "emr-jobs", ("emr_job_id", "id"), {}), ("jobs_kill", "emr-jobs", ("emr_job_id", "id"), {}),
    ("jobs_retry", "emr-jobs", ("emr_job_token", "token"), {"emr_job_id": "j-1"}),
    ("flow", "emr-flow", ("emr_flow_id", "id"), {"emr_flow_op": "kill"}), ("schedule", "emr-flow", ("emr_schedule", "name"), {"emr_schedule_op": "pause"})])
def test_names_of_jobs_flows_and_schedules(bed, playbook, program, where, more):
    text = "{{ 7*7 }}${#a[@]}{% raw %}$(id)'\"\\\t\n#--=数据😀"
    assert bed.asked(playbook, program, **{where[0]: text}, **more)[where[1]] == text


def test_names_in_oss(bed):
    """By the playbooks put, look and get, as real objects."""
    files = bed.folder / "put"
    files.mkdir(exist_ok=True)
    names = [name for name in NAMES if not name.isspace() and not set(name) & set("\r\n\x7f\\\u2028")][:25]
    for name in names:
        (files / name).write_text(name)
    bucket = f"texts-{bed.python.split('/')[-3].replace('.', '-')}"
    from ansible_collections.emr.cluster.plugins.module_utils.node.oss.client import Oss

    oss = Oss(bed.ecs.endpoint, bed.ecs.region, {"access_key_id": bed.ecs.access_key_id, "access_key_secret": bed.ecs.access_key_secret})
    oss.call("PUT", bucket)
    target = f"oss://{bucket}/{{{{ 7*7 }}}} $(id) 'a' 数据/"
    done, _ = bed.run("put", emr_put_files=[str(files / name) for name in names], emr_put_target=target)
    assert done.returncode == 0, done.stdout[-2000:]
    found = {row["key"] for row in oss.list(bucket)}
    assert found == {f"{target.split('/', 3)[3]}{name}" for name in names}


# In one text what does no harm to a path and to SQL between quotes.
NASTY = "{{ 7*7 }}${#a[@]}{% raw %}$(id)\"\\t#--=数据😀"


def test_everything_of_an_import_and_an_export(bed):
    bed.env.update(OSS_ACCESS_KEY_ID="{{ 7*7 }}", OSS_ACCESS_KEY_SECRET="$(id)'\"", EMR_DB_USER="{% raw %}", EMR_DB_PASSWORD=f"{NASTY}'")
    one = {"name": "['a', 1]", "queue": "{% raw %}", "token": "{'a': 1}", "user": "emr"}
    job = {f"emr_job_{key}": value for key, value in one.items()}
    given = bed.module("import", emr_source="mysql://db.example.com/shop", emr_target=f"/user/emr/{NASTY}", **job,
                       emr_transfer_options={"table": '"2024 {{ 7*7 }}"', "where": f"a = '{NASTY}'", "columns": ['"{{ 7*7 }}"', "数据"]})
    asked = json.loads(given["options"]["files"]["request.json"])
    assert asked["path"].endswith(f"/user/emr/{NASTY}") and asked["table"] == '"2024 {{ 7*7 }}"' and f"a = '{NASTY}'" in asked["where"]
    assert leaves(asked["columns"]) == ["{{ 7*7 }}", "数据"] and asked["user"] == "{% raw %}"
    assert {key: given["options"]["job"][key] for key in one} == one
    assert f"{NASTY}'" in leaves(given["secrets"])
    path = NASTY.replace("${#a[@]}", "")  # Hadoop fills in what looks like a variable, so that is refused
    given = bed.module("export", emr_source=f"/user/emr/{path}", emr_target=f"oss://bucket/{path}", **job)
    assert all(any(place in text for text in leaves(given["options"])) for place in (f"oss://bucket/{path}", f"/user/emr/{path}"))
    assert {"{{ 7*7 }}", "$(id)'\""} <= set(leaves(given["secrets"]))


def leaves(value) -> list:
    """All texts in a value, those in texts of JSON too."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in leaves(part)]
    if isinstance(value, list):
        return [text for part in value for text in leaves(part)]
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return [value, *leaves(json.loads(value))]
        except ValueError:
            pass
    return [value] if isinstance(value, str) else []


SPEC = {"name": "demo", "region": "cn-hangzhou", "zone": "cn-hangzhou-h", "image": "x.vhd", "network": {"vswitch_id": "vsw-1", "ssh_from": "10.0.0.1/32"},
        "node_groups": {role: {"count": count, "instance_types": ["ecs.g6.large"]} for role, count in (("master", 1), ("slave", 2))}}


def test_what_changes_a_cluster(bed):
    """Up to the spec that is wanted then, which emrctl is given; what comes after goes by that."""
    meta = {"number": 1, "time": "2026-11-29T00:00:00Z", "why": "create", "digest": "x", "who": "me"}
    results = bed.folder / "results"
    results.mkdir(exist_ok=True)
    bed.env.update(KEPT_SPEC=f"{json.dumps(meta)}\n=== 000001\n{yaml.safe_dump(SPEC)}", EMR_RESULTS=str(results))

    def wanted(playbook, **variables):
        """(texts of the difference to the spec of before, what was said)."""
        for path in results.iterdir():
            path.unlink()
        done, _ = bed.run(playbook, emr_plan_only=True, **variables)
        rows = [json.loads(path.read_text()).get("difference") for path in sorted(results.iterdir())]
        return leaves([row for row in rows if row]), done.stdout + done.stderr

    good = []
    for text in WANTED:
        try:
            spec_from_dict(dict(SPEC, config={"hdfs-site": {"x.y": text}}))
            good.append(text)
        except SpecError as error:
            assert all(problem.remedy for problem in error.problems)
    assert len(good) > len(WANTED) / 2
    found, said = wanted("configure", emr_edit={"config": {"hdfs-site": rows("x.y", good)}})
    assert set(filter(None, good)) <= set(found), said[-3000:]
    # Names that nothing has are told as they were given; what a spec cannot hold is refused with its place in the spec.
    name = "{{ 7*7 }}${#a[@]}{% raw %}$(id)#--=数据"
    for playbook, told, variables in (
            ("user_add", name, {"emr_user": name}), ("scale", name, {"emr_groups": {name: 3}}), ("scale", name, {"emr_remove_nodes": [name]}),
            ("user_add", "users.ann.queue: a template is not a value", {"emr_user": "ann", "emr_user_settings": {"queue": name}})):
        found, said = wanted(playbook, **variables)
        assert not found and (told in said or json.dumps(told)[1:-1] in said), said[-3000:]


@pytest.mark.parametrize("name", ["{{ 7*7 }}", "{{ lookup('pipe', 'id') }}", "${#a[@]}", "a b", "数据"])
def test_a_name_that_no_cluster_has_is_told_as_it_was_given(bed, name):
    done, _ = bed.run("status", emr_name=name)
    said = done.stdout + done.stderr
    assert done.returncode and "49" not in said and "uid=" not in said and "Traceback" not in said
    assert json.dumps(name)[1:-1] in said or name in said


def test_through_emrctl(bed):
    """The same by the command, with arguments of a shell; what is not UTF-8 is refused."""
    env = dict(bed.env, RECORDED=str(bed.folder / "emrctl"), ANSIBLE_TRANSPORT="recorder")
    words = [text for text in WANTED if "\0" not in text]

    def emrctl(*arguments):
        return subprocess.run([bed.python, "-m", "emrctl", *arguments], env=env, cwd=bed.folder, capture_output=True, stdin=subprocess.DEVNULL,
                              check=False)

    done = emrctl("submit", "demo", "--type", "SHELL", "--name", words[2], "--token=-x{{ 1 }}", *[f"--property=x.y{at}={text}" for at, text in
                                                                                               enumerate(words)],
                  *[f"--env=E{at}={text}" for at, text in enumerate(words)], "--", *words)
    assert done.returncode == 0, done.stderr.decode()
    asked = next(json.loads(json.loads(line)["stdin"].split("\n", 1)[0]) for line in (bed.folder / "emrctl").read_text().splitlines()
                 if "emr-jobs" in line)
    assert (asked["args"], asked["name"], asked["token"]) == (words, words[2], "-x{{ 1 }}")
    assert asked["properties"] == rows("x.y", words) and asked["environment"] == rows("E", words)
    refused = emrctl(b"submit", b"demo", b"--type", b"SHELL", b"--", b"caf\xe9")
    assert refused.returncode == 3 and b"UTF-8" in refused.stderr, refused.stderr
