"""The program and an origin for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.program import Program
from tests.origin import Origin


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as made:
        yield made


@pytest.fixture
def program(tmp_path: Path, sqlite_url: str) -> Iterator[Program]:
    """The program on SQLite."""
    with Program(tmp_path, sqlite_url) as made:
        yield made


@pytest.fixture
def either_program(tmp_path: Path, database_url: str) -> Iterator[Program]:
    """The program, on each kind of database in turn."""
    with Program(tmp_path, database_url) as made:
        yield made
