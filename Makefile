# Two commands for a fresh machine with Python 3.11-3.13 and make:
#   make demo    trains on dSprites, scores, draws, exports (about ten minutes on two cores)
#   make test    checks style and runs every test but those under XLA (make test-xla)
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
RUN ?= runs/demo
# Processes that run tests at once, and threads in each: more threads than cores slow all of them.
WORKERS ?= 2
THREADS ?= 1
LIMITED := OMP_NUM_THREADS=$(THREADS) OPENBLAS_NUM_THREADS=$(THREADS) \
	TF_NUM_INTRAOP_THREADS=$(THREADS) TF_NUM_INTEROP_THREADS=$(THREADS)

.PHONY: demo test test-xla test-fast lint format install clean

demo: $(INSTALLED)
	$(BIN)/tfdisent demo --out $(RUN)

test: lint
	$(LIMITED) $(BIN)/python -m pytest -q -m "not xla" -n $(WORKERS) --dist loadscope --durations=10

# Compiling every trainer with XLA takes minutes; on a CPU they train without it.
test-xla: $(INSTALLED)
	$(LIMITED) $(BIN)/python -m pytest -q -m xla -n $(WORKERS)

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
