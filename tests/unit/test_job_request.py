"""Requests for jobs: what is refused, moments and parameters, and the configuration that follows."""
from __future__ import annotations

import datetime

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import parameters, request as job_request

UTC = datetime.UTC
MOMENT = datetime.datetime(2026, 3, 31, 5, 6, 7, tzinfo=UTC)


def request(**more):
    return dict(job_request.DEFAULTS, **{"args": ["x"], **more})


@pytest.mark.parametrize(("text", "expected"), [
    ("${yyyy-MM-dd}", "2026-03-31"), ("${yyyyMMdd-1}", "20260330"), ("${yyyy-MM-dd-1}", "2026-03-30"), ("${yyyy-MM-dd-1M}", "2026-02-28"),
    ("${yyyyMM-1}", "202602"), ("${yyyy+1}", "2027"), ("${yyyyMMddHH-6}", "2026033023"), ("${yyyy/MM/dd HH:mm:ss+1d}", "2026/04/01 05:06:07"),
    ("${yyyyMMdd-1w}", "20260324"), ("/in/dt=${yyyy-MM-dd}/h=${HH}", "/in/dt=2026-03-31/h=05"), ("${mm}${ss}", "0607"),
    ("${day}", "monday"), ("$${yyyy}", "${yyyy}"), ("${HOME} ${d} ${x:-1} ${} $yyyy ${-1} ${yyyy-MM-ddx}",
                                                    "${HOME} ${d} ${x:-1} ${} $yyyy ${-1} ${yyyy-MM-ddx}"),
    ("${yyyyMMdd+99999y}", None)])
def test_moments_and_parameters(text, expected):
    if expected is None:
        with pytest.raises(ValueError, match="out of the calendar"):
            parameters.fill(text, MOMENT)
    else:
        assert parameters.fill(text, MOMENT, {"day": "monday"}) == expected


def test_parameters_may_name_moments_and_other_parameters():
    """`dir: /user/emr/tmp/${day}` kept its ${day}, which a shell makes nothing of: rm -r /user/emr/tmp//."""
    given = {"dir": "/user/emr/tmp/${day}", "day": "${yyyyMMdd-1}", "deep": "${dir}/${part}", "part": "$${day}", "other": "${HOME}"}
    assert parameters.resolved(given, MOMENT) == {
        "dir": "/user/emr/tmp/20260330", "day": "20260330", "deep": "/user/emr/tmp/20260330/${day}", "part": "${day}", "other": "${HOME}"}
    many = {f"p{n}": f"${{p{n + 1}}}${{p{n + 1}}}" if n < 12 else "x" for n in range(13)}
    assert parameters.resolved(many, MOMENT)["p0"] == "x" * 4096
    found, fill = job_request.filled(request(args=["rm -r ${dir}/"], parameters=given), MOMENT)
    assert found["args"] == ["rm -r /user/emr/tmp/20260330/"] and fill("${part}") == "${day}"
    for around in ({"a": "${a}"}, {"a": "${b}", "b": "x${c}", "c": "${a}"}):
        with pytest.raises(ValueError, match="in a circle: a names"):
            job_request.filled(request(parameters=around), MOMENT)


def test_a_retry_fills_nothing_a_second_time():
    found, fill = job_request.filled(request(args=["$${yyyy} ${yyyy}"]), MOMENT)
    assert found["args"] == ["${yyyy} 2026"]
    again, fill = job_request.filled(dict(found, retry_of="j-20260331-050607-0001"), MOMENT)
    assert again["args"] == ["${yyyy} 2026"] and fill("${yyyy}") == "${yyyy}"


@pytest.mark.parametrize(("moment", "form", "expected"), [
    # The hour before the first one of summer time is 01, not the 02 that no clock shows; the one before 03:00 CET is 02.
    ("2027-03-28T03:00:00+02:00[Europe/Berlin]", "yyyyMMddHH-1", "2027032801"),
    ("2026-10-25T03:00:00+01:00[Europe/Berlin]", "yyyyMMddHH-1", "2026102502"),
    ("2026-10-25T02:30:00+01:00[Europe/Berlin]", "yyyyMMddHHmm-1H", "202610250230"),
    ("2027-03-29T02:30:00+02:00[Europe/Berlin]", "yyyy-MM-dd HH:mm-1d", "2027-03-28 02:30"),
    ("2027-03-28T03:00:00+02:00", "yyyyMMddHH-1", "2027032802"),
    ("2026-11-26T06:30:00+08:00[Asia/Shanghai]", "yyyyMMddHH-7", "2026112523")])
