"""The command line: every command registered once, its imports inside it."""

from __future__ import annotations

from typing import Annotated

import typer

from aggregator import __version__
from aggregator.cli import (
    articles,
    checking,
    comparing,
    configuring,
    examining,
    explaining,
    polling,
    running,
    storing,
)

app = typer.Typer(
    name="aggregator",
    help="A self-hosted news-feed aggregator: polls feeds, keeps every story once, serves the "
    "result as merged feeds.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aggregator {__version__}")
        raise typer.Exit


@app.callback()
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
    from aggregator.cli.output import fail
    from aggregator.telemetry.log import configure_logging

    if log_format not in (None, "text", "json"):
        fail(f"--log-format is text or json, not {log_format!r}")
    running.LOGGING.verbose = verbose
    running.LOGGING.format = log_format
    level = "debug" if verbose > 1 else "info" if verbose else "error"
    configure_logging(json=log_format == "json", level=level)


app.command()(running.run)
app.command()(configuring.init)
app.command()(checking.check)
app.command()(checking.discover)
app.command()(checking.parse)
app.command()(articles.extract)
app.command()(articles.related)
app.command()(articles.reread)
app.command()(articles.forget)
app.command("open")(configuring.open_source)
app.command()(polling.poll)
app.command()(polling.status)
app.command()(explaining.plan)
app.command()(explaining.why)
app.command()(explaining.moves)
app.command("import")(configuring.import_opml)
app.command()(configuring.export)
app.command()(examining.doctor)
app.command()(storing.backup)
app.command()(storing.restore)
app.command("migrate-store")(storing.migrate_store)
app.command()(configuring.schema)
app.command("url-key")(comparing.url_key)
app.command()(comparing.compare)
app.command()(comparing.split)
app.command()(comparing.merge)
app.command()(comparing.dedup)
