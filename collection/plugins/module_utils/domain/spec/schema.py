"""The definition of a cluster spec: every key, its type, range, default and explanation, once.

Validation (check.py), the classes of a spec (model.py), the JSON Schema and the reference page (docs.py) are all read from it.
"""
from __future__ import annotations

from ...services.registry import BUNDLES, HOMES, JOINING, ROLES, SERVICES, STEMS
from ..install.releases import DEFAULT, OFFERED, RELEASES
from ..people.accounts import LAST_UID, SIZE
from .field import MISSING, QUEUE_NAME, USER_NAME, Field

DISK_CATEGORIES = ("cloud_essd", "cloud_essd_entry", "cloud_auto", "cloud_ssd", "cloud_efficiency", "cloud")
# ECS allows 20 tags on a resource; the project itself writes up to 10.
MAX_TAGS = 10
# An ECS instance takes at most 16 data disks.
MAX_DATA_DISKS = 16
# InstanceName pattern [start,3]: three digits.
MAX_COUNT = 999


def _disk(name: str, doc: str, many: bool) -> Field:
    """A disk; with ``many`` also how many of them."""
    fields = (
        Field("category", "text", "Disk category.", choices=DISK_CATEGORIES, default="cloud_essd",
              example="cloud_essd"),
        Field("size_gib", "int", "Size of one disk in GiB.", least=20, most=32768, example="200",
              required=many, default=MISSING if many else 40, aliases={}),
    )
    if many:
        fields += (Field("count", "int", "Number of these disks on each node.", least=1, most=MAX_DATA_DISKS, default=1,
                         example="4"),)
    example = "{category: cloud_essd, size_gib: 200, count: 4}" if many else "{category: cloud_essd, size_gib: 40}"
    return Field(name, "object", doc, fields=fields, example=example, default=MISSING if many else {},
                 aliases={"size": "size_gib", "size_gb": "size_gib", "type": "category", "number": "count"})


_CONFIG = Field(
    "config", "map", "Settings by configuration file; they win over every computed value. `env` holds JVM options by "
    "variable name and is appended to the computed ones.",
    expect="configuration files with their settings", example="{hdfs-site: {dfs.replication: 2}}", default={},
    choices=STEMS, item=Field("file", "config", "Settings of one file.", expect="settings, one value each",
                              example="{dfs.replication: 2}"))

SPOT = Field(
    "spot", "object", "Buy this group's nodes as spot instances (role task only). `{}` bids the market price.",
    example="{price_limit: 0.25}", default=None,
    fields=(Field("price_limit", "number", "Highest hourly price of one instance, in the account's currency.",
                  least=0.001, most=10000, default=None, example="0.25"),),
    aliases={"limit": "price_limit", "price": "price_limit", "max_price": "price_limit"})

SYSTEM_DISK = _disk("system_disk", "The system disk.", many=False)
DISK = _disk("disk", "Data disks of one kind.", many=True)

GROUP = Field(
    "group", "object", "One node group.", example="{count: 3, instance_types: [ecs.g7.xlarge]}",
    fields=(
        Field("role", "text", "What the nodes do: `slave` stores and computes, `task` only computes, `gateway` has the "
              "clients only. Defaults to the group's name.", choices=ROLES, default=None, example="task"),
        Field("count", "int", "Number of nodes.", least=0, most=MAX_COUNT, default=1, example="3"),
        Field("instance_types", "list", "Instance types in order of preference: the next is bought when one is out of "
              "stock.", required=True, least=1, most=10, unique=True, example="[ecs.g7.xlarge, ecs.g6.xlarge]",
              item=Field("type", "text", "An ECS instance type.", pattern=r"ecs\.[a-z0-9-]+\.[a-z0-9-]+",
                         expect="an ECS instance type such as ecs.g7.xlarge", example="ecs.g7.xlarge")),
        SYSTEM_DISK,
        Field("data_disks", "list", "Data disks of each node. Without any, data lies on the system disk.", default=(),
              most=MAX_DATA_DISKS, example="[{category: cloud_essd, size_gib: 200, count: 4}]",
              item=DISK),
        SPOT,
        _CONFIG,
    ),
    aliases={"instance_type": "instance_types", "types": "instance_types", "type": "instance_types",
             "size": "count", "number": "count", "nodes": "count", "disks": "data_disks", "disk": "data_disks"})

_URL = Field("url", "text", "A base URL.", form="url", expect="an http:// or https:// address, or oss://bucket/path,",
             example="https://mirror.example.com/hadoop")

