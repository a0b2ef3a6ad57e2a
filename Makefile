# make demo: set up, simulate four small plates and run the whole healthspan tree on them.
# make test: set up, then every check that the continuous integration runs.
# make slurm-test: the profile on a real Slurm, started on this host; skipped where it is missing.
# Both need python3.11 and the network the first time, nothing else.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup demo test check lint types unit slurm-test lock docs clean

PYTHON ?= python3.11
CORES ?= all
WORKERS ?= 2
SNAKESCOPE_DATA ?= ../shared/data
export SNAKESCOPE_DATA

BIN := .venv/bin
UV := $(or $(shell command -v uv),$(BIN)/uv)
READY := .venv/.ready-$(firstword $(shell cksum requirements.txt))
SNAKEMAKE := $(BIN)/snakemake --directory demo --cores $(CORES) --quiet rules

setup: $(READY)

# The stamp is written last and names the pins, so a .venv that was left half made, or that is of
# earlier pins, is completed. One without a working Python is made anew.
$(READY):
	command -v $(PYTHON) >/dev/null || { echo "expected $(PYTHON), found none: install Python 3.11 or name it, make PYTHON=..." >&2; exit 1; }
	$(BIN)/python -c '' 2>/dev/null || { rm -rf .venv; $(UV) venv --quiet --python $(PYTHON) .venv 2>/dev/null || $(PYTHON) -m venv --clear .venv; }
	[ -x "$(UV)" ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --requirements requirements.txt
	rm -f .venv/.ready-*
	touch $@

WILD_TYPE := $(foreach n,1 2,simulated/wild_type_$(n)/truth/worms.tsv)
DAF_16 := $(foreach n,1 2,simulated/daf_16_$(n)/truth/worms.tsv)

# The working directory is demo/, so nothing mixes with plates of your own.
demo: $(READY)
	mkdir -p demo
	$(SNAKEMAKE) --configfile config/demo.yaml -- $(WILD_TYPE)
	$(SNAKEMAKE) --configfile config/demo.yaml config/demo_daf_16.yaml -- $(DAF_16)
	$(SNAKEMAKE) --configfile config/demo.yaml --keep-going
	@echo "The pictures are in demo/results/healthspan/: begin with experiments/demo/curves.png,"
	@echo "then wild_type_1/contact_sheet.html and wild_type_1/quality.html"

test: $(READY) lint types unit slurm-test

lint: $(READY)
	$(BIN)/ruff check scripts tests benchmarks
	$(BIN)/ruff format --check scripts tests benchmarks
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	cd scripts && ../$(BIN)/python -m snakescope.settings.reference --check --root ..

types: $(READY)
	cd scripts && ../$(BIN)/mypy --config-file ../pyproject.toml .

unit: $(READY)
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --ignore tests/slurm tests

# One after the other: they share a cluster, and two cores.
slurm-test: $(READY)
	$(BIN)/python -m pytest -q -rs tests/slurm

# Names and versions only: addresses of a registry would tie everyone to it.
lock:
	$(UV) pip compile --quiet --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
		--upgrade requirements.in | grep -v '^ *#' > requirements.txt.new
	! grep -nE '://|^-' requirements.txt.new
	mv requirements.txt.new requirements.txt

docs: $(READY)
	cd scripts && ../$(BIN)/python -m snakescope.settings.reference --write --root ..

clean:
	rm -rf demo
