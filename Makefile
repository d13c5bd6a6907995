# Two commands for a fresh machine with Python 3.11-3.13 and make:
#   make demo    trains on dSprites, scores, draws, exports (ten to fifteen minutes on two cores)
#   make test    checks style and runs the tests, but for the long ones (make test-long) and those
#                under XLA (make test-xla)
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
RUN ?= runs/demo
# Processes that run tests at once.
WORKERS ?= 2

PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --durations=10

.PHONY: demo test test-long test-xla lint format install clean

demo: $(INSTALLED)
	$(BIN)/tfdisent demo --out $(RUN)

test: lint
	$(PYTEST) --dist loadscope

test-long: $(INSTALLED)
	$(PYTEST) -m "long and not xla"

# Compiling every trainer with XLA takes minutes; on a CPU they train without it. What the tests
# compile runs a few times only: LLVM need not make it fast.
test-xla: $(INSTALLED)
	XLA_FLAGS=--xla_backend_optimization_level=0 $(PYTEST) -m xla

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 13); sys.exit(None if ok else "tfdisent needs Python 3.11 to 3.13, found " + sys.version.split()[0] + ": set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
