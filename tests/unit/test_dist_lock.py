"""Lock files, refusal of files that are not the pinned ones, the release catalogue and the build around them."""
import hashlib
import zipfile

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.install import sources
from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import RELEASES, Artifact, release
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from emrctl.dist import build, cds, connectors, fetch, hadoop, spark
from emrctl.dist.lock import Locked, check, format_lock, parse_lock
from emrctl.dist.paths import LOCKS
from tests.unit.test_spec import MINIMAL

SHA = hashlib.sha512(b"jar").hexdigest()
LINE = f"jar org.x:lib:1.0 {SHA} 3 share/lib"


def test_round_trip():
    items = parse_lock(f"# a comment\n\n{LINE}\nsdist pyspark:4.1.4 {SHA} 3 -\n")
    assert items[0] == Locked("jar", "org.x:lib:1.0", SHA, 3, "share/lib")
    assert parse_lock(format_lock("x", items)) == items


@pytest.mark.parametrize("item, file, cached", [
    (Locked("jar", "org.x.y:lib:1.0", SHA, 3, "p"), "lib-1.0.jar", "maven/org/x/y/lib/1.0/lib-1.0.jar"),
    (Locked("jar", "g:lib:1.0:linux", SHA, 3, "p"), "lib-1.0-linux.jar", "maven/g/lib/1.0/lib-1.0-linux.jar"),
    (Locked("sdist", "pyspark:4.1.4", SHA, 3, "-"), "pyspark-4.1.4.tar.gz", "pypi/pyspark-4.1.4.tar.gz"),
])
def test_names(item, file, cached):
    assert (item.file, item.cached) == (file, cached)


@pytest.mark.parametrize("line, message", [
    ("jar a:b:1 abc 3", "expected 5 words"),
    (LINE.replace("jar", "zip", 1), "unknown kind 'zip'"),
    (LINE.replace(SHA, SHA[:-1]), "not 128 lower-case hex digits"),
    (LINE.replace(SHA, SHA.upper()), "not 128 lower-case hex digits"),
    (LINE.replace(" 3 ", " 3k "), "not a number of bytes"),
    (LINE.replace("share/lib", "../../etc"), "leaves the distribution"),
    (LINE.replace("share/lib", "/etc"), "leaves the distribution"),
    (LINE.replace("org.x:lib:1.0", "../x:lib:1.0"), "are not coordinates"),
    (LINE.replace("org.x:lib:1.0", "lib:1.0"), "are not coordinates"),
    (f"{LINE}\n{LINE}", "there twice"),
    ("# nothing", "no inputs"),
])
def test_malformed_lines_are_refused_with_their_place(line, message):
    with pytest.raises(Refused, match=message) as caught:
        parse_lock(line, "some.lock")
    assert "some.lock:" in str(caught.value)


def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path):
    item = parse_lock(LINE)[0]
    path = tmp_path / "lib-1.0.jar"
    path.write_bytes(b"jar")
    check(path, item)
    path.write_bytes(b"jaR")
    with pytest.raises(Refused, match="SHA-512"):
        check(path, item)
    path.write_bytes(b"longer")
    with pytest.raises(Refused, match="6 bytes"):
        check(path, item)


@pytest.mark.parametrize("row", RELEASES.values(), ids=lambda r: r.name)
def test_every_artifact_has_a_lock_file_and_a_checksum(row):
    for artifact in row.artifacts.values():
        assert len(artifact.sha512) == 128
        inputs = parse_lock((LOCKS / f"{artifact.component}-{artifact.version}.lock").read_text())
        assert all(i.size > 0 for i in inputs)


