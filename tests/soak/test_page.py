"""The cluster's page in a browser, on real hosts: an empty cluster, one at work, and a broken one. The pictures in docs/assets come from here.

Every panel has figures and none an error, nothing is asked for outside the cluster, what people write stays text, the store answers each query of
the page and of the Grafana boards, and the server stays small.
"""
from __future__ import annotations

import json
import os
import time
import urllib.parse
import urllib.request

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.services.registry import HOMES
from emrctl.access import free_port, tunnel
from emrctl.docs import grafana
from tests import browser as web
from tests.lab import REPO, Lab

pytestmark = pytest.mark.soak
NAME = "pge"
SECTIONS = ("overview", "nodes", "hdfs", "yarn", "jobs", "spark", "costs")
EVIL = "<img src=x onerror=alert(1)>"
ASSETS = REPO / "docs/assets/page"
PORTS = {"page": 9080, "store": 9090}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lacking = web.missing()
    if lacking:
        pytest.skip(f"no browser: apt-get install {' '.join(lacking)}")
    lab = Lab(tmp_path_factory.mktemp("page"), NAME, 91, 7791)
    try:
        lab.up()
        lab.emrctl("create", str(lab.spec(NAME, services=["hadoop", "spark", "monitoring"])), "--yes", timeout=1800)
        yield lab
    finally:
        lab.down()


@pytest.fixture(scope="module")
def ports(lab):
    """{what: port of this machine} of the page and of the store, through SSH as emrctl open does it."""
    before = dict(os.environ)
    os.environ.update(lab.env)
    try:
        from emrctl import cloud

        found = cloud.nodes(NAME, None)
        here = {name: free_port() for name in PORTS}
        control = cloud.control_node(found)
        forwards = [part for name, port in PORTS.items() for part in ("-L", f"127.0.0.1:{here[name]}:{control['vars']['emr_private_ip']}:{port}")]
        with tunnel([*forwards, *cloud.ssh_arguments(control)]):
            time.sleep(3)
            yield here
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="module")
def driver(ports):
    with web.browser() as driver:
        web.dressed(driver, web.LAPTOP, dark=False)
        driver.get(f"http://127.0.0.1:{ports['page']}/")
        end = time.monotonic() + 90
        while not driver.execute_script("return document.querySelector('.view') !== null"):
            assert time.monotonic() < end, "the page does not begin"
            time.sleep(0.3)
        yield driver


def states(driver, wanted: str) -> list:
    return driver.execute_script("return [...document.querySelectorAll(`[data-state=${arguments[0]}]`)].map(e => `${e.dataset.panel || e.querySelector('h2').textContent}: ${e.textContent.slice(-200)}`)", wanted)


def looked_at(driver, names=SECTIONS) -> None:
    """Every section without an error; every panel with figures."""
    for name in names:
        web.section(driver, name)
        assert not states(driver, "error"), name
        assert not states(driver, "empty"), name


def pictures(driver, state: str, names=()) -> None:
    """The overview on a laptop and a phone in both schemes; the other sections once."""
    web.section(driver, "overview")
    for scheme in ("light", "dark"):
        for size, label in ((web.LAPTOP, "laptop"), (web.PHONE, "phone")):
            web.photograph(driver, ASSETS / f"{state}-overview-{label}-{scheme}.png", size, scheme == "dark")
    for name in names:
        web.section(driver, name)
        web.photograph(driver, ASSETS / f"{state}-{name}.png", web.LAPTOP, dark=False)


def answer(port: int, path: str, **query):
    text = f"?{urllib.parse.urlencode(query)}" if query else ""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}{text}", timeout=60) as found:
        return json.loads(found.read())


def until(check, limit_s: float, what: str):
    end = time.monotonic() + limit_s
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < end, what
        time.sleep(3)


def test_an_empty_cluster_has_a_page_without_errors(lab, ports, driver):
    numbers = [panel.id for home in HOMES.values() for panel in home.panels if panel.kind == "number"]

    def lacking():
        # The growth of a day is known from the second of its points on, which are five minutes apart.
        return [name for name in numbers if [row["value"] for row in answer(ports["page"], "/api/panel", id=name)["values"]] in ([], [None])]
    until(lambda: not lacking(), 700, "figures are lacking")
    looked_at(driver)
    pictures(driver, "empty", ("jobs",))


