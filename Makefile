PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Where computed sites lie that the shipped data set is collected from.
SITES ?= training/sites
DATA = hyperspy_coreloss/data/oxygen_k_sites.nc
TRANSFER = hyperspy_coreloss/data/oxygen_k_transfer.nc
# Oxides that are not silica, to test what is noticed as foreign.
FOREIGN = hyperspy_coreloss/data/oxygen_k_foreign.nc
MODELS = hyperspy_coreloss/data/pretrained
EMULATORS = hyperspy_coreloss/data/emulators
# Structures that the campaign computes sites of, and how many workers it has.
STRUCTURES ?= ../shared/data/structures
WORKERS ?= 1

# Two processes for the tests, each with one thread.
PARALLEL ?= --numprocesses 2 --dist worksteal

.PHONY: help demo test test-simulation docs campaign data transfer transfer-data foreign-data study accuracy tries models fits robustness trust numerics benchmarks refresh dist clean

help:
	@echo "make demo   predict the maps of a simulated spectrum image, into demo/"
	@echo "make test   run all tests, the linter and the type checker"
	@echo "make test-simulation   build GPAW and run the tests of the first-principles simulator"
	@echo "make docs   build the documentation and run its gallery, warnings as errors"
	@echo "make dist   build the wheel and the source distribution, check them, and predict with the wheel"
	@echo "make campaign  go on computing sites of silica, into training/sites"
	@echo "make data   collect the data set from SITES"
	@echo "make transfer  go on computing some sites by another theory, into training/transfer/sites"
	@echo "make transfer-data  collect the transfer set from them"
	@echo "make foreign-data   collect the data set of oxides that are not silica"
	@echo "make study  repeat the paper's study on the data set, into results/"
	@echo "make accuracy  measure the accuracy of the family of models on new phases, into results/"
	@echo "make tries  repeat what was tried to bring the errors down, into results/"
	@echo "make models train the shipped family of models and the emulator on the data set"
	@echo "make fits   compare fits of PropertyELNES with the networks, into results/"
	@echo "make robustness  measure what microscopes do to the predictions of the models, into results/"
	@echo "make trust  measure what is noticed as unfamiliar, into results/"
	@echo "make numerics  measure what finer numerics of computed spectra change, into results/"
	@echo "make benchmarks  measure speed and memory, into results/"
	@echo "make refresh   all of these after the campaign has gone on, and the README"

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
	rm -rf $(VENV)/compiled
	NUMBA_CACHE_DIR=$(CURDIR)/$(VENV)/compiled MPLBACKEND=agg OMP_NUM_THREADS=1 \
		$(BIN)/pytest $(PARALLEL)

# GPAW is built from source: it needs a C compiler, libxc, a BLAS and FFTW (Debian: libxc-dev
# libopenblas-dev libfftw3-dev).
$(VENV)/simulation-ready: $(VENV)/ready
	GPAW_CONFIG=$(CURDIR)/training/gpaw_siteconfig.py $(BIN)/python -m pip install --quiet \
		--constraint constraints.txt --editable ".[simulation,structures]"
	touch $@

test-simulation: $(VENV)/simulation-ready
	OMP_NUM_THREADS=1 $(BIN)/pytest $(PARALLEL) tests/simulation hyperspy_coreloss/simulation

$(VENV)/docs-ready: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $@

docs: $(VENV)/docs-ready
	MPLBACKEND=agg $(BIN)/sphinx-build --fail-on-warning --keep-going -b html docs docs/_build/html

campaign: $(VENV)/simulation-ready
	OMP_NUM_THREADS=1 nice -n 10 $(BIN)/python -m training.silica.campaign $(STRUCTURES) --workers $(WORKERS)

data: $(VENV)/simulation-ready
	$(BIN)/hyperspy-coreloss dataset collect $(SITES) training/projected_density \
		--output $(DATA) --condense --convergence training/convergence.jsonl \
		--populations training/silica/populations.json \
		--description "$$(cat training/silica/words/dataset.txt)"

transfer: $(VENV)/simulation-ready
	OMP_NUM_THREADS=1 nice -n 10 $(BIN)/python -m training.transfer.campaign $(STRUCTURES) --workers $(WORKERS)

transfer-data: $(VENV)/ready
	$(BIN)/hyperspy-coreloss dataset collect training/transfer/sites --output $(TRANSFER) \
		--condense --populations training/silica/populations.json \
		--description "$$(cat training/transfer/words.txt)"

foreign-data: $(VENV)/simulation-ready
	$(BIN)/hyperspy-coreloss dataset collect training/foreign/sites --output $(FOREIGN) --condense \
		--description "$$(cat training/foreign/words/dataset.txt)"

study: $(VENV)/ready
	$(BIN)/hyperspy-coreloss study $(DATA) --output results --commit "$$(git rev-parse HEAD)"

accuracy: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.accuracy $(DATA) results/accuracy.json \
		$(if $(wildcard $(TRANSFER)),--transfer $(TRANSFER))

tries: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.network_tries $(DATA) results/tries.json

# The phases of the simulated spectrum image are left out, so that a demonstration shows errors on new
# materials.
models: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/hyperspy-coreloss train-family $(DATA) --output $(MODELS) \
		--name silica-o-k --model-version 0.4.0 --withhold-demonstration \
		--intended-use "$$(cat training/silica/words/use.txt)" \
		--limits "$$(cat training/silica/words/limits.txt)"
	$(BIN)/hyperspy-coreloss train-emulator $(DATA) --withhold-demonstration \
		--output $(EMULATORS)/silica-o-k.safetensors

fits: $(VENV)/ready
	$(BIN)/python benchmarks/emulator_fits.py $(DATA) results/emulator.json

robustness: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/robustness.py $(DATA) results/robustness.json

trust: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.trust $(DATA) $(FOREIGN) results/trust.json

numerics: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.numerics results/numerics.json

benchmarks: $(VENV)/ready
	$(BIN)/python -m benchmarks.performance results/performance.json

# In this order: hours on two cores.
refresh: data study accuracy tries models fits robustness trust numerics
	$(BIN)/python -m training.silica.readme_numbers
	$(BIN)/python -m benchmarks.first_picture docs/first_picture.png

# The wheel is also installed into a fresh environment, with all that it needs.
dist: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group release
	$(BIN)/python -m release.check dist

clean:
	rm -rf $(VENV) build demo dist docs/_build