def test_hours_are_those_that_pass_also_where_clocks_change(moment, form, expected):
    assert parameters.written(form, parameters.read(moment, "UTC")) == expected


def test_a_time_that_the_clocks_skip_is_refused():
    with pytest.raises(ValueError, match=r"does not exist in Europe/Berlin.* from 03:30 on"):
        parameters.read("2027-03-28T02:30", "Europe/Berlin")
    assert parameters.read("2026-10-25T02:30", "Europe/Berlin").isoformat() == "2026-10-25T02:30:00+02:00"


def test_the_last_day_of_february_in_a_leap_year():
    assert parameters.written("yyyy-MM-dd-1M", datetime.datetime(2028, 3, 31)) == "2028-02-29"
    assert parameters.written("yyyyMMdd-1y", datetime.datetime(2028, 2, 29)) == "20270228"
    assert parameters.written("yyyyMMdd", datetime.datetime(987, 1, 2)) == "09870102"


@pytest.mark.parametrize(("text", "zone", "expected"), [
    ("2026-11-26", "UTC", "2026-11-26T00:00:00+00:00"), ("2026-11-26T06:30", "+08:00", "2026-11-26T06:30:00+08:00"),
    ("2026-11-26T06:30Z", "Asia/Shanghai", "2026-11-26T06:30:00+00:00"), ("2026-11-26T06:30", "Asia/Shanghai", "2026-11-26T06:30:00+08:00"),
    ("yesterday", "UTC", None), ("2026-11-26", "Mars/Olympus", None), ("2026-11-26", "../etc/passwd", None)])
def test_times(text, zone, expected):
    if expected is None:
        with pytest.raises(ValueError, match=r"not a time|no time zone"):
            parameters.read(text, zone)
    else:
        assert parameters.read(text, zone).isoformat() == expected


def test_a_request_is_filled_in_its_time_zone():
    asked = request(args=["${yyyyMMddHH}", "${who}"], properties={"a.b": "${dd}"}, environment={"D": "${MM}"}, files=["hdfs:///in/${yyyy}.csv"],
                    parameters={"who": "me"}, time_zone="Asia/Shanghai", name="n-${dd}")
    found, fill = job_request.filled(asked, datetime.datetime(2026, 12, 31, 20, tzinfo=UTC))
    assert found["args"] == ["2027010104", "me"] and found["properties"] == {"a.b": "01"} and found["environment"] == {"D": "01"}
    assert found["files"] == ["hdfs:///in/2027.csv"] and found["name"] == "n-01"
    assert fill("select ${yyyy}") == "select 2027"


@pytest.mark.parametrize(("more", "word"), [
    ({"type": "PIG"}, "PYSPARK"), ({"args": []}, "needs arguments"), ({"retries": -1}, "retries"), ({"cores": 5000}, "cores"),
    ({"memory": "lots"}, "512m"), ({"memory": "10m"}, "256m"), ({"files": ["s3://b/x"]}, "hdfs://"), ({"files": ["/a/x", "/b/x"]}, "two resources"),
    ({"files": ["/a/x"], "jars": ["hdfs:///x"]}, "called x"), ({"python_env": "/a/env.rar"}, ".tar.gz"), ({"properties": {"a b": "1"}}, "property"),
    ({"properties": {"a": "1\n2"}}, "several lines"), ({"environment": {"A-B": "1"}}, "environment"),
    ({"environment": {"HADOOP_CONF_DIR": "/x"}}, "the cluster sets this one"), ({"keep_running": True, "retries": 1}, "keep_running"),
    ({"token": "x" * 201}, "token"), ({"files": ["/a/.."]}, "file name")])
def test_what_is_refused(more, word):
    assert any(word in text for text in job_request.problems(request(**more))), job_request.problems(request(**more))


def test_a_plain_request_is_fine():
    assert job_request.problems(request()) == []
    assert job_request.problems(request(files=["/a/x.py", "oss://b/y.csv"], archives=["/e.tar.gz#env"], memory="2g", cores=2)) == []


