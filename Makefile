# Everything a developer or CI runs. `make help` lists it; CONTRIBUTING.md explains it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
NPM := npm --prefix frontend
# Compiled modules are kept even where the environment says not to: without them every process
# compiles torch again, two seconds each time, and the tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

# A part is installed again only when what describes it is newer than its stamp.
INSTALLED := $(VENV)/.stamp-installed
MODULES := frontend/node_modules/.stamp-installed
BUNDLE := frontend/dist/.stamp-built
BUNDLE_SOURCES := $(shell find frontend/src frontend/public frontend/index.html frontend/*.ts \
	frontend/*.js frontend/*.json -type f ! -name '*.test.*' ! -path '*/testing/*' 2>/dev/null)

.PHONY: help setup demo dev up test test-fast faults check lint types arch schema schema-check migrations-check \
	frontend-check docs-check fmt e2e lighthouse screenshots fuzz bench bench-peers lock audit sbom migrate browser changelog clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- Set-up ---------------------------------------------------------------------------------------

setup: ## Install everything and build the front end (again only what changed)
	@$(MAKE) --silent $(if $(findstring jobserver,$(MAKEFLAGS)),,-j2) $(INSTALLED) $(BUNDLE)

$(INSTALLED): pyproject.toml constraints.txt supply/dev.lock
	@echo "setup: Python packages (a few minutes the first time)" >&2
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "setup: Python 3.11 or newer is needed (set PYTHON=...)" >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@# Compiling every module doubles the time; the import below compiles what is needed.
	@# First everything whose hash is known; then PyTorch, whose wheel each machine has from its own
	@# index, and this project.
	@$(BIN)/python -m pip install -qq --no-compile --disable-pip-version-check \
		--require-hashes --no-deps --requirement supply/dev.lock
	@$(BIN)/python -m pip install -qq --no-compile --disable-pip-version-check \
		--no-build-isolation --constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python -c 'import fedcore.engine'
	@$(BIN)/python -m fedcore.fast.library
	@touch $@

$(MODULES): frontend/package.json frontend/package-lock.json
	@echo "setup: front-end packages" >&2
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(BUNDLE): $(MODULES) $(BUNDLE_SOURCES)
	@echo "setup: front-end build" >&2
	@$(NPM) run --silent build -- --logLevel warn
	@touch $@

browser: ## Make sure that a Chromium is there for the browser tests
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
		|| command -v google-chrome >/dev/null; then exit 0; fi; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "browser: installing chromium" >&2; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends chromium >/dev/null; \
	else \
		echo "browser: the browser tests need Chromium; install it (Debian: sudo apt-get install chromium)" >&2; \
		exit 1; \
	fi

# --- Running --------------------------------------------------------------------------------------

demo: setup ## Start everything, run the demo and show it (ONCE=1: stop when it has succeeded)
	@$(BIN)/roundhouse demo $(if $(filter 1 yes true,$(ONCE)),--once)

up: setup ## Start web, worker and upkeep together (embedded unless the environment says otherwise)
	@$(BIN)/roundhouse up

dev: setup ## The same, with the front end rebuilt in the browser as you edit it
	@trap 'kill $$(jobs -p) 2>/dev/null || true' EXIT; \
	$(BIN)/roundhouse up & \
	$(NPM) run dev

migrate: $(INSTALLED) ## Bring the database to the newest schema
	@$(BIN)/python manage.py migrate

# --- Checks ---------------------------------------------------------------------------------------

check: setup ## Everything but the tests: lint, types, contracts, schema, migrations, front end, docs
	@# Two at a time, what takes longest first; each prints when it is done.
	@$(MAKE) -j2 --output-sync=target frontend-check types schema-check docs-check lint arch migrations-check

lint: $(INSTALLED) ## Ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED) ## mypy, strict
	$(BIN)/mypy

arch: $(INSTALLED) ## Import contracts between the packages
	$(BIN)/lint-imports

schema: setup ## Write docs/openapi.yaml and the TypeScript types from the code
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
	$(NPM) run --silent schema

schema-check: setup
	$(BIN)/python -m tests.schema_drift

migrations-check: $(INSTALLED)
	$(BIN)/python manage.py makemigrations --check --dry-run

frontend-check: $(BUNDLE)
	$(NPM) run --silent lint
	$(NPM) run --silent typecheck
	$(NPM) run --silent test
	$(NPM) run --silent budget

docs-check: $(INSTALLED)
	$(BIN)/pytest -q -p no:cacheprovider tests/architecture/test_docs.py

fmt: setup ## Format and mend what can be mended by a tool
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run --silent format

# --- Tests ----------------------------------------------------------------------------------------

test-fast: $(INSTALLED) ## Unit tests of the engine and the architecture: no database, no network
	$(BIN)/pytest -q -m "not slow" tests/fedcore tests/sites tests/cli tests/intents tests/architecture

test: check browser ## Checks, then every suite; ROUNDHOUSE_TEST_SERVICES=1 adds PostgreSQL, Redis, RabbitMQ
	@$(BIN)/python -m tests.matrix

faults: $(INSTALLED) ## Kill, restart and mislead whole installations; print fault, injected, survived
	ROUNDHOUSE_TEST_SERVICES=$${ROUNDHOUSE_TEST_SERVICES:-1} $(BIN)/pytest -q \
		--numprocesses=3 --dist=loadscope tests/faults

e2e: setup browser ## Browser tests only
	$(BIN)/pytest -q --numprocesses=2 --dist=loadfile tests/e2e

fuzz: $(INSTALLED) ## Ask the whole API at random, many times more than the suite (EXAMPLES=300)
	ROUNDHOUSE_FUZZ_EXAMPLES=$(or $(EXAMPLES),300) ROUNDHOUSE_FUZZ_WALKS=$(or $(EXAMPLES),300) \
		ROUNDHOUSE_FUZZ_SEED=$(or $(SEED),$(shell date +%s)) $(BIN)/pytest -q tests/fuzz

lighthouse: setup browser ## Lighthouse's marks for the screens; below 95 fails (not part of CI: a minute)
	@test -x .bench/lighthouse/node_modules/.bin/lighthouse || npm install --silent --no-audit --no-fund \
		--prefix .bench/lighthouse lighthouse@13.5.0
	@$(BIN)/python -m tests.e2e.lighthouse

screenshots: setup browser ## Draw docs/images/ anew: every screen, light, dark and on a phone
	@$(BIN)/python -m tests.e2e.screenshots

bench: $(INSTALLED) ## Measure the engine beside peers, and write the tables of docs/benchmarks.md
	$(BIN)/python -m benchmarks.speed --write

bench-peers: ## Install the peers of `make bench`, each in an environment of its own
	@for peer in flower pfl; do \
		echo "bench-peers: $$peer" >&2; \
		test -x .bench/$$peer/bin/python || "$(PYTHON)" -m venv .bench/$$peer; \
		.bench/$$peer/bin/python -m pip install -qq --disable-pip-version-check \
			--requirement benchmarks/peers/$$peer.txt; \
	done

# --- Supply ---------------------------------------------------------------------------------------

SUPPLY := .supply/.stamp-installed

$(SUPPLY): supply/tools.lock
	@echo "supply: tools" >&2
	@test -x .supply/bin/python || "$(PYTHON)" -m venv .supply
	@.supply/bin/python -m pip install -qq --disable-pip-version-check \
		--require-hashes --no-deps --requirement supply/tools.lock
	@touch $@

lock: $(SUPPLY) ## Write the lock files and the licence list after a change of constraints.txt
	@$(BIN)/python -m supply.lock
	@$(BIN)/python -m supply.licences --write

audit: $(INSTALLED) $(SUPPLY) ## Ask PyPI and npm for known vulnerabilities; status 2: one did not answer
	@$(BIN)/python -m supply.audit
	@$(BIN)/python -m supply.licences

sbom: $(INSTALLED) $(SUPPLY) $(MODULES) ## Write CycloneDX bills of materials into sbom/
	@mkdir -p sbom
	@.supply/bin/cyclonedx-py environment --output-reproducible --of JSON \
		--output-file sbom/python.cdx.json $(BIN)/python
	@cd frontend && npm sbom --sbom-format cyclonedx --omit dev > ../sbom/frontend.cdx.json
	@echo "sbom: sbom/python.cdx.json sbom/frontend.cdx.json"

# --- Releases -------------------------------------------------------------------------------------

changelog: $(INSTALLED) ## Join changes/ into CHANGELOG.md (VERSION=1.2.3)
	@$(BIN)/python changes/join.py "$(VERSION)"

clean: ## Remove what setup and the checks made (not var/)
	rm -rf $(VENV) frontend/node_modules frontend/dist .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .supply sbom *.egg-info
