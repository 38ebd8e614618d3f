"""One pass over real hosts: a cluster is made under kills, computes, gets Spark, is attacked, and is released.

Its hosts are hardened: umask 077 for root, sessions and sshd, so nothing may depend on modes that are inherited.
"""
from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.hostile import texts
from tests.lab import REPO, api_log_matches, host_runs, kill_when, lab, line_matches, seeded

NAME = "first"


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("first"), "e2e", 81, 7981) as it:
        # As a person writes it, so with monitoring.
        it.spec(NAME, image="debian_12_x64_20G_emr_local_hardened.vhd", monitoring={})
        yield it


def name_ids(bed) -> str:
    """clusterID, namespaceID and cTime of the NameNode: change when it is formatted again."""
    text = bed.ssh(NAME, f"{NAME}-master-001", "cat /var/lib/emr/hdfs/name/current/VERSION")
    return "\n".join(line for line in text.splitlines() if re.match(r"(clusterID|namespaceID|cTime|blockpoolID)=", line))


def test_a_killed_create_is_finished_by_the_same_command(bed):
    random = seeded(20131)
    spec = str(bed.folder / f"{NAME}.yml")
    create = ["create", spec, "--yes"]
    kill_when(bed, create, signal.SIGINT, api_log_matches("RunInstances received"), random.uniform(0, 0.5))
    kill_when(bed, create, signal.SIGKILL, host_runs(r"proc_|NameNode|hdfs namenode"), random.uniform(0, 1.5))
    done = bed.emrctl("create", spec, "--yes")
    instances = bed.instances(NAME)
    assert sorted(i["InstanceName"] for i in instances) == [
        f"{NAME}-master-001", f"{NAME}-slave-001", f"{NAME}-slave-002", f"{NAME}-slave-003"], done.stderr
    status = bed.json("status", NAME)
    assert status["hdfs"]["live"] == 3 and status["yarn"]["active"] == 3, status


def test_modes_on_hardened_hosts_are_set_and_never_inherited(bed):
    # What others read: archives by the account that serves them, programs and settings by daemons and jobs.
    hidden = "umask; find /opt/emr /etc/emr /var/cache/emr ! -type l \\( -type d ! -perm -005 -o -type f ! -perm -004 \\)"
    for node in ("master-001", "slave-001"):
        # Where no receiver has a secret there is no folder for them, which only Alertmanager could read.
        umask, *left = bed.ssh(NAME, f"{NAME}-{node}", hidden).split()
        assert umask == "0077" and left == []
        # No account of ours may do less than on other hosts.
        assert bed.ssh(NAME, f"{NAME}-{node}", "runuser -u nobody -- /opt/emr/bin/python3 -c 'print(6 * 7)'").strip() == "42"


def test_a_second_create_changes_nothing(bed):
    before = name_ids(bed)
    result = bed.json("create", str(bed.folder / f"{NAME}.yml"), "--yes")
    stats = result["stats"]
    assert len(stats) >= 5, stats
    assert {host: s["changed"] for host, s in stats.items()} == dict.fromkeys(stats, 0)
    assert name_ids(bed) == before


def test_mapreduce_runs_and_its_result_is_fetched(bed):
    text = bed.folder / "words.txt"
    text.write_text("to be or not to be\n" * 1000)
    (bed.folder / "mapper.py").write_text(
        "import sys\nfor line in sys.stdin:\n    for w in line.split():\n        print(f'{w}\\t1')\n")
    (bed.folder / "reducer.py").write_text(
        "import sys\nfrom itertools import groupby\n"
        "rows = (l.rstrip('\\n').split('\\t') for l in sys.stdin)\n"
        "for w, g in groupby(rows, key=lambda r: r[0]):\n    print(f'{w}\\t{sum(int(c) for _, c in g)}')\n")
    bed.emrctl("put", NAME, str(text), "/user/emr/words.txt")
    job = bed.json("submit", NAME, "--type", "HADOOP_STREAMING", "--file", "mapper.py", "--file", "reducer.py", "--wait",
                   "--", "-input", "/user/emr/words.txt", "-output", "/user/emr/counts",
                   "-mapper", "python3 mapper.py", "-reducer", "python3 reducer.py")
    assert job["state"] == "SUCCEEDED", job
    bed.emrctl("get", NAME, "/user/emr/counts", str(bed.folder / "counts"))
    rows = dict(line.split("\t") for part in sorted((bed.folder / "counts").glob("part-*"))
                for line in part.read_text().splitlines())
    assert rows == {"to": "2000", "be": "2000", "or": "1000", "not": "1000"}


