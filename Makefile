# Two commands do it all on a fresh clone: `make demo` and `make test`. Every target may be repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE  # the tests start hundreds of processes: from bytecode each takes half the time
.PHONY: help demo run test check bench oracles vectors fmt

help:
	@echo "make demo     tout le chemin, une fois / the whole way, once"
	@echo "make run      servir sur http://127.0.0.1:8080 / serve"
	@echo "make test     tous les tests / all tests"
	@echo "make check    lint et types / lint and types"
	@echo "make bench    mesures / measurements"
	@echo "make oracles  veraPDF, Mustang (Java, Maven) pour les tests / for the tests"
	@echo "make vectors  données de test générées / generated test data"
	@echo "make campaign-NAME  les chiffres complets / the full figures (rules, equality, own_rules, examples, conversion, foreign, pdf, fuzz, fuzzread, faults, broker, evidence, year, …, flows)"

$(STAMP): pyproject.toml deploy/constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint deploy/constraints.txt --editable '.[dev]'
	@touch $@

demo: $(STAMP)
	@$(BIN)/passerelle demo --folder var/demo

run: $(STAMP)
	@$(BIN)/passerelle serve

test: $(STAMP)
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -q

check: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: $(STAMP)
	@$(BIN)/python tests/bench/speed.py
	@$(BIN)/python tests/bench/conversion.py
	@$(BIN)/python tests/bench/verdicts.py
	@$(BIN)/python tests/bench/service.py
	@$(BIN)/python tests/bench/drawing.py
	@$(BIN)/python tests/bench/sending.py
	@$(BIN)/python tests/bench/evidence.py
	@$(BIN)/python tests/bench/audit_search.py
	@$(BIN)/python tests/bench/reminders.py
	@$(BIN)/python tests/bench/receivables.py
	@$(BIN)/python tests/bench/controlling.py

oracles:
	@sh deploy/fetch-oracles.sh

vectors: $(STAMP)
	@$(BIN)/python -m formats.json_schema

campaign-%: $(STAMP)
	@$(BIN)/python tests/campaigns/$*.py
