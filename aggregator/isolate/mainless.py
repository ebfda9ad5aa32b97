"""Worker processes that do not import the program's main module again.

Python's start methods other than fork run the main script a second time in every child, so that
functions defined there can be unpickled. Ours are imported by name: importing a console script
and all of the command line behind it would only cost time and memory in each worker, and fails
where there is no script (an interactive session, `python -`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from multiprocessing import popen_forkserver, spawn
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

_launching = threading.Lock()


class _Popen(popen_forkserver.Popen):
    def _launch(self, process_obj: Any) -> None:
        # The data are put together inside the standard launch, out of the reach of a subclass.
        with _launching:
            complete = spawn.get_preparation_data
            spawn.get_preparation_data = _without_main(complete)  # type: ignore[assignment]
            try:
                super()._launch(process_obj)  # type: ignore[misc]
            finally:
                spawn.get_preparation_data = complete


class WorkerProcess(ForkServerProcess):
    """A process from the fork server that leaves the main module alone."""

    @staticmethod
    def _Popen(process_obj: Any) -> _Popen:
        return _Popen(process_obj)


class MainlessContext(ForkServerContext):
    """The `forkserver` context with such processes."""

    Process = WorkerProcess


def _without_main(complete: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    def prepare(name: str) -> dict[str, Any]:
        data = complete(name)
        data.pop("init_main_from_path", None)
        data.pop("init_main_from_name", None)
        return data

    return prepare
