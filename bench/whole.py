"""Run a command and print the CPU seconds of its whole process tree: `python -m bench.whole CMD …`.

The last line of standard error is JSON: `cpu`, the exit `code`. Processes that outlive the command
that started them (Python's fork server does, for a moment, and the workers' time is its own) come
to this one, as their reaper, and are counted when they end.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys

_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Run, wait for everything, print."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process = subprocess.Popen(sys.argv[1:])
    _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {"cpu": used.ru_utime + used.ru_stime, "code": process.returncode}
    print("\n" + json.dumps(told), file=sys.stderr)


if __name__ == "__main__":
    main()