def test_properties_go_where_programs_look():
    found = job_request.overlay(request(properties={"spark.x": "1", "mapreduce.y": "2"}, priority=0, name="n"), "/w", {})
    assert found["spark"]["spark.x"] == "1" and found["spark"]["spark.hadoop.mapreduce.y"] == "2" and found["hadoop"]["mapreduce.y"] == "2"
    assert "spark.x" not in found["hadoop"] and found["hadoop"]["mapreduce.job.priority"] == "0" == found["spark"]["spark.yarn.priority"]


def test_sizes_and_what_people_write_wins():
    current = {"mapreduce.map.java.opts": "-Xmx300m -XX:+UseSerialGC"}
    found = job_request.overlay(request(memory="1g", cores=2, properties={"mapreduce.reduce.memory.mb": "4096"}), "/w", current)
    assert found["hadoop"]["mapreduce.map.memory.mb"] == "1024" and found["hadoop"]["mapreduce.reduce.memory.mb"] == "4096"
    assert found["hadoop"]["mapreduce.map.java.opts"] == "-Xmx819m -XX:+UseSerialGC"
    assert found["spark"]["spark.executor.memory"] == "1024m" and found["spark"]["spark.executor.cores"] == "2"


def test_resources_of_spark():
    found = job_request.overlay(request(type="PYSPARK", args=["main.py", "1"], files=["main.py", "cities.csv"], jars=["a.jar", "oss://b/c.jar"],
                                        py_files=["lib.zip"], archives=["data.zip#data"], python_env="env.tar.gz"), "/w", {})["spark"]
    assert found["spark.files"] == "/w/cities.csv" and found["spark.jars"] == "/w/a.jar,oss://b/c.jar"
    assert found["spark.submit.pyFiles"] == "/w/lib.zip" and found["spark.archives"] == "/w/data.zip#data,/w/env.tar.gz#environment"
    assert found["spark.pyspark.python"] == "./environment/bin/python" and found["spark.pyspark.driver.python"] == "/w/environment/bin/python"


def test_resources_of_mapreduce():
    found = job_request.overlay(request(type="MR", args=["x.jar"], files=["x.jar"], jars=["a.jar"], archives=["hdfs:///d.zip#d"]), "/w", {})
    assert found["hadoop"]["tmpjars"] == "file:///w/a.jar" and found["hadoop"]["tmparchives"] == "hdfs:///d.zip#d"
    assert found["environment"] == {"HADOOP_CLASSPATH": "/w/a.jar"}


def test_what_lies_elsewhere_is_brought_before_the_program_starts():
    assert job_request.prelude(request(files=["a.py", "oss://b/c d.csv"]), "/h") == "/h fs -get -f 'oss://b/c d.csv' ."
    text = job_request.prelude(request(type="SHELL", archives=["x.tar.gz#there"], python_env="hdfs:///e.zip"), "/h")
    assert "/h fs -get -f hdfs:///e.zip ." in text and "tar -xf x.tar.gz -C there" in text and "zipfile -e e.zip environment" in text
    assert job_request.prelude(request(), "/h") == ""
    assert job_request.fetched(request(type="SPARK", jars=["oss://b/c.jar"])) == [], "Spark fetches its own"


@pytest.mark.parametrize(("args", "properties", "mode", "memory"), [
    ([], {}, "client", "640m"), (["--deploy-mode", "cluster", "x.py"], {}, "cluster", "640m"),
    (["--conf", "spark.submit.deployMode=cluster", "--driver-memory=3g"], {}, "cluster", "3g"),
    ([], {"spark.submit.deployMode": "cluster", "spark.driver.memory": "1g"}, "cluster", "1g")])
def test_where_a_driver_runs(args, properties, mode, memory):
    asked = request(args=args, properties=properties)
    assert job_request.deploy_mode(asked) == mode
    assert job_request.driver_memory(asked, {"spark.driver.memory": "640m"}) == memory


def test_a_list_given_as_a_property_is_joined_with_that_of_the_request():
    asked = request(type="PYSPARK", args=["main.py"], files=["main.py", "a.csv"], jars=["a.jar"], properties={"spark.jars": "hdfs:///b.jar", "spark.files": "a.csv"})
    found = job_request.overlay(asked, "/w", {})["spark"]
    assert (found["spark.jars"], found["spark.files"]) == ("hdfs:///b.jar,/w/a.jar", "a.csv")
