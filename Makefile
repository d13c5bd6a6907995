# Two commands for a fresh machine with Python 3.11-3.13 and make:
#   make demo    trains on dSprites, scores, draws, exports (ten to fifteen minutes on two cores)
#   make test    checks style and runs every test but those under XLA (make test-xla)
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
RUN ?= runs/demo
# Processes that run tests at once.
WORKERS ?= 2

.PHONY: demo test test-xla test-fast lint format install clean

demo: $(INSTALLED)
	$(BIN)/tfdisent demo --out $(RUN)

test: lint
	$(BIN)/python -m pytest -q -m "not xla" -n $(WORKERS) --dist loadscope --durations=10

# Compiling every trainer with XLA takes minutes; on a CPU they train without it. What the tests
# compile runs a few times only: LLVM need not make it fast.
test-xla: $(INSTALLED)
	XLA_FLAGS=--xla_backend_optimization_level=0 $(BIN)/python -m pytest -q -m xla -n $(WORKERS)

test-fast: $(INSTALLED)
	$(BIN)/python -m pytest -q

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
