"""Systems of nodes: what is decided from /etc/os-release and names of images, and the sh that finds and installs Python."""
from __future__ import annotations

import os
import subprocess

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.install import systems
from ansible_collections.emr.cluster.plugins.module_utils.node.host import prepare as host

# /etc/os-release as these systems have it.
ALINUX_3 = '''NAME="Alibaba Cloud Linux"
VERSION="3 (OpenAnolis Edition)"
ID="alinux"
ID_LIKE="rhel fedora centos anolis"
VERSION_ID="3"
PLATFORM_ID="platform:al8"
PRETTY_NAME="Alibaba Cloud Linux 3.2104 U10 (OpenAnolis Edition)"
'''
ROCKY_9 = '''NAME="Rocky Linux"
VERSION="9.4 (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"
'''
RHEL_8 = '''NAME="Red Hat Enterprise Linux"
VERSION="8.10 (Ootpa)"
ID="rhel"
ID_LIKE="fedora"
VERSION_ID="8.10"
PRETTY_NAME="Red Hat Enterprise Linux 8.10 (Ootpa)"
'''
ALMA_9 = 'NAME="AlmaLinux"\nVERSION="9.4 (Seafoam Ocelot)"\nID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
DEBIAN_11 = 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nNAME="Debian GNU/Linux"\nVERSION_ID="11"\nID=debian\n'
UBUNTU_24 = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'
SOME_KIN = '# a comment\n\nNAME="Own Linux"\nID=own\nID_LIKE="something rhel"\n'
OPENSUSE = 'NAME="openSUSE Leap"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n'


def answer(release: str, tools=(), python="") -> dict:
    """What the first step says on such a node, as it comes over a terminal, with a greeting of the node's before."""
    rows = [f"python {python}", *(f"tool {tool}" for tool in tools), *(f"release {line}" for line in release.splitlines())]
    return systems.read_answer("Welcome!\r\n" + "".join(f"{systems.MARK} {row}\r\n" for row in rows))


@pytest.mark.parametrize(("release", "tools", "python", "packages"), [
    # EL 8 and its kin have 3.6 as python3, which the first step passes over.
    (ALINUX_3, ["dnf", "yum"], "", ("python3.11", "python38", "python3")),
    (ALINUX_3, ["dnf", "yum"], "/usr/bin/python3.11 3 11", ()),
    (ALINUX_3, ["dnf", "yum"], "/usr/bin/python3.8 3 8", ("python3.11", "python38", "python3")),
    (RHEL_8, ["dnf", "yum"], "", ("python3.11", "python3.12", "python39", "python38", "python3")),
    (ROCKY_9, ["dnf", "yum"], "/usr/bin/python3 3 9", ("python3.11", "python3.12", "python39", "python38", "python3")),
    (DEBIAN_11, ["apt-get"], "/usr/bin/python3 3 9", ()),
    (DEBIAN_11, ["apt-get"], "", ("python3",)),
    (UBUNTU_24, ["apt-get"], "/usr/bin/python3 3 12", ()),
    (OPENSUSE, [], "", ()),
    ("", ["yum"], "", systems.REDHAT.python),
    # Known kin without a package manager, as in a container: nothing can be installed.
    (ROCKY_9, [], "", ()),
])
def test_whether_a_python_is_installed_and_which(release, tools, python, packages):
    assert systems.wants_python(answer(release, tools, python)) == packages


@pytest.mark.parametrize(("release", "tools", "first"), [
    (ALINUX_3, ["dnf"], "java-17-openjdk-headless"), (ROCKY_9, ["dnf"], "java-17-openjdk-headless"),
    (ALMA_9, ["dnf"], "java-17-openjdk-headless"), (SOME_KIN, ["yum"], "java-17-openjdk-headless"),
    (DEBIAN_11, ["apt-get"], "openjdk-17-jre-headless"), (UBUNTU_24, ["apt-get"], "openjdk-17-jre-headless")])
def test_java_follows_from_the_system(release, tools, first):
    kin = systems.family(systems.read_os_release(release), tools)
    assert kin.java[0] == first
    assert all(("17" in name) or ("21" in name) for name in kin.java)


def test_alibaba_cloud_linux_has_its_own_java_too():
    kin = systems.family(systems.read_os_release(ALINUX_3), ["dnf"])
    assert "java-17-alibaba-dragonwell-headless" in kin.java
    assert systems.family(systems.read_os_release(OPENSUSE), []) is None


@pytest.mark.parametrize(("name", "works"), [
    ("CentOS  7.9 64 bit", False), ("CentOS Stream  9 64 bit", True), ("Alibaba Cloud Linux  2.1903 LTS 64 bit", False),
    ("Aliyun Linux  17.1 64 bit", False), ("Alibaba Cloud Linux  3.2104 LTS 64 bit", True), ("Debian  10.13 64 bit", False),
    ("Debian  11.9 64 bit", True), ("Debian 13 64 bit", True), ("Ubuntu  18.04 64 bit", False), ("Ubuntu  22.04 64 bit", True),
    ("Red Hat Enterprise Linux  7.9 64 bit", False), ("Red Hat Enterprise Linux 9", True), ("Rocky Linux  9.4 64 bit", True),
    ("AlmaLinux  9.4 64 bit", True), ("Anolis OS  8.8 RHCK 64 bit", True), ("OpenSUSE  15.5 64 bit", False), ("FreeBSD  13.1 64 bit", False),
    ("Fedora CoreOS  33 64 bit", False), ("Customized Linux", True), ("", True)])
