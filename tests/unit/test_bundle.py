"""A support bundle is bounded, private, and holds no secret."""
from __future__ import annotations

import base64
import io
import json
import tarfile

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node import hadoop_http
from ansible_collections.emr.cluster.plugins.module_utils.node.host import bundle as node_bundle
from ansible_collections.emr.cluster.plugins.plugin_utils import bundle_writer


def contents(data) -> dict:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {m.name: tar.extractfile(m).read().decode() for m in tar}


def test_the_end_of_a_long_log_is_kept_and_the_rest_is_told(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(1000)))
    archive = node_bundle.Archive(100000)
    archive.file(str(log), 100)
    found = contents(archive.close())
    text = found[f"files{log}"]
    assert text.endswith("line 999\n") and text.startswith("line 9") and len(text) <= 100
    assert "a.log: its first" in found["left-out.txt"]


def test_what_does_not_fit_is_left_out_and_told(tmp_path):
    archive = node_bundle.Archive(50)
    archive.text("small", "x" * 40)
    archive.text("large", "x" * 40)
    found = contents(archive.close())
    assert "small" in found and "large" not in found and "large: no room for 40 bytes" in found["left-out.txt"]


@pytest.mark.parametrize("name", ["a.jceks", "hdfs.keytab", "server.pem", "id_rsa", "x.key"])
def test_key_stores_stay_on_the_node(tmp_path, name):
    (tmp_path / name).write_text("secret")
    archive = node_bundle.Archive(1000)
    archive.file(str(tmp_path / name), 100)
    assert list(contents(archive.close())) == ["left-out.txt"]


def test_links_and_binaries_are_left_out(tmp_path):
    (tmp_path / "shadow.txt").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "shadow.txt")
    (tmp_path / "core").write_bytes(b"\x00\x01")
    archive = node_bundle.Archive(1000)
    archive.file(str(tmp_path / "link"), 100)
    archive.file(str(tmp_path / "core"), 100)
    assert list(contents(archive.close())) == ["left-out.txt"]


def test_a_node_gives_its_secrets_masked(monkeypatch, tmp_path):
    log = tmp_path / "datanode.log"
    log.write_text("password=Geh3im-Geh3im\n")
    monkeypatch.setattr(node_bundle, "run", lambda argv, **_: (0, "java -Dsecret.key=Geh3im-Geh3im\n", ""))
    monkeypatch.setattr(hadoop_http.Daemon, "ask", lambda _self, path, **_: b'{"accessKeySecret" : "Geh3im-Geh3im"}')
    monkeypatch.setattr(node_bundle, "_logs", lambda: [str(log)])
    daemon = {"name": "datanode", "unit": "emr-datanode", "health": {"url": "http://10.0.0.1:9864/jmx"}}
    found = node_bundle.bundle({"components": [daemon], "log_bytes": 1 << 20, "file_bytes": 1 << 16, "history": False})
    texts = contents(base64.b64decode(found["archive"]))
    assert not [name for name, text in texts.items() if "Geh3im" in text]
    assert {"daemons/datanode/stacks.txt", f"files{log}", "commands/ps.txt"} <= set(texts)


class Context:
    """Two nodes, one of which does not answer."""

    first, hosts = "n1", ["n1", "n2"]

    def fact(self, name, host=None):
        return {("emr_bundle", "n1"): {"bytes": 3}, ("emr_silent", "n2"): "no answer"}.get((name, host))


def test_the_archive_is_private_complete_and_takes_no_strange_names(monkeypatch, tmp_path):
    monkeypatch.setattr(bundle_writer, "checked", lambda context: {"cluster": "s", "inspection": {"instances": []}, "spec": None})
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "known-secret-1")
    out = str(tmp_path / "b.tar.gz")
    with tarfile.open(bundle_writer.node_path(out, "n1"), "w:gz") as tar:
        for name in ("files/a.log", "../../etc/evil", "/abs"):
            info = tarfile.TarInfo(name)
            info.size = 2
            tar.addfile(info, io.BytesIO(b"hi"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    for name, cluster in (("1-status", "s"), ("2-status", "other")):
        run = tmp_path / "runs" / name
        (run / "env").mkdir(parents=True)
        (run / "artifacts" / "run").mkdir(parents=True)
        (run / "env" / "extravars").write_text(json.dumps({"emr_name": cluster, "emr_password": "x"}))
        (run / "artifacts" / "run" / "stdout").write_text("it said known-secret-1\n")
    result = bundle_writer.write_bundle(Context(), out, str(tmp_path / "runs"))
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o777 == 0o600
    found = contents((tmp_path / "b.tar.gz").read_bytes())
    assert sorted(found) == ["b/cloud.json", "b/nodes/n1/files/a.log", "b/runs/1-status/stdout", "b/silent-nodes.json", "b/spec.json"]
    assert found["b/runs/1-status/stdout"] == "it said ***\n" and result["emr_result"]["silent"] == {"n2": "no answer"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.tar.gz", "runs"]