def test_hadoop_has_its_native_library_and_readers_beside_a_block_read_the_file(bed):
    found = bed.json("check", NAME, "--no-work")["findings"]
    assert not [row for row in found if "native library" in row["detail"]], found
    # What the MapReduce jobs above read on their own hosts.
    granted = [bed.ssh(NAME, f"{NAME}-slave-00{n}", "grep -c 'op: REQUEST_SHORT_CIRCUIT_FDS.*success: true' /var/log/emr/hdfs/datanode.log || true")
               for n in (1, 2, 3)]
    assert sum(map(int, granted)) > 0, granted


def test_folders_of_any_names_go_in_and_out_and_go_on_after_a_break(bed):
    top = bed.folder / "tree"
    names = {f"many/part {number:03}": f"row {number}\n".encode() for number in range(600)} | {
        "zero": b"", "run[1]*?{a,b}/ü b+c%41&#;'.csv": b"strange", "x/back\\slash": b"3", "n" * 250: b"long", "big": b"0123456789abcdef" * 300_000}
    for name, text in names.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(text)
    (top / "empty/below").mkdir(parents=True)
    put = ["put", NAME, str(top), "in/tree"]
    # Cut off in the middle: nothing is at the target, what has come is whole, and the next run takes it.
    kill_when(bed, put, signal.SIGINT, line_matches(r" [1-9]\d* of 605 files"), 0, limit=300)
    assert not any(row["path"].endswith("/tree") for row in bed.json("ls", NAME, "in")["files"])
    done = bed.json(*put)
    assert done["files_count"] == len(names) and 0 < done["equal_files"] < len(names), done["equal_files"]
    assert [row["path"] for row in bed.json("ls", NAME, "in")["files"]] == ["/user/emr/in/tree"]
    bed.emrctl("get", NAME, "in/tree", "back")
    assert {str(p.relative_to(bed.folder / "back")): p.read_bytes() for p in (bed.folder / "back").rglob("*") if p.is_file()} == names
    assert (bed.folder / "back/empty/below").is_dir()
    assert bed.json("get", NAME, "in/tree/x", "back", "-q")["equal_files"] == 1  # below a folder that is there
    # The same name as a folder that is there: below it, as with cp -r; a file in its place is refused.
    bed.emrctl("put", NAME, str(top / "x"), "in/tree")
    assert bed.json("put", NAME, str(top / "x"), "in/tree/")["equal_files"] == 1
    assert "is a file in HDFS, and x is a folder here" in bed.emrctl("put", NAME, str(top / "x"), "in/tree/zero", expect=5).stderr


def test_what_hdfs_refuses_is_one_sentence_with_a_remedy(bed):
    (bed.folder / "one").write_text("1")
    done = bed.emrctl("put", NAME, "one", "/one", expect=5)
    assert "the user emr may not change / in HDFS, which belongs to hdfs (group " in done.stderr and "--user hdfs" in done.stderr, done.stderr
    assert "org.apache" not in done.stderr and len(done.stderr) < 2000
    bed.emrctl("put", NAME, "one", "/one", "--user", "hdfs")
    rows = {row["path"]: row["owner"] for row in bed.json("ls", NAME, "/", "--user", "hdfs")["files"]}
    assert rows["/one"] == "hdfs"
    assert bed.emrctl("cat", NAME, "/one").stdout == "1"
    assert "is not a valid user name" in bed.emrctl("put", NAME, "one", "x", "--user", "a b&x=", expect=3).stderr


def test_texts_of_people_arrive_as_they_were_written(bed):
    """At a real program: arguments, variables, a property behind the tag's back, names of files in both directions."""
    wanted = texts(7, 40)
    (bed.folder / "echo.py").write_text("import json, os, sys\nkept = {k: v for k, v in os.environ.items() if k[0] == 'E' and k[1:].isdigit()}\n"
                                        "conf = open(os.environ['HADOOP_CONF_DIR'] + '/mapred-site.xml').read()\n"
                                        "print(json.dumps({'argv': sys.argv[1:], 'env': kept, 'conf': conf}))\n")
    job = bed.json("submit", NAME, "--type", "SHELL", "--file", "echo.py", "--wait", "--name", wanted[2], "-p", "x.sep=a\\", "-p", "x.re=(?i)\\bsecret\\b",
                   *[f"--env=E{at}={text}" for at, text in enumerate(wanted)], "--", "python3", "echo.py", *wanted)
    assert job["name"] == wanted[2]
    log = bed.emrctl("jobs", "logs", NAME, job["id"]).stdout
    seen = json.loads(next(line for line in log.splitlines() if line.startswith('{"argv"')))
    assert seen["argv"] == wanted and seen["env"] == {f"E{at}": text for at, text in enumerate(wanted)}
    assert "<value>a\\</value>" in seen["conf"] and "<value>(?i)\\bsecret\\b</value>" in seen["conf"] and job["id"] in seen["conf"]
    refused = bed.emrctl("submit", NAME, "--type", "MR", "-p", "x.y=a\001b", "--", "x.jar", expect=3)
    assert "U+0001" in refused.stderr
    (bed.folder / "{{ 7*7 }} $(id).txt").write_text("content")
    bed.emrctl("put", NAME, "{{ 7*7 }} $(id).txt", "/user/emr/{% raw %} 数据/")
    bed.emrctl("get", NAME, "/user/emr/{% raw %} 数据/{{ 7*7 }} $(id).txt", "back.txt")
    assert (bed.folder / "back.txt").read_text() == "content"


