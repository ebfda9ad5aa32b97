#!/bin/sh
# Install what some tests need beside Python, where Debian packages may be installed.
set -eu
missing=
want() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || want postgres postgresql
want chromium chromium
want newsboat newsboat
want sfeed sfeed
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Tests that need these will be skipped, install them by hand:$missing" >&2
    exit 0
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "Tests that need these will be skipped; to run them: sudo apt-get install$missing" >&2
        exit 0
    fi
    as_root="sudo -n"
fi
echo "Installing for the tests:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q >/dev/null || true
# shellcheck disable=SC2086 # lists of words
$as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends $missing >/dev/null || {
    echo "Could not install all of:$missing; the tests that need them will say so." >&2
}
