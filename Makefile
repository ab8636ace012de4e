# Everything a clone needs: Python 3.11 or newer, make and a network. The environment lives in .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(VENV)
# The system knows the certificates of a company's proxy; uv's own list does not.
export UV_SYSTEM_CERTS := true

.PHONY: install demo serve cluster test check fix bench clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml uv.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	$(BIN)/uv sync --quiet --locked --all-extras --inexact
	touch $@

demo: install  ## embedded MongoDB, the demo project and the API on http://127.0.0.1:8080
	$(BIN)/opencaas demo $(ARGS)

serve: install  ## the API on an empty embedded MongoDB
	$(BIN)/opencaas serve $(ARGS)

cluster: install  ## three MongoDBs, two servers and a balancer on this machine, to kill things in
	$(BIN)/python -m tests.cluster $(ARGS)

test: install  ## all tests against a real MongoDB
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

check: install  ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: install  ## format and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install  ## the measurements, as ratios
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
