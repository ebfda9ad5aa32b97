# Everyday commands. `make help` lists them; each is a line or two on purpose.
# Needs make and Python 3.11 or newer; everything else is installed into .venv.

# PYTHON names the Python to make .venv with. `make test PYTHON=…` runs on that one, in an environment
# of its version beside .venv, so that several can be gone through.
VENV := .venv
ifeq ($(origin PYTHON)/$(filter test coverage check,$(MAKECMDGOALS)),command line/$(MAKECMDGOALS))
VENV := $(addprefix .venv-,$(shell PYTHON="$(PYTHON)" sh scripts/python.sh version))
$(if $(VENV),,$(error PYTHON=$(PYTHON) is no Python to test with))
endif
export VENV
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help venv run demo screenshots test coverage check format bench simulate eval container-test audit sbom licences lock clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The virtual environment. A stamp says which locked requirements it holds; dev.txt includes run.txt.
$(VENV)/.run: requirements/run.txt pyproject.toml
	@sh scripts/install.sh run

$(VENV)/.dev: requirements/dev.txt pyproject.toml
	@sh scripts/install.sh dev

venv: $(VENV)/.dev  ## create .venv with the service and everything to develop it

run: $(VENV)/.run  ## install and start the service with config/aggregator.yaml
	@exec $(BIN)/aggregator run $(ARGS)

demo: $(VENV)/.run  ## the same with bundled sample feeds: no internet needed
	@exec $(BIN)/python -m demo $(ARGS)

screenshots: $(VENV)/.dev  ## take the README's pictures of the demo (needs Chromium)
	$(BIN)/python -m demo.screenshots

test: $(VENV)/.dev  ## run all tests (ARGS="-k poll" for some, ARGS=-n0 in one process, PYTHON=python3.12 on that)
	@sh scripts/parts.sh
	$(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: $(VENV)/.dev  ## the same, and how much of the service they reach (takes some times as long)
	$(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder --cov=aggregator $(ARGS)

check: $(VENV)/.dev  ## format, lint, types, import floors, docs: what CI checks before the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_house.py

format: $(VENV)/.dev  ## format the code and fix what the linter can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## measure polling against other readers, extraction against trafilatura
	$(BIN)/python -m bench.poll
	$(BIN)/python -m bench.articles
	$(BIN)/python -m bench.tick
	$(BIN)/python -m bench.dedup

simulate: $(VENV)/.dev  ## the polling policy against fixed intervals, on synthetic publishers
	$(BIN)/python -m bench.simulate $(ARGS)

eval: $(VENV)/.dev  ## measure against labelled data, where it is (AGGREGATOR_EVAL_DATA names its folder)
	$(BIN)/python -m bench.eval_feeds $(ARGS)
	$(BIN)/python -m bench.eval_poll $(ARGS)
	$(BIN)/python -m bench.eval_article
	$(BIN)/python -m bench.eval_related $(ARGS)
	$(BIN)/python -m bench.eval_bodies $(ARGS)
	$(BIN)/python -m bench.eval_metadata $(ARGS)
	$(BIN)/python -m bench.eval_dedup $(ARGS)
	$(BIN)/python -m bench.eval_reported $(ARGS)

container-test:  ## build the image, start it with compose, see that the data stays
	@sh scripts/container-test.sh

# Tools of their own, so that what the service is tested with holds nothing of theirs.
.venv-supply/.done: requirements/supply.txt
	"$$(sh scripts/python.sh)" -m venv --clear .venv-supply
	.venv-supply/bin/pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

audit: .venv-supply/.done  ## look for known vulnerabilities in the locked requirements (needs the internet)
	@sh scripts/audit.sh requirements/dev.txt

sbom: .venv-supply/.done  ## write what the image ships as a CycloneDX document: dist/aggregator.cdx.json
	@sh scripts/sbom.sh dist/aggregator.cdx.json

licences: $(VENV)/.run  ## list the licences of what the image ships, with their texts (ARGS=--brief without)
	@$(BIN)/python packaging/licences.py requirements/run.txt $(ARGS)

lock:  ## resolve the locked requirements again (needs uv)
	sh requirements/compile.sh

clean:  ## remove caches, the virtual environment and the demo's files; data/ stays
	rm -rf .venv .venv-3.* .demo .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