def test_a_failing_job_is_shown_as_failed_with_its_own_error(bed):
    (bed.folder / "bad.py").write_text("raise SystemExit('the flights are missing')\n")
    done = bed.emrctl("submit", NAME, "--type", "SHELL", "--file", "bad.py", "--wait", "-o", "json", "--",
                      "yes line | head -c 900K; python3 bad.py", expect=None)
    assert done.returncode != 0
    job = json.loads(done.stdout)
    assert job["state"] == "FAILED" and job["exit_code"] == 1
    logs = bed.emrctl("jobs", "logs", NAME, job["id"]).stdout
    # An event of ansible-runner takes 700,000 characters.
    assert len(logs) > 900 << 10 and logs.rstrip().endswith("the flights are missing")
    assert job["error"] == "the flights are missing"


def test_the_journal_of_a_node_has_no_contents_of_files(bed):
    said = bed.ssh(NAME, f"{NAME}-master-001", "journalctl -q --no-pager -t ansible-emr.cluster.node -o cat").splitlines()
    assert said and all(re.fullmatch(r"Invoked with op=\w+", line) for line in said), said[:3]


def test_spark_joins_the_running_cluster(bed):
    before = name_ids(bed)
    bed.emrctl("service", "add", NAME, "spark", "--yes")
    assert name_ids(bed) == before
    (bed.folder / "query.sql").write_text("SELECT 6 * count(*) AS answer FROM (SELECT explode(sequence(1, 7)));\n")
    job = bed.json("submit", NAME, "--type", "SPARK_SQL", "--file", "query.sql", "--wait", "--", "-f", "query.sql")
    assert job["state"] == "SUCCEEDED", job
    assert "42" in bed.emrctl("jobs", "logs", NAME, job["id"]).stdout.split()


def test_spark_goes_and_comes_back_with_its_data(bed):
    master = f"{NAME}-master-001"
    history = "curl -s 'localhost:18080/api/v1/applications' | grep -c '\"id\"'; true"
    before = bed.ssh(NAME, master, history).strip()
    assert int(before) >= 1
    needed = bed.emrctl("service", "remove", NAME, "yarn", "--yes", expect=3)
    assert "yarn is needed by mapreduce and spark" in needed.stderr
    bed.emrctl("service", "remove", NAME, "spark", "--yes")
    left = bed.ssh(NAME, master, "ls /etc/systemd/system /etc/systemd/system/multi-user.target.wants /etc/emr/spark /opt/emr")
    assert "emr-spark" not in left and "spark-defaults" not in left and "spark" not in left.split()
    assert {row["component"] for row in bed.json("status", NAME)["components"]}.isdisjoint({"spark-historyserver"})
    found = bed.ssh(NAME, master, "hdfs version; spark-sql -e 'select 1' 2>&1; echo ended with $?")
    assert "Hadoop 3" in found and "It comes with the service spark" in found and "ended with 127" in found, found
    lost = bed.emrctl("submit", NAME, "--type", "SPARK_SQL", "--", "-e", "select 1", expect=None)
    assert lost.returncode != 0 and "service add" in lost.stderr
    bed.emrctl("service", "add", NAME, "spark", "--yes")
    assert bed.ssh(NAME, master, history).strip() == before


