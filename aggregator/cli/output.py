"""How commands speak: results on standard output, everything else on standard error.

Exit codes: 0 all well, 1 some sources failed, 2 usage or configuration.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

OK = 0
SOME_FAILED = 1
USAGE = 2


def _to_stdout() -> Console:
    from aggregator.cli.console import Output

    # A pipe has no width: lines there are as long as they are.
    width = None if sys.stdout.isatty() else 240
    return Output(soft_wrap=True, highlight=False, width=width)


def _to_stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False)


class LateConsole:
    """A console made when something is printed: most commands print JSON, or nothing."""

    def __init__(self, make: Callable[[], Console]) -> None:
        self._make = make
        self._made: Console | None = None

    @property
    def console(self) -> Console:
        """The console itself."""
        self._made = self._made or self._make()
        return self._made

    def print(self, *parts: Any, **options: Any) -> None:
        """`Console.print`."""
        self.console.print(*parts, **options)


stdout = LateConsole(_to_stdout)
stderr = LateConsole(_to_stderr)


def print_json(value: Mapping[str, Any] | list[Any]) -> None:
    """One JSON document on one line of standard output; times as ISO 8601 UTC."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> str:
    return iso(value) if isinstance(value, datetime) else str(value)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with whole seconds."""
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    """A plain table: every column whole but the last, which wraps."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        last = name == columns[-1]
        made.add_column(
            name,
            justify="right" if name in numbers else "left",
            no_wrap=not last,
            overflow="fold" if last else "ignore",
        )
    return made


def fail(message: str, code: int = USAGE) -> NoReturn:
    """Say what went wrong on standard error and end with `code`."""
    stderr.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
    raise typer.Exit(code)


def escape(text: str) -> str:
    """Text from outside, so that rich reads no markup and a terminal no control codes in it."""
    from rich.markup import escape as rich_escape

    safe = "".join(
        c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    return rich_escape(safe)


@contextmanager
def told() -> Iterator[None]:
    """Turn the errors that people can mend into a message and exit code 2."""
    from aggregator.model.errors import OperatorError

    try:
        yield
    except OperatorError as error:
        fail(str(error))
