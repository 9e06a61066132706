# Works with GNU make 3.81 (macOS). Everything runs in .venv; the stamp makes second runs fast.
.DEFAULT_GOAL := help
.PHONY: help install demo test check bench format lock clean

BIN := .venv/bin
STAMP := .venv/.installed
PY := timevalg workers tests benchmarks migrations
SOURCES = $(wildcard $(PY))
PYTEST_ARGS ?=

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## make .venv with the timevalg command (fast when nothing changed)

$(STAMP): pyproject.toml requirements.lock .ci/install
	@.ci/install

demo: $(STAMP) ## run the main job on the example clinic, at once
	@$(BIN)/timevalg demo

test: $(STAMP) ## run every test, against a real PostgreSQL and Redis that the tests bring
	@$(BIN)/python -m pytest -n auto $(PYTEST_ARGS)

check: $(STAMP) ## check format, lint, types and layers
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(STAMP) ## measure: benchmarks/bench_*.py, with a durable PostgreSQL
	@$(BIN)/python -m pytest benchmarks --benchmark-enable -p no:xdist $(PYTEST_ARGS) || test $$? -eq 5

format: $(STAMP) ## format the code and mend what can be mended
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

lock: $(STAMP) ## write requirements.lock after a change in pyproject.toml (UPGRADE=1: newest)
	@.ci/lock

clean: ## remove .venv and what the tools left
	@rm -rf .venv build dist .hypothesis .benchmarks .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
