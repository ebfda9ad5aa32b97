"""Deliver news: at least once, in order, one delivery of a target at a time.

Before anything is sent, the target's row says what the delivery holds and under which id; it moves
on when the other side has taken it. A kill in between repeats that delivery, with the same id.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from aggregator.identity.naming import Mint
from aggregator.model.http import (
    CONTENT,
    Content,
    FetchError,
    FetchRequest,
    FetchResult,
    RequestKind,
)
from aggregator.model.item import FeedPage
from aggregator.model.settings import Settings
from aggregator.model.states import PushKind, PushState
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.pushing import health, hub, topics, webhooks
from aggregator.pipeline.showing.views import hub_url, news_page
from aggregator.publish.fit import fit
from aggregator.publish.formats import FORMATS
from aggregator.store.pushing import events, news, targets
from aggregator.store.pushing.news import Piece
from aggregator.store.pushing.targets import HEALTH, Target
from aggregator.telemetry import metrics, traces

log = structlog.get_logger("aggregator.push")

BATCH = 100  # items of one delivery to a subscriber
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(hours=6)
MOST_TRIES = 16  # about two days
PARKED = timedelta(days=1)  # between two tries of what takes nothing
FURTHEST = PARKED  # that a next try can be ahead
_SOON = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A delivery: the target as its row says it, the items in order."""

    target: Target
    numbers: tuple[int, ...]


async def deliver(parts: Parts, one: Target) -> None:
    """Make or repeat one delivery to a target, or end what has run out."""
    database = parts.database
    parcel = await database.run_write(_pack, parts.settings, one.id, parts.clock.now())
    if parcel is None:
        return
    request = await database.run_read(
        _request, parts.settings, parts.mint, parcel, parts.clock.now()
    )
    to = parcel.target
    with traces.span("push", view=to.view_id, kind=to.kind.value, host=to.host) as span:
        result = await parts.fetcher.fetch(request) if request is not None else None
        settled = await database.run_write(_settle, parcel, result, parts.clock.now())
        failed = result is not None and result.error is not None
        span.tell(failed=failed, items=len(parcel.numbers), outcome=settled)
    if settled is not None:
        _report(parcel.target, settled)


def _pack(connection: Connection, settings: Settings, number: int, now: datetime) -> _Parcel | None:
    """Say in the target's row what is delivered next; None where there is nothing to deliver."""
    one = targets.get(connection, number)
    if one is None or one.asked is not None or one.state is PushState.ASKED:
        return None
    most = _most(settings, one, now)
    if most is None:
        targets.remove(connection, one.id)
        return None
    pieces = _pieces(connection, one, most)
    if not pieces:
        targets.put(connection, replace(one, upto=None, delivery=None, due_at=now))
        return None
    if one.upto is None:
        one = replace(one, upto=pieces[-1].number, delivery=secrets.token_urlsafe(16))
        targets.put(connection, one)
    return _Parcel(one, tuple(dict.fromkeys(piece.item for piece in reversed(pieces))))


def _pieces(connection: Connection, one: Target, most: int) -> list[Piece]:
    if one.view_id == HEALTH:
        numbers = events.after(connection, one.cursor, one.upto, most)
        return [Piece(number, number) for number in numbers]
    return news.after(connection, one.view_id, one.cursor, one.upto, most)


def _most(settings: Settings, one: Target, now: datetime) -> int | None:
    """The most pieces of one delivery to a target; None where it is told nothing any more."""
    if one.kind is PushKind.WEBHOOK:
        hook = webhooks.configured(settings).get(one.key)
        return webhooks.batch(hook[1]) if hook is not None else None
    ended = one.lease_until is not None and one.lease_until <= now
    topic = topics.address_of(settings, one.view_id, one.format, one.opener)
    return None if ended or topic is None else BATCH


def _request(
    connection: Connection, settings: Settings, mint: Mint, parcel: _Parcel, now: datetime
) -> FetchRequest | None:
    """The delivery as it is sent; None where nothing of it is shown any more."""
    one = parcel.target
    page: FeedPage | None = None
    if one.view_id == HEALTH:  # the operator's own: private sources too
        page = health.page(connection, settings, mint, private=True, numbers=parcel.numbers)
    elif view := next((view for view in settings.views if view.id == one.view_id), None):
        page = news_page(connection, settings, view, parcel.numbers)
    if page is None or not page.items:
        return None
    if one.kind is PushKind.HUB:
        return _document(settings, one, page)
    hook = webhooks.configured(settings).get(one.key)
    return None if hook is None else webhooks.request(hook[1], page, one.delivery or "", now)


def _document(settings: Settings, one: Target, page: FeedPage) -> FetchRequest | None:
    """What a subscriber gets: the document of its topic with what is new alone (§7)."""
    topic = topics.address_of(settings, one.view_id, one.format, one.opener)
    if topic is None or one.address is None:
        return None
    body = fit(page, FORMATS[one.format].render, settings.service.max_document).body
    links = f'<{hub_url(settings)}>; rel="hub", <{topic}>; rel="self"'
    headers = [("Link", links)]
    if one.secret is not None:
        headers.append(("X-Hub-Signature", hub.signature(one.secret, body)))
    content = Content(body, FORMATS[one.format].content_type, tuple(headers))
    return FetchRequest(one.address, CONTENT, RequestKind.PUSH, content=content, redirects=False)


def _settle(
    connection: Connection, parcel: _Parcel, result: FetchResult | None, now: datetime
) -> str | None:
    """Move on, or plan the next try; what became of it, None where the target is gone."""
    one = targets.get(connection, parcel.target.id)
    if one is None or one.delivery != parcel.target.delivery:
        return None
    if result is None or result.error is None:
        done = replace(
            one, state=PushState.ACTIVE, cursor=one.upto or one.cursor, upto=None, delivery=None,
            tries=0, due_at=now, detail=None,
        )  # fmt: skip
        if result is not None:
            done = replace(done, delivered=one.delivered + 1, delivered_at=now)
        targets.put(connection, done)
        return "delivered"
    if result.error is FetchError.HOST_BUSY or result.own_network:
        at = min(result.retry_at or now + _SOON, now + FURTHEST)
        targets.put(connection, replace(one, due_at=at))
        return "waiting"
    if one.kind is PushKind.HUB and (result.status == 410 or one.tries + 1 >= MOST_TRIES):
        targets.remove(connection, one.id)
        return "ended"
    later = _later(one, result, now)
    if one.kind is PushKind.WEBHOOK and (result.status == 410 or later.tries >= MOST_TRIES):
        targets.put(connection, replace(later, state=PushState.PARKED, due_at=now + PARKED))
        return "parked"
    targets.put(connection, later)
    return "failed"


def _later(one: Target, result: FetchResult, now: datetime) -> Target:
    """The target with its next try: each wait three times the one before."""
    wait = min(FIRST_RETRY * 3**one.tries, LONGEST_RETRY)
    if result.retry_after is not None:
        wait = max(wait, min(result.retry_after, LONGEST_RETRY))
    said = (result.detail or str(result.error))[:300]
    if result.error is FetchError.REDIRECT:
        said = "it redirects elsewhere"  # where to may hold what lets in
    return replace(one, tries=one.tries + 1, due_at=now + wait, detail=said)


def _report(one: Target, settled: str) -> None:
    metrics.DELIVERIES.labels(kind=one.kind.value, result=settled).inc()
    if settled in ("failed", "ended", "parked"):
        log.warning("a delivery was not taken", view=one.view_id, to=one.host, then=settled)
