# One target for each habit. `make demo` and `make test` are all that a newcomer needs.
# Environments are made on first use and again when pyproject.toml or their lock file changes.

PYTHON ?= python3
# The CPU build is enough; with a CUDA GPU: make TORCH_INDEX=https://download.pytorch.org/whl/cu130
TORCH ?= torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
LABEL_STUDIO ?= label-studio==1.23.2

ENVS := .envs
MAIN := $(ENVS)/main
DEMO := $(ENVS)/demo
STUDIO := $(ENVS)/label-studio
PEER := $(ENVS)/label-studio-ml
READERS := $(ENVS)/export-readers
BIN := $(MAIN)/bin

# Exact versions, for the Python that they were resolved on; another Python resolves afresh, as does
# `make PY=afresh`, which a LABEL_STUDIO of your own may need.
PY ?= py$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
lock = $(wildcard requirements/$(1)-$(PY).txt)

# Uses uv where there is one. Half-made environments have no .made, and are made anew.
make_env = @$(PYTHON) -m tools.environments $(1) $(addprefix --constraint ,$(call lock,$(2)))
with_torch = --torch '$(TORCH)' --torch-index '$(TORCH_INDEX)'
python_fault = $(shell $(PYTHON) -m tools.environments.check_python 2>&1 || true)

.PHONY: help python demo dist test test-units test-whole test-fast lint types docs pictures reference format bench envs lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

python:  # refuses a Python that will not do, in one line, before anything is made
	@$(if $(python_fault),$(error $(python_fault)))

demo: python  ## a real Label Studio with this backend and sample photographs
	@test -e $(DEMO)/.made -a -e $(STUDIO)/.made || echo "The first time: installing Label Studio" \
	  "and the backend into $(ENVS)/ (2 GB), side by side; about a minute on a fast connection."
	@$(MAKE) --no-print-directory -j2 $(STUDIO)/.made $(DEMO)/.made
	@$(DEMO)/bin/python -m demo.run --label-studio $(STUDIO)/bin/label-studio

test: test-units test-whole  ## all tests, with a real Label Studio and, where there is one, a browser

test-units: $(MAIN)/.made  ## the part of them that runs on all cores, with its coverage
	@$(BIN)/python -m pytest -n auto --cov --cov-report= tests/unit tests/golden

test-whole: envs  ## the rest: trainings one after the other, servers and browsers two at a time
	@$(BIN)/python -m pytest --ignore tests/unit --ignore tests/golden --ignore tests/contract \
	  -m "alone or not e2e"
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/contract
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "e2e and not alone" tests/e2e

test-fast: $(MAIN)/.made  ## the quick unit and golden tests: a minute on two cores
	@$(BIN)/python -m pytest -n auto -m "not slow" tests/unit tests/golden

lint: $(MAIN)/.made  ## style and spelling
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/typos

types: $(MAIN)/.made  ## static types
	@$(BIN)/mypy

docs: $(MAIN)/.made  ## the documentation as a site in site/; fails on broken links and stale pages
	@$(BIN)/python -m tools.generate_docs --check
	@$(BIN)/mkdocs build --strict --quiet

pictures: envs  ## take the documentation's screenshots again, in a real Label Studio; look at them
	@EDGEFLOW_TAKE_PICTURES=1 $(BIN)/python -m pytest $$(grep -l 'pictures\.keep' tests/e2e/*.py)

reference: $(MAIN)/.made  ## rewrite the pages that are generated from code
	@$(BIN)/python -m tools.generate_docs

format: $(MAIN)/.made  ## rewrite the code in the house style
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(MAIN)/.made $(STUDIO)/.made  ## speed: stages, HTTP, runtimes, networks and peers, codec, exports, load
	@$(BIN)/python -m benchmarks.click
	@$(BIN)/python -m benchmarks.runtimes --cold --json artifacts/bench-runtimes.json
	@$(BIN)/python -m benchmarks.networks
	@$(BIN)/python -m benchmarks.codec --json artifacts/bench-codec.json
	@$(BIN)/python -m benchmarks.export --tasks 1000 --json artifacts/bench-export.json
	@$(BIN)/python -m benchmarks.load
	@$(BIN)/python -m benchmarks.cluster
	@$(BIN)/python -m benchmarks.cutouts
	@$(BIN)/python -m benchmarks.plots

envs: $(MAIN)/.made $(STUDIO)/.made $(PEER)/.made $(READERS)/.made  ## make every environment

lock:  ## resolve every environment afresh and write its exact versions into requirements/
	rm -rf $(ENVS)
	@$(MAKE) envs PY=afresh
	@for name in main label-studio label-studio-ml export-readers; do \
	  $(ENVS)/$$name/bin/python -m pip freeze --exclude-editable \
	    | grep -viE '^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==' > requirements/$$name-$(PY).txt; \
	done

dist: $(DEMO)/.made  ## a wheel with the shipped weights, in dist/
	@$(DEMO)/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/*.whl

clean:  ## remove environments, demo data, the site and artefacts
	rm -rf $(ENVS) .demo artifacts dist site

$(MAIN)/.made: pyproject.toml $(call lock,main) | python
	$(call make_env,$(MAIN),main) --what 'the backend and all tools for working on it' $(with_torch) \
	  -- -e '.[onnx,train,ray]' --group test --group lint --group docs

$(DEMO)/.made: pyproject.toml $(call lock,main) | python
	$(call make_env,$(DEMO),main) --what 'the backend' $(with_torch) --no-compile -- -e .

$(STUDIO)/.made: $(call lock,label-studio) | python
	$(call make_env,$(STUDIO),label-studio) --what '$(LABEL_STUDIO)' --no-compile -- '$(LABEL_STUDIO)'

$(PEER)/.made: pyproject.toml $(call lock,label-studio-ml) | python
	$(call make_env,$(PEER),label-studio-ml) --what 'the backend under label-studio-ml' $(with_torch) \
	  -- -e '.[label-studio-ml]'

# Two of them bring windows or plots that reading does without, and so come alone.
$(READERS)/.made: pyproject.toml $(call lock,export-readers) | python
	$(call make_env,$(READERS),export-readers) --what "others' readers of exports" --no-compile \
	  -- --group export-readers
	$(call make_env,$(READERS),export-readers) --what 'those that come without what they need' \
	  --no-compile -- --no-deps labelme lvis
