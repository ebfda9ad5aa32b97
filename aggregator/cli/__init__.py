"""The commands, one small module a group."""

from __future__ import annotations


def main() -> None:
    """The console script `aggregator`."""
    from aggregator.cli.app import app

    app()