def test_systems_known_not_to_work(name, works):
    assert (systems.unusable(name) == "") is works


def test_systems_whose_python_is_too_old_for_pyspark():
    assert systems.old_python("Debian 11.9 64 bit") == "3.9" and not systems.old_python("Debian 12 64 bit")
    assert systems.old_python("Ubuntu  20.04 64 bit") == "3.8" and not systems.old_python("Ubuntu 24.04 64 bit")


@pytest.fixture()
def machine(tmp_path, monkeypatch):
    """A machine whose interpreters lie in a folder, with a link of its own. Returns a function that adds one."""
    monkeypatch.setattr(paths, "PYTHON", str(tmp_path / "opt" / "emr" / "bin" / "python3"))
    names = [str(tmp_path / name) for name in ("python3", "python3.11", "python3.9")]
    monkeypatch.setattr(systems, "INTERPRETERS", tuple(names))

    def add(name, text):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
        return str(tmp_path / name)
    return add


def found(first="", **options):
    """What the first step answers here, and where its link leads."""
    done = subprocess.run(["sh", "-c", "umask 077\n" + systems.find_script(first, **options)], capture_output=True, text=True, check=True)
    link = paths.PYTHON
    return systems.read_answer(done.stdout), os.path.realpath(link) if os.path.lexists(link) else ""


def test_the_systems_own_python_is_taken_when_pyspark_can_use_it(machine):
    own = machine("python3", "echo 3 12")
    machine("python3.11", "echo 3 11")
    said, link = found()
    assert said == {"python": own, "version": (3, 12), "tools": [], "release": {}} and link == own
    # By umask 077 nobody else could have run it.
    assert os.stat(os.path.dirname(paths.PYTHON)).st_mode & 0o777 == 0o755


def test_an_old_or_incomplete_python_is_passed_over(machine):
    machine("python3", "echo 3 6")
    machine("python3.11", "exit 1")
    older = machine("python3.9", "echo 3 9")
    said, link = found()
    assert (said["python"], said["version"], link) == (older, (3, 9), older)
    # It may be made better, so the answer says by what.
    assert said["release"].get("ID")
    newer = machine("python3.11", "echo 3 11")
    assert found()[1] == newer
    chosen = machine("chosen", "echo 3 10")
    assert found(chosen)[1] == chosen


def test_no_python_at_all(machine):
    said, link = found()
    assert said["python"] == "" and said["version"] == () and said["release"].get("ID") and link == ""


def test_nothing_is_linked_in_check_mode(machine):
    own = machine("python3", "echo 3 12")
    said, link = found(link=False)
    assert said["python"] == own and link == ""


def test_the_real_python_of_this_machine_passes(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "PYTHON", str(tmp_path / "bin" / "python3"))
    assert found()[0]["version"] >= systems.LEAST_PYTHON


def test_an_answer_that_was_cut_off_is_none():
    assert systems.read_answer("bash: /opt: Read-only file system\n") is None


def installed(tmp_path, packages, **tools):
    """(exit code, stdout, stderr) of the installation, with these package managers."""
    for name, text in tools.items():
        (tmp_path / name.replace("_", "-")).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name.replace("_", "-")).chmod(0o755)
    for name in ("sh", "sleep"):
        (tmp_path / name).symlink_to(f"/bin/{name}")
    done = subprocess.run(["/bin/sh", "-c", systems.install_script(packages)], capture_output=True, text=True, check=False,
                          env={"PATH": str(tmp_path)})
    return done.returncode, done.stdout, done.stderr


def test_the_first_package_that_is_offered_is_installed(tmp_path):
    code, out, err = installed(tmp_path, ["a-17", "a-21"], apt_get='echo "$@"', apt_cache='[ "$2" = a-21 ]')
    assert (code, out) == (0, f"{systems.MARK} installed a-21\n") and "install a-21" in err


def test_locks_of_a_new_instance_are_waited_for(tmp_path):
    apt = f'''case "$*" in *update*) [ -e {tmp_path}/free ] || {{ : > {tmp_path}/free
echo "E: Could not get lock /var/lib/apt/lists/lock" >&2; exit 100; }} ;; esac'''
    code, out, _err = installed(tmp_path, ["a-17"], apt_get=apt, apt_cache="true")
    assert (code, out) == (0, f"{systems.MARK} installed a-17\n")


def test_a_package_manager_that_fails_says_why(tmp_path):
    code, out, err = installed(tmp_path, ["a-17", "a-21"], dnf='echo "Error: Unable to find a match: $4" >&2; exit 1')
    assert code == 1 and out == "" and "Unable to find a match: a-21" in err and "none of these packages is offered: a-17 a-21" in err


def test_a_machine_without_a_package_manager(tmp_path):
    code, _out, err = installed(tmp_path, ["a"])
    assert code == 1 and "no apt-get, dnf or yum" in err


def test_the_oldest_java_that_was_tested_is_taken(tmp_path):
    def java(place, version):
        home = tmp_path / place
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "java").touch()
        (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
        return str(home)
    assert host.find_java(root=str(tmp_path)) == ""
    java("usr/lib/jvm/java-11", "11.0.2")
    java("usr/lib/jvm/java-25", "25")
    assert host.find_java(root=str(tmp_path)) == ""
    newer = java("usr/lib/jvm/java-21", "21.0.4")
    assert host.find_java(root=str(tmp_path)) == newer
    dragonwell = java("opt/alibaba/java17", "17.0.9")
    assert host.find_java(root=str(tmp_path)) == dragonwell
