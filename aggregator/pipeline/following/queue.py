"""Which items' own pages are read: queued in the transaction that stored the items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection

from aggregator.model.article import RelatedLink
from aggregator.model.feed import FeedLink
from aggregator.model.item import EntryIntent, PreparedBody
from aggregator.model.settings import FullText, Settings, SourceSettings
from aggregator.model.states import EntryKind
from aggregator.pipeline import access
from aggregator.pipeline.following.links import come_nearer, keep_links, page_key
from aggregator.rules.follow import is_fresh
from aggregator.rules.truncated import is_truncated
from aggregator.store.following import articles, pages
from aggregator.store.items import entries, items
from aggregator.store.items.writing import Written
from aggregator.urls.origin import host_key


@dataclass(frozen=True, slots=True)
class StoredEntries:
    """What a poll found, for what follows it. `bodies` and `related` are by entry key."""

    bodies: Mapping[str, PreparedBody]
    related: Mapping[str, tuple[RelatedLink, ...]]


def reads_pages(source: SourceSettings, settings: Settings) -> bool:
    """Whether pages of a source are read at all: asked for, and somebody says who we are."""
    wanted = source.follow.enabled or source.full_text is not FullText.NEVER
    return wanted and settings.service.contact is not None


def stored_entries(intents: Sequence[EntryIntent]) -> StoredEntries:
    """What is needed of a poll's new entries once they are stored."""
    new = [intent for intent in intents if intent.kind == EntryKind.NEW]
    related = {
        intent.key: _related_of(intent) for intent in new if any(map(_says, intent.entry.links))
    }
    return StoredEntries(
        {intent.key: intent.body for intent in new if intent.body is not None},
        {key: found for key, found in related.items() if found},
    )


def _says(link: FeedLink) -> bool:
    return link.rel == "related"


def _related_of(intent: EntryIntent) -> tuple[RelatedLink, ...]:
    from aggregator.articles.related.found import related_of_entry  # the reader of pages with it

    return related_of_entry(intent.entry.links)


def after_poll(
    connection: Connection,
    settings: Settings,
    source: SourceSettings,
    stored: StoredEntries,
    written: Written,
    now: datetime,
) -> None:
    """Adopt followed items that a feed lists now; queue the own pages of new ones.

    The links that the feed itself names as related become edges at once.
    """
    _adopt(connection, settings, source, stored, written, now)
    if not reads_pages(source, settings):
        return
    queue_own_pages(connection, settings, source, written.new_items, now)
    if source.follow.enabled and stored.related:
        numbers = entries.items_by_key(connection, source.id, stored.related)
        for key, number in numbers.items():
            keep_links(connection, settings, source, number, stored.related[key], depth=1, now=now)


def reread(
    connection: Connection, settings: Settings, source: SourceSettings, now: datetime
) -> int:
    """Queue the pages of a source's items once more, however old; returns how many wait.

    For after a rule, an override or `full_text` changed.
    """
    queue_own_pages(
        connection, settings, source, items.numbers_of(connection, source.id), now, any_age=True
    )
    return pages.reread(connection, source.id, now)


def queue_own_pages(
    connection: Connection,
    settings: Settings,
    source: SourceSettings,
    numbers: Sequence[int],
    now: datetime,
    *,
    any_age: bool = False,
) -> None:
    """Queue the own pages of items that are fresh (or of `any_age`) and have one."""
    wanted = []
    for item in pages.own_pages(connection, numbers):
        text = _wants_text(source, item)
        key = page_key(item.link, settings)
        fresh = any_age or is_fresh(item.published, item.first_seen, now)
        if key is None or not fresh or not (text or source.follow.enabled):
            continue
        wanted.append(
            pages.NewPage(
                scope=access.scope(source),
                key=key[1],
                url=item.link,
                source_id=source.id,
                host=host_key(item.link),
                depth=0,
                dated=item.published or item.first_seen,
                item_id=item.item_id,
                title=item.title,
                wanted_text=text,
            )
        )
    pages.enqueue(connection, wanted, now)
    if any_age:
        pages.want_text(connection, {page.key: page.wanted_text for page in wanted})


def _wants_text(source: SourceSettings, item: pages.OwnPage) -> bool:
    if source.full_text is FullText.WHEN_TRUNCATED:
        return is_truncated(item.html, item.text)
    return source.full_text is FullText.ALWAYS


def _adopt(
    connection: Connection,
    settings: Settings,
    source: SourceSettings,
    stored: StoredEntries,
    written: Written,
    now: datetime,
) -> None:
    followed = set(articles.followed_among(connection, written.joined_items))
    if not followed:
        return
    for key, number in entries.items_by_key(connection, source.id, stored.bodies).items():
        if number in followed:
            body = asdict(stored.bodies[key])
            body.pop("image")
            articles.adopt(connection, number, body)
            if source.follow.enabled:
                come_nearer(connection, settings, source, number, 0, now)
            articles.lower_depth(connection, number, 0)
