"""A service that the project does not know, from its home, its hooks and its role in tests/services alone: made, configured, restarted in
turns, scaled, checked and removed on real hosts, and as a role in a play of one's own."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab import lab, until
from tests.static_hosts import Static

NAME, PORT = "homed", 9701
HOMES = Path(__file__).resolve().parent.parent / "services"
SLAVES = [f"{NAME}-slave-00{number}" for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("homed"), "soakh", 60, 8360) as it:
        it.env["EMR_SERVICES_PATH"] = str(HOMES)
        it.spec(NAME, services=["hdfs", "beacon"], config={"beacon": {"server.greeting": "hello"}})
        yield it


def ask(bed, node: str, path: str) -> str:
    """The answer of one beacon, asked on the master."""
    return bed.ssh(NAME, f"{NAME}-master-001", f"curl -s http://{node}:{PORT}{path}")


def beacons(bed) -> dict:
    """{node: state} of the beacons, as status tells."""
    return {row["node"]: row["state"] for row in bed.json("status", NAME)["components"] if row["component"] == "beacon"}


def holders(bed, nodes) -> list:
    return [node for node in nodes if ask(bed, node, "/note/one") == "remember-me"]


def test_create_places_it_on_the_slaves_with_its_file_and_its_folder(bed):
    bed.emrctl("create", str(bed.folder / f"{NAME}.yml"), "--yes")
    assert beacons(bed) == dict.fromkeys(SLAVES, "running")
    assert "greeting = hello\n" in bed.ssh(NAME, SLAVES[0], "cat /etc/emr/beacon/beacon.ini")
    assert [ask(bed, node, "/health") for node in SLAVES] == ["hello"] * 3
    assert " beacon hadoop " in " ".join(bed.ssh(NAME, f"{NAME}-master-001", "hdfs dfs -ls -d /beacon").split())
    assert "beacon" not in bed.ssh(NAME, f"{NAME}-master-001", "systemctl list-units --all 'emr-*' --no-legend")


def test_a_second_create_changes_nothing(bed):
    again = bed.json("create", str(bed.folder / f"{NAME}.yml"), "--yes")
    assert {host: row["changed"] for host, row in again["stats"].items()} == dict.fromkeys(again["stats"], 0)


def test_its_keys_are_judged(bed):
    refused = bed.emrctl("configure", NAME, "beacon", "server.port=1", "--yes", expect=3)
    assert "clients and health checks know it" in refused.stderr
    assert "does not belong in" in bed.emrctl("configure", NAME, "hdfs-site", "server.greeting=x", "--yes", expect=3).stderr


def test_a_setting_restarts_it_in_turns(bed):
    asked = bed.emrctl("configure", NAME, "beacon", "server.greeting=bonjour", expect=3)
    assert "To restart: beacon on" in asked.stderr and "datanode" not in asked.stderr
    bed.emrctl("configure", NAME, "beacon", "server.greeting=bonjour", "--yes")
    assert [ask(bed, node, "/health") for node in SLAVES] == ["bonjour"] * 3
    begun = [int(bed.ssh(NAME, node, "date -d \"$(systemctl show -p ActiveEnterTimestamp --value emr-beacon)\" +%s")) for node in SLAVES]
    assert len(set(begun)) == 3, begun
    assert [ask(bed, node, "/note/farewell") for node in SLAVES] == SLAVES, "its own hook ran on its node before it went down"


def test_scale_out_brings_it_and_restarts_no_other(bed):
    pids = [bed.ssh(NAME, node, "systemctl show -p MainPID --value emr-beacon") for node in SLAVES]
    bed.emrctl("scale", NAME, "slave=4", "--yes")
    assert beacons(bed) == dict.fromkeys([*SLAVES, f"{NAME}-slave-004"], "running")
    assert [bed.ssh(NAME, node, "systemctl show -p MainPID --value emr-beacon") for node in SLAVES] == pids
    assert f"{NAME}-slave-004:{PORT}" in bed.ssh(NAME, SLAVES[0], "cat /etc/emr/beacon/beacon.ini")


def test_scale_in_drains_it(bed):
    four = f"{NAME}-slave-004"
    bed.ssh(NAME, f"{NAME}-master-001", f"printf remember-me | curl -s -X PUT --data-binary @- http://{four}:{PORT}/note/one")
    assert holders(bed, [four]) == [four]
    bed.emrctl("scale", NAME, "slave=3", "--remove", four, "--yes")
    assert len(holders(bed, SLAVES)) == 1 and beacons(bed) == dict.fromkeys(SLAVES, "running")
    assert four not in bed.ssh(NAME, SLAVES[0], "cat /etc/emr/beacon/beacon.ini")


def test_check_finds_what_is_wrong_with_it(bed):
    bed.emrctl("check", NAME)
    bed.ssh(NAME, SLAVES[1], "systemctl stop emr-beacon && sed -i s/bonjour/ciao/ /etc/emr/beacon/beacon.ini")
    found = bed.emrctl("check", NAME, expect=None)
    assert found.returncode != 0
    assert re.search(r"beacon is stopped", found.stdout + found.stderr) and "beacon.ini is not as rendered" in found.stdout + found.stderr
    bed.emrctl("repair", NAME, "--yes")
    until(lambda: beacons(bed) == dict.fromkeys(SLAVES, "running"), "the beacons run again", 60)
    assert ask(bed, SLAVES[1], "/health") == "bonjour"


def test_remove_leaves_nothing_but_what_others_need(bed):
    bed.emrctl("service", "remove", NAME, "beacon", "--delete-data", "--confirm-delete", "beacon", "--yes")
    assert beacons(bed) == {}
    there = "ls -d /etc/systemd/system/emr-beacon.service /etc/emr/beacon/beacon.ini /opt/emr/libexec/beacon /var/lib/emr/beacon /data/1/beacon || true"
    assert bed.ssh(NAME, SLAVES[0], f"{{ {there}; }} 2>/dev/null").strip() == ""
    assert bed.ssh(NAME, f"{NAME}-master-001", "hdfs dfs -ls / | grep -c beacon || true").strip() == "0"
    bed.emrctl("check", NAME)


def test_add_brings_it_back(bed):
    bed.emrctl("service", "add", NAME, "beacon", "--yes")
    assert beacons(bed) == dict.fromkeys(SLAVES, "running")
    bed.emrctl("release", NAME, "--yes")


PLAY = """
- hosts: master:slave
  gather_facts: false
  vars: {beacon_config: {beacon: {server.greeting: %s}}}
  roles: [beacon]
