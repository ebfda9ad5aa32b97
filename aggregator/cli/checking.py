"""`aggregator check`, `discover` and `parse`: looking without storing anything."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import (
    OK,
    SOME_FAILED,
    escape,
    fail,
    iso,
    print_json,
    stderr,
    stdout,
    table,
    told,
)

if TYPE_CHECKING:
    from aggregator.config.problems import ConfigError
    from aggregator.model.feed import Enclosure, FeedHints, ParsedEntry, ParsedFeed
    from aggregator.model.http import FetchResult
    from aggregator.model.settings import Settings, SourceSettings
    from aggregator.pipeline.preview import Reader


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came of looking at one feed."""

    name: str
    feed: ParsedFeed | None
    error: str | None


def check(
    online: Annotated[
        bool, typer.Option("--online", help="Also fetch and read every source, politely.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Check the configuration; with --online also every source.

    Every mistake is named with its file, line and column. Nothing is stored.
    """
    import asyncio

    from aggregator.config.load import ConfigError, load_settings

    try:
        settings = load_settings(config)
    except ConfigError as error:
        _end_with_mistakes(error, json=json)
    _print_warnings(settings.warnings)
    if not online:
        summary = {"sources": len(settings.sources), "views": len(settings.views)}
        if json:
            print_json({"ok": True, **summary, "warnings": list(settings.warnings)})
        else:
            stdout.print(
                f"{escape(str(config))}: {summary['sources']} sources, {summary['views']} views, "
                "no mistakes"
            )
        return
    with told():
        seen = asyncio.run(_look(settings, settings.sources, quiet=json))
    _print_seen(seen, json=json)
    raise typer.Exit(SOME_FAILED if any(one.error for one in seen) else OK)


def _print_warnings(warnings: Iterable[str]) -> None:
    for warning in warnings:
        stderr.print(f"[yellow]warning:[/] {escape(warning)}", soft_wrap=True)


def _end_with_mistakes(error: ConfigError, *, json: bool) -> NoReturn:
    """All mistakes and, of what could be understood, all warnings."""
    _print_warnings(map(str, error.warnings))
    if json:
        problems = [problem.as_dict() for problem in error.problems]
        warnings = [str(warning) for warning in error.warnings]
        print_json({"ok": False, "problems": problems, "warnings": warnings})
    count = len(error.problems)
    fail(f"{error}\n{count} mistake{'' if count == 1 else 's'}, {len(error.warnings)} warnings")


async def _look(
    settings: Settings, sources: Sequence[SourceSettings], *, quiet: bool
) -> list[_Seen]:
    """Fetch and read each source through the program's own client and its host budgets."""
    import asyncio

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from aggregator.opening import open_reader
    from aggregator.pipeline.preview import look_at_source
    from aggregator.pipeline.secrets import hide

    wanted = [source for source in sources if source.enabled]
    async with open_reader(settings) as reader:
        columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=stderr.console, transient=True, disable=quiet) as progress:
            bar = progress.add_task("checking", total=len(wanted))

            async def one(source: SourceSettings) -> _Seen:
                result, feed = await look_at_source(reader, source)
                progress.advance(bar)
                return _Seen(source.id, feed, hide(_problem(result, feed, settings), source))

            return list(await asyncio.gather(*(one(source) for source in wanted)))


def _problem(result: FetchResult | None, feed: ParsedFeed | None, settings: Settings) -> str | None:
    if result is not None and result.error is not None:
        return _why(result, settings)
    if feed is None:
        return "nothing could be read"
    if feed.entries or feed.error_class is None:
        return None
    text = feed.error or "the document is no feed"
    if feed.alternates:
        offered = ", ".join(link.href for link in feed.alternates[:3])
        text += f"; this page offers the feeds {offered}"
    return text


def _print_seen(seen: Sequence[_Seen], *, json: bool) -> None:
    if json:
        for one in seen:
            feed = one.feed
            print_json(
                {
                    "source": one.name,
                    "ok": one.error is None,
                    "format": feed.format if feed else None,
                    "title": feed.title if feed else None,
                    "entries": len(feed.entries) if feed else 0,
                    "error": one.error,
                }
            )
        return
    columns = ("source", "format", "entries", "newest", "title or problem")
    rows = table(*columns, numbers=("entries",))
    for one in seen:
        dates = [e.published for e in one.feed.entries if e.published] if one.feed else []
        rows.add_row(
            escape(one.name),
            (one.feed.format if one.feed else None) or "",
            str(len(one.feed.entries)) if one.feed else "",
            iso(max(dates)) if dates else "",
            f"[red]{escape(one.error)}[/]"
            if one.error
            else escape((one.feed.title if one.feed else None) or ""),
        )
    stdout.print(rows)


def discover(
    url: Annotated[
        str, typer.Argument(help="The address of a web page or a feed; “https://” may be left out.")
    ],
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """List the feeds that a web page offers, as sources in YAML ready to paste."""
    import asyncio

    from aggregator.config.load import load_settings
    from aggregator.model.settings import Settings

    with told():
        settings = load_settings(config) if config.exists() else Settings()
        result, feed = asyncio.run(_discover(settings, url))
    if result.error is not None:
        fail(f"{url}: {_why(result, settings)}", SOME_FAILED)
    found = (
        [{"url": result.final_url, "title": feed.title, "type": feed.format}]
        if feed.format and feed.entries
        else [{"url": one.href, "title": one.title, "type": one.type} for one in feed.alternates]
    )
    if not found:
        fail(f"{url} is no feed and names none", SOME_FAILED)
    if json:
        print_json(found)
    else:
        _print_sources(settings, found)


def _print_sources(settings: Settings, found: Sequence[Mapping[str, str | None]]) -> None:
    """The feeds as `sources:`, under ids that the configuration does not have."""
    from aggregator.config.build import feed_key
    from aggregator.config.lists.free_ids import FreeIds
    from aggregator.config.lists.write import write_list

    known = {feed_key(one.url): one.id for one in settings.sources}
    ids = FreeIds([one.id for one in settings.sources])
    entries = []
    for one in found:
        url, title = str(one["url"]), one["title"]
        if feed_key(url) in known:
            name = known[feed_key(url)]
            stderr.print(f"[yellow]note:[/] {escape(url)} is configured already, as “{name}”")
        else:
            entries.append({"id": ids.take(title, url), "url": url, "title": title})
    if entries:
        sys.stdout.write(write_list("sources", entries))


def _why(result: FetchResult, settings: Settings) -> str:
    """Why there is no answer, and which setting might help."""
    import os

    from aggregator.config.checks import unused_proxy
    from aggregator.model.http import FetchError

    said = f"{result.error}: {result.detail or ''}".rstrip(": ")
    if result.allowed_by is not None:
        return f"{said}; {result.allowed_by} would allow it"
    if result.error in (FetchError.DNS, FetchError.CONNECT, FetchError.TLS, FetchError.TIMEOUT):
        said += "".join(
            f"; {one.path} {one.message}; {one.suggestion}"
            for one in unused_proxy(settings.fetching, os.environ)
        )
    return said


async def _discover(settings: Settings, url: str) -> tuple[FetchResult, ParsedFeed]:
    """Look at the address; where it has no scheme, by https and, failing that, by http."""
    from aggregator.model.http import FetchError
    from aggregator.opening import open_reader
    from aggregator.pipeline.preview import look_at_page
    from aggregator.urls.origin import web_address

    meant = web_address(url.strip())
    bare = meant.removeprefix("//")
    tried = [meant] if "://" in meant else [f"https://{bare}", f"http://{bare}"]
    unreached = (FetchError.CONNECT, FetchError.TLS, FetchError.TIMEOUT, FetchError.PROTOCOL)
    async with open_reader(settings) as reader:
        for address in tried[:-1]:
            result, feed = await look_at_page(reader, address)
            if result.error not in unreached:
                return result, feed
        return await look_at_page(reader, tried[-1])


def parse(
    document: Annotated[list[str], typer.Argument(help="Files, “-” for standard input, or URLs.")],
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Print what we read from feed documents, one JSON object a line for each with --json.

    Content is sanitised and URLs are absolute, as they would be stored.
    """
    import asyncio

    from aggregator.config.load import load_settings
    from aggregator.model.settings import Settings

    with told():
        urls = any(name.startswith(("http://", "https://")) for name in document)
        settings = load_settings(config) if urls and config.exists() else Settings()
        seen = asyncio.run(_parse(settings, document))
    for one in seen:
        if json:
            print_json(_parsed_json(one))
        else:
            _print_parsed(one)
    raise typer.Exit(SOME_FAILED if any(one.error for one in seen) else OK)


async def _parse(settings: Settings, names: Sequence[str]) -> list[_Seen]:
    """Look at every document, a few at once, in their order."""
    import asyncio

    from aggregator.opening import open_reader

    async with open_reader(settings) as reader:
        gate = asyncio.Semaphore(2 * settings.fetching.parse_workers)

        async def one(name: str) -> _Seen:
            async with gate:
                return await _parse_one(reader, name)

        return list(await asyncio.gather(*(one(name) for name in names)))


async def _parse_one(reader: Reader, name: str) -> _Seen:
    from aggregator.pipeline.preview import look_at_document, look_at_page

    if name.startswith(("http://", "https://")):
        result, feed = await look_at_page(reader, name)
        return _Seen(name, feed, _problem(result, feed, reader.settings))
    try:
        body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()  # noqa: ASYNC240
    except OSError as error:
        return _Seen(name, None, f"cannot read {name}: {error.strerror}")
    feed = await look_at_document(reader, body)
    return _Seen(name, feed, _problem(None, feed, reader.settings) or feed.error)


def _parsed_json(one: _Seen) -> dict[str, Any]:
    feed = one.feed
    return {
        "source": one.name,
        "feed": {
            "format": feed.format,
            "title": feed.title,
            "link": feed.link,
            "id": feed.id,
            "description": feed.description,
            "language": feed.language,
            "updated": iso(feed.updated) if feed.updated else None,
            "icon": feed.icon,
            "authors": list(feed.authors),
            "links": [asdict(link) for link in feed.links],
            "hints": _hints_json(feed.hints),
            "complete": feed.complete,
            "archive": feed.archive,
            "reader": feed.reader,
            "dropped": feed.dropped,
        }
        if feed
        else None,
        "entries": [entry_json(entry) for entry in feed.entries] if feed else [],
        "error": one.error,
    }


def entry_json(entry: ParsedEntry) -> dict[str, Any]:
    """All that is read of an entry; `media` are its pictures, the lead first, and its files."""
    episode = entry.episode
    terms = dict(entry.terms)
    return {
        "id": entry.id,
        "link": entry.original_link or entry.link,
        "listed_link": entry.link,
        "title": entry.title,
        "published": iso(entry.published) if entry.published else None,
        "updated": iso(entry.updated) if entry.updated else None,
        "published_raw": entry.published_raw,
        "date_only": entry.date_only,
        "date_inferred": entry.date_inferred,
        "cut_off": entry.cut_off,
        "author": entry.author,
        "authors": list(entry.authors),
        "summary": entry.summary,
        "content": entry.content,
        "enclosures": [asdict(file) for file in entry.enclosures],
        "categories": list(entry.categories),
        "category_terms": {name: terms.get(name, name) for name in entry.categories},
        "language": entry.language,
        "image": entry.image,
        "media": [
            *({"medium": "image", **asdict(picture)} for picture in entry.pictures),
            *({"medium": _medium(file), **asdict(file)} for file in entry.enclosures),
        ],
        "duration": (episode.duration if episode else None) or _duration(entry),
        "episode": asdict(episode) if episode else None,
        "comments": entry.comments,
        "related": [link.href for link in entry.links if link.rel == "related"],
        "links": [asdict(link) for link in entry.links],
        "external_url": entry.external_url,
        "source": {"title": entry.source_title, "url": entry.source_url}
        if entry.source_title or entry.source_url
        else None,
        "guid_is_permalink": entry.guid_is_permalink,
        "base": entry.base,
        "summary_base": entry.summary_base or entry.base,
    }


def _hints_json(hints: FeedHints) -> dict[str, Any]:
    """When the document asks to come back: in seconds; hours and days (0 = Monday) are GMT."""
    return {
        "ttl": hints.ttl.total_seconds() if hints.ttl else None,
        "syndication": hints.syndication.total_seconds() if hints.syndication else None,
        "skip_hours": sorted(hints.skip_hours),
        "skip_days": sorted(hints.skip_days),
    }


def _medium(file: Enclosure) -> str | None:
    kind = (file.type or "").partition("/")[0]
    return kind if kind in ("image", "audio", "video") else None


def _duration(entry: ParsedEntry) -> int | None:
    """How long the entry's file plays, in seconds."""
    return next((file.duration for file in entry.enclosures if file.duration), None)


def _print_parsed(one: _Seen) -> None:
    if one.error:
        stdout.print(f"[red]{escape(one.name)}: {escape(one.error)}[/]")
    if one.feed is None or one.feed.format is None:
        return
    heading = one.feed.title or "(untitled)"
    stdout.print(f"[bold]{escape(heading)}[/] ({one.feed.format}, {len(one.feed.entries)} entries)")
    for entry in one.feed.entries:
        when = iso(entry.published) if entry.published else "undated"
        stdout.print(f"  {when}  {escape(entry.title or '(untitled)')}")
