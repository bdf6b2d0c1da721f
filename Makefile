# The doors for people: run it, test it, prove it, measure it. Everything installs what it needs by itself.

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8080
WHAT ?= all
# Some machines say that Python is to keep no compiled files; the tests start the program hundreds of times.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run test lint prove bench lock clean

help:
	@echo "make run      set up, migrate, serve the web chat on http://127.0.0.1:$(PORT) in demonstration mode"
	@echo "make test     set up, lint, type-check and run every test"
	@echo "make prove    the long evidence with the full counts [WHAT=crash|store|survey|forms|documents|telegram|looks]"
	@echo "make bench    measure against peers, writes build/bench.json"
	@echo "make setup    .venv from the lock file, with the tools for tests, lint and bench"

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name it: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

# What the service needs.
.venv/.run: requirements.lock | .venv/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# That and the tools for tests, lint and bench.
.venv/.dev: requirements-dev.lock requirements.lock | .venv/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ .venv/.run

setup: .venv/.dev

run: .venv/.run
	@$(BIN)/python -m bot migrate
	@DOLUONG_DEMO=$${DOLUONG_DEMO:-1} DOLUONG_PORT=$${DOLUONG_PORT:-$(PORT)} exec $(BIN)/python -m bot run

# What the browser tests need from Debian; as root it is installed, otherwise the missing package is named.
.venv/.browser: tests/browser/packages.sh | .venv/.dev
	@sh tests/browser/packages.sh
	@touch $@

lint: .venv/.dev
	@mkdir -p build
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache > build/imports.txt || { cat build/imports.txt; exit 1; }

test: .venv/.dev .venv/.browser
	@mkdir -p build
	@$(MAKE) --no-print-directory lint
	@# Many tests wait more than they work, so four run beside each other on two cores; one file's stay together. The
	@# longest files come first, or one of them would run alone at the end.
	$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder --durations=15 \
		tests/test_crash.py tests/browser tests/bot tests/fakes tests

prove: .venv/.dev .venv/.browser
	@mkdir -p build
	$(BIN)/python -m tests.prove $(WHAT)

bench: .venv/.dev
	@mkdir -p build
	$(BIN)/python -m tests.benchmarks

# Write the lock files anew from pyproject.toml; a change is reviewed like any other.
lock: .venv/.dev
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra bench --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements-dev.lock

clean:
	rm -rf .venv build
