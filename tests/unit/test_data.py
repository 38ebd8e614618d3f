"""Looking at HDFS: what the node finds, and how emrctl shows it."""
from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.action.data import path_of
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.hdfs import client as node_hdfs, data as node_data
from ansible_collections.emr.cluster.plugins.plugin_utils.local_tree import Tree, place_for
from ansible_collections.emr.cluster.plugins.plugin_utils.streams import part_path
from emrctl import data as data_verbs, views_data

from .test_cli import call, runs  # noqa: F401

FILES = {"/d/a.csv": b"name,n\nx,1\n", "/d/_SUCCESS": b"", "/d/e/b": b"12345", "/d/e/f/c": b"1", "/empty": b""}
FOLDERS = ["/", "/d", "/d/e", "/d/e/f", "/nothing"]
LOOK = {"namenode": "http://nn:9870", "user": "emr", "recursive": False, "most": 100, "limit_bytes": 1000}


@pytest.fixture(autouse=True)
def hdfs(monkeypatch):
    """A NameNode with FILES that gives listings in pages of two."""
    def status(path):
        folder = path in FOLDERS
        return {"pathSuffix": path.rpartition("/")[2], "type": "DIRECTORY" if folder else "FILE", "owner": "emr",
                "permission": "755" if folder else "644", "group": "hadoop", "replication": 0 if folder else 2,
                "length": len(FILES.get(path, b"")), "modificationTime": 1_700_000_000_999}

    def below(path):
        known = [p for p in [*FILES, *FOLDERS] if p != "/" and (p.rpartition("/")[0] or "/") == path]
        return [status(p) for p in sorted(known)]

    def answer(self, method, path, operation, **options):
        if path not in FILES and path not in FOLDERS:
            raise NodeError("404", status=404)
        if operation == "GETFILESTATUS":
            return {"FileStatus": status(path)}
        if operation == "LISTSTATUS":
            return {"FileStatuses": {"FileStatus": below(path)}}
        if operation == "LISTSTATUS_BATCH":
            rows = [row for row in below(path) if row["pathSuffix"] > options.get("startAfter", "")]
            return {"DirectoryListing": {"partialListing": {"FileStatuses": {"FileStatus": rows[:2]}},
                                         "remainingEntries": len(rows[2:])}}
        assert operation == "GETCONTENTSUMMARY"
        sizes = [len(data) for name, data in FILES.items() if (name + "/").startswith(path.rstrip("/") + "/")]
        return {"ContentSummary": {"length": sum(sizes), "spaceConsumed": 2 * sum(sizes), "fileCount": len(sizes)}}

    monkeypatch.setattr(node_hdfs.WebHdfs, "_json", answer)
    monkeypatch.setattr(node_hdfs.WebHdfs, "read_to",
                        lambda self, path, out, limit_bytes=None, at=0: out.write(FILES[path][at:][:limit_bytes]))


def look(op, path, **options):
    return node_data.perform({**LOOK, "op": op, "path": path, **options}, check=False)


def test_listing():
    found = look("ls", "/d/")
    assert [(row["type"], row["path"], row["bytes"]) for row in found["files"]] == [
        ("file", "/d/_SUCCESS", 0), ("file", "/d/a.csv", 11), ("folder", "/d/e", None)]
    assert not found["truncated"] and found["files"][0]["modified"] == 1_700_000_000
    assert [row["path"] for row in look("ls", "/", recursive=True)["files"]] == [
        "/d", "/empty", "/nothing", "/d/_SUCCESS", "/d/a.csv", "/d/e", "/d/e/b", "/d/e/f", "/d/e/f/c"]
    assert [row["path"] for row in look("ls", "/empty")["files"]] == ["/empty"]
    with pytest.raises(NodeError, match="there is no /x in HDFS"):
        look("ls", "/x")


@pytest.mark.parametrize(("most", "recursive", "truncated"), [(2, False, True), (3, False, False), (3, True, True),
                                                             (4, True, True), (6, True, False)])
def test_listing_stops(most, recursive, truncated):
    found = look("ls", "/d", most=most, recursive=recursive)
    assert (len(found["files"]) <= most, found["truncated"]) == (True, truncated)


def test_space():
    found = look("du", "/d")
    assert (found["total"]["bytes"], found["total"]["bytes_of_copies"], found["total"]["files"]) == (17, 34, 4)
    assert {row["path"]: row["bytes"] for row in found["used"]} == {"/d/_SUCCESS": 0, "/d/a.csv": 11, "/d/e": 6}
    shown = views_data.used(found).splitlines()
    assert shown[1].split()[-1] == "/d/a.csv" and shown[-1].split()[-1] == "/d"


def test_beginning_of_a_file_and_of_a_folder():
    for path in ("/d/a.csv", "/d"):
        found = look("head", path, limit_bytes=6)
        assert (found["path"], found["bytes"], base64.b64decode(found["head"])) == ("/d/a.csv", 11, b"name,n")
    assert look("head", "/empty")["head"] == ""
    with pytest.raises(NodeError, match="no file with content"):
        look("head", "/nothing")


