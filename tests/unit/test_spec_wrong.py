"""Wrong specs: each is refused with file, line, key, what was found, what is expected and a remedy."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused, SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import load_spec, parse_spec

from .spec_samples import FULL, changed, line_of, problems_of

HDFS = "  hdfs-site:\n    dfs.replication: 2\n"
# (class, name): (old passage, new passage, key, text on the line named, words of the message, words of the remedy)
WRONG = {
    ("syntax", "tab"): ("  access: vpc", "\taccess: vpc", "spec", "\taccess", "tab", "spaces"),
    ("syntax", "open bracket"): ("[hadoop, spark]", "[hadoop, spark", "spec", "image:", "YAML", "brackets"),
    ("syntax", "no colon"): ("  access: vpc", "  access vpc", "spec", "ssh_from", "YAML", "indentation"),
    ("syntax", "two documents"): ("mirrors:", "---\nmirrors:", "spec", "---", "several documents", "one cluster"),
    ("syntax", "template"): ("name: sales", "name: {{ name }}", "name", "name:", "key is a list or mapping", "quote"),
    ("syntax", "quoted template"): ("name: sales", "name: '{{ name }}'", "name", "name:", "template", "value itself"),
    ("syntax", "python tag"): ("name: sales", "name: !!python/object:os.system sales", "name", "name:", "tag", "Remove"),
    ("syntax", "vault tag"): ("image: m-bp1abc", "image: !vault m-bp1abc", "image", "image:", "tag", "Remove"),
    ("syntax", "unknown alias"): ("image: m-bp1abc", "image: *other", "spec", "image:", "undefined alias", "value itself"),
    ("syntax", "merge key"): ("  user: root", "  <<: {user: root}", "login.<<", "<<", "merge", "Write the merged keys"),
    ("syntax", "line break in a value"): ("  user: root", "  user: \"ro\\not\"", "login.user", "user:", "line break",
                                          "one line"),
    ("duplicates", "top key"): ("release: emr-1.0", "release: emr-1.0\nrelease: emr-1.0", "release", None, ("twice (first in "
                                "line 2)"), "Keep one"),
    ("duplicates", "node group"): ("  night:\n    role: task", "  slave:\n    role: task", "node_groups.slave", None,
                                   "twice", "Keep one"),
    ("duplicates", "setting"): (HDFS, HDFS + "    dfs.replication: 3\n", "config.hdfs-site.dfs.replication",
                                "dfs.replication: 3", "twice", "Keep one"),
    ("duplicates", "instance type"): ("[ecs.g7.xlarge, ecs.g6.xlarge]", "[ecs.g7.xlarge, ecs.g7.xlarge]",
                                      "node_groups.master.instance_types[1]", "ecs.g7.xlarge, ecs", "twice", "Delete"),
    ("duplicates", "service by bundle"): ("[hadoop, spark]", "[hadoop, hdfs, spark]", "services", "services", "named twice",
                                          "Remove hdfs"),
    ("unknown", "top key"): ("deletion_protection:", "deletion_protect:", "deletion_protect", "deletion_protect", "unknown",
                             "Did you mean deletion_protection"),
    ("unknown", "plural"): ("  access: vpc", "  acces: vpc", "network.acces", "acces:", "unknown key", "Did you mean access"),
    ("unknown", "group key"): ("    spot:", "    spott:", "node_groups.night.spott", "spott", "unknown", "Did you mean spot"),
    ("unknown", "known alias"): ("    instance_types: [ecs.g7.2xlarge]", "    instance_type: [ecs.g7.2xlarge]",
                                 "node_groups.slave.instance_type", "instance_type:", "unknown",
                                 "Did you mean instance_types"),
    ("unknown", "disk key"): ("        size_gib: 200", "        size: 200", "node_groups.slave.data_disks[0].size",
                              " size: 200", "unknown", "Did you mean size_gib"),
    ("unknown", "service"): ("[hadoop, spark]", "[hadoop, sparc]", "services[1]", "sparc", "expected one of",
                             "Did you mean spark"),
    ("unknown", "release"): ("release: emr-1.0", "release: emr-9", "release", "emr-9", "expected one of", "emr-1.0"),
    ("unknown", "file"): ("  hdfs-site:", "  hdfs-sites:", "config.hdfs-sites", "hdfs-sites", "unknown",
                          "Did you mean hdfs-site"),
    ("unknown", "file with suffix"): ("  hdfs-site:", "  hdfs-site.xml:", "config.hdfs-site.xml", "site.xml", "unknown",
                                      "Did you mean hdfs-site?"),
    ("unknown", "variable"): ("HDFS_NAMENODE_OPTS", "HDFS_NAMENODES_OPTS", "config.env.HDFS_NAMENODES_OPTS", "NODES",
                              "unknown", "Did you mean HDFS_NAMENODE_OPTS"),
    ("unknown", "moment"): ("when: before_install", "when: before_instal", "bootstrap[0].when", "when:", "expected one of",
                            "Did you mean before_install"),
    ("missing", "name"): ("name: sales\n", "", "name", None, "missing", "name: sales"),
    ("missing", "image"): ("image: m-bp1abc\n", "", "image", None, "missing", "image: m-"),
    ("missing", "vswitch"): ("  vswitch_id: vsw-bp1abc\n", "", "network.vswitch_id", None, "missing", "vswitch_id: vsw-"),
    ("missing", "ssh_from"): ("  ssh_from: [203.0.113.0/24, 198.51.100.7/32]\n", "", "network.ssh_from", None, "missing",
                              "ssh_from: 203"),
    ("missing", "instance types"): ("    instance_types: [ecs.g7.2xlarge]\n", "", "node_groups.slave.instance_types", None,
                                    "missing", "instance_types: [ecs"),
    ("missing", "role"): ("    role: task\n", "", "node_groups.night.role", "night:", "missing", "role: task"),
    ("missing", "disk size"): ("        size_gib: 200\n", "", "node_groups.slave.data_disks[0].size_gib", None, "missing",
                               "size_gib: 200"),
    ("missing", "checksum"): ("    sha512: " + "0a" * 64 + "\n", "", "artifacts.hadoop.sha512", None, "missing", "sha512"),
    ("missing", "empty value"): ("name: sales", "name:", "name", "name:", "found nothing", "name: sales"),
    ("types", "quoted count"): ("    count: 3", "    count: '3'", "node_groups.slave.count", "count: '3'",
                                'text "3", expected a whole number', "count: 3"),
    ("types", "truth for a count"): ("    count: 3", "    count: yes", "node_groups.slave.count", "count: yes",
                                     "truth value yes", "count: 3"),
    ("types", "fraction"): ("    count: 3", "    count: 3.5", "node_groups.slave.count", "count: 3.5", "whole number",
                            "count: 3"),
    ("types", "octal"): ("    count: 3", "    count: 03", "node_groups.slave.count", "count: 03", "whole number", "count: 3"),
    ("types", "text for truth"): ("deletion_protection: true", "deletion_protection: 'true'", "deletion_protection",
                                  "deletion", "true or false", "without quotes"),
    ("types", "number for text"): ("name: sales", "name: 2026", "name", "name:", "number 2026", 'name: "2026"'),
    ("types", "text for list"): ("services: [hadoop, spark]", "services: hadoop", "services", "services", "a list",
                                 "[hadoop, spark]"),
    ("types", "list for mapping"): ("node_groups:\n", "node_groups: []\nx_groups:\n", "node_groups", "node_groups: []",
                                    "a mapping", "node_groups: {"),
    ("types", "mapping for disks"): ("    data_disks:\n      - category: cloud_essd", ("    data_disks:\n        category: "
                                     "cloud_essd"), "node_groups.slave.data_disks", "data_disks:",
                                     "found a mapping, expected a list", "dash"),
    ("types", "setting is a list"): ("    dfs.replication: 2", "    dfs.replication: [2]", "config.hdfs-site.dfs.replication",
                                     "[2]", "found a list, expected one value", "one value"),
    ("types", "setting is a mapping"): ("    dfs.replication: 2", "    dfs: {replication: 2}", "config.hdfs-site.dfs",
                                        "dfs: {", "a mapping", "one value"),
    ("types", "setting is empty"): ("    dfs.replication: 2", "    dfs.replication:", "config.hdfs-site.dfs.replication",
                                    "dfs.replication:", "nothing", '""'),
    ("types", "setting is not a number"): ("    dfs.replication: 2", "    dfs.replication: two",
                                        "config.hdfs-site.dfs.replication", "two", "whole number", "dfs.replication: 2"),
    ("types", "memory with a unit"): ("memory-mb: 20000", "memory-mb: 20g", ("node_groups.slave.config.yarn-site.yarn."
                                      "nodemanager.resource.memory-mb"), "20g", "whole number", "memory-mb: 2"),
    ("ranges", "too many nodes"): ("    count: 3", "    count: 1000", "node_groups.slave.count", "1000", "from 0 to 999",
                                   "at most 999"),
    ("ranges", "negative"): ("    count: 0", "    count: -1", "node_groups.night.count", "-1", "from 0", "at least 0"),
    ("ranges", "small disk"): ("size_gib: 60", "size_gib: 10", "node_groups.master.system_disk.size_gib", "size_gib: 10",
                               "from 20", "at least 20"),
    ("ranges", "free spot"): ("price_limit: 0.25", "price_limit: 0", "node_groups.night.spot.price_limit", "limit: 0",
                              "from 0.001", "at least"),
    ("ranges", "no types"): ("[ecs.g7.2xlarge]", "[]", "node_groups.slave.instance_types", "types: []", "empty list",
                             "Add some"),
    ("ranges", "too many tags"): ("  team: data", "".join(f"  t{i}: x\n" for i in range(13)).rstrip("\n"), "tags", "tags:",
                                  "13 entries", "at most 10|most"),
    ("ranges", "long tag"): ("team: data", f"team: {'x' * 129}", "tags.team", "team:", "129 characters", "128"),
    ("ranges", "many disks"): ("        count: 4\n", "        count: 9\n      - {size_gib: 100, count: 9}\n",
                               "node_groups.slave.data_disks", "data_disks:", "18 data disks", "fewer"),
    ("names", "upper case"): ("name: sales", "name: Sales", "name", "name:", "lower-case", "name: sales"),
    ("names", "too long"): ("name: sales", f"name: {'s' * 33}", "name", "name:", "2 to 32", "name: sales"),
    ("names", "trailing hyphen"): ("name: sales", "name: sales-", "name", "name:", "lower-case", "name: sales"),
    ("names", "underscore in a group"): ("  night:", "  night_shift:", "node_groups.night_shift", "night_shift", "not a name",
                                         "Rename"),
    ("names", "instance type"): ("[ecs.g7.2xlarge]", "[g7.2xlarge]", "node_groups.slave.instance_types[0]", "[g7",
                                 "an ECS instance type", "ecs.g7.xlarge"),
    ("names", "vswitch"): ("vsw-bp1abc", "vpc-bp1abc", "network.vswitch_id", "vpc-", "vSwitch", "vsw-"),
    ("names", "region"): ("region: cn-hangzhou", "region: hangzhou", "region", "region:", "region id", "cn-hangzhou"),
    ("names", "disk category"): ("    system_disk: {category: cloud_essd,", "    system_disk: {category: ssd,",
                                 "node_groups.master.system_disk.category", "{category: ssd", "expected one of",
                                 "cloud_ssd"),
    ("names", "checksum"): ("0a" * 64, "0A" * 64, "artifacts.hadoop.sha512", "sha512", "128 hexadecimal", "sha512"),
    ("names", "mirror"): ("[https://mirror.example.com/dist]", "[ftp://mirror.example.com]", "mirrors[0]", "ftp",
                          "http:// or https://", "https://mirror"),
    ("names", "tag prefix of the project"): ("team: data", "'emr:cluster': other", "tags.emr:cluster", "emr:cluster",
                                             "project's own", "another name"),
    ("names", "tag prefix of the cloud"): ("team: data", "'acs:team': data", "tags.acs:team", "acs:", "Alibaba",
                                           "another name"),
    ("names", "address in a tag"): ("team: data", "team: see HTTP://wiki/x", "tags.team", "HTTP:", "addresses", "without http"),
    ("names", "value of the cloud"): ("team: data", "team: acs:x", "tags.team", "acs:x", "reserved", "another value"),
    ("names", "value of the cloud, new"): ("team: data", "team: Aliyun-ops", "tags.team", "Aliyun", "reserved", "another value"),
    ("network", "no vSwitch at all"): ("  vswitch_id: vsw-bp1abc\n", "", "network.vswitch_id", "network:", "missing, expected vswitch_id",
                                       "create: true"),
    ("network", "both"): ("  vswitch_id: vsw-bp1abc\n", "  vswitch_id: vsw-bp1abc\n  create: true\n", "network.create", "create:",
                          "contradict each other", "Remove create, or vswitch_id"),
    ("network", "a new VPC from inside"): ("  vswitch_id: vsw-bp1abc\n", "  create: true\n", "network.access", "access:",
                                           "inside the VPC", "access: bastion"),
    ("network", "CIDR of nothing"): ("  vswitch_id: vsw-bp1abc\n", "  vswitch_id: vsw-bp1abc\n  vpc_cidr: 10.0.0.0/8\n", "network.vpc_cidr",
                                     "vpc_cidr:", "create is not set", "create: true"),
    ("network", "public CIDR"): ("  vswitch_id: vsw-bp1abc\n", "  create: true\n  vpc_cidr: 8.8.8.0/24\n", "network.vpc_cidr", "8.8.8",
                                 "private network", "10.20.0.0/16"),
    ("network", "address as CIDR"): ("  vswitch_id: vsw-bp1abc\n", "  create: true\n  vpc_cidr: 10.0.0.1/16\n", "network.vpc_cidr", "10.0.0.1",
                                     "private network", "10.20.0.0/16"),
    ("network", "vSwitch outside"): ("  vswitch_id: vsw-bp1abc\n", "  create: true\n  vswitch_cidr: 10.0.0.0/24\n", "network.vswitch_cidr",
                                     "10.0.0.0/24", "not part of the VPC", "192.168.0.0/16"),
    ("network", "the internet"): ("[203.0.113.0/24, 198.51.100.7/32]", "0.0.0.0/0", "network.ssh_from[0]", "0.0.0.0/0",
                                  "whole internet", "/32"),
    ("network", "the internet, new"): ("[203.0.113.0/24, 198.51.100.7/32]", "['::/0']", "network.ssh_from[0]", "::/0",
                                       "whole internet", "/32"),
    ("network", "half the internet"): ("[203.0.113.0/24, 198.51.100.7/32]", "[0.0.0.0/1, 128.0.0.0/1]",
                                       "network.ssh_from[0]", "0.0.0.0/1", "far too much", "/32"),
    ("network", "zero with host bits"): ("203.0.113.0/24,", "1.2.3.4/0,", "network.ssh_from[0]", "1.2.3.4/0",
                                         "whole internet", "/32"),
    ("network", "host bits"): ("203.0.113.0/24,", "203.0.113.9/24,", "network.ssh_from[0]", "113.9", "network itself",
                               "203.0.113.0/24"),
    ("network", "bare address"): ("203.0.113.0/24,", "203.0.113.9,", "network.ssh_from[0]", "113.9", "single address",
                                  "203.0.113.9/32"),
    ("network", "no address"): ("203.0.113.0/24,", "office,", "network.ssh_from[0]", "office", "a network", "/32"),
    ("network", "prefix too long"): ("203.0.113.0/24,", "203.0.113.0/33,", "network.ssh_from[0]", "/33", "a network", "/24"),
    ("combinations", "spark alone"): ("[hadoop, spark]", "[spark]", "services", "services", "spark cannot run without hdfs",
                                      "[hadoop, spark]"),
    ("combinations", "mapreduce alone"): ("[hadoop, spark]", "[mapreduce]", "services", "services", "mapreduce cannot run",
                                          "[hadoop]"),
    ("combinations", "replication"): ("dfs.replication: 2", "dfs.replication: 4", "config.hdfs-site.dfs.replication",
                                      "replication: 4", "only 3 slave", "at most 3"),
    ("combinations", "replication zero"): ("dfs.replication: 2", "dfs.replication: 0", "config.hdfs-site.dfs.replication",
                                           "replication: 0", "at least 1", "Write"),
    ("combinations", "two masters"): ("    count: 1\n", "    count: 2\n", "node_groups.master.count", "count: 2",
                                        "2 masters", "to 1 or 3"),
    ("combinations", "no master"): ("    count: 1\n", "    count: 0\n", "node_groups.master.count", "count: 0", "no master",
                                    "to 1"),
    ("combinations", "two groups of masters"): ("    role: task\n    count: 0", "    role: master\n    count: 1",
                                                "node_groups.night.count", None, "2 masters", "one such group"),
    ("combinations", "empty slaves"): ("    count: 3", "    count: 0", "node_groups.slave.count", "count: 0", "0 nodes",
                                       "Remove the group"),
    ("combinations", "no slaves"): ("  slave:\n    role: slave", "  crunch:\n    role: task", "node_groups", "node_groups",
                                    "hdfs needs nodes", "slave:"),
    ("combinations", "spot for data"): ("    role: task\n    count: 0", "    role: slave\n    count: 1",
                                        "node_groups.night.spot", "spot:", "take spot instances back", "task group"),
    ("combinations", "misnamed group"): ("    role: slave", "    role: task", "node_groups.slave.role", "role: task",
                                         "role task, expected slave", "Rename"),
    ("combinations", "gateway with disks"): ("  night:\n    role: task\n    count: 0\n", ("  night:\n    role: gateway\n    "
                                             "count: 1\n    data_disks: [{size_gib: 100}]\n"), "node_groups.night.data_disks",
                                             "size_gib: 100", "gateway", "Remove"),
    ("combinations", "foreign zone"): ("zone: cn-hangzhou-h", "zone: cn-shanghai-b", "zone", "zone:", "not a zone of",
                                       "cn-hangzhou-h"),
    ("combinations", "allocation"): (HDFS, HDFS + "  yarn-site: {yarn.scheduler.minimum-allocation-mb: 9000, "
                                     "yarn.scheduler.maximum-allocation-mb: 8000}\n",
                                     "config.yarn-site.yarn.scheduler.minimum-allocation-mb", "9000", "above the maximum",
                                     "Lower"),
    ("settings", "file system"): (HDFS, HDFS + "  core-site: {fs.defaultFS: 'hdfs://x:1'}\n",
                                  "config.core-site.fs.defaultFS", "defaultFS", "decides this itself", "Remove the line"),
    ("settings", "data directory"): ("    dfs.replication: 2", "    dfs.datanode.data.dir: /data",
                                     "config.hdfs-site.dfs.datanode.data.dir", "data.dir", "loses data", "Remove"),
    ("settings", "port"): ("    dfs.replication: 2", "    dfs.namenode.http-address: 0.0.0.0:50070",
                           "config.hdfs-site.dfs.namenode.http-address", "50070", "decides this itself", "Remove"),
    ("settings", "wrong file"): ("    dfs.replication: 2", "    yarn.acl.enable: true",
                                 "config.hdfs-site.yarn.acl.enable", "yarn.acl", "does not belong", "Move it to yarn-site"),
    ("settings", "no Spark key"): ("    spark.sql.shuffle.partitions: 64", "    fs.oss.endpoint: x",
                                   "config.spark-defaults.fs.oss.endpoint", "fs.oss", "does not belong|begin with spark",
                                   "core-site|spark.hadoop"),
    ("settings", "shell in a variable"): ("-Xmx4g", "'-Xmx4g $(reboot)'", "config.env.HDFS_NAMENODE_OPTS", "reboot",
                                          "without quotes", "plain options"),
    ("settings", "key with a blank"): ("    dfs.replication: 2", "    dfs replication: 2", ("config.hdfs-site.dfs "
                                       "replication"), "dfs repl", "not the name", "Copy"),
    ("secrets", "OSS secret"): (HDFS, HDFS + "  core-site: {fs.oss.accessKeySecret: abc}\n",
                                "config.core-site.fs.oss.accessKeySecret", "accessKeySecret", "credentials",
                                "credential provider"),
    ("secrets", "OSS key id"): (HDFS, HDFS + "  core-site: {fs.oss.accessKeyId: abc}\n",
                                "config.core-site.fs.oss.accessKeyId", "accessKeyId", "credentials", "credential provider"),
    ("secrets", "through Spark"): ("    spark.sql.shuffle.partitions: 64", "    spark.hadoop.fs.oss.accessKeySecret: x",
                                   "config.spark-defaults.spark.hadoop.fs.oss.accessKeySecret", "Secret", "credentials",
                                   "credential provider"),
    ("secrets", "password in an address"): ("    spark.sql.shuffle.partitions: 64", "    spark.my.url: jdbc:mysql://u:pw@h/d",
                                            "config.spark-defaults.spark.my.url", "jdbc", "credential", "Remove"),
    ("secrets", "cloud key in a tag"): ("team: data", "team: LTAI5tAbCdEfGhIjKlMn", "tags.team", "LTAI", "credential",
                                        "Remove"),
    ("secrets", "password to log in"): ("  key_pair: my-key", "  password: hunter2", "login.password", "password",
                                        "credentials", "key file"),
    ("secrets", "cloud key at the top"): ("image: m-bp1abc", "image: m-bp1abc\naccess_key_secret: x", "access_key_secret",
                                          "access_key_secret", "credentials", "ALIBABA_CLOUD"),
    ("secrets", "user in a mirror"): ("[https://mirror.example.com/dist]", "['https://u:p@mirror.example.com/']",
                                      "mirrors[0]", "u:p", "credential", "Remove"),
}


def test_the_table_is_large_enough():
    assert len(WRONG) >= 45
    assert len({kind for kind, _name in WRONG}) >= 8


def test_the_sample_is_right():
    assert problems_of(FULL) == []


def _has(words: str, text: str) -> bool:
    return any(word in text for word in words.split("|"))


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case[0]}: {case[1]}")
def test_is_refused_with_line_key_and_remedy(case):
    old, new, key, marker, message, remedy = WRONG[case]
    text = changed(old, new)
    found = problems_of(text)
    assert key in [p.key for p in found], [str(p) for p in found]
    problem = next(p for p in found if p.key == key)
    assert problem.source == "c.yml"
    assert problem.line is not None and 1 <= problem.line <= text.count("\n") + 1
    if marker:
        assert marker.strip() in text.splitlines()[problem.line - 1], (problem.line, str(problem))
    assert _has(message, problem.message), problem.message
    assert _has(remedy, problem.remedy), problem.remedy
    assert len(problem.remedy) >= 15
    assert str(problem).startswith(f"c.yml:{problem.line}: {key}: ")


@pytest.mark.parametrize("case", [c for c in WRONG if c[0] == "secrets"], ids=lambda case: case[1])
def test_a_credential_is_not_repeated_in_the_error(case):
    old, new = WRONG[case][:2]
    shown = "\n".join(str(p) for p in problems_of(changed(old, new)))
    for secret in ("hunter2", "LTAI5tAbCdEfGhIjKlMn", "u:pw@", "u:p@"):
        assert secret not in shown


@pytest.mark.parametrize(("text", "words"), [
    ("", "empty"), ("# only a comment\n", "empty"), ("- a\n- b\n", "found a list"), ("sales\n", "found the text"),
    ("null\n", "found nothing"), ("{}", "missing"), ("\x00", "not readable"), ("[" * 2000, "nested too deeply"),
    ("a: " + "[" * 40 + "]" * 40, "nested too deeply"), ("x" * 200000, "characters"), ("%YAML 9\n---\na: 1", "YAML"),
])
def test_text_that_is_no_spec(text, words):
    found = problems_of(text)
    assert found and words in str(found[0])
    assert all(p.remedy for p in found)


def test_a_bomb_of_aliases_is_defused():
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"] + [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    found = problems_of("\n".join(lines))
    assert "aliases" in str(found[0])


def test_an_alias_of_itself_is_refused():
    assert "nested too deeply" in str(problems_of("a: &a [*a]")[0])


def test_plain_anchors_work():
    text = changed("[ecs.g7.xlarge, ecs.g6.xlarge]", "&types [ecs.g7.xlarge]").replace("[ecs.g7.2xlarge]", "*types")
    assert problems_of(text) == []


def test_all_problems_are_reported_in_order_of_lines():
    text = FULL.replace("name: sales", "name: S").replace("count: 3", "count: x").replace("mirrors:", "mirors:")
    found = problems_of(text)
    assert [p.key for p in found] == ["name", "node_groups.slave.count", "mirors"]
    assert [p.line for p in found] == sorted(p.line for p in found)


def test_is_a_refusal_before_any_change():
    with pytest.raises(Refused) as caught:
        parse_spec("name: S")
    assert caught.value.exit_code == 3
    assert len(caught.value.problems) == str(caught.value).count("\n") + 1


@pytest.mark.parametrize("content", [b"\xff\xfe\x00bad", None], ids=["not UTF-8", "no file"])
def test_files_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "c.yml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(path) in str(caught.value) and caught.value.problems[0].remedy


def test_a_directory_is_no_spec(tmp_path):
    with pytest.raises(SpecError):
        load_spec(tmp_path)


def test_the_line_is_that_of_the_value():
    text = changed("size_gib: 200", "size_gib: 1")
    assert problems_of(text)[0].line == line_of(text, "size_gib: 1")
