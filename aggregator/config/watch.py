"""Noticing that a configuration was changed.

Folders are watched, not files: editors write a new file and rename it over the old one, container
platforms swap a link in the folder (`..data`), and a file that a pattern of `include:` names may
appear at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from watchfiles import Change, awatch

_SETTLE_MS = 400  # an editor's several writes are one change
_STEP_MS = 100
_LOST_S = 5.0  # how often to look for a folder that is gone


async def changed_files(paths: Iterable[str | Path]) -> AsyncIterator[None]:
    """Yield once for every burst of changes to what `paths` name; never ends by itself.

    Args:
        paths: files, and folders in which any file counts, as in `Settings.files`. A file need
            not exist. The caller begins anew when the paths have changed.
    """
    wanted = _Wanted(paths)
    while True:
        folders = wanted.folders()
        if not folders:
            await asyncio.sleep(_LOST_S)
            if wanted.folders():
                yield  # they came back: everything in them may be new
            continue
        async for _ in awatch(
            *folders,
            watch_filter=wanted.concerns,
            debounce=_SETTLE_MS,
            step=_STEP_MS,
            recursive=False,
        ):
            yield
            if wanted.folders() != folders:
                break  # a folder came or went: watch what there is now
        else:
            return


class _Wanted:
    """Which changes count."""

    def __init__(self, paths: Iterable[str | Path]) -> None:
        given = [Path(path).absolute() for path in paths]
        self._whole = {path for path in given if path.is_dir()}
        self._files = {path for path in given if path not in self._whole}

    def folders(self) -> list[Path]:
        """The folders to watch that exist now."""
        parents = {path.parent for path in self._files}
        # A link's target is where the change really happens.
        parents |= {path.resolve().parent for path in self._files if path.is_symlink()}
        return sorted(folder for folder in parents | self._whole if folder.is_dir())

    def concerns(self, change: Change, changed: str) -> bool:  # noqa: ARG002
        """Whether a change counts."""
        path = Path(changed)
        if path in self._files or path.name == "..data":
            return True
        if path.parent in self._whole:
            return not _is_scratch(path.name)
        return any(path == file.resolve() for file in self._files if file.is_symlink())


def _is_scratch(name: str) -> bool:
    """Whether a file is an editor's own: swap, backup, lock or a probe for rights (vim's 4913)."""
    return (
        name.startswith((".", "#"))
        or name.endswith(("~", ".swp", ".swx", ".tmp", ".bak"))
        or name == "4913"
    )