def test_paths():
    assert path_of("hdfs:///a b", "emr") == path_of("/a b", "emr") == "/a b"
    assert path_of("out", "alice") == "/user/alice/out" and path_of("", "emr") == "/user/emr/"
    for other in ("oss://bucket/x", "hdfs://other:8020/x", "s3a://x"):
        with pytest.raises(Refused):
            path_of(other, "emr")


@pytest.mark.parametrize(("text", "rows"), [
    ("name,n\nx,1\ny,2\n", [{"name": "x", "n": "1"}, {"name": "y", "n": "2"}]),
    ("a;b\n1;2\n", [{"a": "1", "b": "2"}]),
    ("1,2\n3,4\n", [{"_c0": "1", "_c1": "2"}, {"_c0": "3", "_c1": "4"}]),
    ('t,u\n"two\nlines",2\n', [{"t": "two\nlines", "u": "2"}]),
    ("", []), ("only\n", []), ("n,n\n1,2\n", [{"_c0": "n", "_c1": "n"}, {"_c0": "1", "_c1": "2"}])])
def test_csv(text, rows):
    assert views_data.csv_rows(text, 10) == rows


def test_csv_has_no_more_rows_than_asked_for():
    assert len(views_data.csv_rows("a,b\n" + "1,2\n" * 50, 7)) == 7
    assert len(views_data.csv_rows("1,2\n" * 50, 7)) == 7


def head_of(path, data):
    return {"look": {"data": {"path": path, "bytes": len(data), "head": base64.b64encode(data).decode()}}}


def test_head_shows_csv_as_a_table(monkeypatch, runs, capsys):  # noqa: F811
    runs.answers = head_of("/d/a.csv", b"name,n\nGr\xc3\xbc\xc3\x9fe,1\n")
    assert call(monkeypatch, "cat", "sales", "/d", "--head", "5") == 0
    assert capsys.readouterr().out.split() == ["NAME", "N", "Grüße", "1"]
    assert runs == [("look", {"emr_name": "sales", "emr_data_op": "head", "emr_data_path": "/d", "emr_data_rows": 5,
                              "emr_data_bytes": 32 << 20})]
    assert call(monkeypatch, "cat", "sales", "/d", "--head", "5", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out) == [{"name": "Grüße", "n": "1"}]


def test_head_of_text_does_not_steer_the_terminal(monkeypatch, runs, capsys):  # noqa: F811
    runs.answers = head_of("/d/log", b"one\ttab\x1b[2J\ntwo\nthree\n")
    assert call(monkeypatch, "cat", "sales", "/d/log", "--head", "2") == 0
    assert capsys.readouterr().out == "one\ttab [2J\ntwo\n"


def test_head_of_what_is_no_text(monkeypatch, runs, capsys):  # noqa: F811
    runs.answers = head_of("/d/x", b"\x89PNG\0")
    assert call(monkeypatch, "cat", "sales", "/d/x", "--head", "2") == 1
    out, err = capsys.readouterr()
    assert out == "" and "not text" in err


def test_head_of_parquet_is_a_table(monkeypatch, runs, capsys):  # noqa: F811
    answer = head_of("/d/x", b"PAR1\0\0")
    answer["look"]["data"]["rows"] = [{"name": "Grüße", "n": 1}]
    runs.answers = answer
    assert call(monkeypatch, "cat", "sales", "/d/x", "--head", "2") == 0
    assert capsys.readouterr().out.split() == ["NAME", "N", "Grüße", "1"]


