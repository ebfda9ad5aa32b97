"""The command line: every command named once, its module loaded when it is run."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from aggregator import __version__

# Command: its module in this package, and the function.
COMMANDS = {
    "run": ("running", "run"),
    "schedule": ("running", "schedule"),
    "worker": ("running", "worker"),
    "serve": ("running", "serve"),
    "init": ("configuring", "init"),
    "check": ("checking", "check"),
    "discover": ("checking", "discover"),
    "parse": ("checking", "parse"),
    "extract": ("articles", "extract"),
    "related": ("articles", "related"),
    "reread": ("articles", "reread"),
    "forget": ("articles", "forget"),
    "token": ("tokens", "app"),
    "open": ("configuring", "open_source"),
    "poll": ("polling", "poll"),
    "replay": ("replaying", "replay"),
    "report": ("reporting", "report"),
    "status": ("polling", "status"),
    "plan": ("explaining", "plan"),
    "why": ("explaining", "why"),
    "rules": ("ruling", "rules"),
    "search": ("searching", "search"),
    "moves": ("explaining", "moves"),
    "import": ("configuring", "import_opml"),
    "export": ("configuring", "export"),
    "doctor": ("examining", "doctor"),
    "backup": ("storing", "backup"),
    "restore": ("storing", "restore"),
    "migrate-store": ("storing", "migrate_store"),
    "upgrade-store": ("storing", "upgrade_store"),
    "schema": ("configuring", "schema"),
    "url-key": ("comparing", "url_key"),
    "compare": ("comparing", "compare"),
    "split": ("comparing", "split"),
    "merge": ("comparing", "merge"),
    "dedup": ("comparing", "dedup"),
}
_FLAGS = {"-v", "-vv", "--verbose"}  # before a command, without a value


def build(words: Sequence[str] = ()) -> typer.Typer:
    """The application for a command line: with the command it names, or with all of them.

    All of them also where it names none that is known: help and mistakes list them.
    """
    named = next((word for word in words if word not in _FLAGS), None)
    app = typer.Typer(
        name="aggregator",
        help="A self-hosted news-feed aggregator: polls feeds, keeps every story once, serves the "
        "result as merged feeds.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(main)
    for command in [named] if named in COMMANDS else COMMANDS:
        module, function = COMMANDS[command]
        found = getattr(import_module(f"aggregator.cli.{module}"), function)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=command)
        else:
            app.command(command)(found)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aggregator {__version__}")
        raise typer.Exit


def main(
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Log more; twice for everything.")
    ] = 0,
    log_format: Annotated[
        str | None, typer.Option(help="Log as “text” or “json”.", envvar="AGGREGATOR_LOG_FORMAT")
    ] = None,
) -> None:
    """Options before the command hold for every command."""
    from aggregator.cli import running
    from aggregator.cli.output import fail
    from aggregator.telemetry.log import configure_logging

    if log_format not in (None, "text", "json"):
        fail(f"--log-format is text or json, not {log_format!r}")
    running.LOGGING.verbose = verbose
    running.LOGGING.format = log_format
    level = "debug" if verbose > 1 else "info" if verbose else "error"
    configure_logging(json=log_format == "json", level=level)