def test_the_hadoop_lock_has_what_the_daemons_need_and_one_jar_of_a_kind():
    inputs = build.read_lock(release("emr-1.0").artifacts["hadoop"])
    names = {i.coordinates.split(":")[1] for i in inputs}
    assert {"hadoop-yarn-server-timelineservice", "hadoop-aliyun", "hadoop-streaming", "slf4j-reload4j"} <= names
    assert not [i for i in inputs if any(w in i.coordinates for w in ("osx", "jacoco", "mssql"))]
    assert [i.place for i in inputs if i.kind == "webapps"] == ["share/hadoop/hdfs/hadoop-hdfs-3.4.2-webapps.jar"]
    # The class path's order is the lock's: Hadoop's own jars first, tools last.
    text = hadoop.classpath(inputs)
    core = text.split('"')[1].split(":")
    assert core[0].endswith("hadoop-common-3.4.2.jar") and all(p.startswith("$H/share/hadoop/") for p in core)
    assert not any("/tools/" in p for p in core)
    # The jar of the native library is unpacked, and on no class path.
    assert [i.place for i in inputs if i.kind == "native"] == ["lib/native"] and "trino" not in text


def test_the_native_library_is_there_for_both_architectures_with_its_licence(tmp_path):
    inputs = build.read_lock(release("emr-1.0").artifacts["hadoop"])
    native = next(i for i in inputs if i.kind == "native")
    jar = tmp_path / native.file
    with zipfile.ZipFile(jar, "w") as made:
        for member in (*hadoop.NATIVE_FILES, "nativelib/Mac_OS_X-aarch64/libhadoop.dylib", "org/apache/hadoop/A.class"):
            made.writestr(member, member)
    found = {entry.path: entry.data.decode() for entry in hadoop._native_files(native, jar)}
    assert found == {"lib/native/libhadoop.so": "nativelib/Linux-amd64/libhadoop.so",
                     "lib/native/aarch64/libhadoop.so": "nativelib/Linux-aarch64/libhadoop.so",
                     "lib/native/LICENSE.txt": "META-INF/LICENSE.txt", "lib/native/NOTICE.txt": "META-INF/NOTICE.txt"}


def test_the_connectors_are_two_drivers_and_what_spark_lacks_for_kafka():
    inputs = build.read_lock(release("emr-1.0").artifacts["connectors"])
    found = {(i.place, i.coordinates.split(":")[1]) for i in inputs}
    assert found == {("jdbc", "mariadb-java-client"), ("jdbc", "postgresql"), ("kafka", "kafka-clients"), ("kafka", "commons-pool2"),
                     ("kafka", "spark-sql-kafka-0-10_2.13"), ("kafka", "spark-token-provider-kafka-0-10_2.13")}
    assert [tuple(i.coordinates.split(":")) for i in inputs] == [part[:3] for part in connectors.PARTS["1.0"]]


def test_unknown_release_is_refused_with_the_nearest():
    with pytest.raises(Refused, match="Did you mean emr-1.0"):
        release("emr-1,0")
    with pytest.raises(Refused, match="Releases: emr-1.0"):
        release("zzz")


def test_own_addresses_come_after_mirrors_and_those_of_the_spec_before_the_environments():
    artifact = Artifact("hadoop", "1", "hadoop-1.tar.gz", SHA, ("http://a/x/hadoop-1.tar.gz",))
    spec = parse_spec(MINIMAL + "mirrors: [http://m/dist/, oss://bucket/emr]\n", environ={})
    assert [(s.kind, s.address) for s in sources.sources(spec, artifact, "http://e/dist/, http://m/dist")] == [
        ("mirrors", "http://m/dist/hadoop-1.tar.gz"), ("mirrors", "oss://bucket/emr/hadoop-1.tar.gz"),
        ("EMR_MIRRORS", "http://e/dist/hadoop-1.tar.gz"), ("release", "http://a/x/hadoop-1.tar.gz")]
    assert artifact.top == "hadoop-1"
    with pytest.raises(Refused, match="EMR_MIRRORS"):
        sources.sources(spec, artifact, "ftp://x")


def test_a_file_of_the_specs_own_is_sought_at_its_addresses_only():
    own = f"artifacts:\n  hadoop: {{sha512: {'0a' * 64}, urls: [https://a.example.com/mine.tgz, oss://bucket/mine.tgz]}}\n"
    spec = parse_spec(MINIMAL + own + "mirrors: [http://m/dist]\n", environ={})
    found = next(a for a in sources.artifacts(spec) if a.component == "hadoop")
    assert (found.file, found.sha512, found.top) == ("mine.tgz", "0a" * 64, "hadoop-3.4.2")
    assert [s.kind for s in sources.sources(spec, found, "http://e")] == ["artifacts", "artifacts"]
    assert sources.needed(["hadoop", "spark"]) == ("hadoop", "spark", "connectors")
    assert sources.needed(["hadoop", "spark", "metastore"], "slave") == ("hadoop",)
    assert "metastore" in sources.needed(["hadoop", "spark", "metastore"])


