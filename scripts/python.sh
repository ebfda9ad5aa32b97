#!/bin/sh
# Print the path of a Python that is new enough (`version`: its version), or say what is missing.
set -eu
enough='import sys; sys.exit(sys.version_info < (3, 11))'
found=
for name in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    # A name on the PATH may be a shim that cannot run: ask it, rather than believe the name.
    version=$("$name" -c 'import sys; print(sys.version.split()[0])' 2>/dev/null) || continue
    if "$name" -c "$enough" 2>/dev/null; then
        case ${1:-path} in
            version) "$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' ;;
            *) "$name" -c 'import sys; print(sys.executable)' ;;
        esac
        exit 0
    fi
    found="$found $name is $version;"
done
echo "Python 3.11 or newer is needed;${found:- none was found.} Install one, or name it: make PYTHON=/path/to/python3.11 …" >&2
exit 1
