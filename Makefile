PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Where computed sites lie that the shipped data set is collected from.
SITES ?= training/sites
# Structures that the campaign computes sites of, and how many workers it has.
STRUCTURES ?= ../shared/data/structures
WORKERS ?= 1

.PHONY: help demo test test-simulation docs model campaign clean

help:
	@echo "make demo   predict the maps of a simulated spectrum image, into demo/"
	@echo "make test   run all tests, the linter and the type checker"
	@echo "make test-simulation   build GPAW and run the tests of the first-principles simulator"
	@echo "make docs   build the documentation and run its gallery, warnings as errors"
	@echo "make campaign  go on computing sites of silica, into training/sites"
	@echo "make model  collect the data set from SITES and train the shipped model on it"

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[tests]"
	touch $@

demo: $(VENV)/ready
	MPLBACKEND=agg $(BIN)/python examples/plot_predict_maps.py demo

test: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MPLBACKEND=agg $(BIN)/pytest

# GPAW is built from source: it needs a C compiler, libxc, a BLAS and FFTW (Debian: libxc-dev
# libopenblas-dev libfftw3-dev).
$(VENV)/simulation-ready: $(VENV)/ready
	GPAW_CONFIG=$(CURDIR)/training/gpaw_siteconfig.py $(BIN)/python -m pip install --quiet \
		--constraint constraints.txt --editable ".[simulation]"
	touch $@

test-simulation: $(VENV)/simulation-ready
	OMP_NUM_THREADS=1 $(BIN)/pytest tests/simulation

docs: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	MPLBACKEND=agg $(BIN)/sphinx-build --fail-on-warning --keep-going -b html docs docs/_build/html

campaign: $(VENV)/simulation-ready
	OMP_NUM_THREADS=1 nice -n 10 $(BIN)/python training/campaign.py $(STRUCTURES) --workers $(WORKERS)

model: $(VENV)/simulation-ready
	$(BIN)/hyperspy-coreloss dataset collect $(SITES) training/projected_density \
		--output hyperspy_coreloss/data/oxygen_k_sites.nc \
		--convergence training/convergence.jsonl \
		--description "$$(cat training/silica-o-k/dataset.txt)"
	$(BIN)/hyperspy-coreloss train hyperspy_coreloss/data/oxygen_k_sites.nc \
		--output hyperspy_coreloss/data/silica-o-k.safetensors --model-version 0.1.0 \
		--intended-use "$$(cat training/silica-o-k/use.txt)" \
		--limits "$$(cat training/silica-o-k/limits.txt)"

clean:
	rm -rf $(VENV) demo docs/_build
