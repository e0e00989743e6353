# The front door. Everything runs from .venv, which the first target makes from PYTHON (3.11 or newer).
PYTHON ?= python3
TESTS ?= tests

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MANAGE := .venv/bin/python manage.py
# One dot per package, so that a slow line is not taken for a hang; what pip warns of is shown only when it fails.
INSTALL = { PIP_DISABLE_PIP_VERSION_CHECK=1 $(@D)/bin/python -m pip install --no-input -r $< 2> $(@D)/pip-errors \
	|| { echo; cat $(@D)/pip-errors; exit 1; } >&2; } | { while read -r word _; do if [ "$$word" = Collecting ]; then printf .; fi; done; echo; }

.PHONY: help plan test serve check bench words browser ready

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16

plan: ready  ## set everything up and plan Kaohsiung: forecast, solve, verify, publish, print
	@$(MANAGE) loadcity kaohsiung --demo-history
	@$(MANAGE) plan kaohsiung

serve: ready  ## web, workers, beat and Valkey on this machine; Ctrl-C ends all of it
	@exec $(MANAGE) serve --city kaohsiung $(ARGS)

test: .venv/installed-dev words  ## all tests, on a real PostgreSQL and a real Valkey
	@.venv/bin/python -m pytest -n 2 --dist loadfile $(TESTS) $(ARGS)

browser: .venv/installed-dev words  ## the tests that drive a real browser (Chromium)
	@.venv/bin/python -m pytest -m browser $(TESTS) $(ARGS)

# Production settings with throwaway values: the deploy check reads them and connects to nothing.
PRODUCTION := HEADGATE_PRODUCTION=1 ALLOWED_HOSTS=headgate.example DATABASE_URL=postgres://headgate@localhost/headgate \
	REDIS_URL=redis://localhost:6379/0 SCHEDULE_SIGNING_KEY_ID=check \
	SCHEDULE_SIGNING_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
	SECRET_KEY=only-for-the-deploy-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG

check: .venv/installed-dev  ## lint, format, types, migrations, deploy check, translations
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	$(MANAGE) makemigrations --check --dry-run
	@echo '$(MANAGE) check --deploy --fail-level WARNING  (with HEADGATE_PRODUCTION=1)'
	@$(PRODUCTION) $(MANAGE) check --deploy --fail-level WARNING
	$(MANAGE) words --check

bench: .venv/installed-dev .venv-bench/installed  ## side-by-side measurements, a table at the end
	@.venv/bin/python -m bench $(ARGS)

words: .venv/installed  ## compile the translations
	@$(MANAGE) words

ready: words
	@$(MANAGE) demosecrets
	@$(MANAGE) migrate --verbosity 0

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Headgate needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.13"; exit 1; }
	@echo 'Making .venv …'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make one; on Debian: apt install python3-venv"; exit 1; }

.venv/installed: requirements.txt | .venv/bin/python
	@printf 'Installing what Headgate needs (a few minutes the first time) '
	@$(INSTALL)
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	@printf 'Installing what the tests and checks need '
	@$(INSTALL)
	@touch $@

# An environment of their own: the packages compared with want other versions of what Headgate uses.
.venv-bench/installed: requirements-bench.txt | .venv/bin/python
	@printf 'Installing what the measurements compare with '
	@$(PYTHON) -m venv .venv-bench
	@$(INSTALL)
	@touch $@
