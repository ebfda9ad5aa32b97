"""Read JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), forgiving what publishers get wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.values import fields, media
from aggregator.feeds.values.dates import DateReader
from aggregator.feeds.values.fields import Declared
from aggregator.feeds.values.media import Gathered, Shown
from aggregator.model.feed import Enclosure, Episode, FeedLink, ParsedEntry, ParsedFeed, Picture
from aggregator.model.states import ParseFault

_ITEM_KEYS = frozenset(
    ("id", "url", "title", "content_html", "content_text", "summary", "date_published")
)


class NotJson(Exception):
    """The document is no JSON at all."""


class NotJsonFeed(Exception):
    """The document is JSON of another kind."""


def read_json_feed(
    text: str, url: str | None, limits: ParseLimits, dates: DateReader
) -> ParsedFeed:
    """The feed in a JSON document.

    Raises:
        NotJson, NotJsonFeed: with the reason.
    """
    fault = None
    try:
        data = _loaded(text)
    except (ValueError, RecursionError) as error:
        data = _whole_items(text)
        fault = f"not JSON: {error}"
        if data is None:
            raise NotJson(fault) from None
    if not isinstance(data, dict):
        raise NotJsonFeed("JSON, but no object")
    items = data.get("items")
    if isinstance(items, dict):  # a list of one, as some programs write it
        items = [items]
    version = data.get("version")
    declared = isinstance(version, str) and "jsonfeed.org/version" in version
    if not isinstance(items, list) or not (declared or _looks_like_items(items)):
        raise NotJsonFeed("JSON, but no JSON Feed")
    dates.language = _text(data.get("language"))
    authors = _authors(data, limits)
    url = url or _own_address(data, limits)
    entries = [
        entry
        for item in items[: limits.entries]
        if isinstance(item, dict)
        and not fields.is_blank(entry := _entry(item, url, limits, dates, authors))
    ]
    home = fields.url_of(_text(data.get("home_page_url")), url, limits)
    return ParsedFeed(
        format="json",
        entries=tuple(entries),
        title=fields.title_of(_text(data.get("title")), limits, Declared.PLAIN),
        link=home,
        id=fields.id_of(_text(data.get("feed_url")), limits),
        description=fields.title_of(_text(data.get("description")), limits),
        language=fields.label_of(_text(data.get("language")), limits),
        icon=fields.url_of(_text(data.get("icon")) or _text(data.get("favicon")), url, limits),
        authors=authors,
        links=tuple(_links(data, url, limits))[: limits.many],
        complete=False,
        dropped=max(0, len(items) - limits.entries),
        error=f"the document is cut off: {fault}" if fault else None,
        error_class=ParseFault.MALFORMED if fault else None,
        reader="json",
    )


def _entry(
    item: dict[str, Any],
    base: str | None,
    limits: ParseLimits,
    dates: DateReader,
    feed_authors: tuple[str, ...],
) -> ParsedEntry:
    external = fields.written_url_of(_text(item.get("external_url")), base, limits)
    entry_id = fields.id_of(_text(item.get("id")), limits)
    link = (
        fields.written_url_of(_text(item.get("url")), base, limits)
        or fields.url_of(entry_id, None, limits)
        or external
    )
    published_raw = _text(item.get("date_published"))
    published = dates.read(published_raw)
    updated = dates.read(_text(item.get("date_modified")))
    authors = _authors(item, limits) or feed_authors
    files = tuple(_attachments(item, link or base, limits))[: limits.many]
    pictures = _pictures(item, files, link or base, limits)
    duration = next((file.duration for file in files if file.duration), None)
    return ParsedEntry(
        id=entry_id,
        link=link,
        title=fields.title_of(_text(item.get("title")), limits, Declared.PLAIN),
        published=published.when if published else None,
        updated=updated.when if updated else None,
        author=fields.joined(authors, limits),
        summary=fields.text_as_html(_text(item.get("summary")), limits),
        content=fields.body_of(_text(item.get("content_html")), limits)
        or fields.text_as_html(_text(item.get("content_text")), limits),
        enclosures=files,
        categories=tuple(_tags(item, limits)),
        language=fields.label_of(_text(item.get("language")), limits),
        external_url=external,
        image=pictures[0].url if pictures else None,
        published_raw=fields.label_of(published_raw or _text(item.get("date_modified")), limits),
        base=link or base,
        date_only=published.date_only if published else False,
        authors=authors,
        pictures=pictures,
        episode=Episode(duration=duration) if duration else None,
    )


def _loaded(text: str) -> Any:
    """The first JSON value of a text, with line breaks in strings and commas too many forgiven."""
    decoder = _decoder()
    try:
        return decoder.raw_decode(text)[0]
    except ValueError as error:
        mended = _SURPLUS_COMMA.sub(lambda match: match.group(1) or "", text)
        if len(mended) == len(text):
            raise error from None
        return decoder.raw_decode(mended)[0]


def _decoder() -> json.JSONDecoder:
    # A number of a million digits is quadratic to convert: none here is worth more than text.
    return json.JSONDecoder(strict=False, parse_int=_number, parse_constant=lambda _: None)


def _whole_items(text: str) -> dict[str, Any] | None:
    """What a document says that was cut off among its items, with those that are whole."""
    list_start = _ITEMS.search(text)
    if list_start is None:
        return None
    decoder = _decoder()
    items = []
    try:
        data = decoder.decode(text[: list_start.end()] + "]}")
    except (ValueError, RecursionError):
        return None
    place = list_start.end()
    while (following := _ITEM.match(text, place)) is not None:
        try:
            item, place = decoder.raw_decode(text, following.end() - 1)
        except (ValueError, RecursionError):
            break
        items.append(item)
    return {**data, "items": items} if items else None


_ITEMS = re.compile(r'"items"\s*+:\s*+\[')
_ITEM = re.compile(r"[\s,]*+\{")
_SURPLUS_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+")|,(?=\s*+[}\]])', re.DOTALL)


def _own_address(data: dict[str, Any], limits: ParseLimits) -> str | None:
    """Where the feed says that it is, else its page: the base of a document read from a file."""
    told = (
        fields.url_of(_text(data.get(key)), None, limits) for key in ("feed_url", "home_page_url")
    )
    return next((url for url in told if url), None)


def _looks_like_items(items: list[Any]) -> bool:
    return bool(items) and isinstance(items[0], dict) and len(_ITEM_KEYS & items[0].keys()) >= 2


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) <= 18 else digits[:64]


def _text(value: Any) -> str | None:
    """A string; a number as its digits (ids, often); None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def _authors(holder: dict[str, Any], limits: ParseLimits) -> tuple[str, ...]:
    """The authors of an item or a feed: `authors`, or the `author` of version 1.0."""
    people = holder.get("authors")
    if not isinstance(people, list) or not people:
        people = people if isinstance(people, dict | str) else holder.get("author")
        people = people if isinstance(people, list) else [people]
    people = [one if isinstance(one, dict) else {"name": one} for one in people[: limits.many]]
    named = fields.people_of((_text(one.get("name")) for one in people), limits)
    # Each has a name or, which is as good for the format, an address or a picture alone.
    return named or fields.people_of((_text(one.get("url")) for one in people), limits)


