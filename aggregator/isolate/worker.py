"""What happens inside a worker process: its limits, its end, and the call it makes."""

from __future__ import annotations

import ctypes
import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from multiprocessing.forkserver import _forkserver
from typing import Any

_PR_SET_PDEATHSIG = 1


class WorkerError(Exception):
    """A task that gave no result, for a reason that lies in the worker and not in its code."""


class WorkerTimeout(WorkerError):
    """The task ran longer than it was allowed to; its process was killed."""


class WorkerBusy(WorkerTimeout):
    """The task needs long, and others that do wait already: it was not tried to its end.

    `blamed`: a task of the same share ran out of its whole time before; otherwise it may be this
    machine that is slow.
    """

    def __init__(self, said: str = "", *, blamed: bool = False) -> None:
        super().__init__(said)
        self.blamed = blamed


class WorkerCrashed(WorkerError):
    """The task's process died (a crash, an abort, a kill from outside, an exit)."""


class WorkerMemory(WorkerError):
    """The task wanted more memory than a worker may have."""


class WorkerClosed(WorkerError):
    """The pool is closed, or was closed while the task waited."""


def start(owner: int, max_memory: int) -> None:
    """Prepare a new worker: it dies with its parent and may not grow beyond `max_memory` bytes.

    `owner` is the process that owns the pool. A worker's parent is the fork server, which ends as
    soon as the owner does; the parent-death signal carries that on to the worker. An owner that
    died before the signal was armed is noticed by looking once, after arming.
    """
    # Pebble's own handler is Python code, which cannot run while a C parser loops.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _let_the_server_notice()
    if os.getppid() == 1 or not _is_alive(owner):
        os._exit(0)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = max_memory if hard == resource.RLIM_INFINITY else min(max_memory, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _let_the_server_notice() -> None:
    """Close our end of the pipe by which the fork server learns that its owner is gone.

    Python hands a copy to every child, so that children may start children; with it a worker would
    keep its own server alive for ever after the owner was killed.
    """
    descriptor = getattr(_forkserver, "_forkserver_alive_fd", None)
    if isinstance(descriptor, int):
        os.close(descriptor)
        setattr(_forkserver, "_forkserver_alive_fd", None)  # noqa: B010 - private to Python


def perform(function: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    """`function(*args)`, pickled; exceptions that would end the process become `WorkerError`s.

    The result is pickled here, where a failure to do so is still this task's failure alone.
    """
    try:
        return pickle.dumps(function(*args), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        raise WorkerMemory("the task exceeded the memory of its worker") from None
    except (SystemExit, KeyboardInterrupt, GeneratorExit) as end:
        raise WorkerCrashed(f"the task ended its worker: {end!r}") from None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
