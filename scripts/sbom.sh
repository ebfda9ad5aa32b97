#!/bin/sh
# Write a software bill of materials of what the image ships, as CycloneDX: sbom.sh FILE
# The environment is made as in the Dockerfile, so that it holds the same.
set -eu
cd "$(dirname "$0")/.."
shipped=.venv-shipped
VENV=$shipped sh scripts/install.sh run
"$shipped/bin/python" -m pip uninstall -q --yes hatchling editables setuptools pip
mkdir -p "$(dirname "$1")"
.venv-supply/bin/cyclonedx-py environment --pyproject pyproject.toml \
    --output-reproducible --output-file "$1" "$shipped/bin/python"
rm -rf "$shipped"
