"""Pages that are made from code, the texts that they are made of, and the site."""
from __future__ import annotations

import re
import subprocess
import sys

import pytest

from emrctl.docs import collection, glossary, pages
from tests.lab import REPO

# What emrctl hands to playbooks for its own speed; no part of what people are offered.
INTERNAL = {"emr_remember"}
# What every playbook hands to the actions of the cloud's side, whether or not it means something there.
COMMON = {"emr_name", "emr_region", "emr_spec", "emr_spec_file", "emr_confirm", "emr_plan_only"}
NAMES = ("spec.md", "cluster.schema.json", "flow.schema.json", "glossary.md", "reference/cli.md", "reference/ports.md",
         "reference/playbooks.md", "reference/roles.md", "reference/modules.md", "reference/job-options.md", "alerts.md",
         *(f"grafana/{name}.json" for name in ("hdfs", "jobs", "nodes", "overview", "spark", "yarn")))


@pytest.fixture(scope="module")
def made() -> dict:
    return pages.pages()


@pytest.mark.parametrize("name", NAMES)
def test_pages_made_from_code_are_current(made, name):
    assert (REPO / "docs" / name).read_text(encoding="utf-8") == made[name], "run: python -m emrctl.docs"


def test_all_made_pages_are_compared(made):
    assert set(made) == set(NAMES)


def test_every_playbook_says_what_it_does_and_offers_what_it_reads():
    meanings, offered = collection.meanings(), set()
    for path in sorted(collection.PLAYBOOKS.glob("*.yml")):
        about, names = collection.header(path)
        own = set(re.findall(r"'emr\.cluster\.given', *'(\w+)'", path.read_text()))
        assert about.endswith("."), path.name
        assert set(names) <= set(meanings), f"{path.name}: say in collection/docs/variables.yml what it means"
        assert own - INTERNAL - COMMON <= set(names), f"{path.name}: its first lines do not offer what it reads"
        offered |= set(names)
    assert set(meanings) == offered, "a variable that no playbook offers"


def test_every_module_has_a_page_with_its_options(made):
    for path in (REPO / "collection/plugins/modules").glob("*.py"):
        part = made["reference/modules.md"].partition(f"\n## {path.stem}\n")[2].partition("\n## ")[0]
        for option in collection.documentation(path)["DOCUMENTATION"].get("options") or {}:
            assert f"| `{option}` |" in part, f"{path.stem}: {option}"


def test_the_glossary_is_sorted_and_its_links_lead_to_pages():
    rows = glossary.words()
    words = [word for word, _meaning, _link in rows]
    assert len(rows) > 30 and words == sorted(set(words))
    assert not [link for _word, _meaning, link in rows if link and not (REPO / "docs" / link.partition("#")[0]).is_file()]


def test_the_site_builds_without_a_warning(tmp_path):
    """All links and their anchors lead somewhere, and every page has its place in the navigation."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    run = subprocess.run([sys.executable, "-m", "mkdocs", "build", "-q", "--strict", "-d", str(tmp_path / "site")], check=False, cwd=REPO,
                         capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "site/reference/playbooks.html").is_file()
