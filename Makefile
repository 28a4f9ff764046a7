# The words of this house; `make` alone lists them.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STATE := .state
PORT ?= 8080

.DEFAULT_GOAL := help

help: ## List these words
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(BIN)/pages ## Make .venv with the `pages` command in .venv/bin

$(BIN)/pages: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: install it, or name it: make PYTHON=python3.12" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

nginx: ## Install nginx where that is possible without a question
	@sh deploy/nginx/install.sh

serve: install nginx ## Publish the example sites on http://*.pages.localhost:8080/ (PORT=… for another port)
	@sh examples/prepare.sh $(STATE)/examples
	$(BIN)/pages serve examples/sites --allow-local --allowed-hosts localhost --state $(STATE)/serve --port $(PORT)

test: install nginx ## Run all tests
	$(BIN)/pytest

lint: install ## Look for mistakes, bad style and forbidden imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

format: install ## Mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: install ## Check the types
	$(BIN)/mypy

bench: install nginx ## Measure against what a user would do instead
	$(BIN)/python -m bench

clean: ## Remove what these words made
	rm -rf $(VENV) $(STATE) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help install nginx serve test lint format types bench clean
