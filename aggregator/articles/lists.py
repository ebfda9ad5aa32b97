"""Word lists of this room, kept as data files: words apart by white space, `#` begins a comment."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def word_list(name: str) -> frozenset[str]:
    """The words of `data/NAME.txt`."""
    return frozenset(word for line in data_lines(name) for word in line.split())


@cache
def data_lines(name: str) -> tuple[str, ...]:
    """The lines of `data/NAME.txt` without comments and empty ones."""
    text = files(__package__).joinpath("data", f"{name}.txt").read_text(encoding="utf-8")
    return tuple(
        line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")
    )
