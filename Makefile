# Two commands for a fresh machine (Python >= 3.10 with venv is all it needs):
#   make demo   sets up, then trains a detector, tracks, scores and draws synthetic crowds
#   make test   sets up, then runs the tests
# PYTHON= chooses the interpreter, VENV= the folder of the virtual environment, JOBS= the test processes.

PYTHON ?= python3
VENV ?= .venv
# processes of the tests; each takes whole files, because fixtures are shared within them
JOBS ?= 2

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
	@PYTHONPATH=$(CURDIR)/requirements/mmcv_build $(PIP) install --no-build-isolation -r requirements/mminstall.txt
	@echo "[3/4] test tools and optional parts"
	@$(PIP) install -r requirements/tests.txt
	@$(PIP) install -r requirements/optional.txt || sed '/^ *#/d; /^ *$$/d' requirements/optional.txt | \
	  while read -r part; do $(PIP) install "$$part" </dev/null || echo \
	  "$$part has no package for this machine; everything else works without it."; done
	@echo "[4/4] mmtrack"
	@$(PIP) install --no-build-isolation --no-deps -e .
	@rm -f $(VENV)/.mmtrack-*; touch $@
	@$(BIN)/python -m mmtrack.utils.collect_env

# ---------------------------------------------------------------- demo
# Every step makes a file and runs only where the file is missing: an interrupted demo goes on
# where it stopped, and a second call only shows the results.
DEMO := work_dirs/demo
DEMO_CONFIG := configs/quickstart/bytetrack_yolox_tiny_synthetic-mot17.py
MOT := data/synthetic/MOT17
CROWD := data/synthetic/crowdhuman
DEMO_VIDEO := $(DEMO)/tracked.mp4

demo: $(DEMO)/scores.txt $(DEMO_VIDEO) $(DEMO)/curves.png  ## train, track, score and draw rendered crowds
	@cat $(DEMO)/scores.txt
	@echo "Scores:   $(DEMO)/scores.txt"
	@echo "Video:    $(DEMO_VIDEO)"
	@echo "Tracks:   $(DEMO)/tracked.txt"
	@echo "Curves:   $(DEMO)/curves.png"
	@echo "Weights:  $(DEMO)/latest.pth"
	@echo "Data:     $(MOT)"

$(MOT)/.synthetic.json: | $(STAMP)
	@echo "== Rendering videos of crowds"
	@$(BIN)/python tools/synthesize.py mot17 --out $(MOT) --sequences 8 --frames 20 \
	  --test-sequences 3 --test-gt --people 6

$(CROWD)/.synthetic.json: | $(STAMP)
	@echo "== Rendering single images of crowds"
	@$(BIN)/python tools/synthesize.py crowdhuman --out $(CROWD) --size 640x360 --images 400 \
	  --val-images 0 --people 8

$(MOT)/annotations/test_cocoformat.json: $(MOT)/.synthetic.json
	@$(BIN)/python tools/convert_datasets/mot/mot2coco.py -i $(MOT) -o $(MOT)/annotations

$(CROWD)/annotations/crowdhuman_train.json: $(CROWD)/.synthetic.json
	@$(BIN)/python tools/convert_datasets/mot/crowdhuman2coco.py -i $(CROWD) -o $(CROWD)/annotations

$(DEMO)/trained: $(MOT)/annotations/test_cocoformat.json $(CROWD)/annotations/crowdhuman_train.json
	@echo "== Training a small YOLOX (about ten minutes on two cores)"
	@$(BIN)/python tools/train.py $(DEMO_CONFIG) --work-dir $(DEMO) --seed 0 --no-validate \
	  $$(test -e $(DEMO)/latest.pth && echo --resume-from $(DEMO)/latest.pth)
	@touch $@

$(DEMO)/scores.txt: $(DEMO)/trained
	@echo "== Testing ByteTrack on videos that were held out"
	@$(BIN)/python tools/test.py $(DEMO_CONFIG) --checkpoint $(DEMO)/latest.pth --eval bbox track \
	  > $@.part
	@mv $@.part $@

$(DEMO_VIDEO): $(DEMO)/trained
	@echo "== Drawing a video"
	@$(BIN)/python demo/demo_mot_vis.py $(DEMO_CONFIG) --checkpoint $(DEMO)/latest.pth \
	  --input $$(ls -d $(MOT)/test/*/img1 | head -n 1) --output $@ --out-txt $(DEMO)/tracked.txt --fps 10

$(DEMO)/curves.png: $(DEMO)/trained
	@$(BIN)/python tools/analysis/analyze_logs.py plot_curve $(DEMO)/*.log.json \
	  --keys loss loss_cls loss_bbox loss_obj --out $@

test: $(STAMP)  ## the tests (pass options with ARGS=, such as ARGS="-k kalman")
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

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
	rm -rf build *.egg-info docs/en/_build docs/en/api docs/en/jupyter_execute work_dirs/demo data/synthetic
