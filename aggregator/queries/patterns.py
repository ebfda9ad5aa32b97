"""Regular expressions of rules, by RE2: its time grows with the text alone, whatever the pattern.

So what a rule does never depends on how busy the machine is, and no pattern can hold a poll up
(https://github.com/google/re2/wiki/WhyRE2). The text is cut, so its time is bounded too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

MOST_TEXT = 100_000  # characters of a field in which a pattern is looked for
_MEMORY = 4 * 1024 * 1024  # bytes of a compiled pattern


@lru_cache(maxsize=256)
def compiled(pattern: str, ignore_case: bool) -> Any:
    """A compiled pattern.

    Raises:
        ValueError: it is no regular expression of RE2, or needs too much memory.
    """
    import re2

    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else "not valid"
        told = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(told) from error


def trouble(pattern: str, ignore_case: bool) -> str | None:
    """Why a pattern cannot be used; None where it can."""
    try:
        compiled(pattern, ignore_case)
    except ValueError as error:
        return str(error)
    return None


def is_found(pattern: str, text: str, *, ignore_case: bool) -> bool:
    """Whether a valid pattern is found anywhere in a text."""
    return compiled(pattern, ignore_case).search(text[:MOST_TEXT]) is not None
