"""A changed configuration is noticed, however it was written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aggregator.config.watch import changed_files
from tests.patience import PATIENCE

_QUIET = 1.0  # seconds in which a change that must not be noticed would have been


async def _noticed(changes: AsyncIterator[None], change: Callable[[], object]) -> None:
    """Make a change, again and again until it is noticed: watching takes a moment to begin."""
    waiting = asyncio.ensure_future(anext(changes))
    for _ in range(int(PATIENCE)):
        change()
        done, _ = await asyncio.wait([waiting], timeout=1.0)
        if done:
            await waiting
            return
    waiting.cancel()
    raise AssertionError("the change was not noticed")


async def _unnoticed(changes: AsyncIterator[None], change: Callable[[], object]) -> None:
    waiting = asyncio.ensure_future(anext(changes))
    change()
    done, _ = await asyncio.wait([waiting], timeout=_QUIET)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert not done


def _replace(path: Path) -> None:
    """Save as many editors do: a new file takes the place of the old one."""
    scratch = path.with_name(f".{path.name}.tmp")
    scratch.write_text("new")
    os.replace(scratch, path)


def test_a_file_that_is_replaced_by_an_editor_is_noticed_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")

    async def watch() -> None:
        changes = changed_files([path])
        await _noticed(changes, lambda: _replace(path))
        await _noticed(changes, lambda: _replace(path))
        await _noticed(changes, lambda: path.write_text("newer"))

    asyncio.run(watch())


def test_a_file_that_appears_where_a_pattern_looks_is_noticed(tmp_path: Path) -> None:
    main, folder = tmp_path / "a.yaml", tmp_path / "sources.d"
    main.write_text("x")
    folder.mkdir()

    async def watch() -> None:
        changes = changed_files([main, folder])
        await _noticed(changes, lambda: (folder / "new.yaml").write_text("x"))
        await _noticed(changes, lambda: (folder / "new.yaml").unlink(missing_ok=True))

    asyncio.run(watch())


def test_a_link_that_is_pointed_elsewhere_is_noticed(tmp_path: Path) -> None:
    """As container platforms mount configurations: a.yaml -> ..data/a.yaml, ..data -> ..1."""
    for name in ("..1", "..2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(name)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    turn = iter(range(1000))

    def swap() -> None:
        new = tmp_path / "..data_tmp"
        new.symlink_to("..2" if next(turn) % 2 == 0 else "..1")
        os.replace(new, tmp_path / "..data")

    async def watch() -> None:
        await _noticed(changed_files([tmp_path / "a.yaml"]), swap)

    asyncio.run(watch())


def test_other_files_and_what_editors_leave_behind_are_not_noticed(tmp_path: Path) -> None:
    main, folder = tmp_path / "a.yaml", tmp_path / "sources.d"
    main.write_text("x")
    folder.mkdir()

    async def watch() -> None:
        changes = changed_files([main, folder])
        await _noticed(changes, lambda: main.write_text("y"))
        await asyncio.sleep(_QUIET)
        changes = changed_files([main, folder])
        await _unnoticed(
            changes,
            lambda: [
                path.write_text("x")
                for path in (tmp_path / "data.db", folder / ".b.yaml.swp", folder / "b.yaml~")
            ],
        )

    asyncio.run(watch())
