# Everything needs only Python 3.11 with pip and venv, and make.  `make help` says what there is.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RULEBOOKS := rulebooks/
BENCHMARKS := $(filter-out benchmarks/measure.py,$(wildcard benchmarks/*.py))

.DEFAULT_GOAL := help
.PHONY: help check test lint golden bench lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: $(VENV)/.ready ## check the rulebooks: every claim with its verdict
	@$(BIN)/specforge check $(RULEBOOKS)

test: $(VENV)/.ready-dev ## run the tests
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

lint: $(VENV)/.ready-dev ## ruff and pyright
	@$(BIN)/ruff check .
	@$(BIN)/pyright

golden: $(VENV)/.ready-dev ## write the recorded messages anew; then read the diff
	@SPECFORGE_GOLDEN=1 $(BIN)/python -m pytest -q tests/golden
	@git --no-pager diff --stat -- tests/golden

bench: $(VENV)/.ready-dev ## measure what the project promises about speed
	@for each in $(BENCHMARKS); do $(BIN)/python "$$each" || exit 1; done

lock: ## pin the dependencies of pyproject.toml anew, with hashes
	@$(PYTHON) tools/lock.py

clean: ## remove the virtual environment and what was built
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis

# The environment: made once, and again when a lock or the project's own metadata changes.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=$(PYTHON))"; exit 1; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing the locked dependencies"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock $(VENV)/.ready
	@echo "installing the locked tools for tests"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
