#!/bin/sh
# Re-resolve the hash-locked requirements (run.txt: the service, cluster.txt: the service with the
# queue of many workers, dev.txt: that and the tests, supply.txt: what looks through the supply chain,
# in an environment of its own).
# The files name no package index; pip takes the one it is configured with.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
    --no-emit-index-url --no-annotate "$@"; }
lock pyproject.toml --group build -o requirements/run.txt
lock pyproject.toml --extra cluster --group build -c requirements/run.txt -o requirements/cluster.txt
lock pyproject.toml --extra cluster --extra traces --group build --group dev -c requirements/cluster.txt \
    -o requirements/dev.txt
lock --group supply -o requirements/supply.txt
