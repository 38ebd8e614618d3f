"""Right specs: what comes out, and that every key refuses values of another type."""
from __future__ import annotations

import ast
import copy
import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.config import keys as config_keys
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import (
    json_schema,
    load_spec,
    parse_spec,
    spec_from_dict,
    spec_reference,
)

from .spec_samples import FULL, changed, problems_of

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "collection/plugins/module_utils"
MINIMAL = """\
name: s1
region: eu-central-1
zone: eu-central-1a
image: m-x1
network: {vswitch_id: vsw-1, ssh_from: 10.0.0.0/8}
node_groups:
  master: {instance_types: [ecs.c6.large]}
  slave: {count: 2, instance_types: [ecs.c6.large]}
"""


OLD_DIGEST = "a88e96e45814fad4e009f6750f5d5dc95795aca9f69287bc07dda546573759fa"


def test_minimal_spec_has_the_defaults():
    spec = parse_spec(MINIMAL, environ={})
    assert spec.release == "emr-1.0"
    assert spec.services == ("hadoop", "monitoring") and spec.expanded_services == ("hdfs", "monitoring", "yarn", "mapreduce")
    assert spec.network.access == "vpc" and spec.network.ssh_from == ("10.0.0.0/8",)
    assert (spec.login.user, spec.login.private_key_file, spec.login.key_pair) == ("root", None, None)
    assert spec.node_groups["master"].count == 1 and spec.node_groups["slave"].role == "slave"
    assert spec.node_groups["slave"].system_disk.size_gib == 40 and spec.node_groups["slave"].data_disks == ()
    assert spec.deletion_protection is False
    assert spec.mirrors == spec.bootstrap == () and spec.tags == spec.config == spec.artifacts == {}


def test_a_network_of_its_own():
    text = MINIMAL.replace("vswitch_id: vsw-1", "create: true")
    spec = parse_spec(text, environ={})
    network = spec.network
    assert (network.vswitch_id, network.access, network.vpc_cidr, network.vswitch_cidr) == (None, "bastion", "192.168.0.0/16", "192.168.0.0/20")
    assert spec_from_dict(spec.to_dict()) == spec and spec_from_dict(json.loads(json.dumps(spec.to_dict()))).digest() == spec.digest()
    other = parse_spec(text.replace("create: true", "create: true, access: public, vpc_cidr: 10.1.0.0/24"), environ={})
    assert (other.network.access, other.network.vswitch_cidr) == ("public", "10.1.0.0/24") and other.digest() != spec.digest()
    (problem,) = problems_of(text.replace("create: true", "create: true, vpc_cidr: 10.1.0.0/28").replace("count: 2", "count: 12"))
    assert problem.key == "network.vswitch_cidr" and "has 12 addresses for nodes, 13 are wanted" in problem.message


def test_what_was_made_before_there_were_networks_of_their_own_has_the_same_digest():
    """The digest is on the security groups of clusters that run."""
    assert parse_spec(MINIMAL + "monitoring: {enabled: false}\n", environ={}).digest() == OLD_DIGEST


def test_full_spec():
    spec = parse_spec(FULL, environ={"EMR_MIRRORS": "http://elsewhere"})
    assert spec.expanded_services == ("hdfs", "monitoring", "yarn", "mapreduce", "spark")
    slave, night = spec.node_groups["slave"], spec.node_groups["night"]
    assert slave.disks_per_node == 4 and slave.data_disks[0].size_gib == 200
    assert slave.config == {"yarn-site": {"yarn.nodemanager.resource.memory-mb": "20000"}}
    assert night.role == "task" and night.spot.price_limit == 0.25 and night.spot.strategy == "SpotWithPriceLimit"
    assert spec.config["hdfs-site"] == {"dfs.replication": "2"}
    assert spec.mirrors == ("https://mirror.example.com/dist",)
    assert spec.bootstrap[0].script == "prepare.sh"
    assert spec.count("slave", "task") == 3 and [g.name for g in spec.groups_with_role("task")] == ["night"]


def test_a_spec_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        parse_spec(MINIMAL).name = "other"


@pytest.mark.parametrize("text", [FULL, MINIMAL], ids=["full", "minimal"])
def test_plain_data_and_back(text):
    spec = parse_spec(text)
    data = json.loads(json.dumps(spec.to_dict()))
    assert spec_from_dict(data) == spec
    assert spec_from_dict(data).digest() == spec.digest()
    assert parse_spec(json.dumps(data)) == spec, "plain data is a spec too"


def test_digest_is_of_the_meaning():
    spec = parse_spec(MINIMAL)
    assert len(spec.digest()) == 64
    assert parse_spec("# hello\n" + MINIMAL + "services: [hadoop]\n").digest() == spec.digest()
    assert parse_spec(MINIMAL.replace("count: 2", "count: 3")).digest() != spec.digest()
    assert parse_spec(MINIMAL, environ={"EMR_MIRRORS": "http://a/dist"}).digest() == spec.digest()