def test_a_cluster_at_work_shows_it(lab, ports, driver):
    for number in range(4):
        lab.emrctl("submit", NAME, "--name", "count", "--type", "SHELL", "--", f"sleep {2 + number}; hdfs dfs -put -f /etc/hosts in-{number}")
    lab.emrctl("submit", NAME, "--name", EVIL, "--type", "SHELL", "--", "exit 3")
    script = lab.folder / "add.py"
    script.write_text("from pyspark.sql import SparkSession\nspark = SparkSession.builder.appName('add').getOrCreate()\nprint(spark.range(10 ** 7).selectExpr('sum(id)').first())\n")
    lab.emrctl("submit", NAME, "--name", "spark-add", "--type", "PYSPARK", "--file", str(script), "--wait", "--", "add.py", timeout=1200)
    flow = lab.folder / "flow.yml"
    flow.write_text("name: nightly\njobs:\n  first: {type: SHELL, args: ['sleep 2']}\n  second: {type: SHELL, after: [first], args: ['sleep 2']}\n")
    lab.emrctl("flow", "run", NAME, str(flow), "--wait", timeout=600)
    until(lambda: not [row for row in answer(ports["page"], "/api/work")["jobs"] if row["end"] is None], 300, "a job does not end")
    work = answer(ports["page"], "/api/work")
    assert {row["name"] for row in work["jobs"]} >= {"count", EVIL, "spark-add"} and [row["name"] for row in work["flows"]] == ["nightly"]
    assert next(row for row in work["jobs"] if row["name"] == "count")["usual"] > 0, "the fourth of its name has a history"
    assert work["price"]["hourly"] > 0
    time.sleep(30)
    looked_at(driver)
    web.section(driver, "jobs")
    text = driver.execute_script("return document.querySelector('main').textContent")
    assert EVIL in text and driver.execute_script("return document.querySelectorAll('main img').length") == 0
    web.section(driver, "spark")
    # Charts have tables of their own, of what their lines are.
    rows = driver.execute_script("return [...document.querySelectorAll('main tbody tr')].filter(row => !row.closest('.u-legend')).map(row => row.textContent)")
    assert len(rows) == 1 and "succeeded" in rows[0] and "emr" in rows[0], rows
    web.section(driver, "costs")
    rows = driver.execute_script("return [...document.querySelectorAll('main tbody tr')].map(row => row.textContent)")
    assert len(rows) >= 3 and all("CNY" in row for row in rows), rows
    pictures(driver, "work", SECTIONS[1:])


def test_nothing_is_asked_for_outside_and_nothing_is_refused(ports, driver):
    assert not web.troubles(driver)
    asked = [json.loads(row["message"])["message"] for row in driver.get_log("performance")]
    hosts = {urllib.parse.urlsplit(row["params"]["request"]["url"]).netloc for row in asked if row["method"] == "Network.requestWillBeSent"}
    assert hosts == {f"127.0.0.1:{ports['page']}"}


def test_every_query_of_page_and_boards_answers_in_time(ports):
    end = int(time.time())
    slow = []
    for panel in (panel for home in HOMES.values() for panel in home.panels):
        begun = time.monotonic()
        found = answer(ports["page"], "/api/panel", id=panel.id, start=end - 3600, end=end, points=240)
        slow.append((round(time.monotonic() - begun, 3), panel.id))
        assert found.get("series") or found.get("values"), panel.id
    print("slowest of the page:", sorted(slow, reverse=True)[:5])
    for name, text in grafana.boards().items():
        for panel in json.loads(text)["panels"]:
            for target in panel["targets"]:
                found = answer(ports["store"], "/api/v1/query_range", query=target["expr"].replace("$__rate_interval", "1m"), start=end - 1800, end=end, step=30)
                assert found["status"] == "success" and found["data"]["result"], f"{name}: {target['expr']}"


def test_a_dead_datanode_is_seen_where_one_looks_first(lab, ports, driver):
    lab.ssh(NAME, f"{NAME}-slave-001", "systemctl mask --runtime --now emr-datanode 2>&1; systemctl kill -s KILL emr-datanode 2>&1 || true")
    try:
        until(lambda: [row for row in answer(ports["page"], "/api/health")["daemons"] if row["state"] == "down"], 120, "the dead DataNode is not seen")
        web.section(driver, "overview")
        glance = driver.execute_script("return document.getElementById('glance').textContent")
        assert "1 of" in glance and "does not answer" in glance
        assert f"{NAME}-slave-001 does not answer" in driver.execute_script("return document.querySelector('.daemons').textContent")
        looked_at(driver, ("overview", "hdfs"))
        until(lambda: answer(ports["store"], "/api/v1/query", query="fs_namesystem_num_dead_data_nodes > 0")["data"]["result"], 240, "HDFS does not miss it")
        pictures(driver, "broken", ("hdfs",))
    finally:
        lab.ssh(NAME, f"{NAME}-slave-001", "systemctl unmask --runtime emr-datanode; systemctl start emr-datanode")
    until(lambda: all(row["state"] == "up" for row in answer(ports["page"], "/api/health")["daemons"]), 180, "the DataNode is not back")


def test_the_page_lives_on_without_its_store_and_stays_small(lab, ports):
    control = f"{NAME}-master-001"
    lab.ssh(NAME, control, "systemctl stop emr-prometheus")
    try:
        with pytest.raises(urllib.error.HTTPError) as failure:
            answer(ports["page"], "/api/health")
        assert failure.value.code == 502 and "Prometheus" in json.loads(failure.value.read())["error"]
        assert answer(ports["page"], "/api/work")["jobs"]
    finally:
        lab.ssh(NAME, control, "systemctl start emr-prometheus")
    resident = int(lab.ssh(NAME, control, "grep VmRSS /proc/$(systemctl show -p MainPID --value emr-cluster-page)/status").split()[1])
    print(f"the page's server: {resident} KiB")
    assert resident <= 30 << 10


def test_open_names_the_page_first(lab):
    process = lab.start("open", NAME)
    try:
        first = process.stdout.readline()
        assert first.startswith("Cluster page "), first
    finally:
        process.terminate()
        process.wait(20)
