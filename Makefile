# Two commands for a fresh machine (Python >= 3.10 with venv is all it needs):
#   make demo   sets up, then trains a detector, tracks, scores and draws synthetic crowds
#   make test   sets up, then runs the tests
# PYTHON= chooses the interpreter, VENV= the folder of the virtual environment.

PYTHON ?= python3
VENV ?= .venv
DEMO_DIR ?= work_dirs/demo

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The name holds the requirements' checksum: the set-up runs again when they change.
STAMP := $(VENV)/.mmtrack-$(shell cat setup.py requirements/*.txt | cksum | cut -d' ' -f1)
# Idle OpenMP threads that spin make a busy machine many times slower.
export OMP_WAIT_POLICY ?= PASSIVE
export MPLBACKEND ?= Agg

.PHONY: help install demo test lint format docs clean
.DELETE_ON_ERROR:

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(STAMP)  ## set up the virtual environment and everything in it

$(STAMP):
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo \
	  "make: no '$(PYTHON)' on this machine. Install Python >= 3.10 or name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo \
	  "make: $$($(PYTHON) --version 2>&1) is too old, 3.10 is needed. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo \
	  "make: $(PYTHON) comes without venv. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "[1/4] torch and torchvision (a few minutes and about 5 GB the first time)"
	@$(PIP) install -r requirements/build.txt
	@$(PIP) install -r requirements/runtime.txt
	@echo "[2/4] mmcv and mmdet"
	@$(PIP) install --no-build-isolation -r requirements/mminstall.txt
	@echo "[3/4] test tools and optional parts"
	@$(PIP) install -r requirements/tests.txt
	@$(PIP) install -r requirements/optional.txt || echo \
	  "Some optional parts have no package for this Python; everything works without them."
	@echo "[4/4] mmtrack"
	@$(PIP) install --no-build-isolation --no-deps -e .
	@rm -f $(VENV)/.mmtrack-*; touch $@
	@$(BIN)/python -m mmtrack.utils.collect_env

test: $(STAMP)  ## the tests (pass options with ARGS=, such as ARGS="-k kalman")
	$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP)  ## style and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

format: $(STAMP)  ## rewrite the files in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)  ## the documentation, as docs/en/_build/index.html
	$(PIP) install -r requirements/docs.txt
	$(BIN)/python -m sphinx -W -b html docs/en docs/en/_build

clean:  ## remove what the build and the demo made, but not the environment
	rm -rf build *.egg-info docs/en/_build docs/en/api $(DEMO_DIR)
