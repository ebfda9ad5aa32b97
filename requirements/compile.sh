#!/bin/sh
# Re-resolve the hash-locked requirements (run.txt: the service, dev.txt: the service and its tests).
# The files name no package index; pip takes the one it is configured with.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
    --no-emit-index-url --no-annotate pyproject.toml "$@"; }
lock --group build -o requirements/run.txt
lock --group build --group dev -c requirements/run.txt -o requirements/dev.txt