NETWORK = Field(
    "network", "object", "Where the nodes live and who may reach them.", required=True,
    example="{vswitch_id: vsw-…, ssh_from: 203.0.113.0/24}",
    fields=(
        Field("vswitch_id", "text", "The vSwitch; it must lie in `zone`. Either this or `create`.", pattern=r"vsw-[a-z0-9-]+",
              default=None, expect="a vSwitch id such as vsw-bp1abc", example="vsw-bp1s5fnvk4gn2tws03624"),
        Field("create", "bool", "Make a VPC and a vSwitch for this cluster; they are released with it.", default=False,
              example="true"),
        Field("vpc_cidr", "text", "With `create`: the addresses of the VPC.", form="private_cidr", default=None,
              expect="a private network such as 192.168.0.0/16, which is taken without it", example="10.20.0.0/16"),
        Field("vswitch_cidr", "text", "With `create`: the addresses of the vSwitch, inside those of the VPC. Without it the first "
              "/20 of the VPC.", form="private_cidr", default=None, expect="a private network such as 192.168.0.0/20",
              example="10.20.0.0/20"),
        Field("access", "text", "How the controller reaches the nodes: private addresses inside the VPC, through a "
              "bastion, or public addresses. Without it `vpc`, with `create` `bastion`: nothing reaches a new VPC from outside.",
              choices=("vpc", "bastion", "public"), default=None, example="vpc"),
        Field("ssh_from", "list", "Networks from which SSH is admitted; nothing else is opened.", required=True,
              least=1, most=20, unique=True, single=True, example="203.0.113.0/24",
              item=Field("cidr", "text", "A network.", form="cidr", expect="a network such as 203.0.113.0/24",
                         example="203.0.113.0/24")),
    ),
    aliases={"vswitch": "vswitch_id", "subnet": "vswitch_id", "ssh": "ssh_from", "cidr": "ssh_from"})

LOGIN = Field(
    "login", "object", "How to log in to the nodes.", default={}, example="{private_key_file: ~/.ssh/id_ed25519}",
    fields=(
        Field("user", "text", "User name on the nodes; it needs root's rights.", pattern=r"[a-z_][a-z0-9_-]{0,31}",
              default="root", expect="a user name", example="root"),
        Field("private_key_file", "text", "Private key on the controller. Without it: the ssh agent and the usual keys.",
              default=None, least=1, most=4096, form="path", expect="the path of a private key",
              example="~/.ssh/id_ed25519"),
        Field("key_pair", "text", "Name of an ECS key pair that exists. Without it one is made from the private key.",
              default=None, pattern=r"[A-Za-z][A-Za-z0-9._:-]{1,127}", expect="the name of an ECS key pair",
              example="my-key"),
    ),
    aliases={"key": "private_key_file", "key_file": "private_key_file", "username": "user"})

STEP = Field(
    "step", "object", "One script.", example="{script: prepare.sh}",
    fields=(
        Field("script", "text", "Path of the script on the controller.", required=True, least=1, most=4096,
              form="path", expect="the path of a script", example="prepare.sh"),
        Field("when", "text", "When it runs.", choices=("before_install", "after_start"),
              default="before_install", example="before_install"),
        Field("on_failure", "text", "What a failure means.", choices=("stop", "continue"), default="stop", example="stop"),
    ), aliases={"path": "script", "file": "script", "on_error": "on_failure"})

_ARTIFACT = Field(
    "artifact", "object", "Another file in place of the release's.", example="{urls: [https://…], sha512: …}",
    fields=(
        Field("urls", "list", "Addresses of the file, tried in order.", required=True, least=1, most=10, item=_URL,
              example="[https://mirror.example.com/hadoop-3.4.2.tar.gz]"),
        Field("sha512", "text", "SHA-512 of the file.", required=True, pattern=r"[0-9a-f]{128}",
              expect="128 hexadecimal digits in lower case", example="0f…"),
    ))

BACKUP = Field(
    "backup", "object", "Copies of the NameNode's metadata on the first slave, each verified, for `emrctl restore`.", default={},
    example="{every: 1h, keep: 24}",
    fields=(
        Field("enabled", "bool", "Make them.", default=True, example="true"),
        Field("every", "text", "How often. What changes after the last backup cannot be restored.", default="1h",
              form="duration", least=300, most=604800, expect="a duration such as 1h", example="1h"),
        Field("keep", "int", "How many good copies to keep.", least=1, most=1000, default=24, example="24"),
        Field("oss", "text", "Where in OSS to put another copy of each, for the day when both nodes are lost.", default=None,
              pattern=r"oss://[a-z0-9][a-z0-9-]{1,61}[a-z0-9](/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,8}", least=1, most=1024,
              expect="a bucket and folder such as oss://my-bucket/backups", example="oss://my-bucket/backups"),
    ),
    aliases={"interval": "every", "period": "every", "retention": "keep", "count": "keep", "bucket": "oss"})

