"""Our WebSub hub (W3C Recommendation, 23 January 2018): who subscribes, and do they mean it.

A request is checked, kept and answered at once (§5.1); whether the subscriber means it is asked in
a job, by a challenge that nobody can guess (§5.3).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import Connection

from aggregator.identity.hashing import digest
from aggregator.model.http import CONTENT, FetchError, FetchRequest, RequestKind
from aggregator.model.settings import Settings
from aggregator.model.states import PushKind, PushState
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.pushing import topics
from aggregator.store.pushing import news, targets
from aggregator.store.pushing.targets import Target
from aggregator.urls.origin import host_key, split

LEASE = timedelta(days=10)  # where none is asked for
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=30)
MOST = 1000  # subscribers in all
MOST_OF_HOST = 50
MOST_ASKS = 3  # how often a subscriber that cannot be reached is asked whether it means it
ASK_AGAIN = timedelta(seconds=30)
MOST_WAIT = timedelta(hours=1)  # for a busy host; then a new subscriber may ask once more
KEPT = timedelta(days=1)  # a view is looked through that long after somebody asked for it
_LONGEST_ADDRESS, _LONGEST_SECRET = 2000, 199


@dataclass(frozen=True, slots=True)
class Reply:
    """What a subscriber is answered, as text/plain."""

    status: int
    text: str = ""


def ask(
    connection: Connection, settings: Settings, form: Mapping[str, str], now: datetime
) -> Reply:
    """Take a request to subscribe or to unsubscribe (§5.1)."""
    mode, callback = form.get("hub.mode", ""), form.get("hub.callback", "")
    secret = form.get("hub.secret") or None
    topic = topics.find_topic(settings, form.get("hub.topic", ""))
    lease = _lease(form.get("hub.lease_seconds"))
    wrong = _mistake(mode, callback, secret, topic)
    if wrong is not None:
        return wrong
    if topic is None:
        said = "hub.topic is no feed of ours; the address of a guarded one ends with ?token=…"
        return Reply(404, said)
    if lease is None:
        return Reply(400, "hub.lease_seconds is a number of seconds")
    key = digest("hub", topic.view.id, topic.format, topic.opener, callback)
    known = targets.of_key(connection, key)
    if known is None and mode == "unsubscribe":
        return Reply(202)  # nothing to end, which tells nobody who subscribes
    if known is None:
        host = host_key(callback)
        if targets.count(connection) >= MOST:
            return Reply(503, "this hub has as many subscribers as it takes")
        if targets.count(connection, host) >= MOST_OF_HOST:
            return Reply(429, "this hub takes no more subscribers of that host")
        news.want(connection, topic.view.id, now, now + KEPT)
        fresh = Target(
            key, PushKind.HUB, topic.view.id, host, PushState.ASKED, now, now,
            format=topic.format, address=callback, opener=topic.opener,
        )  # fmt: skip
        targets.add(connection, _asked(fresh, mode, secret, lease))
        return Reply(202)
    if known.asked is None:
        known = replace(known, tries=0, due_at=now)
    # Where it has asked already the last word counts, and nobody is asked any sooner.
    targets.put(connection, _asked(known, mode, secret, lease))
    return Reply(202)


def _mistake(
    mode: str, callback: str, secret: str | None, topic: topics.Topic | None
) -> Reply | None:
    if mode not in ("subscribe", "unsubscribe"):
        return Reply(400, "hub.mode is “subscribe” or “unsubscribe”")
    parts = split(callback)
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or not parts.host
        or any(one.isspace() for one in callback)
        or "#" in callback
        or "@" in callback.partition("://")[2].partition("/")[0]
        or len(callback) > _LONGEST_ADDRESS
    ):
        return Reply(400, "hub.callback is no http or https address")
    if topic is not None and topic.opener and parts.scheme != "https":
        return Reply(400, "a guarded feed is delivered to https callbacks only")
    if secret is not None and len(secret.encode()) > _LONGEST_SECRET:
        return Reply(400, f"hub.secret is longer than {_LONGEST_SECRET} bytes")
    return None


def _asked(one: Target, mode: str, secret: str | None, lease: timedelta) -> Target:
    seconds = int(lease.total_seconds())
    return replace(one, asked=mode, asked_secret=secret, asked_lease=seconds)


def _lease(stated: str | None) -> timedelta | None:
    """What is granted of the lease that was asked for; None for no number."""
    if not stated:
        return LEASE
    if not (stated.isascii() and stated.isdecimal()):
        return None
    return min(max(timedelta(seconds=int(stated[:12])), SHORTEST), LONGEST)


async def confirm(parts: Parts, one: Target) -> None:
    """Ask a subscriber whether it means it (§5.3), and do what it confirms."""
    database, settings = parts.database, parts.settings
    topic = topics.address_of(settings, one.view_id, one.format, one.opener)
    if topic is None or one.address is None:
        await database.run_write(targets.remove, one.id)
        return
    if not await database.run_read(news.is_looked_through, one.view_id):
        return  # in the next look
    known = await database.run_read(news.latest, one.view_id)  # what comes from now on is new
    challenge = secrets.token_urlsafe(32)
    query = {"hub.mode": one.asked or "", "hub.topic": topic, "hub.challenge": challenge}
    if one.asked == "subscribe":
        query["hub.lease_seconds"] = str(one.asked_lease)
    joint = "&" if "?" in one.address else "?"
    result = await parts.fetcher.fetch(
        FetchRequest(
            f"{one.address}{joint}{urlencode(query)}", CONTENT, RequestKind.PUSH, redirects=False
        )
    )
    now = parts.clock.now()
    body = result.body or b""
    means_it = result.error is None and hmac.compare_digest(body, challenge.encode())
    detail = "" if means_it else result.detail or result.error or "it did not confirm"
    unreachable = result.own_network or result.error in (
        FetchError.DNS, FetchError.CONNECT, FetchError.TLS, FetchError.TIMEOUT, FetchError.PROTOCOL
    ) or (result.status or 0) >= 500  # fmt: skip

    def settle(connection: Connection) -> None:
        held = targets.get(connection, one.id)
        if held is None or (held.asked, held.asked_secret) != (one.asked, one.asked_secret):
            return  # it asked for something else meanwhile
        end = held.made_at + MOST_WAIT if held.state is PushState.ASKED else now + MOST_WAIT
        if result.error is FetchError.HOST_BUSY and now < end:
            again = min(result.retry_at or now + ASK_AGAIN, end)
            targets.put(connection, replace(held, due_at=again))
        elif means_it:
            _confirmed(connection, held, known, now)
        elif unreachable and held.tries + 1 < MOST_ASKS:
            later = replace(held, tries=held.tries + 1, due_at=now + ASK_AGAIN, detail=detail)
            targets.put(connection, later)
        elif held.state is PushState.ASKED:
            targets.remove(connection, held.id)
        else:  # what it has stays as it was
            targets.put(connection, _unasked(replace(held, tries=0, due_at=now)))

    await database.run_write(settle)


def _confirmed(connection: Connection, held: Target, known: int, now: datetime) -> None:
    if held.asked == "unsubscribe":
        targets.remove(connection, held.id)
        return
    active = replace(
        held,
        state=PushState.ACTIVE,
        secret=held.asked_secret,
        lease_until=now + timedelta(seconds=held.asked_lease or 0),
        cursor=known if held.state is PushState.ASKED else held.cursor,
        tries=0,
        due_at=now,
        detail=None,
    )
    targets.put(connection, _unasked(active))


def _unasked(one: Target) -> Target:
    return replace(one, asked=None, asked_secret=None, asked_lease=None)


def signature(secret: str, body: bytes) -> str:
    """The value of `X-Hub-Signature` (§7.1)."""
    return "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
