# Everything here may be called again at any time; what is done already takes a moment.
.DEFAULT_GOAL := help
.NOTPARALLEL:
export DO_NOT_TRACK := 1
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
ARGS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: env ## the main job: every stage of the study that is stale
	@$(BIN)/latentflow run study --preset quick $(ARGS)

plan: env ## what `make run` would compute, and why
	@$(BIN)/latentflow plan study --preset quick $(ARGS)

test: env-dev system ## all tests (one of them: make test ARGS="-k recipe")
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: env-dev ## style, form and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

check: lint test ## lint and test

format: env-dev ## puts style and form right where a machine can
	@$(BIN)/ruff check --fix --exit-zero --quiet && $(BIN)/ruff format --quiet

env: ## .venv with what a run needs
	@sh requirements/install runtime

env-dev: ## .venv with the tools for tests and lint besides
	@sh requirements/install dev

env-peers: ## benchmarks/.venv with the peers that the benchmarks stand beside
	@sh requirements/install peers

system: ## what the tests need from the system (Chromium), where apt and its rights are there
	@sh requirements/system

lock: ## newest versions in pyproject.toml's ranges, pinned with hashes
	@sh requirements/lock

audit: ## whether vulnerabilities are known of what is pinned; needs a network
	@sh requirements/audit

clean: ## removes environments and caches; the store in artifacts/ stays
	@rm -rf .venv benchmarks/.venv .code_cache .mypy_cache .pytest_cache .ruff_cache *.egg-info build && find engine tasks flows report cli tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help run plan test lint check format env env-dev env-peers system lock audit clean