LOGS = Field(
    "logs", "object", "How long the logs of jobs are kept, and a copy of them that outlives the cluster.", default={},
    example="{keep: 30d, oss: oss://my-bucket/logs}",
    fields=(
        Field("keep", "text", "How long HDFS keeps the logs of containers and the histories of MapReduce and Spark.", default="7d",
              form="duration", least=3600, most=315360000, expect="a duration such as 30d", example="30d"),
        Field("oss", "text", "Where in OSS to put records, logs and histories of jobs that have ended; `emrctl jobs list NAME --from` reads them "
              "after the release, too.", default=None,
              pattern=r"oss://[a-z0-9][a-z0-9-]{1,61}[a-z0-9](/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,8}", least=1, most=1024,
              expect="a bucket and folder such as oss://my-bucket/logs", example="oss://my-bucket/logs"),
        Field("job_output_mib", "int", "How much of each output (stdout, stderr) of a job the master keeps, its beginning and its end.",
              least=1, most=10240, default=64, example="256"),
    ),
    aliases={"retention": "keep", "bucket": "oss", "job_output": "job_output_mib"})

BUDGET = Field(
    "budget", "object",
    "What the cluster may cost in a calendar month (UTC), by the prices that its plans say. An alert comes when it is near, and when it is spent.",
    default=None, example="{monthly: 5000, beyond: refuse}",
    fields=(
        Field("monthly", "number", "The most, in the account's currency.", required=True, least=0.01, most=1e12, example="5000"),
        Field("warn_at", "int", "Percent of it from which an alert warns.", least=1, most=100, default=80, example="80"),
        Field("beyond", "text",
              "What happens when it is spent: an alert alone (`warn`); or new jobs and flows are refused as well, until the next month, and what runs goes on "
              "(`refuse`); or the next `emrctl maintain` drains and releases the nodes of role `task` (`release`).",
              choices=("warn", "refuse", "release"), default="warn", example="refuse"),
    ), aliases={"limit": "monthly", "month": "monthly", "max": "monthly"})

_ARTIFACTS = tuple(RELEASES[DEFAULT].artifacts)
QUEUE = Field(
    "queue", "object", "A queue of YARN.", example="{capacity: 60, users: [alice]}",
    fields=(
        Field("capacity", "number", "Percentage of the cluster that the queue is guaranteed; all queues add up to 100.",
              required=True, least=0, most=100, example="60"),
        Field("max_capacity", "number", "Percentage that it may use while others do not need theirs.", least=0.01, most=100,
              default=100.0, example="80"),
        Field("users", "list", "Users who may submit; without any, everybody. Users with this `queue` may submit too.",
              default=(), most=200, unique=True, example="[alice, bob]",
              item=Field("user", "text", "A user of the spec, or `emr`.", pattern=USER_NAME, expect="a user name",
                         example="alice")),
        Field("state", "text", "`stopped`: running applications end, new ones are refused. A queue must be idle before you can remove it.",
              choices=("running", "stopped"), default="running", example="stopped"),
    ),
    aliases={"share": "capacity", "percent": "capacity", "maximum_capacity": "max_capacity", "max": "max_capacity",
             "maximum-capacity": "max_capacity", "acl": "users", "user": "users", "status": "state"})

USER = Field(
    "user", "object", "A person who works on the cluster.", example="{queue: analysts, space_quota: 500g}", default=None,
    fields=(
        Field("queue", "text", "Queue of jobs that name no other.", pattern=QUEUE_NAME, default=None,
              expect="the name of a queue", example="analysts"),
        Field("space_quota", "text", "Space quota of the home in HDFS, all copies counted. Units are powers of 1024.",
              pattern=SIZE, default=None, expect="a size such as 500g or 1.5 TB", example="500g"),
        Field("uid", "int", "Number of the user on all nodes. Without it the number follows from the name.",
              least=1000, most=LAST_UID, default=None, example="20001"),
    ),
    aliases={"quota": "space_quota", "space": "space_quota", "queues": "queue", "id": "uid"})

