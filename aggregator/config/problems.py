"""What is wrong with a configuration, where it stands and what to write instead.

Nothing here ever holds a value that came from a secret: messages are printed, logged and shown on
the start page.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aggregator.model.errors import OperatorError


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; line and column count from 1, 0 where there is none."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. `path` leads to it in the document (`sources[3].poll`), empty at the top."""

    place: Place
    path: str = field(compare=False)
    message: str = field(compare=False)
    suggestion: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        said = ": ".join(part for part in (str(self.place), self.path, self.message) if part)
        return f"{said}; {self.suggestion}" if self.suggestion else said

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: file, line, column, path, message and suggestion."""
        return {
            "file": self.place.file,
            "line": self.place.line or None,
            "column": self.place.column or None,
            "path": self.path or None,
            "message": self.message,
            "suggestion": self.suggestion,
        }


class ConfigError(OperatorError):
    """The configuration cannot be used. `problems` holds all mistakes, sorted by place.

    `warnings` are those of what could be understood, sorted too; they are no part of the message.
    """

    def __init__(self, problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        self.problems = tuple(sorted(problems))
        self.warnings = tuple(sorted(warnings))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


# What people write who come from other programs, and what it is called here.
SYNONYMS = {
    "allow": "allow_private",
    "basic_auth": "auth",
    "categories": "tags",
    "category": "tags",
    "concurrent": "concurrency",
    "credentials": "auth",
    "cron": "poll",
    "database": "storage",
    "db": "storage",
    "email": "contact",
    "every": "poll",
    "feed": "url",
    "feeds": "sources",
    "folder": "tags",
    "frequency": "poll",
    "fulltext": "full_text",
    "group": "tags",
    "groups": "tags",
    "href": "url",
    "lang": "language",
    "link": "url",
    "listen_address": "listen",
    "login": "auth",
    "max_items": "limit",
    "name": "title",
    "outputs": "views",
    "password": "auth",
    "refresh": "poll",
    "related_news": "follow_related",
    "retention": "keep_text",
    "schedule": "poll",
    "secret": "token",
    "size": "limit",
    "slug": "id",
    "tz": "timezone",
    "username": "auth",
    "xmlurl": "url",
}


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, or None."""
    choices = list(known)
    folded = word.casefold().replace("-", "_")
    if folded in choices:
        return folded
    if SYNONYMS.get(folded) in choices:
        return SYNONYMS[folded]
    near = difflib.get_close_matches(folded, choices, n=1, cutoff=0.6)
    return near[0] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A known word that `word` was probably meant to be, as a sentence, or None."""
    found = meant(word, known)
    return f"did you mean “{found}”?" if found else None
