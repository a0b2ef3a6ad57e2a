# The two commands that everything else builds on are `make demo` and `make test`. They need
# python3.11 and the network the first time, nothing else.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup dev demo report test fast check lint types unit coverage slurm-test site docs lock clean

PYTHON ?= python3.11
CORES ?= all
WORKERS ?= 2
TREE ?=
SNAKESCOPE_DATA ?= ../shared/data
export SNAKESCOPE_DATA
# Tests start Python some thousand times: modules are compiled once, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
UV := $(or $(shell command -v uv),$(BIN)/uv)
READY := .venv/.ready-$(firstword $(shell cksum requirements.txt))
DEV_READY := .venv/.dev-$(firstword $(shell cat requirements.txt requirements-dev.txt | cksum))
DEMO := $(BIN)/snakemake --directory demo
SNAKEMAKE := $(DEMO) --cores $(CORES) --quiet rules
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z-]+: .*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with the pinned packages

dev: $(DEV_READY) ## also install what the site and pre-commit need

# The stamp is written last and names the pins, so a .venv that was left half made, or that is of
# earlier pins, is completed. One without a working Python is made anew.
$(READY):
	command -v $(PYTHON) >/dev/null || { echo "expected $(PYTHON), found none: install Python 3.11 or name it, make PYTHON=..." >&2; exit 1; }
	$(BIN)/python -c '' 2>/dev/null || { rm -rf .venv; $(UV) venv --quiet --python $(PYTHON) .venv 2>/dev/null || $(PYTHON) -m venv --clear .venv; }
	[ -x "$(UV)" ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --requirements requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	rm -f .venv/.ready-*
	touch $@

$(DEV_READY): $(READY)
	$(UV) pip install --quiet --python $(BIN)/python --requirements requirements-dev.txt
	rm -f .venv/.dev-*
	touch $@

WILD_TYPE := $(foreach n,1 2,simulated/wild_type_$(n)/truth/worms.tsv)
DAF_16 := $(foreach n,1 2,simulated/daf_16_$(n)/truth/worms.tsv)

# The working directory is demo/, so nothing mixes with plates of your own.
demo: $(READY) ## simulate four small plates and run the whole healthspan tree on them
	mkdir -p demo
	$(SNAKEMAKE) --configfile config/examples/demo/config.yaml -- $(WILD_TYPE)
	$(SNAKEMAKE) --configfile config/examples/demo/config.yaml config/examples/demo/daf_16.yaml -- $(DAF_16)
	$(SNAKEMAKE) --configfile config/examples/demo/config.yaml --keep-going
	@echo "The pictures are in demo/results/healthspan/: begin with experiments/demo/curves.png,"
	@echo "then wild_type_1/contact_sheet.html and wild_type_1/quality.html"

report: demo ## write the demo's report, demo/report.html
	$(DEMO) --configfile config/examples/demo/config.yaml --quiet all --report $(CURDIR)/demo/report.html

ifeq ($(TREE),)
# Tests on Slurm wait most of their time, so they run beside the others.
test: $(READY) ## run every check; TREE=neurites: that tree's tests and the contract's
	$(MAKE) --jobs 2 --output-sync=line lint types
	$(MAKE) --jobs 2 unit slurm-test
else
test: $(READY)
	$(PYTEST) tests/contract tests/$(TREE)
endif

fast: $(READY) ## run the tests that start no program, in about two minutes; TREE= as above
	$(PYTEST) -m "not subprocess and not slow" $(if $(TREE),tests/$(TREE),tests)

lint: $(READY) ## check the style of code, rules and generated files
	$(BIN)/ruff check scripts tests benchmarks docs
	$(BIN)/ruff format --check scripts tests benchmarks docs
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	cd scripts && ../$(BIN)/python -m snakescope.reference --check --root ..

types: $(READY) ## check the types
	cd scripts && ../$(BIN)/mypy --cache-dir ../.mypy_cache --config-file ../pyproject.toml .

unit: $(READY) ## run all tests but those on Slurm
	$(PYTEST) --ignore tests/slurm tests

# By itself: to follow every line takes half as long again.
coverage: $(READY) ## run the tests of unit, and print how much of the package they reach
	$(PYTEST) --ignore tests/slurm --cov --cov-report= tests
	@echo "coverage of the package, in per cent: $$($(BIN)/coverage report --format=total)"

# One after the other: they share a cluster, and two cores.
slurm-test: $(READY) ## run the profile on a real Slurm, started on this host; skipped where it is missing
	$(BIN)/python -m pytest -q -rs tests/slurm

site: $(DEV_READY) ## build the documentation into site/
	$(BIN)/mkdocs build --strict

docs: $(READY) ## write the generated pages of the configuration
	cd scripts && ../$(BIN)/python -m snakescope.reference --write --root ..

# Names and versions only: addresses of a registry would tie everyone to it.
lock: ## pin the newest packages that requirements*.in allow
	$(UV) pip compile --quiet --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
		--upgrade requirements.in | grep -v '^ *#' > requirements.txt.new
	! grep -nE '://|^-' requirements.txt.new
	mv requirements.txt.new requirements.txt
	$(UV) pip compile --quiet --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
		--upgrade --constraints requirements.txt requirements-dev.in | grep -v '^ *#' > requirements-dev.txt.new
	! grep -nE '://|^-' requirements-dev.txt.new
	mv requirements-dev.txt.new requirements-dev.txt

clean: ## remove the demo and the site
	rm -rf demo site
