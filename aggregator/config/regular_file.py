"""Files that a configuration names: never a pipe or device, which might not begin or not end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_regular(path: Path, most: int) -> bytes:
    """The first `most` bytes of a file.

    Raises:
        OSError: it cannot be read, or is no regular file; `strerror` says why.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe does not wait
    kind = os.fstat(handle).st_mode
    if not stat.S_ISREG(kind):
        os.close(handle)
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", str(path))
        what = "a pipe" if stat.S_ISFIFO(kind) else "a device"
        raise OSError(errno.EINVAL, f"is {what}, not a file", str(path))
    with os.fdopen(handle, "rb") as file:
        return file.read(most)
