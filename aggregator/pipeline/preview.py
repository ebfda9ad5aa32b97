"""Look at a feed, a page or a document without storing anything."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aggregator.feeds.limits import ParseLimits
from aggregator.fetch.client import Fetcher
from aggregator.isolate.pool import WorkerError
from aggregator.model.feed import ParsedFeed
from aggregator.model.http import Access, FetchRequest, FetchResult, RequestKind
from aggregator.model.settings import Settings, SourceSettings
from aggregator.model.states import ParseFault
from aggregator.pipeline import access, policy
from aggregator.pipeline.parts import Workers


@dataclass(frozen=True, slots=True)
class Reader:
    """The client and the workers, without a database behind them."""

    settings: Settings
    fetcher: Fetcher
    workers: Workers


async def look_at_source(
    reader: Reader, source: SourceSettings
) -> tuple[FetchResult, ParsedFeed | None]:
    """Fetch and read a configured source, with its headers and access."""
    result = await reader.fetcher.fetch(access.request(source))
    if result.body is None:
        return result, None
    return result, await look_at_document(
        reader, result.body, result.content_type, result.final_url,
        timezone=policy.timezone(source),
    )  # fmt: skip


async def look_at_page(reader: Reader, url: str) -> tuple[FetchResult, ParsedFeed]:
    """Fetch a web page or feed that a person named; a page's own feeds are its `alternates`."""
    result = await reader.fetcher.fetch(
        FetchRequest(url, Access(configured=url), kind=RequestKind.PAGE)
    )
    if result.body is None:
        return result, ParsedFeed(None, error=result.detail, error_class=ParseFault.EMPTY)
    return result, await look_at_document(
        reader, result.body, result.content_type, result.final_url
    )


async def look_at_document(
    reader: Reader,
    body: bytes,
    content_type: str | None = None,
    url: str | None = None,
    *,
    timezone: str | None = None,
) -> ParsedFeed:
    """Read a document in a worker: content sanitised, URLs absolute, as it would be stored.

    `timezone` is the IANA zone of the source, for dates that name none.
    """
    timeout = reader.settings.fetching.parse_timeout.total_seconds()
    try:
        return await reader.workers.run(
            read_clean,
            body,
            content_type,
            url,
            timezone,
            policy.parse_limits(reader.settings.fetching),
            timeout=timeout * 3,
            share=url or "",
        )
    except WorkerError as error:
        text = f"the document could not be read within its limits: {error}"
        return ParsedFeed(None, error=text, error_class=ParseFault.LIMIT)


def read_clean(
    body: bytes,
    content_type: str | None,
    url: str | None,
    timezone: str | None,
    limits: ParseLimits,
) -> ParsedFeed:
    """Parse a document and sanitise every entry. Runs in a worker process."""
    from aggregator.feeds.parse import parse_document
    from aggregator.feeds.prepare import prepare_body

    feed = parse_document(
        body, content_type=content_type, url=url, limits=limits, timezone=timezone
    )
    entries = []
    for entry in feed.entries:
        prepared = prepare_body(entry)
        content = prepared.html if entry.content is not None else None
        summary = prepared.summary if prepared.summary is not None else None
        if entry.content is None and entry.summary is not None:
            summary = prepared.html
        entries.append(replace(entry, content=content, summary=summary))
    return replace(feed, entries=tuple(entries))
