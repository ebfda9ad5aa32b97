"""`aggregator token`: addresses of feeds that hold a token, for readers that can send none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import escape, fail, iso, print_json, stderr, stdout, table, told

if TYPE_CHECKING:
    from aggregator.model.settings import Settings
    from aggregator.store.database import Database

app = typer.Typer(
    help="Addresses of feeds that hold a token, for readers that can send none otherwise.",
    no_args_is_help=True,
)


@app.command()
def add(
    view: Annotated[str, typer.Argument(help="The view that the address opens.")],
    note: Annotated[str, typer.Option("--note", help="Whom or what it is for.")] = "",
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make an address of a view's feed that holds a token, and print it: it is shown this once.

    Whoever has the address reads the view, until “aggregator token revoke”.
    """
    from aggregator.pipeline.showing import tokens
    from aggregator.rules.select import find_view
    from aggregator.telemetry.clock import SystemClock

    with told():
        settings = _settings(config)
        if find_view(settings, view) is None:
            fail(f"{view}: there is no such view")
        with _opened(settings) as database, database.write() as connection:
            number, token = tokens.make(connection, view, note, SystemClock().now())
    address = tokens.address(settings.service.public_url, view, token)
    if json:
        print_json({"token": number, "view": view, "address": address})
        return
    stdout.print(escape(address), soft_wrap=True)
    stderr.print(
        f"Token {number}. It opens “{escape(view)}” for whoever has this address; "
        ".rss and .json instead of .atom work too.",
        soft_wrap=True,
    )


@app.command("list")
def list_(json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List the tokens in force: number, view, when they were made and what for."""
    from aggregator.store.views import tokens

    with told(), _opened(_settings(config)) as database, database.read() as connection:
        found = tokens.every(connection)
    if json:
        for one in found:
            print_json(
                {
                    "token": one.number, "view": one.view_id, "made": iso(one.made_at),
                    "note": one.note,
                }
            )  # fmt: skip
        return
    if not found:
        stdout.print("no address holds a token")
        return
    rows = table("token", "view", "made", "note", numbers=("token",))
    for one in found:
        rows.add_row(str(one.number), escape(one.view_id), iso(one.made_at), escape(one.note))
    stdout.print(rows)


@app.command()
def revoke(
    number: Annotated[int, typer.Argument(help="As “aggregator token list” has it.")],
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """End a token: its address opens nothing any more."""
    from aggregator.store.views import tokens

    with told(), _opened(_settings(config)) as database, database.write() as connection:
        there = tokens.revoke(connection, number)
    if not there:
        fail(f"there is no token {number}; aggregator token list has them")
    if json:
        print_json({"revoked": number})
    else:
        stdout.print(f"token {number} opens nothing any more")


def _settings(config: Path) -> Settings:
    from aggregator.config.load import load_settings

    return load_settings(config)


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    from aggregator.store.database import Database
    from aggregator.store.migrate import migrate

    database = Database(settings.storage.url.reveal())
    try:
        migrate(database)
        yield database
    finally:
        database.close()