SPEC = Field(
    "spec", "object", "A cluster.", fields=(
        Field("name", "text", "The cluster's name, the same for its whole life.", required=True,
              pattern=r"[a-z][a-z0-9-]{0,30}[a-z0-9]",
              expect="2 to 32 lower-case letters, digits and hyphens, with a letter first", example="sales"),
        Field("release", "text", "The tested set of versions.", choices=OFFERED, default=DEFAULT, example=DEFAULT),
        Field("region", "text", "The ECS region.", required=True, pattern=r"[a-z]{2}-[a-z0-9]+(-[a-z0-9]+)*",
              expect="a region id such as cn-hangzhou", example="cn-hangzhou"),
        Field("zone", "text", "The zone inside the region.", required=True, pattern=r"[a-z]{2}-[a-z0-9-]+",
              expect="a zone id such as cn-hangzhou-h", example="cn-hangzhou-h"),
        Field("services", "list", "What runs. `hadoop` stands for hdfs, yarn and mapreduce.", default=("hadoop",),
              least=1, unique=True, example="[hadoop, spark]",
              item=Field("service", "text", "A service.", choices=tuple(BUNDLES) + tuple(s for s in SERVICES if s not in JOINING), example="hadoop")),
        Field("image", "text", "The image that the nodes boot: Linux with systemd, for the release's architecture (docs/images.md).", required=True,
              pattern=r"[A-Za-z][A-Za-z0-9._-]{1,127}", expect="an image id such as m-bp1abc", example="m-bp1g7004ksh0oeuc"),
        NETWORK,
        LOGIN,
        Field("tags", "map", "Tags of your own for everything that is bought.", default={}, most=MAX_TAGS,
              expect="tag names with their values", example="{team: data}", form="tags",
              item=Field("value", "text", "A tag's value.", least=0, most=128, form="tag_value",
                         expect="text of at most 128 characters", example="data")),
        Field("deletion_protection", "bool", "Refuse `release` until this is switched off.", default=False,
              example="true"),
        Field("idle_release", "text", "Release the cluster when it has been idle for this long: no YARN application and no job runs, "
              "and no HDFS client opens, creates or appends to a file. Done by `maintain`, after a warning.", default=None,
              form="duration", least=600, most=31536000, expect="a duration such as 2h", example="2h"),
        Field("max_age", "text", "Release the cluster this long after it was made, whatever it does. Done "
              "by `maintain`, after a warning.", default=None, form="duration", least=600, most=315360000,
              expect="a duration such as 30d", example="30d"),
        Field("node_groups", "map", "The groups of nodes, by name.", required=True, least=1, most=20, form="groups",
              expect="node groups by name", example="{master: {…}, slave: {…}}", item=GROUP),
        _CONFIG,
        BACKUP,
        LOGS,
        BUDGET,
        *(field for home in HOMES.values() for field in home.spec),
        Field("bootstrap", "list", "Scripts of your own that run once on every node, when it is deployed.", default=(), most=20,
              example="[{script: prepare.sh, when: before_install}]", item=STEP),
        Field("queues", "map", "Queues of YARN, by name. Without a queue `default` there is one with no share of its own.",
              default={}, most=50, form="queues", expect="queues by name", item=QUEUE,
              example="{analysts: {capacity: 60}, night: {capacity: 40}}"),
        Field("users", "map", "People who work on the cluster, by name: an account on all nodes and a home in HDFS.",
              default={}, most=1000, form="users", expect="users by name", item=USER,
              example="{alice: {queue: analysts, space_quota: 500g}}"),
        Field("mirrors", "list", "Base addresses of the release's files, tried in order; nodes get a signed address of what lies "
              "in `oss://`. After them come the controller's variable EMR_MIRRORS and its own cache (docs/cloud.md).", default=(),
              most=10, item=_URL, example="[oss://my-bucket/emr, https://mirror.example.com/dist]"),
        Field("artifacts", "map", "Files in place of those of the release.", default={}, choices=_ARTIFACTS,
              expect=f"{', '.join(_ARTIFACTS[:-1])} or {_ARTIFACTS[-1]} with urls and sha512", item=_ARTIFACT,
              example="{hadoop: {urls: [https://…], sha512: …}}"),
        Field("revision", "int", "Which revision of the cluster's spec this document was made of; `emrctl export` writes it. "
              "`apply` refuses a document of an older revision than the newest, and shows what it would take back.",
              least=1, most=999999, default=None, example="4"),
    ),
    aliases={"groups": "node_groups", "nodes": "node_groups", "version": "release", "service": "services",
             "vpc": "network", "vswitch_id": "network", "ssh_from": "network", "configuration": "config",
             "image_id": "image", "ttl": "max_age", "idle_timeout": "idle_release", "cluster": "name",
             "region_id": "region", "zone_id": "zone", "key_pair": "login",
             "queue": "queues", "user": "users", "people": "users"})
