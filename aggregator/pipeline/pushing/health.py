"""Notice what becomes of sources and of ourselves, and show it as a feed.

Sources are looked at after their polls. One breaks with the third failure in a row or when its
publisher says that it is gone, and recovers with the next success; while our own network is down,
nothing is said of sources.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from html import escape
from urllib.parse import quote

from sqlalchemy import Connection

from aggregator.identity.naming import Mint
from aggregator.model.item import FeedPage, FeedState, ServedItem, SourceRef
from aggregator.model.meanings import MEANINGS
from aggregator.model.pages import Rendered
from aggregator.model.settings import Settings, SourceSettings
from aggregator.model.states import HealthKind, PollWord, PushKind, PushState
from aggregator.pipeline.budgets import outage
from aggregator.pipeline.parts import Parts
from aggregator.publish.formats import FORMATS
from aggregator.schedule.quiet import quiet_since
from aggregator.schedule.state import PolicyState
from aggregator.store.pushing import events, targets
from aggregator.store.pushing.events import HealthEvent
from aggregator.store.pushing.targets import HEALTH
from aggregator.store.sources import states
from aggregator.telemetry import metrics

BROKEN = 3  # failures in a row
SHOWN = 100  # entries of the feed
KEPT = timedelta(days=90)
_AGAIN = timedelta(minutes=2)  # how far two looks overlap
_OK = "ok"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WATCHED = ":watched"  # the state that says that sources were looked at before


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something of ours that fails: since when and why."""

    kind: HealthKind
    since: datetime
    detail: str


