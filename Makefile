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
LOCKER := $(ENVS)/lock
BIN := $(MAIN)/bin

# What each environment is made for, and each lock file.
main = -e '.[dicom,geo,onnx,train,ray,redis,tracing]' --group test --group lint --group docs --group supply
backend = -e .
full = -e '.[ray,redis,tracing]'
peer = -e '.[label-studio-ml]'
readers = --group export-readers
locker = --group lock
# They would bring windows or plots that reading does without, and so come alone.
readers_alone = --no-deps labelme lvis

# Exact versions and hashes, for the Python that they were resolved for; another Python resolves
# afresh and checks no hash, as does `make PY=afresh`, which a LABEL_STUDIO of your own may need.
ifndef PY
PY := py$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
endif
lock = $(wildcard requirements/$(1)-$(PY).txt)

# Uses uv where there is one. Half-made environments have no .made, and are made anew.
make_env = @$(PYTHON) -m tools.environments $(1) $(addprefix --build-lock ,$(call lock,build)) \
  $(addprefix --lock ,$(call lock,$(2)))
torch_lock = $(call lock,torch-$(notdir $(TORCH_INDEX)))
with_torch = --torch '$(TORCH)' --torch-index '$(TORCH_INDEX)' \
  $(addprefix --torch-lock ,$(torch_lock))
python_fault = $(shell $(PYTHON) -m tools.environments.check_python 2>&1 || true)

# What is compiled is kept: every program that a test starts would compile all it imports again.
export PYTHONDONTWRITEBYTECODE :=

# Threads that wait for each other sleep: several programs share the cores, and a wait that spins
# takes them from the others.
test-units test-servers test-cluster test-trainings test-fast: export OMP_WAIT_POLICY := PASSIVE

.PHONY: help python demo dist test test-units test-attended test-servers test-cluster test-trainings test-fast lint types docs pictures reference format bench envs lock sbom licences audit clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

python:  # refuses a Python that will not do, in one line, before anything is made
	@$(if $(python_fault),$(error $(python_fault)))

demo: python  ## a real Label Studio with this backend and sample photographs
	@test -e $(DEMO)/.made -a -e $(STUDIO)/.made || echo "The first time: installing Label Studio" \
	  "and the backend into $(ENVS)/ (2 GB), side by side; about a minute on a fast connection."
	@$(MAKE) --no-print-directory -j2 $(STUDIO)/.made $(DEMO)/.made
	@$(DEMO)/bin/python -m demo.run --label-studio $(STUDIO)/bin/label-studio

# Where one of the attended fails, nobody waits for the trainings beside them.
test: envs  ## all tests, with a real Label Studio and, where there is one, a browser
	@$(MAKE) --no-print-directory test-trainings & trainings=$$!; \
	  trap 'kill $$trainings 2>/dev/null; wait' EXIT; trap 'exit 130' INT TERM; \
	  $(MAKE) --no-print-directory test-attended && wait $$trainings

test-attended: test-units  # what trainings run beside, and give way to
	@$(MAKE) --no-print-directory -j2 test-servers test-cluster

test-units: $(MAIN)/.made  ## the part of them that runs on all cores, with its coverage
	@$(BIN)/python -m pytest -n auto --cov --cov-report= tests/unit tests/golden

test-servers: envs  ## a backend, one in which things break, and browsers with a real Label Studio
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/contract
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/faults
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder tests/e2e  # they wait a lot

# They take what the others leave of the machine, so nothing in them may depend on time. Their
# reports come in one piece at the end, because the others' go on beside them. In the background,
# so that they can be ended.
aside = @mkdir -p artifacts; $(2) > artifacts/$(1).log 2>&1 & \
  trap 'kill $$!' INT TERM; wait $$!; status=$$?; cat artifacts/$(1).log; exit $$status

test-cluster: $(MAIN)/.made  ## a real Ray on this machine
	$(call aside,cluster,$(BIN)/python -m pytest tests/cluster )

