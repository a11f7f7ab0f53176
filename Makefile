# The two commands of this project are `make demo` and `make test`; both work on a fresh clone.

PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export NO_MKDOCS_2_WARNING := 1
CONFIG := --config config.yaml --config config.demo.yaml
BROWSER := chromium chromium-driver
SLURM := munge slurmctld slurmd slurm-client

.PHONY: help env demo test test-browser test-cluster gpu-check lint mutants lock

help:
	@echo "make demo          train the small grid on the embedded sample and print its results on one screen"
	@echo "make test          all tests that need no special hardware"
	@echo "make test-browser  the report in a headless Chromium (Debian, as root if it is not installed)"
	@echo "make test-cluster  the workflow on a Slurm of one node, brought up for the tests (Debian, as root)"
	@echo "make gpu-check     what only a GPU can show, tests and benchmarks; needs neither network nor snakemake"
	@echo "make lint          linters, type checker, and the documents as a site (site/)"
	@echo "make mutants       plant faults one by one and list those that no test finds; ONLY='ecot.degradations.*'"
	@echo "make env           only the virtual environment, .venv"
	@echo "make lock          resolve requirements.lock anew from pyproject.toml (needs uv)"

env: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("ecot needs Python 3.11 or newer, not %s: make PYTHON=python3.11 ..." % sys.version.split()[0])'
	@echo "installing the locked packages into .venv (about 3 GB the first time)"
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: env
	@snakemake --configfile config.demo.yaml
	@ecot show $(CONFIG)

test: env
	python -m pytest --numprocesses auto --dist loadfile -m "not gpu and not cluster and not browser"

# Debian, as root where they are missing.
test-browser: env
	dpkg --status $(BROWSER) > /dev/null 2>&1 || { apt-get update && apt-get install --yes --no-install-recommends $(BROWSER); }
	timeout --kill-after 60 900 .venv/bin/python -m pytest -m browser

# Bounded: a queue that hangs must not hang whoever waits for the tests.
test-cluster: env
	dpkg --status $(SLURM) > /dev/null 2>&1 || { apt-get update && apt-get install --yes --no-install-recommends $(SLURM); }
	timeout --kill-after 60 1800 .venv/bin/python -m pytest tests/cluster -m cluster -s

# Without `env`: it runs wherever a GPU turns up, in any Python that has the packages (PYTHON=...).
gpu-check:
	PYTHONPATH=src $(PYTHON) -m pytest -m gpu tests/engine
	PYTHONPATH=src $(PYTHON) -m benchmarks.training --device cuda --seconds 2
	PYTHONPATH=src $(PYTHON) -m benchmarks.precision --device cuda
	PYTHONPATH=src $(PYTHON) -m benchmarks.sharing --device cuda --jobs 1 --jobs 2 --jobs 4 --jobs 8

lint: env
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	mypy
	lint-imports
	snakemake --lint
	mkdocs build --strict --quiet

# Hours for everything: name a room or a module. The list of survivors is a place to look for tests that are missing.
ONLY ?=
mutants: env
	mutmut run $(ONLY)
	mutmut results

lock:
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--fork-strategy fewest --generate-hashes --no-annotate --output-file requirements.lock