def _pictures(
    item: dict[str, Any], files: tuple[Enclosure, ...], base: str | None, limits: ParseLimits
) -> tuple[Picture, ...]:
    gathered = Gathered()
    for rank, key in ((media.PICTURE, "image"), (media.STAND_IN, "banner_image")):
        told = item.get(key)
        told = told.get("url") if isinstance(told, dict) else told
        url = fields.written_url_of(_text(told), base, limits)
        if url:
            gathered.shown.append(Shown(rank, url))
    for file in files:
        gathered.enclose(file, limits.many)
    return gathered.pictures(limits.many)


def _attachments(
    item: dict[str, Any], base: str | None, limits: ParseLimits
) -> Iterator[Enclosure]:
    found = item.get("attachments")
    for attachment in found[: limits.many] if isinstance(found, list) else ():
        if not isinstance(attachment, dict):
            continue
        url = fields.file_of(_text(attachment.get("url")), base, limits)
        if url:
            kind = fields.label_of(_text(attachment.get("mime_type")), limits)
            yield Enclosure(
                url,
                media.type_of(url, kind),
                fields.number_of(_text(attachment.get("size_in_bytes"))),
                media.seconds_of(_text(attachment.get("duration_in_seconds"))),
                fields.title_of(_text(attachment.get("title")), limits, Declared.PLAIN),
            )


def _tags(item: dict[str, Any], limits: ParseLimits) -> Iterator[str]:
    tags = item.get("tags")
    tags = tags[: limits.title].split(",") if isinstance(tags, str) else tags
    for tag in tags[: limits.many] if isinstance(tags, list) else ():
        label = fields.name_of(_text(tag), limits)
        if label:
            yield label


def _links(data: dict[str, Any], base: str | None, limits: ParseLimits) -> Iterator[FeedLink]:
    for key, rel in (("feed_url", "self"), ("next_url", "next")):
        url = fields.url_of(_text(data.get(key)), base, limits)
        if url:
            yield FeedLink(rel, url)
    hubs = data.get("hubs")
    for hub in hubs[: limits.many] if isinstance(hubs, list) else ():
        url = fields.url_of(_text(hub.get("url")), base, limits) if isinstance(hub, dict) else None
        if url:
            yield FeedLink("hub", url)
