# Xunjian: every target says what it does; `make help` lists them.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export PIP_DISABLE_PIP_VERSION_CHECK := 1
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Extra arguments for pytest or the benchmarks: make test ARGS="-k ledger -x"
ARGS ?=
# Where a real installation keeps its data
DATA ?= data/live

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(READY) ## Make .venv from requirements.lock (a second time costs nothing)

.PHONY: run
run: setup ## Load the project of 2021, simulate its year, serve on 127.0.0.1:8000
	@$(BIN)/xunjian demo

.PHONY: start
start: setup ## Serve a real installation of a project: make start PROJECT=projects/… (DATA=data/live)
	@$(BIN)/xunjian start $(or $(PROJECT),$(error PROJECT=projects/… is missing: the folder of the project to start)) --data $(DATA)

# The tests run in two halves beside each other, which together are pytest's testpaths (pyproject.toml).
FIRST_HALF := shared services contract-tests
SECOND_HALF := tests

# What makes pytest measure one half of the tests; nothing, but under make coverage.
measured = $(if $(COVERED),COVERAGE_FILE=.cache/coverage.$(1),)
COV := $(if $(COVERED),--cov --cov-report=,)

.PHONY: test
test: setup servers check ## Check, then run every test on real servers (ARGS="-k name" for some)
ifeq ($(ARGS),)
	@$(call measured,2) $(BIN)/pytest $(COV) -o cache_dir=.cache/pytest-2 \
	   $(SECOND_HALF) > .cache/second-half.log 2>&1 & second=$$!; \
	$(call measured,1) $(BIN)/pytest $(COV) $(FIRST_HALF) \
	   $(SECOND_HALF:%=--ignore=%) && first=0 || first=$$?; \
	wait $$second && held=0 || held=$$?; \
	cat .cache/second-half.log; \
	exit $$((first > held ? first : held))
else
	@$(BIN)/pytest $(ARGS)
endif

.PHONY: test-long
test-long: setup servers ## The audit's tests with many more made-up changes and histories (ARGS="-x")
	@XUNJIAN_TEST_LONG=1 $(BIN)/pytest services/audit $(ARGS)

.PHONY: coverage
coverage: ## The same with branch coverage, which takes about twice as long
	@$(MAKE) test COVERED=1
	@$(BIN)/coverage combine --quiet .cache/coverage.1 .cache/coverage.2; $(BIN)/coverage report

.PHONY: check
check: setup ## Lint, format, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --cache-dir .cache/import-linter

.PHONY: format
format: setup ## Mend what lint and format can mend by themselves
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: contracts
contracts: setup ## Who publishes what to whom; fails where somebody can no longer read it, and says who
	@$(BIN)/python contract-tests/contracts.py

.PHONY: catalogue
catalogue: setup ## Write what follows from the code anew: docs/catalogue, docs/configuration.md, the table of docs/limits.md, contract-tests/pacts, the API's documents
	@$(BIN)/xunjian catalogue docs/catalogue
	@$(BIN)/python contract-tests/contracts.py --write-pacts
	@$(BIN)/xunjian openapi services/gateway
	@$(BIN)/python -m services.configuration_page > docs/configuration.md
	@$(BIN)/python -W ignore -m services.limits_page docs/limits.md
	@$(BIN)/python infra/kubernetes/prometheus-rule

.PHONY: bench
bench: setup ## Measure beside peers, on the same PostgreSQL and RabbitMQ
	@$(BIN)/python infra/test-servers exec $(BIN)/xunjian bench $(ARGS)

.PHONY: limits
limits: setup ## Measure how an installation behaves at size, some minutes (ARGS=--quick for one; docs/limits.md)
	@$(BIN)/python -W ignore infra/test-servers exec $(BIN)/python -W ignore -m benchmarks.limits $(ARGS)

.PHONY: fuzz
fuzz: setup ## Send many made-up requests to the API as everybody (a quarter of an hour; EXAMPLES=30 of each operation, ARGS="-k costs")
	@XUNJIAN_FUZZ_EXAMPLES=$(or $(EXAMPLES),30) $(BIN)/pytest tests/test_schemathesis.py $(ARGS)

.PHONY: compose-test
compose-test: setup servers ## Test the platform in containers, scaled, killed, upgraded, restored, and its alerts (a quarter of an hour)
	@infra/docker-engine
	@$(BIN)/python infra/test-servers exec $(BIN)/pytest infra/tests $(ARGS)

.PHONY: up
up: ## Run every service in a container of its own, on 127.0.0.1:8000 (docker; XUNJIAN_PORT=… for another port)
	@infra/compose up

.PHONY: down
down: ## Stop the containers; data stays (ARGS=--volumes to remove it)
	@infra/compose down $(ARGS)

.PHONY: servers
servers: setup ## Bring up PostgreSQL and RabbitMQ for tests and benchmarks
	@$(BIN)/python infra/test-servers up

.PHONY: lock
lock: ## Renew requirements.lock from pyproject.toml (newest versions allowed)
	@infra/python -m venv --clear .cache/lock
	@.cache/lock/bin/pip install --quiet --upgrade 'setuptools<81'
	@.cache/lock/bin/pip install --quiet '.[dev]'
	@{ echo '# Every version, of running and of developing. Made by make lock; do not edit.'; \
	   .cache/lock/bin/pip freeze --all --exclude pip --exclude xunjian; } > requirements.lock
	@rm -rf .cache/lock build xunjian.egg-info
	@echo "requirements.lock: $$(grep -c == requirements.lock) versions"

.PHONY: clean
clean: ## Remove whatever was built, cached or measured; data and servers stay
	@rm -rf $(VENV) .cache .coverage build dist htmlcov *.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.locked: requirements.lock
	@echo "setting up $(VENV) (half a minute, once)"
	@infra/python -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --no-deps --requirement requirements.lock
	@touch $@

$(READY): $(VENV)/.locked pyproject.toml
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/pip check >/dev/null || $(BIN)/pip check
	@touch $@
