"""`aggregator rules`: the rules of a view, and what they do to what is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import escape, fail, iso, print_json, stdout, table, told

if TYPE_CHECKING:
    from aggregator.model.pages import RulesPreview
    from aggregator.model.settings import RuleAction, RuleSettings, ViewSettings


def rules(
    view: Annotated[str, typer.Argument(help="The id of a view.", metavar="VIEW")],
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what they do to the last days, with the list.")
    ] = False,
    days: Annotated[int, typer.Option(help="How many days back.", min=1, max=3650)] = 7,
    keep: Annotated[
        list[str] | None, typer.Option(help="A further rule, before those of the view.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="A further rule, after those of the view.")
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """List the rules of a view; with --preview say what they would do, before they are applied."""
    from dataclasses import replace

    from aggregator.config.load import load_settings
    from aggregator.model.settings import RuleAction
    from aggregator.pipeline.showing.trying import preview as tried
    from aggregator.store.database import Database
    from aggregator.store.migrate import migrate

    with told():
        settings = load_settings(config)
        found = next((one for one in settings.views if one.id == view), None)
        if found is None:
            fail(f"there is no view {view}")
        before = _further(RuleAction.KEEP, keep or [])
        found = replace(
            found, rules=(*before, *found.rules, *_further(RuleAction.DROP, drop or []))
        )
        if not preview:
            _list(found, json=json)
            return
        database = Database(settings.storage.url.reveal())
        try:
            migrate(database)
            with database.read() as connection:
                since = datetime.now(UTC) - timedelta(days=days)
                made = tried(connection, settings, found, since)
        finally:
            database.close()
    if made is None:
        fail("the view is not in the store yet: start the service once with it, without its rules")
    _print_preview(made, json=json)


def _further(action: RuleAction, conditions: list[str]) -> tuple[RuleSettings, ...]:
    from aggregator.model.settings import RuleSettings
    from aggregator.queries.canonical import text_of
    from aggregator.queries.parse import Use, parse

    return tuple(RuleSettings(action, text_of(parse(one, Use.RULE))) for one in conditions)


def _list(view: ViewSettings, *, json: bool) -> None:
    if json:
        for one in view.rules:
            print_json({"action": one.action, "condition": one.condition})
        return
    if not view.rules:
        stdout.print("it has no rules")
    for one in view.rules:
        stdout.print(f"{one.action}: {escape(one.condition)}")


def _print_preview(made: RulesPreview, *, json: bool) -> None:
    if json:
        print_json(
            {
                "items": made.total,
                "hidden": [item.number for item in made.hidden],
                "changed": [
                    {"item": before.number, "title": after.title, "tags": list(after.categories)}
                    for before, after in made.changed
                ],
                "rules": [
                    {"action": one.action, "condition": one.condition, "items": one.items}
                    for one in made.rules
                ],
            }
        )
        return
    for one in made.rules:
        stdout.print(f"{one.items:6} {one.action}: {escape(one.condition)}")
    some = " (the newest of them)" if made.more else ""
    stdout.print(f"would hide {len(made.hidden)} of {made.total}{some}")
    if made.hidden:
        rows = table("published", "source", "item", "title", numbers=("item",))
        for item in made.hidden:
            rows.add_row(
                iso(item.published), escape(item.source.id), str(item.number), escape(item.title)
            )
        stdout.print(rows)
    if made.changed:
        stdout.print(f"would show {len(made.changed)} otherwise")
    for before, after in made.changed:
        new = ", ".join(sorted(set(after.categories) - set(before.categories)))
        stdout.print(f"  {escape(after.title)}" + (f" [dim]+ {escape(new)}[/]" if new else ""))