def test_a_killed_daemon_is_shown_and_comes_back(bed):
    node = f"{NAME}-slave-002"
    bed.ssh(NAME, node, "mkdir -p /run/systemd/system/emr-datanode.service.d && printf '[Service]\\nRestartSec=40\\n' "
            "> /run/systemd/system/emr-datanode.service.d/slow.conf && systemctl daemon-reload "
            "&& systemctl kill -s KILL emr-datanode.service")
    down = bed.emrctl("status", NAME, "-o", "json", expect=None)
    states = {(c["node"], c["component"]): c["state"] for c in json.loads(down.stdout)["components"]}
    assert states[node, "datanode"] != "running", states
    assert states[f"{NAME}-slave-001", "datanode"] == "running", states
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = json.loads(bed.emrctl("status", NAME, "-o", "json", expect=None).stdout)["components"]
        if all(c["state"] == "running" for c in found):
            break
        time.sleep(3)
    else:
        raise AssertionError(f"the DataNode did not come back within 120 s: {found}")
    bed.ssh(NAME, node, "rm -r /run/systemd/system/emr-datanode.service.d && systemctl daemon-reload")


@contextmanager
def stranger(bed, address: str, name: str):
    """A network namespace on the bridge with an address that no security group knows."""
    bridge = json.loads(bed.local("status", "-o", "json"))["bridge"]

    def ip(*args):
        subprocess.run(["ip", *args], check=True)

    try:
        ip("netns", "add", name)
        ip("link", "add", f"{name}h", "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("link", "set", f"{name}h", "master", bridge, "up")
        ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", name, "link", "set", "eth0", "up")
        ip("-n", name, "link", "set", "lo", "up")
        yield lambda *addresses: json.loads(subprocess.run(
            ["ip", "netns", "exec", name, sys.executable, str(REPO / "tests/scan.py"), *addresses],
            check=True, capture_output=True, text=True, timeout=300).stdout)
    finally:
        subprocess.run(["ip", "link", "del", f"{name}h"], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def test_from_outside_only_ssh_from_the_allowed_address_answers(bed):
    nodes = {i["InstanceName"]: i["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0] for i in bed.instances(NAME)}
    group = bed.instances(NAME)[0]["SecurityGroupIds"]["SecurityGroupId"][0]
    with stranger(bed, "10.77.81.250", "e2escan") as scan:
        assert scan(*nodes.values()) == {address: [] for address in nodes.values()}
        allow = {"SecurityGroupId": group, "IpProtocol": "tcp", "PortRange": "22/22", "SourceCidrIp": "10.77.81.250/32"}
        bed.ecs("AuthorizeSecurityGroup", **allow)
        time.sleep(1)
        assert scan(*nodes.values()) == {address: [22] for address in nodes.values()}
        everything = dict(allow, PortRange="1/65535")
        bed.ecs("AuthorizeSecurityGroup", **everything)  # the rules taken away, as far as a group can: all ports open
        time.sleep(1)
        found = scan(*nodes.values())
        assert {9870, 8088, 19888} <= set(found[nodes[f"{NAME}-master-001"]]), found
        assert {9864, 8042} <= set(found[nodes[f"{NAME}-slave-001"]]), found
        for rule in (allow, everything):
            bed.ecs("RevokeSecurityGroup", **rule)


def test_no_credential_is_left_anywhere(bed):
    secret = bed.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
    private = next(line for line in (bed.home / ".ssh/emr_ed25519").read_text().splitlines() if "-----" not in line)
    needle = bed.folder / "needle"
    needle.write_text(f"{secret}\n{private}\n")
    allowed = {bed.home / ".ssh/emr_ed25519", needle}
    for folder in (bed.folder, Path(bed.env["EMR_CACHE"])):
        done = subprocess.run(["grep", "-rlFf", str(needle), str(folder)], capture_output=True, text=True, check=False)
        assert {Path(p) for p in done.stdout.split()} <= allowed
    assert secret not in json.dumps(bed.instances(NAME))
    for node in (f"{NAME}-master-001", f"{NAME}-slave-001"):
        # The pattern is split, and given to grep by a file descriptor, so that the search does not find itself.
        command = (f"needle() {{ printf '%s%s\\n' {secret[:8]} {secret[8:]}; }}; "
                   "grep -rlFf <(needle) /etc /var /opt/emr /root /home /run /tmp 2>/dev/null;"
                   " cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -cFf <(needle); true")
        assert bed.ssh(NAME, node, command).split() == ["0"]


def test_release_leaves_nothing_to_pay_for(bed):
    refused = bed.emrctl("release", NAME, expect=3)
    assert "--yes" in refused.stderr
    bed.emrctl("release", NAME, "--yes")
    assert bed.instances(NAME) == []
    assert bed.ecs("DescribeSecurityGroups", SecurityGroupName=f"emr-{NAME}")["SecurityGroups"]["SecurityGroup"] == []
    assert bed.ecs("DescribeKeyPairs", KeyPairName=f"emr-lock-{NAME}")["KeyPairs"]["KeyPair"] == []
    assert bed.json("list") == []
