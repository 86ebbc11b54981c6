# make setup | run | test | lock. Needs Python 3.11 or newer, GNU make, and nothing else.
# Every target may be repeated; ARGS is handed on: make run ARGS="--port-offset 1000", make test ARGS="-k sockets".
PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run test lock

help:
	@echo 'make run     install if needed, then serve the personas'
	@echo 'make test    install if needed, then every gate and every test'
	@echo 'make setup   install into .venv, and nothing if it is up to date'
	@echo 'make lock    resolve requirements.lock anew (needs uv)'

setup:
	@$(PYTHON) scripts/install.py

run: setup
	@exec .venv/bin/agent-gateway serve $(ARGS)

test: setup
	@.venv/bin/python scripts/test.py $(ARGS)

# torch stays out of the lock, and so does CUDA: see docs/design/0002-one-lock-without-cuda.md.
lock:
	@command -v uv >/dev/null || { echo 'make lock needs uv, which is not part of the lock: https://docs.astral.sh/uv/' >&2; exit 1; }
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-package torch --no-emit-index-url \
	  --no-emit-find-links --override scripts/no-cuda.txt --extra dev pyproject.toml -o requirements.lock --no-header
