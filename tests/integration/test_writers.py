"""Files for other programs, read back by what reads them: Java's own readers, a shell, Hadoop's way with lists."""
from __future__ import annotations

import base64
import os
import random
import subprocess

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.config import writers
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import request as job_request
from ansible_collections.emr.cluster.plugins.module_utils.node.config.keys import parse_keys
from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import conf_dirs as job_queue
from tests.hostile import texts

# Prints key and value of each row in base64. XML is read by StAX, as Hadoop's Configuration does it.
READER = """
import java.io.*; import java.nio.charset.StandardCharsets; import java.util.*; import javax.xml.stream.*;
public class Read {
  static String code(String text) { return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)); }
  public static void main(String[] args) throws Exception {
    Map<String, String> found = new LinkedHashMap<>();
    if (args[0].endsWith(".xml")) {
      XMLStreamReader reader = XMLInputFactory.newInstance().createXMLStreamReader(new FileInputStream(args[0]), "UTF-8");
      String name = ""; StringBuilder text = new StringBuilder();
      while (reader.hasNext()) switch (reader.next()) {
        case XMLStreamConstants.START_ELEMENT: text.setLength(0); break;
        case XMLStreamConstants.CHARACTERS: case XMLStreamConstants.CDATA: text.append(reader.getText()); break;
        case XMLStreamConstants.END_ELEMENT:
          if (reader.getLocalName().equals("name")) name = text.toString().trim();
          if (reader.getLocalName().equals("value")) found.put(name, text.toString());
      }
    } else {
      Properties read = new Properties();
      read.load(new InputStreamReader(new FileInputStream(args[0]), StandardCharsets.UTF_8));
      for (String key : read.stringPropertyNames()) found.put(key, read.getProperty(key));
    }
    for (Map.Entry<String, String> row : found.entrySet()) System.out.println(code(row.getKey()) + " " + code(row.getValue()));
  }
}
"""
WANTED = texts(int(os.environ.get("EMR_TEXT_SEED", "10")), int(os.environ.get("EMR_TEXT_NUMBER", "150")))


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """A function that gives the rows of a file as Java reads them."""
    folder = tmp_path_factory.mktemp("java")
    (folder / "Read.java").write_text(READER)
    subprocess.run(["javac", "-d", str(folder), str(folder / "Read.java")], check=True)

    def rows(path) -> dict:
        done = subprocess.run(["java", "-cp", str(folder), "Read", str(path)], capture_output=True, text=True, check=True)
        return {base64.b64decode(key).decode(): base64.b64decode(value).decode() for key, value in
                (line.split(" ") for line in done.stdout.splitlines())}

    return rows


def writable(writer, settings: dict) -> dict:
    """The settings that the writer takes; for each of the others it gave a reason and a remedy."""
    good = {}
    for key, value in settings.items():
        try:
            writer({key: value})
            good[key] = value
        except writers.Unwritable as error:
            assert error.message and error.remedy
    return good


def test_java_reads_properties_as_they_were_given(read, tmp_path):
    wanted = {**{f"spark.x.v{at}": text for at, text in enumerate(WANTED)}, "spark.a b=c:d#e!f\\g": "key", "spark.sep": "a\\", "spark.tag": "last"}
    path = tmp_path / "spark-defaults.conf"
    path.write_text(writers.properties(wanted), encoding="utf-8")
    assert read(path) == wanted
    ours = {key: value for key, value in wanted.items() if " " not in key and value == value.strip()}
    assert {key: parse_keys(path.read_text()).get(key) for key in ours} == ours, "and so does our own reader"


def test_hadoop_reads_settings_as_they_were_given(read, tmp_path):
    given = {f"x.v{at}": text for at, text in enumerate([*WANTED, "a\001b", "\r\n", "]]>", "(?i)\\bsecret\\b", "\ufffe"])}
    wanted = writable(writers.site_xml, given)
    assert set(given.values()) - set(wanted.values()) == {text for text in given.values() if "\001" in text or "\ufffe" in text}
    path = tmp_path / "core-site.xml"
    path.write_text(writers.site_xml(wanted), encoding="utf-8", newline="")
    assert read(path) == wanted


