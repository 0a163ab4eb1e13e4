# One-line comments after ## are what `make help` prints.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
FIRMWARE ?= bios
VENV := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup compiled demo test test-long check man clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install Debian packages (root) and the virtual environment; quick when nothing is missing
	@$(PYTHON) -m provd.lab.setup

compiled: setup ## compile the path that answers DHCP (gcc and Python's headers), or say why not
	@$(VENV)/python -m provd.lab.compile

demo: setup ## a bare virtual machine becomes an installed system; FIRMWARE=bios (default) or uefi
	@$(VENV)/python -m provd.lab.demo --firmware $(FIRMWARE)

test: setup ## the whole suite: checks, unit tests, real clients, virtual machines (root)
	@$(VENV)/python tests/parts.py

test-long: setup ## what takes longer than a change may wait for
	@$(VENV)/python tests/parts.py long

man: setup ## manual pages of every command, in build/man/man1
	@$(VENV)/provd man build/man/man1

check: setup ## ruff, mypy and the floors
	@$(VENV)/python tests/parts.py check

clean: ## remove caches, downloads and the virtual environment
	rm -rf .lab .venv build provd/_compiled dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