def test_listing_for_people_and_programs(monkeypatch, runs, capsys):  # noqa: F811
    runs.answers = {"look": {"data": look("ls", "/d")}}
    assert call(monkeypatch, "ls", "sales", "hdfs:///d") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["MODE", "OWNER", "GROUP", "COPIES", "SIZE", "MODIFIED", "PATH"]
    assert lines[2].startswith("-rw-r--r--") and lines[3].startswith("drwxr-xr-x") and lines[3].endswith("/d/e/")
    assert call(monkeypatch, "ls", "sales", "-R", "--most", "5", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["files"][2]["path"] == "/d/e"
    assert runs[1][1] == {"emr_name": "sales", "emr_data_op": "ls", "emr_data_path": "", "emr_data_recursive": True,
                          "emr_data_most": 5}


def test_cat_prints_the_files_of_a_folder_in_order(monkeypatch, runs, capsysbinary):  # noqa: F811
    def fetched(_playbook, wanted, _quiet):
        for name in ("part-1", "part-0", "_SUCCESS"):
            Path(wanted["emr_get_target"], name).write_bytes(name.encode() + b"\xff\n")

    monkeypatch.setattr(data_verbs, "run", fetched)
    assert call(monkeypatch, "cat", "sales", "/d") == 0
    assert capsysbinary.readouterr().out == b"part-0\xff\npart-1\xff\n"


@pytest.mark.parametrize(("name", "sent"), [("b ü+%.txt", "b%20%C3%BC%2B%25.txt"), ("a#b?c&d;e", "a%23b%3Fc%26d%3Be"), ("100%25", "100%2525")])
def test_names_of_other_characters_reach_the_datanode(name, sent):
    """A Location as HDFS 3.4.2 gives it: its path is not to be trusted, what follows is kept."""
    location = f"http://dn:9864/webhdfs/v1/{name.replace('%', '%25').replace(' ', '%20')}?op=CREATE&user.name=emr&namenoderpcaddress=nn:8020"
    assert node_hdfs.target_of(location, f"/{name}") == f"/webhdfs/v1/{sent}?op=CREATE&user.name=emr&namenoderpcaddress=nn:8020"


@pytest.mark.parametrize(("words", "said"), [
    ('Permission denied: user=emr, access=WRITE, inode="/data/a b":hdfs:hadoop:drwxr-xr-x\n\tat org.apache.hadoop' + ".x" * 1500,
     ("the user emr may not change /data/a b in HDFS, which belongs to hdfs (group hadoop, drwxr-xr-x). "
     "Next: act as its owner with --user hdfs, or name a place below /user/emr")),
    ('Permission denied: user=emr, access=EXECUTE, inode="/user/a":a:b:drwx------', "may not enter /user/a in HDFS, which belongs to a (group b"),
    ("The DiskSpace quota of /user/emr is exceeded: quota = 1 B\n\tat x", "HDFS: The DiskSpace quota of /user/emr is exceeded: quota = 1 B")])
def test_a_refusal_is_one_sentence(words, said):
    body = json.dumps({"RemoteException": {"exception": "AccessControlException", "message": words}}).encode()
    found = node_hdfs.refusal(403, body)
    assert said in found and len(found) < 300 and "\n" not in found


def test_a_refusal_that_is_no_json_is_cut():
    assert node_hdfs.refusal(500, b"<html>" * 1000) == "HDFS answered 500: " + ("<html>" * 50)


def test_local_folders_are_walked_and_what_cannot_be_copied_is_refused(tmp_path):
    top = tmp_path / "top"
    (top / "a/empty").mkdir(parents=True)
    (top / "a/f").write_text("1")
    (top / "link").symlink_to(top / "a/f")
    tree = Tree([str(top)])
    assert [row[0] for row in tree.files] == ["top/a/f", "top/link"] and tree.folders == ["top", "top/a", "top/a/empty"] and tree.size == 2
    (top / "a/up").symlink_to(top)
    with pytest.raises(Refused, match="a link to a folder above it"):
        Tree([str(top)])
    (top / "a/up").unlink()
    for name, said in ((b"a:b", "colon"), (b"\xff.csv", "not UTF-8")):
        path = os.fsencode(top) + b"/" + name
        with open(path, "wb"):
            pass
        with pytest.raises(Refused, match=said):
            Tree([str(top)]).for_hdfs()
        os.unlink(path)
    os.mkfifo(top / "pipe")
    with pytest.raises(Refused, match="not a file or a folder"):
        Tree([str(top)])
    with pytest.raises(Refused, match="have the same name"):
        Tree([str(top / "a/f"), str(tmp_path / "x/../top/a/f")])


def test_a_folder_goes_where_cp_would_put_it(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("")
    final, work = place_for("out", str(tmp_path / "new"))
    assert final == str(tmp_path / "new") and work == str(tmp_path / ".new.emr-part")
    assert place_for("out", str(tmp_path / "new") + "/")[0] == str(tmp_path / "new/out")
    assert place_for("out", str(tmp_path / "there"))[0] == str(tmp_path / "there/out")
    assert place_for("out", str(tmp_path / "there"), merge=True) == (str(tmp_path / "there"),) * 2
    with pytest.raises(Refused, match="is a file"):
        place_for("out", str(tmp_path / "file"))
    long = "ü" * 126
    (tmp_path / long).write_text("")
    assert len(os.fsencode(os.path.basename(part_path(str(tmp_path / long), "123-456")))) <= 255


def test_as_many_lines_are_read_as_were_asked_for_and_no_more():
    text = b"".join(b"%08d\n" % n for n in range(500_000))
    asked = []

    def read(out, at, count):
        asked.append((at, count))
        out.write(text[at:at + count])

    found = node_data.first_lines(read, len(text), 200_000, 32 << 20)
    assert found.count(b"\n") > 200_000 and len(asked) == 2 and text.startswith(found)
    assert node_data.first_lines(read, len(text), 5, 100) == text[:100]
    assert node_data.first_lines(read, len(text), 10_000_000, 32 << 20) == text
    assert node_data.first_lines(read, 0, 5, 100) == b""
