# `make` lists the targets. Each does all its set-up: a virtual environment in .venv and the package in it.
# PYTHON=/path/to/python chooses the Python (3.9 to 3.13), ARGS="..." adds arguments to the command.

.DEFAULT_GOAL := help
.PHONY: help demo notebooks test lint format types wheel downstream versions bench docs clean

VENV := .venv
RUN := $(VENV)/bin/python
ARGS :=

# Sets up $(VENV), with the extras that are given, unless it is up to date.
SET_UP := tools/set_up.py --venv $(VENV) $(if $(PYTHON),--this-python)
define set_up
@python=$$(sh tools/find_python.sh $(PYTHON)) && "$$python" $(SET_UP) --extras "$(1)"
endef

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "make %-10s %s\n", $$1, $$2}'

demo: ## learn auto-encoders of handwritten digits, write pictures to demo/out
	$(call set_up)
	$(RUN) demo/quickstart.py $(ARGS)

notebooks: ## run the notebooks of demo/ in full and save their outputs (ARGS="--quick": small, unsaved)
	$(call set_up,dev)
	$(RUN) tools/run_notebooks.py $(ARGS)

test: ## run the tests (ARGS="-k digits" selects)
	$(call set_up,dev)
	$(RUN) -m pytest $(ARGS)

lint: ## check style and formatting
	$(call set_up,dev)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: ## format, and repair what can be repaired
	$(call set_up,dev)
	$(RUN) -m ruff check --fix-only .
	$(RUN) -m ruff format .

types: ## check the types
	$(call set_up,dev)
	$(RUN) -m mypy

wheel: ## build dist/*.whl and check what is in it
	$(call set_up,dev)
	rm -rf dist
	$(RUN) -m build --quiet --outdir dist .
	$(RUN) tools/check_wheel.py dist/*.whl

DOWNSTREAM := .downstream

downstream: ## run libraries that were written for 1.1.0, in an environment of their own (.downstream)
	@python=$$(sh tools/find_python.sh $(PYTHON)) && "$$python" $(subst $(VENV),$(DOWNSTREAM),$(SET_UP)) \
		--also tools/downstream/third_party.txt --without-dependencies tools/downstream/libraries.txt
	$(DOWNSTREAM)/bin/python -m pytest tests/downstream $(ARGS)

versions: ## run a fast part of the tests on every Python 3.9 to 3.13 that is found (ARGS=--write)
	@python=$$(sh tools/find_python.sh $(PYTHON)) && "$$python" tools/check_versions.py $(ARGS)

bench: ## measure speed beside PyTorch and 1.1.0 (builds their environments in .bench)
	$(call set_up,dev)
	$(RUN) -m benchmarks.harness $(ARGS)

docs: ## build the documentation in docs/_build/html, warnings are errors
	$(call set_up,docs)
	$(RUN) -m sphinx -W --keep-going -q -b html docs docs/_build/html $(ARGS)
	@echo "open docs/_build/html/index.html"

clean: ## remove all that make made
	rm -rf $(VENV) $(VENV).lock $(DOWNSTREAM) $(DOWNSTREAM).lock .versions .bench build dist *.egg-info
	rm -rf demo/out docs/_build docs/api .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
