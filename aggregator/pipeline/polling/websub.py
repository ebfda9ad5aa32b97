"""A WebSub subscriber (W3C Recommendation, 23 January 2018): hubs push, polling stays the check.

Off unless `service.websub` is on, since a hub must reach `base_url`. Only hubs on https are used:
the secret that signs deliveries would otherwise be known to all. What a hub delivers is queued,
answered at once, and read like a poll, as a delta that proves nothing by absence (§7).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.model.feed import ParsedFeed
from aggregator.model.http import CONTENT, FetchRequest, FetchResult, RequestKind
from aggregator.model.settings import Settings, SourceSettings
from aggregator.model.states import SubscriptionState
from aggregator.pipeline import access
from aggregator.pipeline.parts import Parts
from aggregator.store.sources import subscriptions
from aggregator.store.sources.subscriptions import Subscription
from aggregator.telemetry import metrics
from aggregator.urls.origin import resolve, split

LEASE = timedelta(days=10)
LONGEST_LEASE = timedelta(days=90)
RENEW_AT = 0.8  # of the lease
FIRST_RETRY = timedelta(minutes=1)  # asked, and the hub never came back: then ten times as long
RETRY = timedelta(hours=6)  # the longest, and after a refusal
DISTRUST = timedelta(days=7)
GRACE = timedelta(minutes=10)  # a poll may see an item before its push is there
MOST_QUEUED = 20  # documents of one source
AT_ONCE = 5
_METHODS = ("sha256", "sha384", "sha512", "sha1")  # §7.1


@dataclass(frozen=True, slots=True)
class Reply:
    """What a hub is answered; `text` is sent as text/plain."""

    status: int
    text: str = ""


UNKNOWN = Reply(410, "there is no such subscription")
ENDED = Reply(410, "there is no such subscription any more")


def discovered(
    connection: Connection,
    settings: Settings,
    source: SourceSettings,
    result: FetchResult,
    feed: ParsedFeed,
    now: datetime,
) -> None:
    """Take up, change or drop a source's subscription as its feed says (§4).

    HTTP Link headers go before links in the document; both a hub and a topic are needed. Sources
    with credentials, private or secret ones are only polled.
    """
    if not settings.service.websub:
        return
    before = subscriptions.of_source(connection, source.id)
    hub, topic = _link("hub", result, feed), _link("self", result, feed)
    parts = split(hub) if hub else None
    if (
        hub is None
        or topic is None
        or parts is None
        or parts.scheme != "https"
        or not access.is_open(source)
    ):
        if before is not None:
            subscriptions.remove(connection, source.id)
        return
    if before is not None and (before.hub, before.topic) == (hub, topic):
        return
    subscriptions.put(
        connection,
        Subscription(
            source_id=source.id,
            topic=topic,
            hub=hub,
            token=secrets.token_urlsafe(32),
            secret=secrets.token_urlsafe(48),
            state=SubscriptionState.PENDING,
            asked_at=now,
            due_at=now,
        ),
    )


def _link(relation: str, result: FetchResult, feed: ParsedFeed) -> str | None:
    stated = [url for rel, url in result.links if rel == relation]
    in_document = [
        url for link in feed.links if link.rel == relation
        if (url := resolve(result.final_url, link.href)) is not None
    ]  # fmt: skip
    return next(iter([*stated, *in_document]), None)


async def keep_up(parts: Parts) -> int:
    """Ask and renew what is due (§5.1); returns how many hubs were asked."""
    now = parts.clock.now()
    due = await parts.database.run_read(subscriptions.due, now, AT_ONCE)
    for one in due:
        await _ask(parts, one, now)
    return len(due)


async def _ask(parts: Parts, one: Subscription, now: datetime) -> None:
    """POST a subscription request. A renewal has a callback of its own."""
    if one.state in (SubscriptionState.ACTIVE, SubscriptionState.DISTRUSTED):
        one = replace(one, old_token=one.token, token=secrets.token_urlsafe(32))
    asked = replace(one, asked_at=now, due_at=now + again_after(one))
    if one.state is not SubscriptionState.ACTIVE:
        asked = replace(asked, state=SubscriptionState.PENDING, detail="asked, not verified yet")
    await parts.database.run_write(subscriptions.put, asked)  # the hub may verify before it answers
    result = await parts.fetcher.fetch(
        FetchRequest(
            url=one.hub,
            kind=RequestKind.HUB,
            access=CONTENT,
            form={
                "hub.mode": "subscribe",
                "hub.topic": one.topic,
                "hub.callback": callback(parts.settings, one.token),
                "hub.lease_seconds": str(int(LEASE.total_seconds())),
                "hub.secret": one.secret,
            },
        )
    )
    if result.error is None:
        return

    def failed(connection: Connection) -> None:
        kept = subscriptions.of_source(connection, one.source_id)
        if kept is not None and kept.token == one.token:
            detail = f"the hub refused: {result.detail or result.error}"[:300]
            state = (
                kept.state if kept.state is SubscriptionState.ACTIVE else SubscriptionState.FAILED
            )
            later = replace(kept, state=state, detail=detail, due_at=now + RETRY)
            subscriptions.put(connection, later)

    await parts.database.run_write(failed)


def again_after(one: Subscription) -> timedelta:
    """How long a hub has to verify: 1 min, 10 min, 1 h 40 min, then 6 h.

    A request that ended with this process was perhaps never sent, so the second one comes soon.
    """
    waited = one.due_at - one.asked_at if one.due_at is not None else timedelta()
    if not FIRST_RETRY <= waited <= RETRY:  # the first request, or after a lease or distrust
        return FIRST_RETRY
    return min(RETRY, waited * 10)


def callback(settings: Settings, token: str) -> str:
    """The address a hub delivers to: unguessable, one for a subscription (§8)."""
    return f"{settings.service.public_url}/websub/{token}"


def verify(connection: Connection, token: str, asked: Mapping[str, str], now: datetime) -> Reply:
    """Answer a hub's verification of intent, or take its denial (§5.2, §5.3).

    Only what we asked for and await is confirmed; anything else is 404.
    """
    one = subscriptions.of_token(connection, token)
    if one is None or asked.get("hub.topic") != one.topic:
        return Reply(404, "nothing was asked for here")
    mode = asked.get("hub.mode")
    if mode == "denied":
        reason = asked.get("hub.reason", "")[:200] or "no reason given"
        denied = replace(
            one, state=SubscriptionState.DENIED, detail=reason, due_at=None, lease_until=None
        )
        subscriptions.put(connection, denied)
        return Reply(200)
    awaited = one.token == token and (
        one.state is SubscriptionState.PENDING or one.old_token is not None
    )
    challenge = asked.get("hub.challenge")
    if mode != "subscribe" or not awaited or not challenge:
        return Reply(404, "nothing was asked for here")
    try:
        stated = timedelta(seconds=max(1, int(asked.get("hub.lease_seconds", ""))))
    except (ValueError, OverflowError):
        stated = LEASE
    lease = min(stated, LONGEST_LEASE)
    active = replace(
        one,
        state=SubscriptionState.ACTIVE,
        detail=None,
        old_token=None,
        lease_until=now + lease,
        due_at=now + lease * RENEW_AT,
    )
    subscriptions.put(connection, active)
    return Reply(200, challenge)


def refuses(connection: Connection, token: str) -> Reply | None:
    """Why nothing may be delivered under this token; None where a delivery is awaited."""
    one = subscriptions.of_token(connection, token)
    if one is None:
        return UNKNOWN
    return ENDED if one.state in (SubscriptionState.DENIED, SubscriptionState.FAILED) else None


def deliver(
    connection: Connection,
    token: str,
    signature: str | None,
    content_type: str | None,
    body: bytes,
    now: datetime,
) -> Reply:
    """Queue a delivery (§7). What is not signed with our secret is thanked for and ignored."""
    refused = refuses(connection, token)
    one = subscriptions.of_token(connection, token)
    if refused is not None or one is None:
        return refused or UNKNOWN
    if not is_signed(signature, one.secret, body):
        metrics.PUSHES.labels(result="refused").inc()
        return Reply(202)
    if subscriptions.waiting(connection, one.source_id) >= MOST_QUEUED:
        return Reply(503, "too many deliveries are waiting")
    subscriptions.queue(connection, one.source_id, now, content_type, body)
    metrics.PUSHES.labels(result="queued").inc()
    return Reply(202)


def is_signed(signature: str | None, secret: str, body: bytes) -> bool:
    """Whether `X-Hub-Signature` is `method=hex` of our secret over these octets (§7.1)."""
    method, _, given = (signature or "").strip().partition("=")
    if method.lower() not in _METHODS:
        return False
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(expected.encode(), given.strip().lower().encode("utf-8", "replace"))


def is_active(connection: Connection, source_id: str, now: datetime) -> bool:
    """Whether pushes cover a source now, so that polling it is only a check."""
    one = subscriptions.of_source(connection, source_id)
    return (
        one is not None
        and one.state is SubscriptionState.ACTIVE
        and one.lease_until is not None
        and one.lease_until > now
    )


def check_by_poll(
    connection: Connection, source_id: str, new_dates: Sequence[datetime | None], now: datetime
) -> None:
    """A poll found items: was there one that an active push should have brought?"""
    one = subscriptions.of_source(connection, source_id)
    if (
        one is None
        or one.state is not SubscriptionState.ACTIVE
        or subscriptions.waiting(connection, source_id)
    ):
        return
    missed = [at for at in new_dates if at is not None and one.asked_at < at < now - GRACE]
    if missed:
        detail = f"a poll found {len(missed)} items that were never pushed"
        distrusted = replace(
            one, state=SubscriptionState.DISTRUSTED, detail=detail, due_at=now + DISTRUST
        )
        subscriptions.put(connection, distrusted)


def as_result(push: subscriptions.Push, url: str) -> FetchResult:
    """A delivery as if it had been fetched: a delta, which replaces and withdraws nothing."""
    return FetchResult(
        url=url,
        final_url=url,
        status=200,
        body=push.body,
        content_type=push.content_type,
        delta=True,
        wire_bytes=len(push.body),
        decoded_bytes=len(push.body),
    )