def test_mirrors_come_from_the_environment():
    spec = parse_spec(MINIMAL, environ={"EMR_MIRRORS": "http://10.77.0.1:7788/dist/, https://b.example.com"})
    assert spec.mirrors == ("http://10.77.0.1:7788/dist", "https://b.example.com")
    with pytest.raises(SpecError, match="EMR_MIRRORS"):
        parse_spec(MINIMAL, environ={"EMR_MIRRORS": "/srv/dist"})


@pytest.mark.parametrize(("written", "text"), [
    ("022", "022"), ("'a,b'", "a,b"), ("yes", "true"), ("false", "false"), ("1.50", "1.50"), ("10:30", "10:30"),
    ("2020-01-01", "2020-01-01"), ("''", ""), ("1_000", "1000"), ("0x10", "0x10"), ("a <b> & \"c\"", 'a <b> & "c"'),
])
def test_settings_stay_as_they_were_written(written, text):
    spec = parse_spec(MINIMAL + "config: {core-site: {}}\n".replace("{}", f"{{my.key: {written}}}"))
    assert spec.config["core-site"]["my.key"] == text


def test_a_byte_order_mark_is_no_trouble(tmp_path):
    path = tmp_path / "c.yml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load_spec(path).name == "s1"


@pytest.mark.parametrize("data", [None, [], {"name": object()}, "text", {"name": {"a": {1, 2}}}])
def test_other_data_is_no_spec(data):
    with pytest.raises(SpecError):
        spec_from_dict(data)


ORDINARY = {
    "core-site": {"fs.oss.endpoint": "oss-cn-hangzhou-internal.aliyuncs.com", "hadoop.proxyuser.hue.hosts": "*",
                  "hadoop.security.credential.provider.path": "jceks://hdfs/user/emr/oss.jceks",
                  "hadoop.security.group.mapping.ldap.bind.password.file": "/etc/ldap.pass", "io.file.buffer.size": "131072"},
    "hdfs-site": {"dfs.blocksize": "256m", "dfs.namenode.handler.count": "40", "dfs.permissions.enabled": "true",
                  "dfs.client.block.write.replace-datanode-on-failure.policy": "NEVER"},
    "yarn-site": {"yarn.nodemanager.resource.memory-mb": "20000", "yarn.acl.enable": "true",
                  "yarn.nodemanager.resource-plugins": "yarn.io/gpu", "yarn.resourcemanager.am.max-attempts": "3"},
    "mapred-site": {"mapreduce.map.java.opts": "-Xmx1g -Dx=y", "mapreduce.map.memory.mb": "1536",
                    "yarn.app.mapreduce.am.resource.mb": "1024", "mapreduce.job.reduce.slowstart.completedmaps": "1.0"},
    "capacity-scheduler": {"yarn.scheduler.capacity.root.queues": "default,etl_night",
                           "yarn.scheduler.capacity.root.etl_night.capacity": "40"},
    "spark-defaults": {"spark.executor.memory": "4g", "spark.hadoop.fs.oss.impl": "org.example.Oss",
                       "spark.executor.extraJavaOptions": "-XX:+UseG1GC", "spark.sql.adaptive.enabled": "true",
                       "spark.executorEnv.MY_NAME": "x", "spark.yarn.dist.files": "hdfs:///a.txt#b,hdfs:///c"},
    "env": {"SPARK_DAEMON_MEMORY": "2g", "YARN_NODEMANAGER_OPTS": "-Xmx2g -XX:MaxMetaspaceSize=256m"},
}


def test_ordinary_settings_are_accepted():
    spec = parse_spec(MINIMAL + json.dumps({"config": ORDINARY})[1:-1])
    assert spec.config == ORDINARY


@pytest.mark.parametrize("key", [
    "fs.oss.accessKeySecret", "fs.oss.securityToken", "fs.s3a.secret.key", "fs.s3a.session.token", "fs.s3a.access.key",
    "fs.azure.account.key.x", "spark.ssl.keyPassword", "spark.authenticate.secret", "javax.jdo.option.ConnectionPassword",
    "ssl.server.keystore.keypassword", "my.private-key", "spark.hadoop.fs.oss.accessKeyId",
])
def test_names_of_credentials_are_known(key):
    assert config_keys.secret_key(key)


@pytest.mark.parametrize("key", ["fs.oss.endpoint", "spark.sql.redaction.string.regex", "fs.oss.credentials.provider",
                                 "hadoop.security.credential.provider.path", "dfs.block.access.token.lifetime",
                                 "spark.sql.shuffle.partitions", "hadoop.http.authentication.signature.secret.file"])