"""
ENTRY = """
- hosts: master:slave
  gather_facts: false
  tasks: [{ansible.builtin.include_role: {name: beacon, tasks_from: %s}}]
"""


def test_its_role_in_a_play_of_ones_own(tmp_path):
    with lab(tmp_path, "soakp", 62, 8362) as it:
        it.env.update(EMR_SERVICES_PATH=str(HOMES), ANSIBLE_ROLES_PATH=str(HOMES / "roles"))
        hosts = Static(it)

        def play(text):
            return hosts.playbook(text, "play", "-i", hosts.inventory())

        def greetings():
            return [hosts.on(slave, f"curl -s http://localhost:{PORT}/health").split()[-1] for slave in hosts.slaves]
        assert hosts.changes(play(PLAY % "hello")) > 0
        assert len(hosts.datanodes()) == 3 and greetings() == ["hello"] * 3, "with what it needs, and its own setting"
        assert hosts.changes(play(PLAY % "hello")) == 0
        assert play(PLAY % "ciao").count("beacon: restarted") == 3 and greetings() == ["ciao"] * 3
        assert hosts.on(hosts.slaves[0], f"curl -s http://localhost:{PORT}/note/farewell").split()[-1] == hosts.slaves[0], "the handler goes through its hook"
        play(ENTRY % "health_check")
        play(ENTRY % "remove")
        assert "missing" in hosts.on(hosts.slaves[0], "ls /etc/systemd/system/emr-beacon.service || echo missing")
        assert len(hosts.datanodes()) == 3
