# Every target prepares .venv by itself; a fresh machine needs python3 (3.11 or newer) and make.
ENV ?= local
PYTHON ?= python3
STATE := .reconciler
PLAN := $(STATE)/$(ENV).plan.json
VENV := .venv
BIN := $(VENV)/bin
RECONCILER := $(BIN)/reconciler
.DEFAULT_GOAL := help

$(VENV)/.run: requirements.lock pyproject.toml
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "Preparing $(VENV) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Preparing $(VENV) for development ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: help
help: ## List the targets
	@echo "make TARGET [ENV=local|dev|test|prod]"
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: venv
venv: $(VENV)/.run ## Prepare .venv

.PHONY: validate
validate: $(VENV)/.run ## Check all specs offline
	@$(RECONCILER) validate --env $(ENV) $(ARGS)

.PHONY: plan
plan: $(VENV)/.run ## Show what would change in ENV, and save it for apply
	@mkdir -p $(STATE)
	@$(RECONCILER) plan --env $(ENV) --out $(PLAN) $(ARGS)

.PHONY: apply
apply: $(VENV)/.run ## Apply the saved plan of ENV, or plan and apply where there is none
	@if [ -f $(PLAN) ]; then \
	    $(RECONCILER) apply --env $(ENV) $(PLAN) $(ARGS); code=$$?; \
	    case $$code in 0|4) mv -f $(PLAN) $(PLAN).applied;; esac; exit $$code; \
	else \
	    $(RECONCILER) apply --env $(ENV) $$([ -t 0 ] || echo --auto-approve) $(ARGS); \
	fi

.PHONY: rollback
rollback: $(VENV)/.run ## Undo the last apply in ENV, after showing what that means; ARGS=RUN names another one
	@$(RECONCILER) rollback --env $(ENV) $(ARGS)

.PHONY: verify
verify: $(VENV)/.run ## Prove that callers get what the specs say: modules, IVRs, numbers
	@$(RECONCILER) verify --env $(ENV) $(ARGS)

.PHONY: smoke
smoke: $(VENV)/.run ## Run the smoke tests in the org of ENV: ARGS='"A known*"' runs some
	@$(RECONCILER) smoke --env $(ENV) $(ARGS)

.PHONY: drift
drift: $(VENV)/.run ## Compare the org with what was applied last; exit code 2 when it differs
	@$(RECONCILER) drift --env $(ENV) $(ARGS)

.PHONY: test
test: $(VENV)/.dev ## Run the tests
	@$(BIN)/python -m pytest -n 2 $(ARGS)

.PHONY: oracle
oracle: $(VENV)/.dev ## Run the tests and report what of the wire the official SDK has checked
	@$(BIN)/python -m pytest -n 2 --oracle=report $(ARGS)

.PHONY: lint
lint: $(VENV)/.dev ## ruff, mypy --strict and the layer contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
WORKFLOWS := .github/workflows/*.yml reconciler/scaffold/pipelines/github/workflows/*.yml
.PHONY: lint-pipelines
lint-pipelines: $(VENV)/.dev ## Check action, workflows, GitLab template and Dockerfile; where Go is, also with actionlint
	@$(BIN)/python -m pytest tests/pipelines/test_files.py $(ARGS)
	@if command -v go >/dev/null; then go run $(ACTIONLINT) -shellcheck $(BIN)/shellcheck $(WORKFLOWS); \
	else echo "There is no Go here: actionlint was left out." >&2; fi

.PHONY: format
format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.dev ## Measure plan and apply on a generated estate; prints JSON
	@$(BIN)/python scripts/bench.py $(ARGS)

.PHONY: bench-validate
bench-validate: $(VENV)/.dev ## Measure validate on a generated estate; prints JSON
	@$(BIN)/python scripts/bench_validate.py $(ARGS)

.PHONY: bench-publish
bench-publish: $(VENV)/.dev ## Measure 50 flows from the first change to the last, against the bound; prints JSON
	@$(BIN)/python scripts/bench_publish.py $(ARGS)

.PHONY: faults
faults: $(VENV)/.dev ## Let every fault strike every kind of operation; prints a table
	@$(BIN)/python scripts/faults.py $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev ## Apply 2,000 flows through random faults under the rate limit, in sped-up time; prints JSON
	@$(BIN)/python scripts/soak.py $(ARGS)
.PHONY: kill-matrix
kill-matrix: $(VENV)/.dev ## Kill, suspend and race applies at every HTTP exchange; prints JSON
	@PYTHONPATH=tests $(BIN)/python -m killing $(ARGS)
.PHONY: fuzz
fuzz: $(VENV)/.dev ## Throw spoilt input at every part of the tool: ARGS='--inputs 100000 --seed 1'
	@$(BIN)/python scripts/fuzzing.py $(ARGS)

.PHONY: clean
clean: ## Remove .venv and local state, the sandbox org included
	@rm -rf $(VENV) $(STATE) .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz .import_linter_cache
