# Jetway. `make` says what there is.

# A Python of 3.11 or newer; PYTHON=<path> chooses one.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)
VENV := .venv/bin
# How many test processes. The database and Valkey of each are its own.
WORKERS ?= 2
TESTS ?= tests
# How long `make fuzz` and `make chaos` go on; SEED=<number> repeats either.
MINUTES ?= 10

.PHONY: help run test check bench fuzz chaos invariants schema format lock clean run-environment dev-environment
.DEFAULT_GOAL := help

help: ## what there is
	@echo "Jetway"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  Settings: HOST, PORT (8000), JETWAY_HOME, DATABASE_URL, REDIS_URL, STRIPE_API_KEY; see docs/running.md."

run: run-environment ## Jetway whole on this machine: database, server, worker, flights, payments
	@exec $(VENV)/python -m demo

test: dev-environment ## every test
	@$(VENV)/python -m scripts.chromium
	@$(VENV)/python -m scripts.node
	@$(VENV)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

check: dev-environment ## format, lint, types, import rules, contract
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy .
	$(VENV)/lint-imports --no-logo
	$(VENV)/python -m scripts.contract
	$(VENV)/python -m scripts.facts

fuzz: dev-environment ## compiled against interpreted execution (MINUTES=10, SEED=any)
	@$(VENV)/python -m scripts.fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

bench: dev-environment ## the figures of docs/performance.md
	@$(VENV)/python -m bench

chaos: dev-environment ## everything breaks while buyers buy (MINUTES=10, SEED=any)
	@$(VENV)/python -m scripts.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

invariants: run-environment ## what must always hold, asked of the running server's database
	@$(VENV)/python -m scripts.invariants

schema: dev-environment ## write schema.graphql and docs/facts from the code
	@$(VENV)/python -m scripts.contract --write
	@$(VENV)/python -m scripts.facts --write

format: dev-environment ## let ruff format, and put right what it safely can
	@$(VENV)/ruff check --fix-only --quiet .
	@$(VENV)/ruff format .

lock: ## resolve pyproject.toml into the lock files anew (needs uv)
	@uv lock --upgrade --quiet
	@uv export --quiet --all-groups --no-emit-project --no-header --no-annotate --format requirements-txt -o requirements.lock
	@uv export --quiet --no-dev --no-emit-project --no-header --no-annotate --format requirements-txt -o requirements-run.lock
	@rm -f uv.lock

clean: ## remove the environment and every cache; your data stays
	@rm -rf .venv .make .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-artifacts
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

run-environment:
	@$(PYTHON) scripts/environment.py run

dev-environment:
	@$(PYTHON) scripts/environment.py dev
