"""Standard output as rich writes to it."""

from __future__ import annotations

from rich.console import Console


class Output(Console):
    """A console that leaves a reader gone (`… | head`) to the command line, which ends quietly.

    Rich would end the program on the spot, in the middle of what an event loop still has to close.
    """

    def on_broken_pipe(self) -> None:
        """Raise the BrokenPipeError that rich is handling."""
        raise  # noqa: PLE0704 - rich calls this from its except clause
