"""`aggregator search`: what a query finds in the store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import escape, fail, iso, print_json, stderr, stdout, table, told

if TYPE_CHECKING:
    from aggregator.model.item import ServedItem

_PATIENCE = timedelta(minutes=5)  # whoever types a command can end it


def search(
    query: Annotated[
        list[str],
        typer.Argument(
            help="Words, phrases and fields; after “--” if it begins with “-”.", metavar="QUERY"
        ),
    ],
    limit: Annotated[int, typer.Option(help="How many items to print.", min=1, max=5000)] = 20,
    mode: Annotated[
        str, typer.Option(help="One for each “unique” text, “articles”, or “stories”.")
    ] = "unique",
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Print the stored items that a query means, newest first."""
    from aggregator.config.load import load_settings
    from aggregator.model.pages import Asked
    from aggregator.model.settings import ViewMode
    from aggregator.pipeline.showing.asked import search_page
    from aggregator.queries.canonical import text_of
    from aggregator.queries.parse import parse
    from aggregator.store.database import Database
    from aggregator.store.migrate import migrate

    if mode not in list(ViewMode):
        fail(f"--mode is one of {', '.join(ViewMode)}, not {mode!r}")
    with told():
        asked = Asked("search", text_of(parse(" ".join(query))), ViewMode(mode))
        settings = load_settings(config)
        database = Database(settings.storage.url.reveal())
        try:
            migrate(database)
            with database.read() as connection:
                found = search_page(
                    connection, settings, asked, None, _PATIENCE, limit, guarded=True
                )
        finally:
            database.close()
    if found is None:
        fail("nothing is stored yet: start the service, or “aggregator poll”")
    for note in found.notes:
        stderr.print(escape(note))
    if not found.complete:
        stderr.print("not everything that is stored is indexed yet: more may be found later")
    if json:
        for item in found.items:
            print_json(_json(item))
        return
    _print(found.items)


def _json(item: ServedItem) -> dict[str, object]:
    return {
        "item": item.number,
        "id": item.public_id,
        "title": item.title,
        "link": item.link,
        "source": item.source.id,
        "published": iso(item.published),
        "first_seen": iso(item.first_seen),
        "also_in": [copy.source_title for copy in item.copies],
    }


def _print(items: tuple[ServedItem, ...]) -> None:
    if not items:
        stdout.print("nothing is found")
        return
    rows = table("published", "source", "item", "title", numbers=("item",))
    for item in items:
        rows.add_row(
            iso(item.published), escape(item.source.id), str(item.number), escape(item.title)
        )
    stdout.print(rows)
