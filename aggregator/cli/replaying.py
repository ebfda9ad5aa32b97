"""`aggregator replay`: documents that were kept are read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import OK, SOME_FAILED, escape, fail, iso, print_json, stdout, told

if TYPE_CHECKING:
    from aggregator.model.settings import Settings, SourceSettings
    from aggregator.pipeline.polling.replay import Change, Missed, Replayed

_AROUND = 30  # characters shown before a difference
_SHOWN = 100  # and in all


def replay(
    source: Annotated[list[str] | None, typer.Argument(help="Ids of sources.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write what is found.")] = False,
    new: Annotated[
        bool, typer.Option("--new", help="With --apply: write entries too that were missed then.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Read kept documents again, as polls do, and show what items would show otherwise.

    After an upgrade, or a changed setting of how documents are read. Nothing is written without
    --apply, and nothing becomes news by it: no revision, no new date. Documents are kept where
    storage.keep_raw gives them room. A running service may go on beside it.
    """
    import asyncio

    from aggregator.cli.polling import chosen
    from aggregator.config.load import load_settings

    if new and not apply:
        fail("--new says what --apply writes: give both, or neither to see what was missed")
    with told():
        settings = load_settings(config)
        wanted = chosen(settings, source or [])
        found = asyncio.run(_replay(settings, wanted, apply=apply, new=new))
    if json:
        for one in found:
            print_json(_json(one))
    else:
        for one in found:
            _print(one)
        _print_sum(found, settings, apply=apply, new=new)
    raise typer.Exit(SOME_FAILED if any(one.busy or one.unread for one in found) else OK)


async def _replay(
    settings: Settings, wanted: Sequence[SourceSettings], *, apply: bool, new: bool
) -> list[Replayed]:
    from aggregator.opening import open_parts
    from aggregator.pipeline.polling.replay import replay as read_again

    async with open_parts(settings) as parts:
        return [await read_again(parts, one, apply=apply, new=new) for one in wanted]


def _json(one: Replayed) -> dict[str, Any]:
    return {
        "source": one.source_id,
        "documents": one.documents,
        "changes": [
            {
                "item": change.number,
                "title": change.title,
                "fields": {
                    name: {"before": before, "after": after}
                    for name, (before, after) in change.fields.items()
                },
            }
            for change in one.changes
        ],
        "missed": [
            {
                "title": missed.title,
                "link": missed.link,
                "published": missed.published,
                "listed": missed.listed_at,
            }
            for missed in one.missed
        ],
        "unread": list(one.unread),
        "busy": one.busy,
    }


def _print(one: Replayed) -> None:
    if one.changes or one.missed or one.unread or one.busy:
        stdout.print(f"[bold]{escape(one.source_id)}[/]")
    for change in one.changes:
        _print_change(change)
    for missed in one.missed:
        stdout.print(f"  not read before: {escape(_named(missed))}")
    for why in one.unread:
        stdout.print(f"  [red]cannot be read, the document {escape(why)}[/]")
    if one.busy:
        stdout.print("  [red]it is being polled, or was configured otherwise: run this again[/]")


def _named(missed: Missed) -> str:
    date = f", published {iso(missed.published)}" if missed.published else ""
    return f"{missed.title or missed.link or 'an entry without a title'}{date}"


def _print_change(change: Change) -> None:
    stdout.print(f"  item {change.number}: {escape(change.title or '(no title)')}")
    for name, (before, after) in change.fields.items():
        stdout.print(f"    [dim]{name}[/]")
        for mark, value in zip("-+", _excerpts(_text(before), _text(after)), strict=True):
            stdout.print(f"      {mark} {escape(value)}")


def _text(value: Any) -> str:
    import json
    from datetime import datetime

    if value is None:
        return "(nothing)"
    if isinstance(value, datetime):
        return iso(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _excerpts(before: str, after: str) -> tuple[str, str]:
    """Both where they first differ, on a line each."""
    places = range(min(len(before), len(after)))
    same = next((place for place in places if before[place] != after[place]), len(places))
    start = max(0, same - _AROUND)

    def some(text: str) -> str:
        end = start + _SHOWN
        cut = " ".join(text[start:end].split())
        return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"

    return some(before), some(after)


def _print_sum(found: Sequence[Replayed], settings: Settings, *, apply: bool, new: bool) -> None:
    documents = sum(one.documents + len(one.unread) for one in found)
    if not documents and not any(one.busy for one in found):
        hint = "" if settings.storage.keep_raw else ": storage.keep_raw gives no room for any"
        stdout.print(f"no document is kept{hint}")
        return
    changes, missed = (sum(len(x) for x in xs) for xs in _counted(found))
    shows = "show something else now" if apply else "would show something else"
    stdout.print(f"{documents} documents read again: {changes} items {shows}")
    if missed:
        done = "were added as new items" if new else "were not read before: --apply --new adds them"
        stdout.print(f"{missed} entries {done}")
    if changes and not apply:
        stdout.print("nothing was written: --apply does that")


def _counted(found: Sequence[Replayed]) -> tuple[list[Sequence[Any]], list[Sequence[Any]]]:
    return [one.changes for one in found], [one.missed for one in found]
