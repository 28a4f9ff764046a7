# Development targets; `make` on its own lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STATE := .state
PORT ?= 8080
SECONDS ?= 600

.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(BIN)/pages ## Create .venv with the `pages` command in .venv/bin

$(BIN)/pages: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is required; install it, or pass its path: make PYTHON=/path/to/python" >&2; exit 1; }
	@test -x $(BIN)/pip || sh deploy/local/venv.sh $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,docs]'
	touch $@

nginx: ## Install nginx if this needs no password and no confirmation
	@sh deploy/local/nginx.sh

chromium: ## Install the Chromium that tests the dashboard, if this needs no password and no confirmation
	@sh deploy/local/chromium.sh

serve: install nginx ## Publish the example sites on http://*.pages.localhost:8080/ (PORT=… for another port)
	@sh examples/prepare.sh $(STATE)/examples
	$(BIN)/pages serve examples/sites --allow-local --state $(STATE)/serve --port $(PORT)

tools: ## Build the servers for some tests: etcd, kube-apiserver, Gitea, Traefik, helm and more (once, about 25 minutes)
	sh deploy/local/chromium.sh
	sh tests/tools/build.sh .cache/tools
	sh tests/tools/gitea/build.sh .cache/tools
	sh tests/tools/traefik/build.sh .cache/tools
	sh tests/tools/helm/build.sh .cache/tools
	sh tests/tools/promtool/build.sh .cache/tools

test: install nginx ## Run all tests; those with a cluster or Gitea need `make tools` first
	$(BIN)/pytest

test-quick: install ## Run the tests that need no server, which takes less than a minute
	$(BIN)/pytest -m 'not server'

manifests: ## Update deploy/install.yaml and the chart's copies of crds/, nginx rules, alerts and so on (needs helm)
	sh deploy/manifests.sh $(firstword $(wildcard .cache/tools/bin/helm) helm)

e2e-kind: install ## Run the cluster tests on a kind cluster (needs Docker, kind, kubectl, helm)
	BIN=$(BIN) sh tests/cluster/kind/run.sh

lint: install ## Check for mistakes, style and forbidden imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

format: install ## Fix what can be fixed automatically
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: install ## Check the types
	$(BIN)/mypy

docs: docs-reference ## Build the docs as a site in .site
	$(BIN)/properdocs build --strict --quiet
	@echo "View it with: $(BIN)/python -m http.server --bind 127.0.0.1 --directory .site"

docs-reference: install ## Update the parts of the docs that are generated from the code
	$(BIN)/python -m docs.generate

bench: install nginx ## Compare with what a user would do instead (half an hour)
	$(BIN)/python -m bench

soak: install nginx ## Publish under random faults and check what a reader sees (SECONDS=600)
	$(BIN)/python -m bench.soak $(SECONDS)

clean: ## Remove everything that the targets created
	rm -rf $(VENV) $(STATE) .site .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help install nginx chromium serve tools test test-quick manifests e2e-kind lint format types docs docs-reference bench soak clean