test-trainings: $(MAIN)/.made  ## whole trainings and the benchmarks' clicks, on one thread each
	$(call aside,trainings,OMP_NUM_THREADS=1 nice -n 19 \
	  $(BIN)/python -m pytest -n 2 --dist worksteal tests/training tests/quality )

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
	@EDGEFLOW_TAKE_PICTURES=1 $(BIN)/python -m pytest $$(grep -l 'pictures\.keep' tests/e2e/*.py tests/unit/edgeflow/volumes/*.py)

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

make_lock = @$(PYTHON) -m tools.environments.lock requirements/$(1)-$(PY).txt \
  --uv $(LOCKER)/bin/uv $(if $(UPGRADE),--upgrade)
fit = --constraint requirements/$(1)-$(PY).txt
lock: $(LOCKER)/.made  ## bring requirements/ up to date with pyproject.toml; UPGRADE=1 takes the newest
	$(call make_lock,lock) --wheels -- $(locker)
	$(call make_lock,build) --wheels -- pip hatchling editables
	$(call make_lock,backend) --wheels --torch '$(TORCH)' $(call fit,build) -- $(backend)
	$(call make_lock,main) --wheels --torch '$(TORCH)' $(call fit,build) $(call fit,backend) -- $(main)
	$(call make_lock,full) --wheels --torch '$(TORCH)' $(call fit,build) $(call fit,main) -- $(full)
	$(call make_lock,label-studio-ml) --torch '$(TORCH)' -- $(peer)
	$(call make_lock,label-studio) -- '$(LABEL_STUDIO)'
	$(call make_lock,export-readers) --wheels -- $(readers)
	$(call make_lock,export-readers-alone) --wheels -- $(readers_alone)
	$(call make_lock,torch-cu130) --wheels $(call fit,backend) -- '$(TORCH)'
	$(call make_lock,torch-cpu) --wheels --index https://download.pytorch.org/whl/cpu -- --no-deps \
	  "$(TORCH)+cpu ; sys_platform == 'linux'" "$(TORCH) ; sys_platform != 'linux'"

dist: $(DEMO)/.made  ## a wheel with the shipped weights, in dist/
	@$(DEMO)/bin/python -m pip wheel --quiet --no-deps \
	  $(if $(call lock,build),--no-build-isolation) --wheel-dir dist .
	@ls dist/*.whl

sbom: $(MAIN)/.made dist  ## the wheel's bill of materials (CycloneDX) and SHA256SUMS, in dist/
	@$(BIN)/python -m tools.supply.sbom $$(ls -t dist/edgeflow_backend-*.whl | head -1)

licences: $(MAIN)/.made $(PEER)/.made  ## refuse packages whose licences are not accepted
	@$(BIN)/python -m tools.supply.licences $(MAIN) $(PEER)

audit: $(LOCKER)/.made  ## look for known vulnerabilities in what is locked; asks an online service
	@$(LOCKER)/bin/pip-audit --strict --disable-pip --require-hashes \
	  $(foreach name,build main label-studio-ml torch-cu130,-r requirements/$(name)-$(PY).txt)

clean:  ## remove environments, demo data, the site and artefacts
	rm -rf $(ENVS) .demo artifacts dist site

$(MAIN)/.made: pyproject.toml $(call lock,build) $(call lock,main) $(torch_lock) | python
	$(call make_env,$(MAIN),main) --what 'the backend and all tools for working on it' $(with_torch) \
	  --no-compile -- $(main)

$(DEMO)/.made: pyproject.toml $(call lock,build) $(call lock,backend) $(torch_lock) | python
	$(call make_env,$(DEMO),backend) --what 'the backend' $(with_torch) --no-compile -- $(backend)

$(STUDIO)/.made: $(call lock,build) $(call lock,label-studio) | python
	$(call make_env,$(STUDIO),label-studio) --what '$(LABEL_STUDIO)' --no-compile -- '$(LABEL_STUDIO)'

$(PEER)/.made: pyproject.toml $(call lock,build) $(call lock,label-studio-ml) $(torch_lock) | python
	$(call make_env,$(PEER),label-studio-ml) --what 'the backend under label-studio-ml' $(with_torch) \
	  --no-compile -- $(peer)

$(READERS)/.made: pyproject.toml $(call lock,build) $(call lock,export-readers) \
  $(call lock,export-readers-alone) | python
	$(call make_env,$(READERS),export-readers) --what "others' readers of exports" --no-compile \
	  -- $(readers)
	$(call make_env,$(READERS),export-readers-alone) --what 'those that come without what they need' \
	  --no-compile -- $(readers_alone)

$(LOCKER)/.made: $(call lock,build) $(call lock,lock) | python
	$(call make_env,$(LOCKER),lock) --what 'what resolves and audits' -- $(locker)