def test_other_names_are_not_taken_for_credentials(key):
    assert not config_keys.secret_key(key)


# --- every key, with values of every other type

OTHERS = ("text", 7, 1.5, True, None, [], ["x"], {}, {"x": 1})


def _paths(data, path=()):
    """Paths of all values, inner ones too."""
    if path:
        yield path
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in children:
        yield from _paths(value, (*path, key))


def _kind(value):
    if isinstance(value, bool):
        return "truth"
    return {str: "text", int: "number", float: "fraction", list: "list", dict: "mapping", type(None): "nothing"}[type(value)]


def _replaced(data, path, value):
    data = copy.deepcopy(data)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return data


def _name(path):
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


DATA = yaml.safe_load(FULL)
PATHS = list(_paths(DATA))
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def _old(path):
    value = DATA
    for key in path:
        value = value[key]
    return value


def _harmless(spec, path, value) -> str:
    """Why a mutated spec that was accepted does no harm; an empty text when it does."""
    in_config = "config" in path and len(path) - path.index("config") == 3
    if in_config:
        stem, key = path[-2:]
        text = {True: "true"}.get(value, str(value))
        config = spec.node_groups[path[1]].config if path[0] == "node_groups" else spec.config
        if not config_keys.expected_type(key) and config[stem][key] == text:
            return "a free setting keeps the scalar that was written"
    if path[-1] == "price_limit" and value == 7:
        return "a price may be a whole number"
    if value in (None, [], {}):
        without = copy.deepcopy(DATA)
        inner = without
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
        if problems_of(yaml.safe_dump(without)) == [] and parse_spec(yaml.safe_dump(without), environ={}) == spec:
            return "as if the key were not written"
        if value == {} and path[-1] in ("spot", "system_disk", "config", "artifacts", "tags") or path[-2:-1] == ("config",):
            return "an empty mapping of settings sets nothing"
    return ""


@pytest.mark.parametrize("path", PATHS, ids=_name)
def test_each_key_with_each_type(path):
    old = _old(path)
    for value in OTHERS:
        if _kind(old) == _kind(value) and _kind(old) not in ("list", "mapping"):
            continue
        text = yaml.dump(_replaced(DATA, path, value), sort_keys=False, Dumper=DUMPER)
        found = problems_of(text)
        if not found:
            assert _harmless(parse_spec(text, environ={}), path, value), f"{_name(path)} = {value!r} was accepted"
            continue
        for problem in found:
            assert problem.line and problem.remedy and problem.message
        assert any(_related(p.key, _name(path)) for p in found), [str(p) for p in found]


def _related(key: str, path: str) -> bool:
    """Whether a problem's key has to do with the key that was changed."""
    if key.startswith(path) or path.startswith(key.split("[")[0]):
        return True
    return key in ("services", "zone") or key.startswith("node_groups") or key.endswith("dfs.replication")


def test_each_key_is_mutated():
    assert len(PATHS) > 50


# --- what is made from the definition

def test_the_reference_page_is_current():
    assert (ROOT / "docs/spec.md").read_text() == spec_reference(), "run: python -m emrctl.docs"


def test_the_json_schema_is_current():
    text = json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert (ROOT / "docs/cluster.schema.json").read_text() == text, "run: python -m emrctl.docs"


def test_the_json_schema_agrees_with_the_parser():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    for text in (FULL, MINIMAL):
        assert not list(validator.iter_errors(yaml.safe_load(text)))
        assert not list(validator.iter_errors(parse_spec(text).to_dict()))
    for old, new in (("count: 3", "count: '3'"), ("access: vpc", "access: wan"), ("name: sales", "name: S"),
                     ("    spot:", "    sport:"), ("dfs.replication: 2", "dfs.replication: [2]")):
        assert list(validator.iter_errors(yaml.safe_load(changed(old, new)))), new


# --- what the nodes need

@pytest.mark.parametrize("name", ["../services/registry", "errors", "config/keys", "config/kinds", "config/render", "config/settings", "paths", "sizing/memory", "sizing/rules", "spec/check",
                                  "spec/docs", "spec/model", "spec/reader", "spec/rules", "spec/schema", "topology/nodes"])
def test_modules_are_small_pure_and_run_on_python_3_8(name):
    text = (UTILS / "domain" / f"{name}.py").read_text()
    tree = ast.parse(text, feature_version=(3, 8))
    assert "from __future__ import annotations" in text
    assert text.count("\n") < 400
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            assert not any(n.startswith("ansible") for n in names)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno < 50, node.name
        assert not (isinstance(node, ast.Attribute) and node.attr in ("removeprefix", "removesuffix")), "3.9"


def test_importing_needs_no_yaml():
    """Nodes and the inventory import the settings often; YAML alone would double what that takes."""
    code = "import sys; import ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings; print('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout == "False\n"
