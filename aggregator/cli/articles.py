"""`aggregator extract` and `related`: what we read from article pages; nothing is stored."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import OK, SOME_FAILED, escape, fail, iso, print_json, stdout, told

if TYPE_CHECKING:
    from aggregator.model.article import Article, RelatedLink
    from aggregator.model.settings import RelatedOverride, Settings
    from aggregator.pipeline.preview import Reader

_MOST_BYTES = 4 * 1024 * 1024  # of a file; the reader looks at the first 3 MiB

PagesArgument = Annotated[
    list[str] | None, typer.Argument(help="Files, “-” for standard input, or URLs.")
]
JsonlOption = Annotated[
    bool,
    typer.Option(
        "--jsonl",
        help='Read lines {"file": …, "url": …} from standard input, print a JSON line for each.',
    ),
]
UrlOption = Annotated[
    str | None, typer.Option("--url", help="The address that a file was fetched from.")
]
SourceOption = Annotated[
    str | None,
    typer.Option("--source", help="Use the “related” overrides of this configured source."),
]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A page to read: a file or a URL, and the address it is to be read under."""

    name: str
    url: str | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    url: str | None
    name: str
    article: Article | None = None
    links: tuple[RelatedLink, ...] = ()
    error: str | None = None


def extract(
    page: PagesArgument = None,
    jsonl: JsonlOption = False,
    url: UrlOption = None,
    source: SourceOption = None,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Print the article in web pages: title, byline, dates, picture, text and related links."""
    wanted = _wanted(page, url, jsonl=jsonl)
    failed = _run(wanted, source, config, whole=True, show=_article_printer(json=json or jsonl))
    raise typer.Exit(SOME_FAILED if failed else OK)


def related(
    page: PagesArgument = None,
    jsonl: JsonlOption = False,
    url: UrlOption = None,
    source: SourceOption = None,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Print the related-news links of web pages, each with where it stands."""
    wanted = _wanted(page, url, jsonl=jsonl)
    failed = _run(wanted, source, config, whole=False, show=_links_printer(json=json or jsonl))
    raise typer.Exit(SOME_FAILED if failed else OK)


def reread(
    source: Annotated[str, typer.Argument(help="The id of a configured source.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Read the pages of a source's items once more, after a rule changed.

    They are queued; the running service, or the next one, reads them politely.
    """
    import asyncio

    from aggregator.config.load import load_settings
    from aggregator.opening import open_parts
    from aggregator.pipeline.following.queue import reads_pages
    from aggregator.pipeline.following.queue import reread as queue_again

    with told():
        settings = load_settings(config)
        chosen = next((one for one in settings.sources if one.id == source), None)
        if chosen is None:
            fail(f"there is no source {source!r} in the configuration")
        if not reads_pages(chosen, settings):
            fail(
                f"no page of {source} is read: it needs service.contact, and follow_related or "
                "full_text"
            )

        async def queue() -> int:
            async with open_parts(settings) as parts:
                return await parts.database.run_write(
                    queue_again, settings, chosen, parts.clock.now()
                )

        stdout.print(f"{asyncio.run(queue())} pages are queued to be read again")


def forget(
    what: Annotated[str, typer.Argument(help="An item's number, id or address, or a source's id.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Remove all text of an item, or of a source's items, for good.

    Text, revisions, fingerprints, pages and related links go. The hash of each key stays, so that
    what was forgotten does not come back as new.
    """
    import asyncio

    from aggregator.config.load import load_settings

    with told():
        settings = load_settings(config)
        asyncio.run(_forget(settings, what, ask=not yes))


async def _forget(settings: Settings, what: str, *, ask: bool) -> None:
    from aggregator.opening import open_parts
    from aggregator.pipeline.upkeep.forget import forget_items
    from aggregator.store.items import items

    async with open_parts(settings) as parts:
        if any(one.id == what for one in settings.sources):
            numbers = await parts.database.run_read(items.numbers_of, what)
        else:
            number = await parts.database.run_read(items.number_of, what)
            if number is None:
                fail(f"{what!r} is neither a source nor an item")
            numbers = [number]
        if ask:
            typer.confirm(f"Remove the text of {len(numbers)} items for good?", abort=True)
        await forget_items(parts, numbers)
        stdout.print(f"forgot {len(numbers)} items; only the hashes of their keys are left")


def _wanted(names: list[str] | None, url: str | None, *, jsonl: bool) -> Iterable[_Wanted]:
    if jsonl:
        if names or url:
            fail("--jsonl reads what to do from standard input: give no page and no --url")
        return (_line(line) for line in sys.stdin.buffer if line.strip())
    if not names:
        fail("give files or URLs, or --jsonl with lines on standard input")
    if url and len(names) > 1:
        fail("--url is the address of one page; --jsonl takes many")
    return [_Wanted(name, url or (name if _is_url(name) else None)) for name in names]


def _line(line: bytes) -> _Wanted:
    """One line of --jsonl; a broken one becomes a problem, not an end."""
    import json

    try:
        value = json.loads(line)
    except ValueError:
        return _Wanted("", None, "the line is no JSON object")
    if not isinstance(value, dict):
        return _Wanted("", None, "the line is no JSON object")
    file, url = value.get("file"), value.get("url")
    if not all(part is None or isinstance(part, str) for part in (file, url)):
        return _Wanted("", None, "“file” and “url” are texts")
    if not file and not url:
        return _Wanted("", None, "the line has neither “file” nor “url”")
    return _Wanted(str(file or url), url)


def _is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def _run(
    wanted: Iterable[_Wanted], source: str | None, config: Path, *, whole: bool, show: Any
) -> bool:
    """Read everything through one client and one pool; whether something failed."""
    import asyncio

    from aggregator.config.load import load_settings
    from aggregator.model.settings import RelatedOverride, Settings

    with told():
        settings = load_settings(config) if source or config.exists() else Settings()
        overrides = _overrides(settings, source) if source else RelatedOverride()

        async def all_of_them() -> bool:
            failed = False
            async with aclosing(_read_all(settings, wanted, overrides, whole=whole)) as pages:
                async for read in pages:
                    show(read)
                    failed = failed or read.error is not None
            return failed

        return asyncio.run(all_of_them())


def _overrides(settings: Settings, source: str) -> RelatedOverride:
    for one in settings.sources:
        if one.id == source:
            return one.related
    fail(f"there is no source {source!r} in the configuration")


async def _read_all(
    settings: Settings, wanted: Iterable[_Wanted], overrides: RelatedOverride, *, whole: bool
) -> AsyncGenerator[_Read, None]:
    """What came of each page, in the order asked; a few are under way at any time."""
    import asyncio
    from collections import deque
    from dataclasses import replace

    from aggregator.isolate.pool import slow_room
    from aggregator.opening import open_reader

    # The operator asked for these very pages and waits: nothing else wants the memory.
    fetching = replace(settings.fetching, parse_workers=max(2, settings.fetching.parse_workers))
    settings = replace(settings, fetching=fetching)
    most = slow_room(fetching.parse_workers)  # on a busy machine every page may be slow
    lines = iter(wanted)
    async with open_reader(settings, articles=True) as reader:
        under_way: deque[asyncio.Task[_Read]] = deque()
        # A line may be long in coming, and whoever writes it may wait for our last answer.
        coming = asyncio.create_task(asyncio.to_thread(next, lines, None))
        ended = False
        while under_way or not ended:
            awaited: set[asyncio.Task[Any]] = set()
            if not ended and len(under_way) < most:
                awaited.add(coming)
            if under_way:
                awaited.add(under_way[0])
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if under_way and under_way[0].done():
                yield await under_way.popleft()
            if coming in awaited and coming.done() and not ended:
                one = coming.result()
                if one is None:
                    ended = True
                    continue
                task = asyncio.create_task(_read(reader, one, overrides, whole=whole))
                under_way.append(task)
                coming = asyncio.create_task(asyncio.to_thread(next, lines, None))


async def _read(reader: Reader, one: _Wanted, overrides: RelatedOverride, *, whole: bool) -> _Read:
    from aggregator.model.http import Access, FetchRequest, RequestKind
    from aggregator.pipeline.following.reading import (
        PageBody,
        UnreadablePage,
        article_of,
        known_address,
        links_of,
    )

    if one.problem:
        return _Read(one.url, one.name, error=one.problem)
    content_type = None
    url = one.url
    if _is_url(one.name):
        result = await reader.fetcher.fetch(
            FetchRequest(url=one.name, access=Access(configured=one.name), kind=RequestKind.PAGE)
        )
        if result.body is None:
            return _Read(url, one.name, error=f"{result.error}: {result.detail or ''}".rstrip(": "))
        body, content_type, url = result.body, result.content_type, result.final_url
    else:
        try:
            body = _bytes_of(one.name)
        except OSError as error:
            return _Read(url, one.name, error=f"cannot read {one.name}: {error.strerror}")
    seconds = 3 * reader.settings.fetching.parse_timeout.total_seconds()
    page = PageBody(body, datetime.now(UTC), url, content_type, overrides=overrides)
    try:
        if whole:
            article = await article_of(reader.workers, page, seconds)
            return _Read(known_address(article), one.name, article, article.links)
        address, links = await links_of(reader.workers, page, seconds)
    except UnreadablePage as error:
        return _Read(url, one.name, error=str(error))
    return _Read(address, one.name, links=links)


def _bytes_of(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(_MOST_BYTES)
    with Path(name).open("rb") as file:
        return file.read(_MOST_BYTES)


def _links_json(links: Iterable[RelatedLink]) -> list[dict[str, Any]]:
    return [
        {
            "url": link.url,
            "text": link.text,
            "heading": link.heading,
            "rule": link.rule,
            "position": link.position,
        }
        for link in links
    ]


def _article_json(read: _Read) -> dict[str, Any]:
    article = read.article
    image = article.image if article else None
    record: dict[str, Any] = {
        "url": read.url,
        "title": article.title if article else None,
        "authors": list(article.authors) if article and article.authors else None,
        "editor": article.editor if article else None,
        "publisher": article.publisher if article else None,
        "source_line": article.source_line if article else None,
        "place": article.place if article else None,
        "published": iso(article.published) if article and article.published else None,
        "modified": iso(article.modified) if article and article.modified else None,
        "language": article.language if article else None,
        "image": {"url": image.url, "caption": image.caption, "credit": image.credit}
        if image
        else None,
        "text": (article.text or None) if article else None,
        "html": (article.html or None) if article else None,
        "links": _links_json(read.links),
        "is_article": article.is_article if article else None,
        "reason": (article.reason or None) if article else None,
    }
    if read.error:
        record["error"] = read.error
    return record


def _article_printer(*, json: bool) -> Any:
    def as_json(read: _Read) -> None:
        print_json(_article_json(read))

    return as_json if json else _print_article


def _links_printer(*, json: bool) -> Any:
    def as_json(read: _Read) -> None:
        record: dict[str, Any] = {"url": read.url, "links": _links_json(read.links)}
        if read.error:
            record["error"] = read.error
        print_json(record)

    return as_json if json else _print_links


def _print_article(read: _Read) -> None:
    article = read.article
    if article is None:
        stdout.print(f"[red]{escape(read.name)}: {escape(read.error or '')}[/]")
        return
    stdout.print(f"[bold]{escape(article.title or '(untitled)')}[/]")
    image = article.image
    facts = {
        "address": read.url,
        "authors": ", ".join(article.authors) or None,
        "editor": article.editor,
        "publisher": article.publisher,
        "source": article.source_line,
        "place": article.place,
        "published": iso(article.published) if article.published else None,
        "modified": iso(article.modified) if article.modified else None,
        "language": article.language,
        "picture": image.url if image else None,
        "caption": image.caption if image else None,
        "credit": image.credit if image else None,
        "article": f"{'yes' if article.is_article else 'no'}: {article.reason}",
    }
    for name, value in facts.items():
        if value:
            stdout.print(f"  [dim]{name:>9}[/]  {escape(value)}")
    if article.text:
        stdout.print("\n" + escape(article.text) + "\n")
    _print_list(article.links)


def _print_links(read: _Read) -> None:
    if read.error:
        stdout.print(f"[red]{escape(read.name)}: {escape(read.error)}[/]")
        return
    stdout.print(f"[bold]{escape(read.url or read.name)}[/]")
    _print_list(read.links)


def _print_list(links: Iterable[RelatedLink]) -> None:
    from aggregator.model.meanings import FOUND

    links = list(links)
    if not links:
        stdout.print("  no related links")
    for link in links:
        why = FOUND[link.rule] + (f", “{link.heading}”" if link.heading else "")
        stdout.print(
            f"  {escape(link.text or '(no text)')}\n    {escape(link.url)}  [dim]{escape(why)}[/]"
        )
