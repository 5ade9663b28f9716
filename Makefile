# The project's commands. `make` alone lists them; `make setup` can be repeated and does only what is left to do.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PY := .venv/bin/python
PIP := -m pip --quiet --disable-pip-version-check install --require-virtualenv
PIN = build/uv/bin/uv pip compile --quiet $(if $(UPGRADE),--upgrade) --universal --python-version 3.11 --generate-hashes --no-header
JOBS ?= 2
NPM_PACKAGES := node_modules/.package-lock.json
HTMX := registry/pages/assets/htmx.min.js
BADGES := registry/certificates/assets/credentials-v2.json
PAGE := verifier/page/index.html
PAGE_SOURCES := $(filter-out $(PAGE),$(wildcard $(addprefix verifier/page/*.,js css html json))) verifier/verdict.py domain/association.py domain/category.py tools/page.py
INTEROP_LOCK := $(wildcard tests/interop/requirements.lock)
INTEROP_NPM := tests/interop/node_modules/.package-lock.json
INTEROP := $(if $(INTEROP_LOCK),.venv-interop/.packages $(INTEROP_NPM))

POSTGRESQL_15 := build/postgresql-15/bin/postgres

.PHONY: help setup demo check test test-deep test-faults format lock bench clean browser

help: ## List these commands
	@echo "The Endorsement Registry. Needs Python 3.11, 3.12 or 3.13 with venv, and make; nothing else."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "Start with: make demo"

setup: .venv/.project $(HTMX) $(BADGES) $(PAGE) ## Set up .venv and the page assets (first time about a minute, then at once)

demo: setup ## Set up, then start a registry with sample data on this machine
	.venv/bin/registry demo

check: setup ## Everything a change must pass: format, lint, types, import rules, tests
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(MAKE) --no-print-directory test

test: setup $(INTEROP) browser ## The tests; JOBS=4 for more processes, T=tests/page for some of them
	$(PY) -m pytest -n $(JOBS) --dist loadfile -r fEs $(T)

test-deep: setup ## Fifty times the random histories of deeds that `make test` runs, and 10^6 changed files, drawn anew
	REGISTRY_TEST_DEEP=50 $(PY) -m pytest -n $(JOBS) --dist loadfile -r fEs tests/laws/test_laws_machine.py tests/laws/test_laws_machine_again.py
	$(PY) tests/corpus/deep.py

test-faults: setup $(POSTGRESQL_15) ## All of the fault tests on PostgreSQL 15 and 18: kills, cuts, full disks, restores; writes docs/faults.md
	@rm -f build/faults-*.jsonl
	failed=0; for version in 18 15; do \
	  REGISTRY_TEST_FAULTS=full REGISTRY_TEST_POSTGRESQL=$$version REGISTRY_TEST_FAULTS_REPORT=$$PWD/build/faults-$$version.jsonl \
	    $(PY) -m pytest -n $(JOBS) --dist loadfile --timeout 900 -r fEs tests/faults || failed=1; \
	done; $(PY) tools/faults.py; exit $$failed

format: setup ## Format the Python files and sort their imports
	.venv/bin/ruff check --select I --fix --quiet .
	.venv/bin/ruff format .

bench: setup $(INTEROP_NPM) browser ## Measure against the bare libraries and peers; writes bench/results.json
	$(PY) -m bench

lock: .venv/.packages ## Pin what pyproject.toml and package.json ask for; UPGRADE=1 takes newer versions
	test -x build/uv/bin/uv || { $(PY) -m venv build/uv && build/uv/bin/python $(PIP) uv; }
	$(PIN) --all-extras pyproject.toml -o requirements.lock
	if test -f tests/interop/requirements.in; then $(PIN) tests/interop/requirements.in -o tests/interop/requirements.lock; fi
	$(PY) tools/assets.py lock
	$(PY) tools/badges.py lock
	$(PY) tools/postgresql.py lock

clean: ## Remove what set-up and tests made; data under var/ stays
	rm -rf .venv .venv-interop node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf tests/.cache tests/interop/node_modules ./*.egg-info $(HTMX) $(dir $(BADGES)) $(PAGE)
	find . -name __pycache__ -type d -prune -not -path './var/*' -exec rm -rf {} +

# --- what the commands above are made of ---

# PYTHON=... chooses; otherwise the first of these that is new enough and not too new.
.venv/bin/python:
	@for python in $${PYTHON:-python3 python3.13 python3.12 python3.11}; do \
	  "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null || { without_venv="$$python"; continue; }; \
	  echo "Making .venv with $$("$$python" --version) ..."; "$$python" -m venv .venv; exit 0; \
	done; \
	if test -n "$${without_venv:-}"; then \
	  echo "$$without_venv has no venv module. On Debian and Ubuntu: sudo apt-get install python3-venv"; \
	else \
	  echo "No Python 3.11, 3.12 or 3.13 found (python3 is: $$(python3 --version 2>&1 || true))."; \
	  echo "Install one, or say where it is: make setup PYTHON=/path/to/python3.12"; \
	fi >&2; exit 1

.venv/.packages: requirements.lock | .venv/bin/python
	@echo "Installing the Python packages of requirements.lock ..."
	@$(PY) $(PIP) --no-deps --require-hashes -r requirements.lock
	@touch $@

.venv/.project: pyproject.toml .venv/.packages
	@$(PY) $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv-interop/.packages: $(INTEROP_LOCK) | .venv/bin/python
	@echo "Installing the verifiers of others, for the tests that ask them ..."
	@test -x .venv-interop/bin/python || $(PY) -m venv .venv-interop
	@.venv-interop/bin/python $(PIP) --no-deps --require-hashes -r $(INTEROP_LOCK)
	@touch $@

$(INTEROP_NPM): tests/interop/package-lock.json tests/interop/.npmrc | .venv/.packages
	@echo "Installing the verifiers of others that are on npm ..."
	@$(PY) tools/assets.py strangers
	@touch $@

$(NPM_PACKAGES): package-lock.json .npmrc | .venv/.packages
	@echo "Taking htmx and the QR decoder from npm ..."
	@$(PY) tools/assets.py packages

$(POSTGRESQL_15): tests/faults/postgresql-15/package-lock.json | .venv/.packages
	@echo "Taking PostgreSQL 15 from npm, for the fault tests ..."
	@$(PY) tools/postgresql.py
	@touch $@

$(HTMX): $(NPM_PACKAGES)
	@$(PY) tools/assets.py htmx

$(BADGES): $(wildcard tools/badges/*) tools/badges.py | .venv/.packages
	@echo "Taking the contexts and the schema of badges from npm and PyPI ..."
	@$(PY) tools/badges.py

$(PAGE): $(NPM_PACKAGES) $(PAGE_SOURCES) | .venv/.project
	@$(PY) tools/page.py

browser:
	@$(PY) tools/browser.py