def test_a_job_finds_its_properties_and_its_tag(read, tmp_path, monkeypatch):
    """The files of a job's own, on top of the cluster's, for each text that a request may have."""
    for name, stem, text in (("HADOOP", "mapred-site.xml", writers.site_xml({"a.b": "1"})), ("SPARK", "spark-defaults.conf", "# x\na.b 1\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / stem).write_text(text)
        monkeypatch.setattr(job_queue, name, str(tmp_path / name))
    good = {f"spark.x.v{at}": text for at, text in enumerate([*WANTED, "a\\", "(?i)\\bsecret\\b"])
            if not job_request.problems({**job_request.DEFAULTS, "args": ["x"], "type": "PYSPARK", "properties": {f"spark.x.v{at}": text}})}
    assert len(good) > len(WANTED) * 2 // 3 and "a\\" in good.values()
    wanted = {"tag": "emr-job-1", "queue": "q", **job_request.overlay({**job_request.DEFAULTS, "type": "PYSPARK", "name": "n", "properties": good}, "/w", {})}
    job_queue.conf_environment(str(tmp_path / "job"), str(tmp_path / "job"), wanted)
    hadoop, spark = read(tmp_path / "job/conf/hadoop/mapred-site.xml"), read(tmp_path / "job/conf/spark/spark-defaults.conf")
    assert hadoop["mapreduce.job.tags"] == spark["spark.yarn.tags"] == "emr-job-1" and spark["a.b"] == hadoop["a.b"] == "1"
    assert {key: spark[key] for key in good} == good


def test_a_request_that_no_file_can_hold_is_refused_with_the_way_out():
    def wrong(**changes):
        return " ".join(job_request.problems({**job_request.DEFAULTS, "args": ["x"], **changes}))

    assert "U+0001" in wrong(properties={"textinputformat.record.delimiter": "\001"}, type="MR")
    assert "--conf" in wrong(properties={"spark.x": " a"}) and not wrong(properties={"x.y": " a"}, type="MR")
    assert "U+0001" in wrong(name="a\001")
    for name in ("map per.py", "a,b.csv", "a%20b.py", "a:b.py", "a?.py"):
        assert "Rename the file" in wrong(type="HADOOP_STREAMING", files=[f"/x/{name}"])
        assert "Rename the file" in wrong(type="PYSPARK", files=["/x/main.py", f"/x/{name}"])
        assert "Rename the file" in wrong(type="MR", jars=[f"/x/{name}"])
        assert not wrong(type="SHELL", files=[f"/x/{name}"])
    assert not wrong(type="HADOOP_STREAMING", files=["/x/数据-é.py"])


def test_a_shell_reads_variables_as_they_were_given():
    wanted = {f"V{at}": text.replace("\x00", "") for at, text in enumerate(WANTED)}
    script = "\n".join(writers.exports(wanted)) + "\n" + "".join(f'printf "%s\\0" "${key}"\n' for key in wanted)
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == list(wanted.values())


def unquoted(text: str) -> str:
    """A value of an EnvironmentFile as systemd.exec(5) tells it: in double quotes a backslash keeps the sign after it."""
    if not text.startswith('"'):
        return text
    out, at, body = [], 0, text[1:-1]
    while at < len(body):
        at += body[at] == "\\" and body[at + 1] in '"\\$`'
        out.append(body[at])
        at += 1
    return "".join(out)


def test_an_environment_file_holds_one_line_for_each_variable():
    wanted = writable(writers.environment_file, {f"V{at}": text for at, text in enumerate(WANTED)})
    assert {text for text in WANTED if text not in wanted.values()} == {text for text in WANTED if "\n" in text}
    text = writers.environment_file(wanted)
    assert {line.split("=", 1)[0]: unquoted(line.split("=", 1)[1]) for line in text.split("\n")[:-1]} == wanted
    assert writers.environment_file({"A": "/opt/emr/x"}) == "A=/opt/emr/x\n"


def test_lists_of_hosts_hold_names_alone():
    assert writers.node_list({"b-1", "a.example"}) == "a.example\nb-1\n"
    for name in [text for text in WANTED if text not in ("x", "word", "True", "0123")][:60]:
        if not writers._HOST.fullmatch(name):
            with pytest.raises(writers.Unwritable):
                writers.hosts_lines([{"address": "10.0.0.1", "name": name}])


def test_random_bytes_of_unicode_survive_java(read, tmp_path):
    rng = random.Random(3)
    wanted = {f"k{at}": "".join(chr(rng.choice([*range(1, 0x250), *range(0x2000, 0x2070), *range(0x1F600, 0x1F640)])) for _ in range(30))
              for at in range(100)}
    path = tmp_path / "x.conf"
    path.write_text(writers.properties(wanted), encoding="utf-8")
    assert read(path) == wanted
