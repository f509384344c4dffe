# `make up` and `make test` each work alone on a fresh Debian 12 machine with root, Python 3.11, pip and apt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
FUZZ_VENV := .venv-fuzz
FUZZ_STAMP := $(FUZZ_VENV)/.installed
PACKAGES := python3-venv containerd runc containernetworking-plugins nftables iproute2 conntrack busybox-static util-linux
TEST_PACKAGES := strace wrk
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: up down test test-fast lint bench fuzz packages test-packages clean

up: packages $(STAMP)
	$(BIN)/python examples/shop/run.py

down: $(STAMP)
	$(SUDO) $(BIN)/proa down

# Tests on real clusters share the machine with everything else: what fails is asked once more, alone, and both outcomes are printed.
test: packages test-packages $(DEV_STAMP) lint
	$(BIN)/pytest tests/conformance tests/e2e || $(BIN)/pytest --last-failed --last-failed-no-failures none tests/conformance tests/e2e
	$(BIN)/pytest --numprocesses 2 tests/unit tests/integration

test-fast: $(DEV_STAMP)
	$(BIN)/pytest --numprocesses 2 tests/unit

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: packages test-packages $(DEV_STAMP)
	$(BIN)/python -m benchmarks $(if $(PEER),--peer $(PEER))

# Half an hour altogether, or as many SECONDS as are given.
fuzz: $(FUZZ_STAMP)
	$(FUZZ_VENV)/bin/python -m fuzz.run $(if $(SECONDS),--seconds $(SECONDS))

packages:
	@$(SUDO) sh scripts/packages $(PACKAGES)

test-packages:
	@$(SUDO) sh scripts/packages $(TEST_PACKAGES)
	@$(SUDO) sh scripts/kubectl $(CURDIR)/.cache
	@$(SUDO) sh scripts/kubectl_1_20 $(CURDIR)/.cache
	@$(SUDO) sh scripts/helm $(CURDIR)/.cache $(PYTHON)
	@$(SUDO) sh scripts/client_node $(CURDIR)/.cache

$(STAMP): pyproject.toml requirements.lock hatch_build.py $(shell find proa -name '*.proto')
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q proa
	@touch $@

$(DEV_STAMP): $(STAMP) requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock
	@touch $@

$(FUZZ_STAMP): pyproject.toml requirements.lock requirements-fuzz.lock hatch_build.py $(shell find proa -name '*.proto')
	$(PYTHON) -m venv $(FUZZ_VENV)
	$(FUZZ_VENV)/bin/pip install --quiet --disable-pip-version-check --requirement requirements.lock --requirement requirements-fuzz.lock
	$(FUZZ_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) $(FUZZ_VENV) .cache .mypy_cache .ruff_cache .pytest_cache
