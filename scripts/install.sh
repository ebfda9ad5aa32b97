#!/bin/sh
# Create .venv (or what VENV names) and install the locked requirements, then the project:
# install.sh run|dev
# The files name no package index: pip takes the one it is configured with.
set -eu
cd "$(dirname "$0")/.."
kind=$1
venv=${VENV:-.venv}
if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    python=$(sh scripts/python.sh)
    "$python" -c 'import venv, ensurepip' 2>/dev/null || {
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "$python cannot create virtual environments." >&2
        echo "On Debian and Ubuntu: apt-get install python$version-venv" >&2
        exit 1
    }
    echo "Creating $venv with $python"
    "$python" -m venv --clear "$venv"
fi
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input install -qq "$@"; }
echo "Installing requirements/$kind.txt into $venv (about a minute the first time)"
pip --require-hashes -r "requirements/$kind.txt"
pip --no-deps --no-build-isolation -e .
touch "$venv/.run"
if [ "$kind" = dev ]; then touch "$venv/.dev"; fi
