# One target for each habit. `make demo` and `make test` are all that a newcomer needs.
# Environments are made on first use and again when pyproject.toml or their lock file changes.

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

# Exact versions, for the Python that they were resolved on; another Python resolves afresh, as does
# `make PY=afresh`, which a LABEL_STUDIO of your own may need.
PY ?= py$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
lock = $(wildcard requirements/$(1)-$(PY).txt)

# New pip: dependency groups. PyTorch comes first and alone (--no-deps: an index that holds only
# PyTorch must not be asked for anything else), and its exact build is then a constraint, so that
# no dependency can bring another one.
define new_env
	$(PYTHON) -m venv $(1)
	$(1)/bin/python $(PIP) --upgrade 'pip>=25.1'
endef
define install_torch
	$(1)/bin/python $(PIP) --no-deps --retries 1 --extra-index-url $(TORCH_INDEX) $(TORCH)
	$(1)/bin/python -m pip freeze | grep -i '^torch==' > $(1)/torch.txt
endef
constraints = $(addprefix -c ,$(1)/torch.txt $(call lock,$(notdir $(1))))

.PHONY: help demo test test-units test-whole test-fast lint types docs pictures reference format bench envs lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(MAIN)/.made $(STUDIO)/.made  ## a real Label Studio with this backend and sample photographs
	@$(BIN)/python -m demo.run --label-studio $(STUDIO)/bin/label-studio

test: test-units test-whole  ## all tests, with a real Label Studio and, where there is one, a browser

test-units: $(MAIN)/.made  ## the part of them that runs on all cores, with its coverage
	@$(BIN)/python -m pytest -n auto --cov --cov-report= tests/unit tests/golden

test-whole: envs  ## the rest, one after the other: these start servers, browsers and trainings
	@$(BIN)/python -m pytest --ignore tests/unit --ignore tests/golden

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
	@EDGEFLOW_TAKE_PICTURES=1 $(BIN)/python -m pytest tests/e2e/test_recommended_configs.py

reference: $(MAIN)/.made  ## rewrite the pages that are generated from code
	@$(BIN)/python -m tools.generate_docs

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

lock:  ## resolve every environment afresh and write its exact versions into requirements/
	rm -rf $(ENVS)
	@$(MAKE) envs PY=afresh
	@for name in main label-studio label-studio-ml; do \
	  $(ENVS)/$$name/bin/python -m pip freeze --exclude-editable \
	    | grep -viE '^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==' > requirements/$$name-$(PY).txt; \
	done

clean:  ## remove environments, demo data, the site and artefacts
	rm -rf $(ENVS) .demo artifacts site

$(MAIN)/.made: pyproject.toml $(call lock,main)
	$(call new_env,$(MAIN))
	$(call install_torch,$(MAIN))
	$(BIN)/python $(PIP) $(call constraints,$(MAIN)) -e '.[onnx,train]' --group test --group lint --group docs
	@touch $@

$(STUDIO)/.made: $(call lock,label-studio)
	$(call new_env,$(STUDIO))
	$(STUDIO)/bin/python $(PIP) $(addprefix -c ,$(call lock,label-studio)) '$(LABEL_STUDIO)'
	@touch $@

$(PEER)/.made: pyproject.toml $(call lock,label-studio-ml)
	$(call new_env,$(PEER))
	$(call install_torch,$(PEER))
	$(PEER)/bin/python $(PIP) $(call constraints,$(PEER)) -e '.[label-studio-ml]'
	@touch $@
