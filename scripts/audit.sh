#!/bin/sh
# Ask the vulnerability database of the Python Package Index about locked requirements: audit.sh FILE
# Ends with 1 where something is known, with 2 where nobody could be asked.
set -eu
cd "$(dirname "$0")/.."
said=$(mktemp)
trap 'rm -f "$said"' EXIT
status=0
# Strict: a requirement that the database does not answer for is no requirement without a fault.
.venv-supply/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
    --requirement "$1" >"$said" 2>&1 || status=$?
cat "$said"
[ "$status" -eq 0 ] && exit 0
grep -q '^Found [0-9][0-9]* known vulnerabilit' "$said" && exit 1
echo "The audit was not done: the Python Package Index did not answer for every requirement (above)." >&2
echo "It needs the internet, and the index itself: a mirror seldom has the vulnerabilities." >&2
exit 2
