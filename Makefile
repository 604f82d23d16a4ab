# make demo               everything on this machine, in the browser; ARGS="--once --seed 7" runs the cast and ends
# make test               all checks and tests
# make help               the rest

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Modules are compiled when they are first imported (most of what the vendors' packages bring never is), and kept beside
# the packages, also for who wants no bytecode in the source: each of the many processes would compile them anew.
export PYTHONPYCACHEPREFIX     := $(abspath $(VENV))/bytecode
export PYTHONDONTWRITEBYTECODE :=
PIP    := $(BIN)/python -m pip install -qq --no-input --disable-pip-version-check --no-compile
ARGS   :=
TESTS  := tests
WORKERS := 3

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types imports format bench lock clean

help:
	@echo "make demo    run everything on this machine (ARGS=\"--once\" runs the cast, --seed N draws it)"
	@echo "make test    lint, types, import rules, tests (TESTS=tests/test_x.py for one file)"
	@echo "make setup   the Python environment in $(VENV) (the others do this by themselves)"
	@echo "make bench   from POST to dial, beside a minimal starter"
	@echo "make format  format the code"
	@echo "make lock    write requirements.lock anew from pyproject.toml (needs uv)"
	@echo "make clean   remove $(VENV), caches and the demo's data in .showrate"

setup: $(STAMP)

# The first Python that is new enough; a shim that is there but does not run is passed over.
$(STAMP): requirements.lock pyproject.toml
	@python=; \
	for each in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	  if $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$$each; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed: https://www.python.org/downloads/" >&2; exit 1; fi; \
	echo "Installing into $(VENV) with $$($$python --version) ..."; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $$python -m venv --clear $(VENV) || \
	  { echo "$$python has no working venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps -e .
	@touch $(STAMP)

demo: $(STAMP)
	@exec $(BIN)/python -m workers demo $(ARGS)

test: $(STAMP) lint types imports
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

lint: $(STAMP)
	@$(BIN)/ruff check --quiet .

types: $(STAMP)
	@$(BIN)/mypy --no-error-summary

imports: $(STAMP)
	@$(BIN)/lint-imports >.import-rules.log 2>&1 || { cat .import-rules.log; rm -f .import-rules.log; exit 1; }
	@rm -f .import-rules.log

format: $(STAMP)
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

bench: $(STAMP)
	@$(BIN)/python -m tests.bench.dial $(ARGS)

lock:
	@uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	  --all-extras pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .showrate .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info build
