"""One wheel brings emrctl and the collection; both work far away from the checkout."""
from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import release

REPO = Path(__file__).resolve().parents[2]
SCRIPTS = ("ansible-playbook", "ansible-doc")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(folder), str(REPO)], check=True,
                   capture_output=True, timeout=300)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A virtual environment with the wheel. Its dependencies are borrowed from this one through a .pth file, which
    does not follow this one's own .pth files, so the checkout is not on its path."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = Path(subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True,
                               capture_output=True, text=True).stdout.strip())
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index",
                    str(wheel)], check=True, timeout=120)
    borrowed = Path(pytest.__file__).resolve().parents[1]
    (site / "borrowed.pth").write_text(f"{borrowed}\n")
    for name in SCRIPTS:
        lines = (Path(sys.executable).parent / name).read_text().splitlines(keepends=True)
        script = folder / "bin" / name
        script.write_text(f"#!{python}\n" + "".join(lines[1:]))
        script.chmod(0o755)
    return folder


def run(installed: Path, tmp_path: Path, *command: str, **extra: str) -> subprocess.CompletedProcess:
    """Run a program of that environment in an empty folder with an empty HOME."""
    env = {"PATH": f"{installed}/bin:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", **extra}
    return subprocess.run([str(installed / "bin" / command[0]), *command[1:]], cwd=tmp_path, env=env, text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False)


def test_the_wheel_holds_what_a_user_needs_and_no_more(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    wanted = ("emrctl/main.py", "emrctl/local/demo/jobs/stream.py", "ansible_collections/emr/cluster/galaxy.yml",
              "ansible_collections/emr/cluster/plugins/module_utils/services/registry.py",
              "ansible_collections/emr/cluster/playbooks/create.yml")
    assert [name for name in wanted if name not in names] == []
    assert [name for name in names if "__pycache__" in name or name.startswith(("tests/", "bench/"))] == []


def test_emrctl_answers_for_help_and_each_verb(installed, tmp_path):
    done = run(installed, tmp_path, "emrctl", "--help")
    assert done.returncode == 0 and done.stderr == ""
    for verb in ("plan", "create", "release", "status", "submit", "get", "service", "local", "dist"):
        assert f"  {verb} " in done.stdout
        assert run(installed, tmp_path, "emrctl", verb, "--help").returncode == 0


def test_ansible_finds_the_collection(installed, tmp_path):
    done = run(installed, tmp_path, "ansible-doc", "-t", "module", "emr.cluster.purchase")
    assert done.returncode == 0, done.stderr
    assert "emr.cluster.purchase" in done.stdout
    assert run(installed, tmp_path, "ansible-doc", "-t", "inventory", "emr.cluster.ecs").returncode == 0


def test_the_wheels_own_playbooks_run(installed, tmp_path):
    spec = tmp_path / "cluster.yml"
    spec.write_text("name: sales\nregio: cn-hangzhou\n")
    done = run(installed, tmp_path, "emrctl", "plan", "cluster.yml")
    assert done.returncode == 3, done.stderr
    assert "regio" in done.stderr and "region" in done.stderr
    assert str(REPO) not in done.stderr + "".join(p.read_text() for p in tmp_path.rglob("stdout"))


def test_the_wheel_builds_a_distribution_without_a_checkout(installed, tmp_path):
    """The inputs are those of this machine's cache; what is not there comes from Maven."""
    wanted = release("emr-1.0").artifacts["connectors"]
    cache = tmp_path / "cache"
    cache.mkdir()
    (Path.home() / ".cache/emr/downloads").mkdir(parents=True, exist_ok=True)
    (cache / "downloads").symlink_to(Path.home() / ".cache/emr/downloads")
    done = run(installed, tmp_path, "emrctl", "dist", "build", "connectors", EMR_CACHE=str(cache))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(cache / "dist" / wanted.file), wanted.sha512]
    assert str(REPO) not in done.stdout + done.stderr
    assert "ok" in run(installed, tmp_path, "emrctl", "dist", "verify", "connectors", EMR_CACHE=str(cache)).stdout


def test_building_names_all_that_the_machine_lacks(installed, tmp_path):
    done = run(installed, tmp_path, "emrctl", "dist", "build", PATH=f"{installed}/bin", EMR_CACHE=str(tmp_path / "empty"))
    assert done.returncode == 3, done.stderr
    for part in ("hadoop-3.4.2.tar.gz", "Maven (mvn): apt-get install maven", "Java (java): apt-get install"):
        assert part in done.stderr, done.stderr
    assert list((tmp_path / "empty").rglob("*.jar")) == []


def test_help_costs_little_more_than_typer(installed, tmp_path):
    """Modules that are imported: `emrctl --help` against `import typer`, at most 1.6 times. Seconds would tell of the machine."""
    def imported(*command: str) -> int:
        done = subprocess.run([installed / "bin" / "python", "-X", "importtime", *command], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
        return done.stderr.count("import time:")

    assert imported("-m", "emrctl", "--help") <= 1.6 * imported("-c", "import typer")
