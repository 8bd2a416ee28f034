# `make run` digitizes the example, `make test` runs every check. Both make .venv first; both can be repeated.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
EXAMPLE := examples/indonesian_seas

.PHONY: run test bench docs clean

run: $(VENV)/.installed
	$(BIN)/geocbar run $(EXAMPLE)/map.jpg --gcps $(EXAMPLE)/gcps.csv --out indonesian_seas_geocbar --overwrite
	$(BIN)/python examples/check.py indonesian_seas_geocbar/map.tif $(EXAMPLE)

test: $(VENV)/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/.installed-test
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) docs/_build dist

# A virtual environment may be without pip's cache or a system-wide one; PYTHON=python3 works with any Python from 3.11 on.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)

$(VENV)/.installed: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.installed-test: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,docs]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(VENV)/.installed-test
	touch $@
