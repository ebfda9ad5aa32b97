"""Files that may hold passwords: nobody but their owner reads them."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_private(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file that its owner alone may read, whole or not at all.

    Args:
        path: where; a file that others could read is replaced by one that they cannot.
        data: its bytes.
        replace: whether a file that is there may be overwritten.

    Raises:
        FileExistsError: there is one, and `replace` is False.
        OSError: it cannot be written.
    """
    if not replace:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        _write_whole(handle, data, path)
        return
    if path.exists() and not path.is_file():  # a pipe or a terminal: nothing stays there
        path.write_bytes(data)
        return
    target = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    _write_whole(handle, data, Path(name))
    try:
        Path(name).replace(target)
    except OSError:
        Path(name).unlink()
        raise


def _write_whole(handle: int, data: bytes, path: Path) -> None:
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def others_may_read(descriptor: int) -> bool:
    """Whether an open file is one that stays and that others than its owner may read."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and bool(status.st_mode & _OTHERS)
