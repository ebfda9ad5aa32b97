"""Decide every related link of an article, keep it as an edge, queue what is to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from aggregator.identity.hashing import digest
from aggregator.model.article import RelatedLink
from aggregator.model.settings import Settings, SourceSettings
from aggregator.model.states import EdgeState, PageState, Refused
from aggregator.pipeline import access
from aggregator.rules.follow import refuse_link
from aggregator.store import changed
from aggregator.store.following import articles, budgets, links, pages
from aggregator.store.items import keys
from aggregator.urls.key import UrlKey, url_key
from aggregator.urls.origin import host_key, is_http

_LONGEST_TOLD = 2000  # characters of an address that is kept to be told, not to be asked


@dataclass(frozen=True, slots=True)
class _Link:
    found: RelatedLink
    key: UrlKey | None  # None: its host cannot exist
    hashed: str


@dataclass(frozen=True, slots=True)
class _Page:
    """Where links stand: the item, the policy, how far the pages behind them are from a feed."""

    source: SourceSettings
    scope: str
    item_id: int
    site: str
    depth: int
    nofollow: bool
    now: datetime


def page_key(url: str, settings: Settings) -> tuple[UrlKey, str] | None:
    """The URL key of a web address and its hash, as items hold it; None for anything else."""
    if not is_http(url):
        return None
    key = url_key(url, extra_parameters=settings.dedup.tracking_parameters)
    return None if key is None else (key, digest("url", key.key))


def keep_links(
    connection: Connection,
    settings: Settings,
    source: SourceSettings,
    item_id: int,
    found: Sequence[RelatedLink],
    *,
    depth: int,
    now: datetime,
    nofollow: bool = False,
) -> None:
    """Store the related links of an item, each target once, each with what becomes of it.

    Args:
        connection: a write transaction.
        settings: the whole configuration.
        source: whose policy decides.
        item_id: the item on whose page they stand.
        found: in page order.
        depth: how far from a feed the pages behind them are.
        now: the time.
        nofollow: the page forbids following its links.
    """
    scope = access.scope(source)
    own = pages.own_pages(connection, [item_id])
    if not own:
        return
    page = _Page(source, scope, item_id, host_key(own[0].link), depth, nofollow, now)
    fresh = _fresh(connection, settings, item_id, found)[: links.MOST_LINKS]
    scopes = [scope, ""] if scope else [""]
    held = keys.held(connection, scopes, [one.hashed for one in fresh])
    room = source.follow.links_per_article - links.chosen_count(connection, item_id)
    edges: list[links.NewLink] = []
    for one in fresh:
        edge = _edge(one)
        target = held.get(one.hashed)
        if target == item_id:
            continue
        if target is not None:
            edge = replace(edge, state=EdgeState.KNOWN, target_id=target)
        else:
            edge = _decide(connection, page, one, edge, room)
            room -= edge.state is EdgeState.QUEUED
        edges.append(edge)
    links.put_links(connection, item_id, edges, now)
    if edges:
        changed.show_anew(connection, now, items=[item_id])
    for number in links.deeper_targets(connection, item_id, depth, source.id):
        come_nearer(connection, settings, source, number, depth, now)


def come_nearer(
    connection: Connection,
    settings: Settings,
    source: SourceSettings,
    item_id: int,
    depth: int,
    now: datetime,
) -> None:
    """A followed item turned out to be nearer to a feed than was known.

    What was refused for its depth is decided anew, and so is what stands behind it: the result is
    the same in whatever order pages were read.
    """
    if not articles.lower_depth(connection, item_id, depth):
        return
    again = links.take_too_deep(connection, item_id)
    keep_links(connection, settings, source, item_id, again, depth=depth + 1, now=now)


def _fresh(
    connection: Connection, settings: Settings, item_id: int, found: Sequence[RelatedLink]
) -> list[_Link]:
    """Links that are new to the item, each target once.

    One to a host that cannot exist is kept by its own words, to be refused with a reason; what is
    no web address at all can only harm.
    """
    have = links.keys_of(connection, item_id)
    fresh: dict[str, _Link] = {}
    for link in found:
        known = page_key(link.url, settings)
        if known is None and not _is_meant_for_the_web(link.url):
            continue
        key, hashed = known or (None, digest("url", link.url))
        if hashed not in have:
            fresh.setdefault(hashed, _Link(link, key, hashed))
    return list(fresh.values())


def _is_meant_for_the_web(url: str) -> bool:
    return url[:8].lower().startswith(("http://", "https://")) and (
        len(url) <= _LONGEST_TOLD and url.isprintable()
    )


def _edge(one: _Link) -> links.NewLink:
    return links.NewLink(
        key=one.hashed,
        url=one.found.url,
        text=one.found.text or None,
        heading=one.found.heading,
        rule=one.found.rule,
        position=one.found.position,
        state=EdgeState.QUEUED,
    )


def _decide(
    connection: Connection, page: _Page, one: _Link, edge: links.NewLink, room: int
) -> links.NewLink:
    """What becomes of a link to no item we have; `room` is how many more may be followed here."""
    source, url = page.source, one.found.url
    refusal = refuse_link(
        url,
        one.key,
        nofollow=page.nofollow or one.found.rel_nofollow,
        site=page.site,
        depth=page.depth,
        policy=source.follow,
    )
    if refusal is not None:
        return _refused(edge, refusal.reason, refusal.detail)
    asked = pages.page_of(connection, page.scope, one.hashed)
    if asked is not None and asked.item_id is not None:
        return replace(edge, state=EdgeState.KNOWN, target_id=asked.item_id)
    if asked is not None and asked.state is PageState.REFUSED:
        return _refused(edge, asked.reason or Refused.FAILED, asked.detail or "")
    if room <= 0:
        most = source.follow.links_per_article
        return _refused(edge, Refused.LINKS, f"{most} links of one article are followed")
    if asked is not None:  # queued for another article
        pages.lower_depth(connection, asked, page.depth)
        return edge
    host, day = host_key(url), page.now.date().isoformat()
    limit = source.follow.pages_per_host_and_day
    if not budgets.take_budget(connection, host, day, limit):
        return _refused(edge, Refused.BUDGET, f"{limit} related pages of {host} on {day}")
    new = pages.NewPage(
        scope=page.scope,
        key=one.hashed,
        url=url,
        source_id=source.id,
        host=host,
        depth=page.depth,
        dated=page.now,
        parent_id=page.item_id,
        title=one.found.text or None,
        heading=one.found.heading,
    )
    pages.enqueue(connection, [new], page.now)
    return edge


def _refused(edge: links.NewLink, reason: str, detail: str) -> links.NewLink:
    return replace(edge, state=EdgeState.REFUSED, reason=reason, detail=detail)
