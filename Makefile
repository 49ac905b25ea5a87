# One virtual environment, .venv, serves every target; `make setup` is run for you when it is missing or out of date.
#
#   make demo                     an end-to-end run with a small model, in a few minutes on a CPU
#   make test                     everything a change must pass
#   make test PARITY=FOLDER       the same, and compare with outputs of the authors' release
#   make test PYTEST_ARGS='-k warp -x'
#   make bench [WEIGHTS=FOLDER]   every benchmark; that of the sampler with a small random network, or these weights
#   make bench-views BENCH_ARGS='--scenes 2'
#   make test PYTHON=python3.13   the same with another Python, for which .venv is made again if it has not that

# A Python that is asked for makes .venv its own; otherwise the one .venv was made with stays.
version = $(shell $(1) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
PRESENT := $(call version,.venv/bin/python)
ifdef PYTHON
  WANTED := $(call version,$(PYTHON))
  ifneq ($(PRESENT),$(WANTED))
    .PHONY: .venv/.done
  endif
else
  PYTHON := python3
  WANTED := $(or $(PRESENT),$(call version,$(PYTHON)))
endif
# JAX 0.10 is the last for Python 3.11: two sets of exact versions, both tested.
CONSTRAINTS ?= $(if $(filter 3.11,$(WANTED)),constraints.txt,constraints-3.13.txt)
# Packages that scores are compared with, where PyTorch is. They ask for torchvision, which does not load beside a PyTorch
# for CPUs, and one brings a package `tests`: so they lie in a folder of their own (tests/published_scores.py).
PUBLISHED := lpips==0.1.4 torch-fidelity==0.4.0
PARITY ?= $(NVS_JAX_PARITY)
PYTEST_ARGS ?=
JOBS ?= 2
BENCH_ARGS ?=
WEIGHTS ?=
BENCHMARKS := $(patsubst scripts/benchmark_%.py,%,$(wildcard scripts/benchmark_*.py))

BIN := .venv/bin
# Each worker takes one half of the tests in order, so that few programs are compiled by both, and helps when it is done.
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(if $(PARITY),--parity=$(PARITY))

.PHONY: setup demo test test-full lint style types quick format bench constraints clean

setup: .venv/.done

.venv/.done: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(if $(filter-out $(WANTED),$(PRESENT)),--clear) .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' --constraint $(CONSTRAINTS)
	$(if $(filter 3.11,$(WANTED)),$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --no-deps \
	  --target .venv/published $(PUBLISHED))
	touch $@

demo: setup
	$(BIN)/nvs-jax demo --out out/demo --overwrite

lint: style types

style: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

# Where PyTorch is not installed, as with newer Pythons, imports of it are no errors.
types: setup
	$(BIN)/pyright --pythonpath $(BIN)/python $$(test -d .venv/lib/python*/site-packages/torch || \
	  echo --project pyright-without-pytorch.json)

format: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The tests compile thousands of small programs and run each once or twice: compiling fast beats running fast.
# `make test-full` compiles as users do. A test that needs numbers to be rounded as theirs are compiles at level 1 itself.
quick: setup
	XLA_FLAGS="$${XLA_FLAGS-$$($(BIN)/python -m tests.xla_flags)}" $(PYTEST) -m 'not full' $(PYTEST_ARGS)

# Checking types takes a minute of one core, so it goes on beside the tests.
test: style
	$(MAKE) --no-print-directory --jobs 2 types quick

test-full: lint
	$(PYTEST) $(PYTEST_ARGS)

bench: $(BENCHMARKS:%=bench-%) bench-sampler

bench-sampler: setup
	$(BIN)/python scripts/bench_sampler.py $(if $(WEIGHTS),--weights $(WEIGHTS) --against torch) $(BENCH_ARGS)

bench-%: setup
	$(BIN)/python scripts/benchmark_$*.py $(BENCH_ARGS)

# Pin again what pip resolves today, for one Python: `make constraints PYTHON=python3.13`. Local version tags go: they name a build (torch's +cpu), not a version.
constraints:
	rm -rf build/pins
	$(PYTHON) -m venv build/pins
	build/pins/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	{ echo '# Exact versions `make setup` installs with Python $(call version,$(PYTHON)); written by `make constraints`.'; \
	  build/pins/bin/python -m pip freeze --exclude-editable | sed 's/+.*//' | LC_ALL=C sort --ignore-case; } > $(CONSTRAINTS)

clean:
	rm -rf .venv build dist out .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