class Watch:
    """Looks at sources and at ourselves, again and again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._looked: datetime | None = None

    async def look(self, troubles: Collection[Trouble] = ()) -> int:
        """Keep what has changed since the last look; returns how many events there were.

        `troubles` are over: those of the database cannot be kept before.
        """
        now, database = self._parts.clock.now(), self._parts.database
        since = min(self._looked, now) - _AGAIN if self._looked is not None else None
        found, told = await database.run_read(_look, self._parts.settings, since, now)
        for one in troubles:
            found.append(HealthEvent(one.since, one.kind, detail=one.detail))
            ended = MENDED[one.kind]
            found.append(HealthEvent(now, ended, since=one.since))
        if found or told:
            await database.run_write(events.put, found, told, now)
        self._looked = now
        for event in found:
            metrics.HEALTH_EVENTS.labels(kind=event.kind.value).inc()
        return len(found)


MENDED = {
    HealthKind.NETWORK_DOWN: HealthKind.NETWORK_BACK,
    HealthKind.STORAGE_DOWN: HealthKind.STORAGE_BACK,
    HealthKind.CLOCK_WRONG: HealthKind.CLOCK_RIGHT,
}


_MENDS = {*MENDED.values(), HealthKind.RECOVERED, HealthKind.WEBHOOK_BACK}


def _look(
    connection: Connection, settings: Settings, since: datetime | None, now: datetime
) -> tuple[list[HealthEvent], dict[str, str]]:
    """The events since the last look, and the states to be remembered with them."""
    ids = events.polled_since(connection, since)
    known = states.feed_states_of(connection, ids)
    hooks = targets.every(connection, PushKind.WEBHOOK)
    names = [f"{one}{end}" for one in ids for end in ("", ":moved")]
    names += [_WATCHED, ":network", *(f":webhook {hook.key}" for hook in hooks)]
    before = events.states(connection, names)
    found: list[HealthEvent] = []
    told: dict[str, str] = {}

    def tell(name: str, state: str, event: HealthEvent | None) -> None:
        was = before.get(name)
        if (was[0] if was else _OK) != state:
            told[name] = state
            if event is not None and _WATCHED in before:
                found.append(replace(event, since=event.since or (was[1] if was else None)))

    configured = {one.id: one for one in settings.sources if one.enabled}
    down = outage.since(connection)
    for name, state in known.items():
        source = configured.get(name)
        if source is not None and down is None:
            tell(name, *_judged(source, state, before.get(name, (_OK, now))[0], now))
            moved = state.noticed.moved
            if moved is not None:
                event = HealthEvent(moved.at, HealthKind.MOVED, name, moved.why)
                tell(f"{name}:moved", moved.at.isoformat(), event)
    if down is not None:
        tell(":network", "down", HealthEvent(down, HealthKind.NETWORK_DOWN))
    else:
        tell(":network", _OK, HealthEvent(now, HealthKind.NETWORK_BACK))
    for hook in hooks:
        parked = hook.state is PushState.PARKED
        kind = HealthKind.WEBHOOK_PARKED if parked else HealthKind.WEBHOOK_BACK
        said = f"of view {hook.view_id} at {hook.host}: {hook.detail or 'taken'}"
        tell(
            f":webhook {hook.key}", "parked" if parked else _OK, HealthEvent(now, kind, None, said)
        )
    if _WATCHED not in before:
        told[_WATCHED] = "yes"
    return found, told


def _judged(
    source: SourceSettings, state: FeedState, before: str, now: datetime
) -> tuple[str, HealthEvent | None]:
    """The state of a source, and the event that tells it; it keeps its state where in doubt."""
    at = state.last_polled_at or now
    if state.noticed.dead:
        return "gone", HealthEvent(at, HealthKind.GONE, source.id, state.error or "")
    if state.failures >= BROKEN:
        return "broken", HealthEvent(at, HealthKind.BROKEN, source.id, state.error or "")
    if state.failures or state.last_polled_at is None or state.outcome == PollWord.OUTAGE:
        return before, None
    zone = source.timezone.key if source.timezone else "UTC"
    quiet = quiet_since(PolicyState.from_json(state.policy), zone)
    if quiet is not None:
        since = datetime.fromtimestamp(quiet, UTC)
        return "quiet", HealthEvent(at, HealthKind.QUIET, source.id, since=since)
    return _OK, HealthEvent(at, HealthKind.RECOVERED, source.id)


@dataclass(frozen=True, slots=True)
class HealthDocuments:
    """The feed of our health for the server: rendered when asked for, which costs little."""

    parts: Parts

    async def document(self, fmt: str, *, private: bool) -> Rendered:
        """The newest events in a format; those of private sources only when asked for."""
        parts = self.parts
        shown = await parts.database.run_read(page, parts.settings, parts.mint, private=private)
        body = await asyncio.to_thread(FORMATS[fmt].render, shown)
        packed = gzip.compress(body, compresslevel=6, mtime=0)
        kind = FORMATS[fmt].content_type
        return Rendered(body, packed, _etag(body), _etag(packed), shown.updated, kind)


def _etag(body: bytes) -> str:
    return f'"{blake2b(body, digest_size=16).hexdigest()}"'


def page(
    connection: Connection,
    settings: Settings,
    mint: Mint,
    *,
    private: bool,
    numbers: Collection[int] = (),
) -> FeedPage:
    """The newest events as a document, or those of these numbers; private sources where asked."""
    hidden = () if private else [one.id for one in settings.sources if one.private]
    shown = events.newest(connection, SHOWN, hidden, numbers)
    feed_id, base = mint.view(HEALTH), settings.service.public_url
    urls = {fmt: f"{base}/feeds/{HEALTH}.{fmt}" for fmt in FORMATS}
    titles = {one.id: one.title for one in settings.sources}
    for name, state in states.feed_states_of(
        connection, {one.source_id for one in shown if one.source_id}
    ).items():
        titles[name] = titles.get(name) or state.title
    title = f"{settings.service.name}: health"
    ref = SourceRef(HEALTH, title, f"{base}/", feed_id, urls["atom"], _EPOCH)
    items = tuple(_item(one, titles, base, feed_id, ref) for one in shown)
    return FeedPage(
        view_id=HEALTH,
        view_title=title,
        description="What became of sources, and of this service itself.",
        feed_id=feed_id,
        self_urls=urls,
        home_url=f"{base}/",
        about_url=f"{base}/about",
        updated=items[0].updated if items else _EPOCH,
        items=items,
        newest=urls,
        generator=settings.service.name,
    )


def _item(
    one: HealthEvent, titles: dict[str, str | None], base: str, feed_id: str, ref: SourceRef
) -> ServedItem:
    words = MEANINGS[HealthKind][one.kind]
    link, named = f"{base}/", words
    if one.source_id is not None:
        link = f"{base}/sources/{quote(one.source_id)}"
        named = f"{titles.get(one.source_id) or one.source_id}: {words}"
    said = [one.detail] if one.detail else []
    if one.since is not None:
        began = "there was trouble since" if one.kind in _MENDS else "since"
        said.append(f"{began} {one.since:%Y-%m-%d %H:%M} UTC")
    text = "; ".join(said) or named
    return ServedItem(
        number=one.number,
        public_id=f"{feed_id}/{one.number}",
        title=named,
        link=link,
        html=f"<p>{escape(text, quote=False)}</p>",
        summary=None,
        text=text,
        author=None,
        published=one.at,
        updated=one.at,
        first_seen=one.at,
        sort_at=one.at,
        source=replace(ref, updated=one.at),
        categories=(one.kind.value,),
        changed_at=one.at,
    )
