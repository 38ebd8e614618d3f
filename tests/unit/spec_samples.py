"""A full valid spec and helpers for the tests of specs."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec

FULL = """\
name: sales
release: emr-1.0
region: cn-hangzhou
zone: cn-hangzhou-h
services: [hadoop, spark]
image: m-bp1abc
network:
  vswitch_id: vsw-bp1abc
  access: vpc
  ssh_from: [203.0.113.0/24, 198.51.100.7/32]
login:
  user: root
  private_key_file: ~/.ssh/id_ed25519
  key_pair: my-key
tags:
  team: data
deletion_protection: true
node_groups:
  master:
    count: 1
    instance_types: [ecs.g7.xlarge, ecs.g6.xlarge]
    system_disk: {category: cloud_essd, size_gib: 60}
  slave:
    role: slave
    count: 3
    instance_types: [ecs.g7.2xlarge]
    data_disks:
      - category: cloud_essd
        size_gib: 200
        count: 4
    config:
      yarn-site:
        yarn.nodemanager.resource.memory-mb: 20000
  night:
    role: task
    count: 0
    instance_types: [ecs.g7.xlarge]
    spot:
      price_limit: 0.25
config:
  hdfs-site:
    dfs.replication: 2
  spark-defaults:
    spark.sql.shuffle.partitions: 64
  env:
    HDFS_NAMENODE_OPTS: -Xmx4g
bootstrap:
  - script: prepare.sh
    when: before_install
    on_failure: stop
mirrors: [https://mirror.example.com/dist]
artifacts:
  hadoop:
    urls: [https://mirror.example.com/hadoop.tar.gz]
    sha512: {sha}
""".replace("{sha}", "0a" * 64)


def problems_of(text: str, source: str = "c.yml") -> list:
    """Problems of a wrong spec; an empty list when it is right."""
    try:
        parse_spec(text, source, environ={})
    except SpecError as error:
        return error.problems
    return []


def changed(old: str, new: str) -> str:
    """FULL with one passage replaced; it must occur exactly once."""
    assert FULL.count(old) == 1, f"{FULL.count(old)} times in the sample: {old!r}"
    return FULL.replace(old, new)


def line_of(text: str, part: str) -> int:
    """Number of the first line that holds ``part``."""
    return next(i for i, line in enumerate(text.splitlines(), 1) if part in line)
