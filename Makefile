# Every command of daily work. `make` alone lists them.
# Nothing has to be installed by hand beside Python 3.11-3.13 (with venv) and make.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := domain streams adapters projections

# The first interpreter that starts and is of a supported version; empty if there is none.
# A name on the PATH is not enough: version managers leave names there that do not start.
FIND_PYTHON = for name in $${PYTHON:-} python3.13 python3.12 python3.11 python3; do \
	if "$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1; \
	then command -v "$$name"; break; fi; done

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.PHONY: help
help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.PHONY: install
install: $(STAMP) ## Make .venv from the lock, once per change of lock or pyproject

$(STAMP): requirements.lock pyproject.toml
	@python="$$($(FIND_PYTHON))"; \
	if [ -z "$$python" ]; then \
		echo "No Python 3.11, 3.12 or 3.13 was found. Install one, or name it: make install PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	if [ -x $(BIN)/python ] && $(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	then fresh=no; else fresh=yes; rm -rf $(VENV); fi; \
	if command -v uv >/dev/null 2>&1; then \
		if [ $$fresh = yes ]; then uv venv --quiet --no-python-downloads --python "$$python" $(VENV); fi; \
		uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock; \
		uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	else \
		if [ $$fresh = yes ]; then \
			"$$python" -m venv $(VENV) || { rm -rf $(VENV); \
				echo "Python's venv module is missing (Debian: apt-get install python3-venv)." >&2; exit 1; }; \
		elif ! $(BIN)/python -m pip --version >/dev/null 2>&1; then $(BIN)/python -m ensurepip >/dev/null; \
		fi; \
		$(BIN)/python -m pip install --quiet --require-hashes --no-deps --requirement requirements.lock; \
		$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .; \
	fi
	@touch $@

.PHONY: demo
demo: $(STAMP) ## Show the whole path on made-up messages; sends nothing
	@$(BIN)/outlet demo

.PHONY: run
run: $(STAMP) ## Run the platform in one process, on SQLite, and serve HTTP at 127.0.0.1:8080
	@$(BIN)/outlet run

.PHONY: cluster
cluster: $(STAMP) ## Start the distributed outlet here: Kafka, PostgreSQL and every process, until Ctrl-C
	@$(BIN)/python -m tests.cluster

.PHONY: test
test: $(STAMP) ## Run the tests, less the long and the slow ones
	@$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

.PHONY: test-all
test-all: $(STAMP) ## Run every test, the long and the slow ones too
	@$(BIN)/python -m pytest -n auto --dist loadfile -m ''

.PHONY: lint
lint: $(STAMP) ## Format, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: check
check: lint ## Everything CI asks: the above, and the tests, the long ones too, with coverage
	@$(MAKE) --no-print-directory test PYTEST_ARGS="--cov --cov-report=term -m 'not slow' $(PYTEST_ARGS)"

.PHONY: fmt
fmt: $(STAMP) ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

.PHONY: bench
bench: $(STAMP) ## Measure against the peers that are installed
	@$(BIN)/outlet bench

.PHONY: figures
figures: $(STAMP) ## Measure the figures that are counted: FIGURES="s3 r1" or all, SIZE=--full for all of it
	@$(BIN)/python -m tests.figures $(FIGURES) $(SIZE)

.PHONY: lock
lock: ## Write requirements.lock anew from pyproject.toml, for every supported Python
	@uv="$$(command -v uv || true)"; \
	if [ -z "$$uv" ]; then \
		if [ ! -x $(BIN)/uv ]; then $(MAKE) install; fi; \
		uv=$(BIN)/uv; \
	fi; \
	"$$uv" pip compile pyproject.toml --quiet --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header $(LOCK_OPTIONS) \
		--output-file requirements.lock
	@if grep -nE 'https?://' requirements.lock; then echo "The lock names an address." >&2; exit 1; fi

.PHONY: clean
clean: ## Remove what the tools left behind; .venv and data/ stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov dist build
	@find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +
