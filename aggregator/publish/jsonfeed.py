"""A page of a view as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

What the format has no member for stands in the extension object `_aggregator`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aggregator.markup.text import canonical_to_text, clean
from aggregator.model.feed import Enclosure, Episode, Picture
from aggregator.model.item import CopyRef, FeedPage, RelatedRef, ServedItem, SourceRef
from aggregator.publish.values import (
    UNKNOWN_TYPE,
    authors,
    distinct,
    duration,
    excerpt,
    file_url,
    language_tag,
    line,
    media_type,
    rfc3339,
    summary_text,
    web_url,
)

CONTENT_TYPE = "application/feed+json"

_VERSION = "https://jsonfeed.org/version/1.1"


def render_json(page: FeedPage) -> bytes:
    """The document as UTF-8 bytes; the same page always gives the same bytes."""
    about = page.about_url or page.home_url
    feed = {
        "version": _VERSION,
        "title": line(page.view_title),
        "home_page_url": page.home_url,
        "feed_url": page.self_urls.get("json"),
        "description": line(page.description) if page.description else None,
        "next_url": page.older.get("json"),
        "hubs": [{"type": "WebSub", "url": page.hub_url}] if page.hub_url else None,
        "_aggregator": {
            "about": about,
            "id": page.feed_id,
            "updated": rfc3339(page.updated),
            "current_url": page.newest.get("json") if page.archive else None,
        },
        "items": [_item(item, about) for item in page.items],
    }
    tidy = _tidy(feed, str)
    try:
        return _encoded(tidy)
    except UnicodeEncodeError:  # a lone surrogate somewhere
        return _encoded(_tidy(tidy, clean))


def item_object(item: ServedItem, about: str) -> dict[str, Any]:
    """An item as the format has it; `about` is where our extension is explained."""
    tidy: dict[str, Any] = _tidy(_item(item, about), clean)
    return tidy


def _item(item: ServedItem, about: str) -> dict[str, Any]:
    return {
        "id": item.public_id,
        "url": web_url(item.link),
        "external_url": web_url(item.external_url),
        "title": line(item.title),
        **_content(item),
        "summary": summary_text(item) or excerpt(item),
        "image": web_url(item.image),
        "date_published": rfc3339(item.published),
        "date_modified": rfc3339(item.updated),
        "authors": _authors(item),
        "tags": distinct(item.categories) or None,
        "language": language_tag(item.language),
        "attachments": _attachments(item) or None,
        "_aggregator": _extension(item, about),
    }


def _content(item: ServedItem) -> dict[str, str]:
    if item.html:
        return {"content_html": item.html}
    if item.summary and not item.text:
        return {"content_text": canonical_to_text(item.summary)}
    return {"content_text": item.text or ""}


def _authors(item: ServedItem) -> list[dict[str, str | None]]:
    if named := authors(item):
        return [{"name": name} for name in named]
    return [{"name": line(item.source.title), "url": web_url(item.source.link)}]


def _attachments(item: ServedItem) -> list[dict[str, Any]]:
    return [_attachment(file) for file in item.enclosures if file_url(file.url)]


def _attachment(enclosure: Enclosure) -> dict[str, Any]:
    return {
        "url": file_url(enclosure.url),
        "title": line(enclosure.title) if enclosure.title else None,
        "mime_type": media_type(enclosure.type) or UNKNOWN_TYPE,
        "size_in_bytes": enclosure.length if (enclosure.length or 0) > 0 else None,
        "duration_in_seconds": enclosure.duration or None,
    }


def _extension(item: ServedItem, about: str) -> dict[str, Any]:
    """What later rooms add under `ServedItem.extension` comes first: our own members stand."""
    return {
        **{name: value for name, value in item.extension.items() if "." not in name},
        "about": about,
        "source": _source(item.source),
        "related": [_related(r) for r in item.related if web_url(r.url)],
        "also_in": [_copy(c) for c in item.copies],
        "via": web_url(item.via),
        "comments": web_url(item.comments),
        "pictures": [_picture(p) for p in item.pictures if web_url(p.url)] or None,
        "episode": _episode(item.episode, duration(item)) if item.episode else None,
        "revision": item.revision or None,
        "withdrawn": True if item.withdrawn else None,
        "paywalled": True if item.paywalled else None,
    }


def _picture(picture: Picture) -> dict[str, Any]:
    return {
        "url": web_url(picture.url),
        "alt": line(picture.alt) if picture.alt else None,
        "width": picture.width,
        "height": picture.height,
        "credit": line(picture.credit) if picture.credit else None,
    }


def _episode(episode: Episode, seconds: int | None) -> dict[str, Any]:
    chapters = episode.chapters
    return {
        "duration": seconds,
        "season": episode.season,
        "number": episode.number,
        "type": episode.kind,
        "explicit": episode.explicit,
        "image": web_url(episode.image),
        "transcripts": [
            {
                "url": web_url(one.url),
                "type": media_type(one.type),
                "language": one.language,
                "rel": one.rel,
            }
            for one in episode.transcripts
            if web_url(one.url)
        ]
        or None,
        "chapters": {"url": web_url(chapters.url), "type": media_type(chapters.type)}
        if chapters and web_url(chapters.url)
        else None,
        "persons": [
            {
                "name": line(one.name),
                "role": one.role,
                "group": one.group,
                "image": web_url(one.image),
                "url": web_url(one.url),
            }
            for one in episode.persons
        ]
        or None,
    }


def _source(source: SourceRef) -> dict[str, str | None]:
    return {
        "title": line(source.title),
        "url": web_url(source.link),
        "feed_url": web_url(source.feed_url),
    }


def _related(related: RelatedRef) -> dict[str, str | None]:
    return {
        "url": web_url(related.url),
        "title": line(related.title) if related.title else None,
        "heading": line(related.heading) if related.heading else None,
        "state": related.state,
        "id": related.item_id,
    }


def _copy(copy: CopyRef) -> dict[str, str | None]:
    return {
        "source": line(copy.source_title),
        "url": web_url(copy.url),
        "title": line(copy.title) if copy.title else None,
        "published": rfc3339(copy.published) if copy.published else None,
    }


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _tidy(value: Any, text: Callable[[str], str]) -> Any:
    """Members that are None left out, every string passed through `text`."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {text(str(k)): _tidy(v, text) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_tidy(v, text) for v in value]
    return value
