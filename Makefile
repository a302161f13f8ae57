# Every target works on a machine that has Python >= 3.11, make and git, with no step before it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install run test check bench fuzz docs lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

install: $(STAMP) ## make .venv with the locked dependencies

run: $(STAMP) ## bill real usage and published subscribers, then prove every invoice
	$(BIN)/tenor demo

test: $(STAMP) ## all tests, on the embedded PostgreSQL or on TENOR_TEST_DATABASE_URL
	$(BIN)/python -m pytest -n 3

check: $(STAMP) ## lint, types, import contracts, generated documents
	$(BIN)/ruff check src tests tools
	$(BIN)/ruff format --check src tests tools
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/generate_docs.py --check
	$(BIN)/python tools/generate_client.py --check

bench: $(STAMP) ## bill run, ingest and API beside their floors; writes docs/benchmarks.md
	$(BIN)/python tools/bench.py

fuzz: $(STAMP) ## ask the API much that it does not expect, a hundred times for each operation
	$(BIN)/python -m tools.fuzz_api

docs: $(STAMP) ## write the generated documents and the client anew
	$(BIN)/python tools/generate_docs.py
	$(BIN)/python tools/generate_client.py

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header pyproject.toml -o requirements/runtime.txt
	uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --extra dev pyproject.toml -o requirements/dev.txt

clean: ## remove the environment and the data directory
	rm -rf $(VENV) .tenor
