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
    if path.exists() and not path.is_file():  # a pipe or a terminal: nothing stays there
        if not replace:
            raise FileExistsError(path)
        path.write_bytes(data)
        return
    target = path.resolve() if replace else path
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if replace:
            Path(name).replace(target)
        else:
            os.link(name, target)  # fails where there is a file, a link included
            Path(name).unlink()
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def others_may_read(descriptor: int) -> bool:
    """Whether an open file is one that stays and that others than its owner may read."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and bool(status.st_mode & _OTHERS)
