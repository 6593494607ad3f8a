# The commands of this project. `make` alone lists them.
# Python recompiles every module in every process when this is set: three times slower imports.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test slow cluster server browser bench format lock
help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

demo: .venv/.complete ## softmax, MLP and CNN x 3 seeds on handwritten digits: one study, one table
	@$(BIN)/seedbed train -m experiment=demo

test: .venv/.complete ## formatter check, linter, types, import contract, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

slow: .venv/.complete ## the tests that take minutes
	$(BIN)/pytest -m "slow and not server"

cluster: .venv/.complete ## the tests on a real SLURM, which they start on this machine
	$(BIN)/pytest -m cluster

server: .venv/.complete ## the tracking server and its faults, on a real PostgreSQL
	$(BIN)/pytest -m server

browser: .venv/.complete ## MLflow's UI in a real browser; pictures go to .screenshots/
	$(BIN)/pytest -m browser

bench: .venv/.complete ## the table of experiments/speed; BENCH="--rows 1,4 --data FOLDER --photographs FOLDER"
	$(BIN)/python -m experiments.speed $(BENCH)

format: .venv/.complete ## put the code into its canonical form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## resolve the newest allowed versions into requirements.lock (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --no-header --no-annotate --quiet --output-file requirements.lock

.venv/.complete: requirements.lock pyproject.toml
	@echo "Installing the locked environment into .venv (a few minutes, 6 GB)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
