"""The tables of the design pages agree with the program: what they call a default is it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.config.values.durations import read_duration
from aggregator.model.settings import Settings

DESIGN = Path("docs/design")
GROUPS: dict[str, Any] = {
    "copies.md": Settings().dedup.copies,
    "stories.md": Settings().dedup.stories,
    "polling.md": Settings().polling,
    "hosts.md": Settings().polling,
}


def rows(page: str) -> Iterator[tuple[str, str]]:
    """Setting and default of each row of a table that has both columns."""
    columns: list[str] = []
    for line in (DESIGN / page).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" |")]
        if not line.startswith("|"):
            columns = []
        elif not columns:
            columns = cells
        elif "setting" in columns and "default" in columns and not line.startswith("|--"):
            cells = [cell.strip() for cell in line[1:-1].split("|")]
            assert len(cells) == len(columns), f"{page}: {line}"
            yield cells[columns.index("setting")], cells[columns.index("default")]


@pytest.mark.parametrize("page", GROUPS)
def test_each_default_in_a_table_is_that_of_the_program(page: str) -> None:
    group = GROUPS[page]
    written = {s.strip("`"): d.strip("`") for s, d in rows(page) if s}
    assert written
    for setting, default in written.items():
        assert _agrees(default, getattr(group, setting)), f"{page}: {setting}"


@pytest.mark.parametrize("page", ["copies.md", "stories.md"])
def test_each_threshold_stands_in_the_table_of_its_page(page: str) -> None:
    written = {setting.strip("`") for setting, _ in rows(page)}
    assert {one.name for one in fields(GROUPS[page])} <= written


def _agrees(written: str, default: Any) -> bool:
    if isinstance(default, timedelta):
        return read_duration(written) == default
    return written == ("" if default is None else str(default))
