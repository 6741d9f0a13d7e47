# One door for everything a person or CI does here. `make help` lists it.
PY     ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Offices sit behind inspecting proxies: trust what the machine trusts.
export UV_SYSTEM_CERTS := true
MEMBERS := shared gateway services/identity services/services-catalog services/archive services/exchange portal verifier deploy/local
EDITABLE := $(foreach m,$(MEMBERS),-e $(m))
SUITE  ?=
ARGS   ?=
.DEFAULT_GOAL := help
.PHONY: help install install-dev fmt lint types rooms test flows explore cover contracts contracts-write interop conformance-control migrate up down status logs reset demo bench drills compose-test new-slice ci lock clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- install -----------------------------------------------------------------------------------
$(VENV)/bin/uv: locks/bootstrap.txt
	@$(PY) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Sebalai needs Python 3.11 or newer; set PY=/path/to/python3")'
	@test -x $(BIN)/python || $(PY) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian install python3-venv, or set PY="; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/bootstrap.txt
	@touch $@

$(VENV)/.platform: $(VENV)/bin/uv locks/platform.txt $(MEMBERS:%=%/pyproject.toml)
	@echo "installing the platform (hash-pinned) ..."
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r locks/platform.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-config $(EDITABLE)
	@touch $@

$(VENV)/.dev: $(VENV)/.platform locks/all.txt
	@echo "installing the tools for tests and checks (hash-pinned) ..."
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r locks/all.txt
	@touch $@

install: $(VENV)/.platform ## install the platform from locks/
install-dev: $(VENV)/.dev ## the same, with the tools for tests and checks

lock: $(VENV)/bin/uv ## resolve once and export hash-pinned requirements to locks/
	@rm -f uv.lock && $(BIN)/uv lock --quiet --python $(BIN)/python
	@$(BIN)/uv export --quiet --no-header --no-annotate --no-emit-workspace --only-group bootstrap -o locks/bootstrap.txt
	@$(BIN)/uv export --quiet --no-header --no-annotate --no-emit-workspace --all-packages --no-dev -o locks/platform.txt
	@$(BIN)/uv export --quiet --no-header --no-annotate --no-emit-workspace --all-packages --all-groups -o locks/all.txt
	@for m in $(filter-out deploy/local,$(MEMBERS)); do $(BIN)/uv export --quiet --no-header --no-annotate --no-emit-workspace --no-dev --package sebalai-$$(basename $$m) -o locks/$$(basename $$m).txt; done

# --- checks ------------------------------------------------------------------------------------
fmt: install-dev ## format and fix what can be fixed
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .
lint: install-dev ## format check, ruff, unused and missing dependencies
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .
	@for m in $(MEMBERS); do (cd $$m && $(CURDIR)/$(BIN)/deptry . --no-ansi 2>/dev/null) || exit 1; done
types: install-dev ## pyright strict
	@$(BIN)/basedpyright --warnings
rooms: install-dev ## who may import whom, sizes, house rules
	@$(BIN)/lint-imports --no-cache && $(BIN)/pytest tests/architecture $(ARGS)
test: install-dev ## everything: pure, slice and flow tests, from nothing
	@BIN=$(BIN) tests/run $(ARGS)
flows: install-dev ## only the flows with real processes
	@$(BIN)/pytest tests/flows $(ARGS)
explore: install-dev ## the property tests with new random cases, many (ARGS=services/archive)
	@$(BIN)/pytest -m hypothesis --hypothesis-profile=explore $(ARGS)
cover: install-dev ## tests with branch coverage
	@$(BIN)/coverage run -m pytest $(ARGS) && $(BIN)/coverage report --skip-covered
contracts: install-dev ## published contracts against the code
	@$(BIN)/pytest tests/contracts $(ARGS)
contracts-write: install-dev ## write docs/contracts/ from the code; read the diff
	@for m in identity services_catalog archive exchange; do $(BIN)/python -m sebalai_$$m contracts || exit 1; done
interop: install-dev ## libraries of others against a platform of its own (needs node 20, npm)
	@bash tests/interop/run.sh
conformance-control: install-dev ## the checks of tests/conformance against a certified provider of others (needs node, npm; minutes)
	@bash tests/conformance/control/run.sh $(ARGS)
ci: lint types rooms test ## what CI runs

# --- the platform ------------------------------------------------------------------------------
up: install ## start the whole platform in the background and print a first call
	@$(BIN)/sebalai up
down: ## stop it; nothing stays behind
	@test -x $(BIN)/sebalai && $(BIN)/sebalai down || echo "not installed, so nothing runs"
status: install ## what runs, on which port, since when
	@$(BIN)/sebalai status
logs: install ## follow the logs (ARGS=gateway for one process)
	@$(BIN)/sebalai logs -f $(ARGS)
reset: install ## stop, forget all data, keep the code
	@$(BIN)/sebalai reset
migrate: install ## apply the migrations of every member
	@$(BIN)/sebalai migrate
demo: up ## a call, its receipt, an offline check, a refusal, the trace
	@$(BIN)/python -m sebalai_local demo
bench: install-dev ## measure beside nginx (SUITE=calls)
	@$(BIN)/python tests/load/bench.py $(SUITE)
drills: install-dev ## the long version of the kill and stop tests
	@$(BIN)/pytest tests/drills $(ARGS)
compose-test: install-dev ## docker-compose on a real local engine
	@bash tests/compose/run.sh
new-slice: ## make new-slice M=services/archive N=loans
	@test -n "$(M)" -a -n "$(N)" || { echo "make new-slice M=services/archive N=loans"; exit 2; }
	@p=$(M)/$$(ls $(M) | grep '^sebalai_')/$(N); mkdir -p $$p $(M)/tests/$(N) && touch $$p/__init__.py && echo "made $$p and $(M)/tests/$(N)"
clean: ## remove the environment
	@rm -rf $(VENV)
