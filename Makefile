# Two commands for a fresh machine with Python >= 3.11: `make verify` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TORCH  := $(shell sed -n 's/^\(torch==[^ ;\\]*\).*/\1/p' constraints.txt)
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Bytecode is kept whatever the surroundings say: the tests start a hundred Python processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup verify test test-slow docs lowest index faults properties proofs gpu lint format bench clean
.DEFAULT_GOAL := verify

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "adfd needs Python >= 3.11; set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@# torch by itself: pip would prefer the index's build to one for CPUs alone, whichever of them the hashes allow.
	@sed -n '/^torch==/,/[^\\]$$/p' constraints.txt >$(VENV)/torch.txt
	@sed '/^torch==/,/[^\\]$$/d' constraints.txt >$(VENV)/others.txt
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --dest $(VENV)/wheels $(TORCH)
	$(PIP) --require-hashes --no-deps --no-index --find-links $(VENV)/wheels --requirement $(VENV)/torch.txt
	$(PIP) --require-hashes --no-deps --requirement $(VENV)/others.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@# A build of torch for GPUs brings packages of its own, whose versions its (checked) wheel names; others nothing.
	$(PIP) $(TORCH)
	$(BIN)/python -m pip check
	@rm -r $(VENV)/wheels
	@touch $(STAMP)

setup: $(STAMP)  ## creates .venv and installs the tested set of packages

verify: $(STAMP)  ## the main job: judges the claims, writes report/index.html
	OMP_NUM_THREADS=1 $(BIN)/adfd verify --profile quick --out report

test: $(STAMP)  ## the whole default suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

test-slow: $(STAMP)  ## what the default suite leaves out
	$(BIN)/python -m pytest -m slow

index: $(STAMP)  ## what every claim says, by which commands start at once; made anew where a source has changed
	$(BIN)/python -m proofs_check.ledger.index

docs: $(STAMP)  ## the documentation with its notebooks run, as pages that work offline: build/docs/index.html
	$(PIP) --require-hashes --no-deps --requirement docs/requirements.txt
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html docs build/docs

faults: $(STAMP)  ## puts faults into the source one by one; the fast tests must catch each
	$(BIN)/python tests/faults/inject.py

proofs: $(STAMP)  ## compiles the theorems of theory/rocq; needs Rocq (Coq 8.16) and names the packages that are missing
	$(BIN)/python -m proofs_check.rocq
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 0 -m slow -k proves_and_refuses tests/proofs_check/test_checker_kernel.py

lowest: $(STAMP)  ## everything at the lowest versions that pyproject.toml allows
	.ci/lowest

properties: $(STAMP)  ## thousands of drawn networks against their bounds, with statistics; the worst of earlier runs first
	OMP_NUM_THREADS=1 $(BIN)/python -m proofs_check.properties --networks 3000 --folder .hypothesis/networks

gpu: $(STAMP)  ## what needs a CUDA device: the tests on one, drawn networks, the training benchmark; without one it fails
	PYTHON=$(BIN)/python .ci/gpu

lint: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)  ## speed, as ratios against peers measured in the same run
	@for script in tests/benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) report build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