@pytest.mark.parametrize("source, target", [
    ("deps/jars/spark-core_2.13-4.1.4.jar", "jars/spark-core_2.13-4.1.4.jar"),
    ("deps/jars/kubernetes-client-7.4.1.jar", ""), ("deps/jars/connect-repl/x.jar", ""),
    ("deps/bin/spark-submit", "bin/spark-submit"), ("deps/bin/spark-submit.cmd", ""),
    ("deps/examples/pi.py", "examples/src/main/python/pi.py"),
    ("pyspark/sql/functions.py", "python/pyspark/sql/functions.py"), ("pyspark/python/pyspark/shell.py", ""),
    ("lib/py4j-0.10-src.zip", "python/lib/py4j-0.10-src.zip"), ("setup.py", ""), ("LICENSE", "LICENSE"),
])
def test_spark_layout(source, target):
    assert spark.destination(source) == target


class Registry:
    """A stand-in for the clients: puts files where they would, and counts."""

    def __init__(self, content):
        self.content, self.calls = content, 0

    def copy_artifacts(self, project, target):
        self.calls += 1
        assert "<artifactId>lib</artifactId>" in project and "<exclusion>" in project
        path = target / "org/x/lib/1.0/lib-1.0.jar"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EMR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_inputs_are_fetched_once_and_verified(cache, monkeypatch):
    registry = Registry(b"jar")
    monkeypatch.setattr(fetch, "copy_artifacts", registry.copy_artifacts)
    items = parse_lock(LINE)
    said = []
    for _ in range(2):
        files = fetch.fetch(items, said.append)
        assert files["org.x:lib:1.0"].read_bytes() == b"jar"
    assert registry.calls == 1 and len(said) == 1


def test_a_delivered_file_with_other_content_is_refused(cache, monkeypatch):
    monkeypatch.setattr(fetch, "copy_artifacts", Registry(b"bad").copy_artifacts)
    with pytest.raises(Refused, match="SHA-512"):
        fetch.fetch(parse_lock(LINE), lambda _: None)


def test_a_failing_client_is_reported_with_its_last_lines():
    with pytest.raises(EmrError, match="ended with 3:\n  *boom|boom"):
        fetch._run(["sh", "-c", "echo boom; exit 3"], {})


def test_build_refuses_a_result_that_the_catalogue_does_not_know(cache, monkeypatch):
    monkeypatch.setattr(build, "read_lock", lambda _: parse_lock(LINE))
    monkeypatch.setattr(build, "fetch", lambda *_: {})
    monkeypatch.setattr(hadoop, "entries", lambda *_: [])
    artifact = Artifact("hadoop", "9", "hadoop-9.tar.gz", "0" * 128)
    with pytest.raises(Refused, match="catalogue"):
        build.build(artifact, lambda _: None)
    assert not build.built(artifact) and not (cache / "dist/hadoop-9.tar.gz").exists()
    path, made = build.build(artifact, lambda _: None, accept=True)
    assert made and build.verify(artifact) == "differs"
    good = Artifact("hadoop", "9", "hadoop-9.tar.gz", build.sha512_of(path))
    assert build.build(good, lambda _: None) == (path, False)
    path.write_bytes(b"tampered")
    assert not build.built(good)
    path.unlink()
    assert build.verify(good) == "missing"


def test_class_lists_are_merged_without_ids_and_foreign_loaders():
    merged = cds.merge(["# note\njava/lang/Object id: 0\norg/B id: 2\n",
                        "org/A\norg/C id: 9 super: 1 source: /x.jar\n@lambda-proxy org/A run\norg/B id: 7\n"])
    assert merged == ["@lambda-proxy org/A run", "java/lang/Object", "org/A", "org/B"]
