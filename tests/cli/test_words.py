"""What commands say of themselves is plain text: no mark of a markup language is printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main

from aggregator.cli.app import build


def helps(command: Any) -> Iterator[tuple[str, str]]:
    """The help of a command, of its parameters and of its own commands, by name."""
    yield command.name, command.help or ""
    for parameter in command.params:
        yield f"{command.name} {parameter.name}", getattr(parameter, "help", None) or ""
    for one in getattr(command, "commands", {}).values():
        yield from helps(one)


def test_no_help_prints_a_backtick() -> None:
    found = dict(helps(typer.main.get_command(build())))
    assert len(found) > 60
    assert [name for name, text in found.items() if "`" in text] == []
