# One line for each habit. `make demo` and `make test` are all that a newcomer needs.
# Environments are made on first use and again when pyproject.toml changes.

PYTHON ?= python3
# The CPU build is enough; with a CUDA GPU: make TORCH_INDEX=https://download.pytorch.org/whl/cu130
TORCH ?= torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
LABEL_STUDIO ?= label-studio==1.23.2

ENVS := .envs
MAIN := $(ENVS)/main
STUDIO := $(ENVS)/label-studio
PEER := $(ENVS)/label-studio-ml
BIN := $(MAIN)/bin
PIP := -m pip install --quiet --disable-pip-version-check
# --no-deps: an index that holds only PyTorch must not be asked for anything else.
INSTALL_TORCH = $(PIP) --no-deps --retries 1 --extra-index-url $(TORCH_INDEX) $(TORCH)

.PHONY: help demo test test-fast lint types format bench envs clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(MAIN)/.made $(STUDIO)/.made  ## a real Label Studio with this backend and sample photographs
	@$(BIN)/python -m demo.run --label-studio $(STUDIO)/bin/label-studio

test: envs  ## all tests, with a real Label Studio and, where there is one, a browser
	@$(BIN)/python -m pytest

test-fast: $(MAIN)/.made  ## the tests that need no other environment
	@$(BIN)/python -m pytest -m "not e2e and not peer and not slow"

lint: $(MAIN)/.made  ## style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(MAIN)/.made  ## static types
	@$(BIN)/mypy

format: $(MAIN)/.made  ## rewrite the code in the house style
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(MAIN)/.made $(STUDIO)/.made  ## speed: stages, HTTP, runtimes, networks and peers, codec, load
	@$(BIN)/python -m benchmarks.click
	@$(BIN)/python -m benchmarks.runtimes --cold --json artifacts/bench-runtimes.json
	@$(BIN)/python -m benchmarks.networks
	@$(BIN)/python -m benchmarks.codec --json artifacts/bench-codec.json
	@$(BIN)/python -m benchmarks.load
	@$(BIN)/python -m benchmarks.plots

envs: $(MAIN)/.made $(STUDIO)/.made $(PEER)/.made  ## make every environment

clean:  ## remove environments, demo data and artefacts
	rm -rf $(ENVS) .demo artifacts

$(MAIN)/.made: pyproject.toml
	$(PYTHON) -m venv $(MAIN)
	$(BIN)/python $(INSTALL_TORCH)
	$(BIN)/python $(PIP) -e '.[onnx,train,test,lint]'
	@touch $@

$(STUDIO)/.made:
	$(PYTHON) -m venv $(STUDIO)
	$(STUDIO)/bin/python $(PIP) '$(LABEL_STUDIO)'
	@touch $@

$(PEER)/.made: pyproject.toml
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/python $(INSTALL_TORCH)
	$(PEER)/bin/python $(PIP) -e '.[label-studio-ml]'
	@touch $@
