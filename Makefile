# make demo and make test do all the set-up on a fresh Debian 12 machine. Everything downloaded stays in ~/.cache/emr.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A registry that does not answer for some minutes is waited for (pip's pauses grow from a quarter of a second to two minutes).
export PIP_RETRIES ?= 10

.PHONY: help setup demo test soak bench bench-scale collection-check lint docs clean dist
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## virtual environment and system packages

$(STAMP): pyproject.toml
	@echo "== setup: virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' || { echo "Python 3.11 to 3.13 is needed; set PYTHON=/path/to/python3.x" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing: apt-get install -y python3-venv" >&2; exit 2; }
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[test]'
	@touch $@

dist: $(STAMP) ## assemble the tarballs of the release catalogue
	@echo "== dist: Hadoop, Spark and connectors of the default release (first time: some minutes of downloads)"
	@$(BIN)/python -m emrctl dist build

demo: dist ## from order to answer on the local ECS: one master, three slaves, real jobs
	@$(BIN)/python -m emrctl.local.demo $(DEMO_ARGS)

# What runs on nodes runs on Python 3.8; domain/ is part of it. zoneinfo is imported there only where it exists.
NODE_PYTHON = $(addprefix collection/plugins/,module_utils/node module_utils/domain module_utils/services modules/node.py)
lint: $(STAMP) ## style, who imports whom, and what nodes' Python 3.8 has not
	@$(BIN)/ruff check .
	@$(BIN)/ruff check -q --preview --select E501,E3,T20,PLC0207 --config 'lint.pycodestyle.max-line-length=160' collection/plugins  # as ansible-test sanity
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo
	@$(BIN)/vermin -t=3.8- --violations --no-tips --exclude zoneinfo $(NODE_PYTHON)

test: lint dist ## unit, integration and one pass over real hosts (under 25 minutes)
	@echo "== test: unit and integration tests (some minutes)"
	@$(BIN)/python -m pytest tests/unit tests/integration -q -n 4 --durations=10 $(PYTEST_ARGS)
	@echo "== test: clusters on real hosts, those of two files at a time (some minutes; one line a test)"
	@$(BIN)/python -m pytest tests/e2e -v -n 2 --dist loadfile --durations=10 $(PYTEST_ARGS)

soak: dist ## the long fault, kill, scale and molecule runs
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[test,molecule]'
	@$(BIN)/python -m pytest tests/soak -m soak --durations=0 $(PYTEST_ARGS)

bench: dist ## ratios against the floor script, ansible -m ping and bare imports
	@$(BIN)/python bench/run.py $(BENCH_ARGS)

bench-scale: dist ## what one more node costs, on 3, on 10, and against a create (8 GiB of free memory)
	@$(BIN)/python bench/scale.py $(BENCH_ARGS)

collection-check: $(STAMP) ## ansible-test sanity, ansible-lint and galaxy-importer on the built tarball
	@VENV=$(abspath $(VENV)) bash tests/collection-check.sh

docs: $(STAMP) ## the pages made from code, and the site in site/
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[docs]'
	@$(BIN)/python -m emrctl.docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q --strict
	@echo "== docs: site/index.html"

clean: ## remove the local ECS, build output and the virtual environment (caches in ~/.cache/emr stay)
	@[ ! -x $(BIN)/emrctl ] || $(BIN)/emrctl local down --yes || true
	@rm -rf $(VENV) dist-out build site *.egg-info .pytest_cache .ruff_cache
