"""What the node's part does with files: hosts block, atomic writes, storage, revisions, artifacts."""
from __future__ import annotations

import hashlib
import http.server
import json
import os
import tarfile
import threading
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.node import common as node_common, hadoop_cli
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.config import configure as node_configure
from ansible_collections.emr.cluster.plugins.module_utils.node.daemons import format as node_format
from ansible_collections.emr.cluster.plugins.module_utils.node.host import (
    bootstrap as node_bootstrap,
    prepare as node_host,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.install import install as node_install

from .test_hadoop_http import Server, namenode

HERE = Path(__file__).resolve()
UTILS = HERE.parents[2] / "collection" / "plugins" / "module_utils"
HOSTS = [{"name": "a-master-001", "address": "10.0.0.1"}, {"name": "a-slave-001", "address": "10.0.0.2"}]


def test_hosts_block_replaces_itself_and_takes_names_from_other_lines():
    before = "127.0.0.1 localhost\n127.0.1.1 a-master-001 other # image\n10.9.9.9 a-slave-001\n"
    once = node_host.hosts_text(before, HOSTS)
    assert node_host.hosts_text(once, HOSTS) == once
    assert "127.0.1.1 other" in once and "10.9.9.9" not in once and "127.0.0.1 localhost" in once
    assert once.count("a-master-001") == 1
    assert "10.0.0.2" not in node_host.hosts_text(once, HOSTS[:1])


def test_a_host_that_has_another_name_of_its_own_keeps_it_behind_the_cluster_s():
    """YARN turned away the NodeManager of such a host for ever: the first line with an address gives its name back."""
    before = "127.0.0.1 localhost\n10.0.0.2 lab-slave-001 lab # own\n10.0.0.7 else\n"
    once = node_host.hosts_text(before, HOSTS)
    assert once.splitlines()[-2:] == ["10.0.0.2 lab-slave-001 lab # own", "10.0.0.7 else"] and once.splitlines()[0] == "127.0.0.1 localhost"
    assert once.index("10.0.0.2 a-slave-001") < once.index("10.0.0.2 lab-slave-001")
    assert node_host.hosts_text(once, HOSTS) == once
    at_the_end = node_host.hosts_text("127.0.0.1 localhost\n10.0.0.7 else\n", HOSTS)
    assert at_the_end.index("10.0.0.7") < at_the_end.index("10.0.0.2"), "where nothing contradicts, the block stays where it was"


def test_a_host_whose_resolver_does_not_read_its_hosts_file_is_refused_with_the_line(monkeypatch):
    monkeypatch.setattr(node_host, "read_text", lambda path: "passwd: files\nhosts: dns files # wrong\n")
    monkeypatch.setattr(node_host.socket, "getnameinfo", lambda *_args: ("lab-slave-001", "0"))
    node_host.check_own_name("lab-slave-001", "10.0.0.2")
    with pytest.raises(NodeError, match=r"calls 10.0.0.2 lab-slave-001: .* line 2, `hosts: dns files # wrong`"):
        node_host.check_own_name("s1", "10.0.0.2")


def test_a_failed_write_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(node_configure, "owner_ids", lambda owner, group: (os.getuid(), os.getgid()))
    (tmp_path / "one").write_text("old")
    (tmp_path / "blocked").write_text("a file where a folder is needed")
    rows = [{"path": str(tmp_path / "one"), "content": "new", "owner": "x", "group": "x", "mode": "0644"},
            {"path": str(tmp_path / "blocked" / "two"), "content": "new", "owner": "x", "group": "x", "mode": "0644"}]
    with pytest.raises(OSError):
        node_configure._write_all(rows)
    assert (tmp_path / "one").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["blocked", "one"]


def test_changed_keys_of_each_kind_of_file():
    site = "<configuration><property><name>a</name><value>{}</value></property></configuration>"
    assert node_configure.changed_keys(site.format(1), site.format(2)) == ["a"]
    assert node_configure.changed_keys(site.format(1), site.format(1)) == []
    assert node_configure.changed_keys("spark.a 1\nspark.b 2\n", "spark.a 1\nspark.c 3\n") == ["spark.b", "spark.c"]
    assert node_configure.changed_keys("export X='1'\n", "export X='2'\n") == ["X"]
    assert node_configure.changed_keys("<configuration", "") == []


def test_inspect_tells_empty_formatted_and_unclear(tmp_path):
    assert node_configure.inspect(str(tmp_path / "none"))["state"] == "missing"
    (tmp_path / "lost+found").mkdir()
    (tmp_path / ".formatting").mkdir()
    assert node_configure.inspect(str(tmp_path))["state"] == "empty"
    (tmp_path / "photos").mkdir()
    assert node_configure.inspect(str(tmp_path))["state"] == "unclear"
    (tmp_path / "current").mkdir()
    (tmp_path / "current" / "VERSION").write_text("#x\nnamespaceID=1\nclusterID=emr-1\n")
    assert node_configure.inspect(str(tmp_path)) == {"path": str(tmp_path), "state": "formatted", "cluster_id": "emr-1"}


def revision(services, digest="d1", why="create"):
    return {"text": "name: x\n", "digest": digest, "services": services, "who": "me@here", "why": why}


def test_revisions_are_numbered_and_repeat_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(node_configure, "SPEC_DIR", str(tmp_path / "spec"))
    assert node_configure._revision(revision(["hdfs"]), True) == "spec revision 1" and not (tmp_path / "spec").exists()
    assert node_configure._revision(revision(["hdfs"]), False) == "spec revision 1"
    assert node_configure._revision(revision(["hdfs"]), False) == ""
    assert node_configure._revision(revision(["hdfs", "spark"], "d2", "service add spark"), False) == "spec revision 2"
    assert node_configure.newest_revision()["who"] == "me@here"
    # Half a revision: the .yml without its .json does not count and is written again.
    (tmp_path / "spec" / "000003.yml").write_text("half")
    assert node_configure._revision(revision(["hdfs", "spark"], "d3"), False) == "spec revision 3"


def test_a_revision_keeps_where_components_are_placed(tmp_path, monkeypatch):
    monkeypatch.setattr(node_configure, "SPEC_DIR", str(tmp_path / "spec"))
    placed = {"placement": {"control": ["m1"]}}
    assert node_configure._revision(revision(["hdfs"]), False) == "spec revision 1"
    (tmp_path / "spec" / "000001.json").write_text('{"number": 1, "digest": "d1", "services": ["hdfs"]}')
    assert node_configure._revision({**revision(["hdfs"]), **placed}, False) == "", "made before placements were kept: the same cluster"
    assert node_configure._revision({**revision(["hdfs"], "d2"), **placed}, False) == "spec revision 2"
    assert node_configure.newest_revision()["placement"] == placed["placement"]
    assert node_configure._revision({**revision(["hdfs"], "d2"), **placed}, False) == ""
    moved = {**revision(["hdfs"], "d2"), "placement": {"control": ["m2"]}}
    assert node_configure._revision(moved, False) == "spec revision 3", "a move is a revision, though the spec is the same"


def test_a_spec_without_a_service_that_was_added_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(node_configure, "SPEC_DIR", str(tmp_path))
    node_configure._revision(revision(["hdfs", "spark"], why="service add spark"), False)
    with pytest.raises(node_common.NodeError, match=r"spark since revision 1 \(service add spark, me@here"):
        node_configure._check_services(revision(["hdfs"]))
    node_configure._check_services(revision(["hdfs", "spark", "yarn"]))


def test_only_a_converge_takes_users_and_queues_away(tmp_path, monkeypatch):
    monkeypatch.setattr(node_configure, "SPEC_DIR", str(tmp_path))
    node_configure._revision({**revision(["hdfs"]), "users": ["ann"], "queues": ["day"]}, False)
    with pytest.raises(node_common.NodeError, match="the users ann since revision 1"):
        node_configure._check_services({**revision(["hdfs"]), "queues": ["day"]})
    with pytest.raises(node_common.NodeError, match="the queues day"):
        node_configure._check_services({**revision(["hdfs"]), "users": ["ann", "bob"]})
    node_configure._check_services({**revision(["hdfs"]), "prunes": True})


def formatted(path, cluster_id):
    (path / "current").mkdir(parents=True)
    (path / "current" / "VERSION").write_text(f"clusterID={cluster_id}\n")


def plan(*dirs, refusal="", **several):
    return {"dirs": [str(d) for d in dirs], "cluster_id": "emr-1", "refusal": refusal, **several}


def fake_format(monkeypatch, cluster_id="emr-1"):
    """In place of `hdfs namenode -format`: makes what it would make, and counts."""
    calls = []

    def run(argv, **_options):
        calls.append(argv)
        if argv[0] == "cp":
            return os.system(f"cp -a {argv[2]} {argv[3]}"), "", ""
        folders = next(word for word in argv if word.startswith("dfs.namenode.name.dir="))
        for folder in folders.split("=", 1)[1].split(","):
            formatted(Path(folder[len("file://"):]), cluster_id)
        return 0, "", ""

    monkeypatch.setattr(node_format, "run", run)
    monkeypatch.setattr(hadoop_cli, "run_system", run)
    monkeypatch.setattr(node_format, "owner_ids", lambda *names: (os.getuid(), os.getgid()))
    return calls


def test_format_of_empty_directories_happens_once(tmp_path, monkeypatch):
    calls = fake_format(monkeypatch)
    for name in "ab":
        (tmp_path / name).mkdir()
    assert "formatted" in node_format.format_if_empty(plan(tmp_path / "a", tmp_path / "b"), {})
    assert node_format.format_if_empty(plan(tmp_path / "a", tmp_path / "b"), {}) == "" and len(calls) == 1
    assert "-clusterId" in calls[0] and not list(tmp_path.glob("*/.formatting"))


def test_a_format_that_was_cut_off_is_begun_again(tmp_path, monkeypatch):
    calls = fake_format(monkeypatch)
    formatted(tmp_path / "a" / ".formatting", "emr-1")
    assert node_format.format_if_empty(plan(tmp_path / "a"), {}) and len(calls) == 1


def test_a_format_cut_off_between_two_directories_is_completed_by_copying(tmp_path, monkeypatch):
    calls = fake_format(monkeypatch)
    formatted(tmp_path / "a", "emr-1")
    (tmp_path / "b").mkdir()
    assert "copied" in node_format.format_if_empty(plan(tmp_path / "a", tmp_path / "b", refusal="no"), {})
    assert calls[0][0] == "cp" and node_configure.inspect(str(tmp_path / "b"))["cluster_id"] == "emr-1"


@pytest.mark.parametrize("case", ["foreign", "unclear", "refusal"])
def test_formats_that_could_destroy_something_are_refused(tmp_path, monkeypatch, case):
    calls = fake_format(monkeypatch)
    target = tmp_path / "name"
    target.mkdir()
    if case == "foreign":
        formatted(target, "emr-other")
    if case == "unclear":
        (target / "photos").mkdir()
    with pytest.raises(node_common.NodeError):
        node_format.format_if_empty(plan(target, refusal="slave-001 holds data" if case == "refusal" else ""), {})
    assert not calls


def test_a_namenode_that_comes_to_others_takes_over_their_file_system(tmp_path, monkeypatch):
    calls = fake_format(monkeypatch)
    (tmp_path / "name").mkdir()
    wanted = plan(tmp_path / "name", refusal="slave-001 holds data", others=["http://127.0.0.1:9"], shared=["http://127.0.0.1:9"])
    assert node_format.held(wanted) == "no other NameNode serves, whose file system it could take over"
    with Server(namenode("standby")) as other:
        assert node_format.held(dict(wanted, others=["http://127.0.0.1:9", other.url])) == ""
    assert "copied the file system of another NameNode" in node_format.format_if_empty(wanted, {}) and "-bootstrapStandby" in calls[0]
    assert node_format.held(wanted) == node_format.format_if_empty(wanted, {}) == "" and len(calls) == 1


def test_the_first_namenode_is_formatted_when_all_that_keep_its_edits_serve(tmp_path):
    (tmp_path / "name").mkdir()
    with Server(lambda *_: (200, {}, '{"beans": []}')) as journal:
        wanted = plan(tmp_path / "name", others=[], shared=[journal.url, "http://127.0.0.1:9"])
        assert node_format.held(wanted) == "no answer from http://127.0.0.1:9"
        assert node_format.held(dict(wanted, shared=[journal.url])) == node_format.held({}) == node_format.held(plan(tmp_path / "name")) == ""


@pytest.fixture
def server(tmp_path):
    """A mirror on loopback: (base URL, folder, list of requests)."""
    folder, asked = tmp_path / "mirror", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **options):
            super().__init__(*args, directory=str(folder), **options)

        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}", folder, asked
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Cache and installation root below the test's folder."""
    for name in ("CACHE", "ROOT"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(node_install, name, str(tmp_path / name))
    monkeypatch.setattr(node_install.time, "sleep", lambda seconds: None)
    return tmp_path


def tarball(folder, content=b"#!/bin/sh\n"):
    """An artifact with one top folder, and its description."""
    source = folder.parent / "source" / "hadoop-1.0" / "bin"
    source.mkdir(parents=True, exist_ok=True)
    (source / "hdfs").write_bytes(content)
    path = folder / "hadoop-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(source.parent, "hadoop-1.0")
    return {"name": "hadoop", "file": path.name, "sha512": hashlib.sha512(path.read_bytes()).hexdigest(),
            "urls": [], "target": "hadoop-1.0", "link": "hadoop"}


def options(artifact, **more):
    return dict({"artifacts": [artifact], "peer": "", "serve_address": "", "serve_port": 0, "serve_limit_s": 1,
                 "limit_s": 5}, **more)


def test_install_is_repeatable_and_replaces_another_archive(server, places):
    base, folder, asked = server
    artifact = dict(tarball(folder), urls=[f"{base}/hadoop-1.0.tar.gz"])
    assert node_install.install(options(artifact), True) and not (places / "ROOT" / "hadoop").exists()
    assert node_install.install(options(artifact), False) == {"hadoop": f"{base}/hadoop-1.0.tar.gz"}
    assert (places / "ROOT" / "hadoop" / "bin" / "hdfs").exists()
    assert node_install.install(options(artifact), False) == {} and len(asked) == 1
    other = dict(tarball(folder, b"other"), urls=artifact["urls"])
    assert node_install.install(options(other), False)
    assert (places / "ROOT" / "hadoop" / "bin" / "hdfs").read_bytes() == b"other"
    assert sorted(p.name for p in (places / "ROOT").iterdir()) == ["hadoop", "hadoop-1.0"]


def test_a_release_lies_beside_the_one_in_use_until_it_is_pointed_at(server, places):
    base, folder, asked = server
    old = dict(tarball(folder), urls=[f"{base}/hadoop-1.0.tar.gz"])
    node_install.install(options(old), False)
    new = dict(tarball(folder, b"newer"), urls=[f"{base}/hadoop-1.0.tar.gz"], target="hadoop-2.0", file="hadoop-1.0.tar.gz")
    for again in (False, True):
        assert bool(node_install.install(options(new, beside=True), False)) is not again
        assert node_install.installed_digest(old) == old["sha512"] and node_install.unpacked_digest(new) == new["sha512"]
    (places / "CACHE" / "hadoop-1.0.tar.gz").unlink()
    before = len(asked)
    assert node_install.install(options(new), False) == {"hadoop": "unpacked before"} and len(asked) == before
    assert (places / "ROOT" / "hadoop" / "bin" / "hdfs").read_bytes() == b"newer" and node_install.install(options(new), False) == {}
    node_install.install(options(old), False)
    assert (places / "ROOT" / "hadoop" / "bin" / "hdfs").read_bytes() == b"#!/bin/sh\n", "and back"


def test_remains_of_an_interrupted_unpacking_do_not_matter(server, places):
    base, folder, _asked = server
    artifact = dict(tarball(folder), urls=[f"{base}/hadoop-1.0.tar.gz"])
    (places / "ROOT" / "hadoop-1.0.unpacking" / "junk").mkdir(parents=True)
    (places / "ROOT" / "hadoop-1.0").mkdir()
    (places / "CACHE" / "hadoop-1.0.tar.gz.part").write_bytes(b"half")
    assert node_install.install(options(artifact), False)
    assert not (places / "ROOT" / "hadoop" / "junk").exists()


def test_the_control_node_is_asked_before_mirrors_and_mirrors_after(server, places):
    base, folder, asked = server
    artifact = dict(tarball(folder), urls=[f"{base}/hadoop-1.0.tar.gz"])
    done = node_install.install(options(artifact, peer=f"{base}/none", limit_s=2), False)
    assert asked[0] == "/none/hadoop-1.0.tar.gz" and done["hadoop"] == artifact["urls"][0]


def test_wrong_content_is_never_unpacked_and_every_source_is_named(server, places):
    base, folder, _asked = server
    artifact = dict(tarball(folder), sha512="0" * 128,
                    urls=[f"{base}/hadoop-1.0.tar.gz", f"{base}/missing/hadoop-1.0.tar.gz", "http://127.0.0.1:9/x"])
    with pytest.raises(node_common.NodeError) as caught:
        node_install.install(options(artifact), False)
    text = str(caught.value)
    assert "wrong content" in text and "HTTP 404" in text and "127.0.0.1:9" in text and "mirrors" in text
    assert list((places / "ROOT").iterdir()) == [] and list((places / "CACHE").iterdir()) == []


def test_the_marker_names_the_archive(server, places):
    base, folder, _asked = server
    artifact = dict(tarball(folder), urls=[f"{base}/hadoop-1.0.tar.gz"])
    node_install.install(options(artifact), False)
    marker = json.loads((places / "ROOT" / "hadoop" / paths.ARTIFACT_MARK).read_text())
    assert marker["sha512"] == artifact["sha512"] and node_install.installed_digest(artifact) == artifact["sha512"]


def test_the_lock_keeps_others_out_and_names_the_holder(tmp_path, monkeypatch):
    monkeypatch.setattr(node_common, "LOCK_PATH", str(tmp_path / "lock"))
    refused = pytest.raises(node_common.NodeError, match=f"configure pid {os.getpid()}")
    with node_common.node_lock("configure"), refused, node_common.node_lock("service", limit_s=0):
        pass
    with node_common.node_lock("service", limit_s=0):
        pass


def test_bootstrap_scripts_run_once_and_a_failure_stops_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setattr(node_bootstrap, "FOLDER", str(tmp_path / "bootstrap"))
    good = {"name": "a.sh", "content": f"#!/bin/sh\necho x >> {tmp_path}/count\n", "on_failure": "stop"}
    assert node_bootstrap.run_scripts([good], True)[0] == ["script a.sh"] and not (tmp_path / "count").exists()
    assert node_bootstrap.run_scripts([good], False)[0] == ["script a.sh"]
    assert node_bootstrap.run_scripts([good], False)[0] == []
    assert (tmp_path / "count").read_text() == "x\n"
    bad = {"name": "b.sh", "content": "#!/bin/sh\necho broken >&2\nexit 7\n", "on_failure": "stop"}
    for _again in range(2):
        with pytest.raises(node_common.NodeError, match=r"b.sh ended with 7(.|\n)*broken"):
            node_bootstrap.run_scripts([bad], False)
    done, told = node_bootstrap.run_scripts([dict(bad, on_failure="continue")], False)
    assert len(done) == 1 and len(told) == 1 and "on_failure allows" in told[0] and ".log" in told[0]


def test_what_an_interrupted_start_left_out_in_hdfs_is_seen(monkeypatch):
    class Client:
        def __init__(self, base, user):
            self.base = base

        def status(self, path):
            if self.base == "http://down":
                raise node_common.NodeError("no answer")
            return {"pathSuffix": ""} if path == "/spark" else None

    monkeypatch.setattr(node_configure, "WebHdfs", Client)
    assert node_configure._lacking({"base": "http://m", "paths": ["/spark", "/spark/libs.zip"]}) == ["/spark/libs.zip"]
    assert node_configure._lacking({"base": "http://down", "paths": ["/spark"]}) == []


def test_the_hosts_file_keeps_nodes_on_record_in_their_place(tmp_path, monkeypatch):
    record = tmp_path / "nodes.json"
    record.write_text(json.dumps({"cluster": "c", "nodes": [{"name": name, "address": address, "role": role} for name, address, role in (
        ("m1", "10.0.0.1", "master"), ("s1", "10.0.0.2", "slave"), ("s2", "10.0.0.3", "slave"), ("old", "10.0.0.4", "slave"))]}))
    monkeypatch.setattr(node_host, "NODE_RECORD", str(record))
    seen = [{"name": "m1", "address": "10.0.0.1", "role": "master"}, {"name": "s2", "address": "10.0.0.3", "role": "slave"},
            {"name": "new", "address": "10.0.0.4", "role": "slave"}]
    assert [row["name"] for row in node_host.with_recorded(seen, [])] == ["m1", "new", "s1", "s2"], "old has a new name"
    assert [row["name"] for row in node_host.with_recorded(seen, ["s1"])] == ["m1", "new", "s2"]
    record.write_text("{")
    assert node_host.with_recorded(seen[:2], []) == seen[:2]


def test_a_program_of_somebody_else_under_the_name_of_ours_stays(tmp_path):
    row = {"path": str(tmp_path / "hdfs"), "content": "#!/bin/sh\n# ours\nexec new\n", "yields": "# ours"}
    assert not node_configure._of_others(row)
    (tmp_path / "hdfs").write_text("#!/bin/sh\n# ours\nexec old\n")
    assert not node_configure._of_others(row)
    (tmp_path / "hdfs").write_text("#!/bin/sh\nexec mine\n")
    assert node_configure._of_others(row) and not node_configure._of_others({**row, "path": str(tmp_path / "none")})
    assert not node_configure._of_others({"path": row["path"], "content": ""})
    (tmp_path / "none").symlink_to("/nowhere")
    assert node_configure._of_others({**row, "path": str(tmp_path / "none")})
