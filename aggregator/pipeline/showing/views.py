"""Publish a view: rendered and compressed at the first request after a change, then stored.

The entity tag is the hash of the bytes. A page whose bytes came out the same keeps its tag and its
date; a page with new bytes gets a later whole second, so that readers with dates alone notice.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from urllib.parse import quote

import structlog
from sqlalchemy import Connection

from aggregator.model.errors import StorageTrouble
from aggregator.model.item import FeedPage, ServedItem
from aggregator.model.pages import Delta, Rendered
from aggregator.model.settings import Settings, ViewMode, ViewSettings
from aggregator.pipeline.configure import put_view, rule_times, view_hash
from aggregator.pipeline.showing import queries
from aggregator.pipeline.showing.deltas import Versions, since
from aggregator.publish.byline import with_byline
from aggregator.publish.fit import fit
from aggregator.publish.formats import FORMATS
from aggregator.rules.select import find_view, followed_sources, is_implied, view_sources
from aggregator.store.database import Database
from aggregator.store.views import deleted, leads, rendered, selections, served
from aggregator.store.views.rendered import RenderedRow, ViewState
from aggregator.telemetry import metrics, traces
from aggregator.telemetry.clock import Clock

log = structlog.get_logger("aggregator.publish")

_WINDOW = timedelta(hours=48)  # invariant 11
_TOLD = timedelta(days=30)  # before the last change: that long a document says what is gone
_PAGE = 100
_OTHERS = 0.1  # seconds in which a change by another process may go unseen
_KEPT = 64  # rendered pages in memory
_CHOSEN = 256  # views whose selection is kept; anybody may ask for any source and tag
_SECOND = timedelta(seconds=1)
_NO_RULES: Mapping[str, datetime] = {}
_READ_PATIENCE = 3.0  # seconds for a database to answer before what is in memory is sent
_WRITE_PATIENCE = 0.25  # seconds for a rendering to be stored before it is sent all the same


@dataclass(frozen=True, slots=True)
class _Wanted:
    view: ViewSettings
    fmt: str
    page: str  # empty: the current document

    @property
    def key(self) -> tuple[str, str, str]:
        return self.view.id, self.fmt, self.page


@dataclass(frozen=True, slots=True)
class _Kept:
    row: RenderedRow
    document: Rendered  # the same object as long as the row is: whoever prepares it may compare


@dataclass(frozen=True, slots=True)
class _Seen:
    """A view's version (None: no such view), and as of which commits and moment it was read."""

    version: int | None
    commits: int
    at: float  # monotonic


class Publisher:
    """Serves rendered views; one rendering at a time for each page, whoever asks."""

    def __init__(self, database: Database, clock: Clock, settings: Callable[[], Settings]) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._locks: dict[str, asyncio.Lock] = {}
        self._kept: OrderedDict[tuple[str, str, str], _Kept] = OrderedDict()
        self._seen: dict[str, _Seen] = {}  # by view
        self._versions = Versions()
        self._deltas: OrderedDict[tuple[tuple[str, str, str], str], Delta] = OrderedDict()
        self._storing: dict[tuple[str, str, str], asyncio.Task[None]] = {}
        self._unstored: dict[tuple[str, str, str], tuple[_Wanted, RenderedRow, list[int]]] = {}

    async def rendered(self, view_id: str, fmt: str, page: str | None) -> Rendered | None:
        """A view's document, or an older page of it; None when there is no such thing."""
        settings = self._settings()
        view = find_view(settings, view_id)
        if view is None or fmt not in FORMATS or (page and parse_place(page) is None):
            return None
        wanted = _Wanted(view, fmt, page or "")
        row = await self._current(wanted)
        if row is None:
            # One at a time for a whole view: two formats must not choose two leads of a group.
            lock = self._locks.setdefault(wanted.view.id, asyncio.Lock())
            async with lock:
                row = await self._current(wanted) or await self._render(settings, wanted)
        if row is None:
            return None
        kept = self._kept.get(wanted.key)
        return kept.document if kept is not None and kept.row is row else _document(wanted, row)

    def ready(self, view_id: str, fmt: str) -> Rendered | None:
        """A view's document where it is in memory and known to be the present one.

        Asks nobody and waits for nothing: `rendered` is for every other case. Commits of this
        process count at once, those of others within a tenth of a second.
        """
        key = view_id, fmt, ""
        kept = self._kept.get(key)
        if kept is None or key in self._unstored:
            return None
        seen = self._seen.get(view_id)
        if seen is None or not self._is_recent(seen) or seen.version != kept.row.version:
            return None
        return kept.document

    def _is_recent(self, seen: _Seen) -> bool:
        return seen.commits == self._database.commits and time.monotonic() - seen.at < _OTHERS

    async def delta(self, view_id: str, fmt: str, tags: Collection[str]) -> Delta | None:
        """What is new in a view's document since the version that one of these tags names.

        None where nobody remembers that version, or the whole document is no larger.
        """
        settings = self._settings()
        view = find_view(settings, view_id)
        had = self._versions.find((view_id, fmt), tags)
        if view is None or had is None:
            return None
        wanted = _Wanted(view, fmt, "")
        async with self._locks.setdefault(view_id, asyncio.Lock()):
            row = await self._current(wanted)
            known = next((tag for tag in tags if (wanted.key, tag) in self._deltas), None)
            held = self._deltas.get((wanted.key, known)) if known is not None else None
            if row is None or (held is not None and held.etag == row.etag):
                return held if row is not None else None
            loaded = await self._database.run_read(_load, settings, wanted)
            if loaded is None or loaded[0].version != row.version:
                return None  # it changed just now
            page = since(loaded[1], had)
            most = settings.service.max_document
            fitted = await asyncio.to_thread(fit, page, FORMATS[fmt].render, most)
        if len(fitted.body) >= len(row.body):
            return None
        made = Delta(fitted.body, row.etag, row.gzip_etag, row.last_modified)
        for tag in tags:
            self._deltas[wanted.key, tag] = made
        while len(self._deltas) > _KEPT:
            self._deltas.popitem(last=False)
        return made

    async def _current(self, wanted: _Wanted) -> RenderedRow | None:
        """The stored page if it is of the view's present version."""
        kept = self._kept.get(wanted.key)
        row = kept.row if kept is not None else None
        seen = self._seen.get(wanted.view.id)
        if row is None or seen is None or not self._is_recent(seen):
            asked = self._database.commits, time.monotonic()
            try:
                async with asyncio.timeout(None if row is None else _READ_PATIENCE):
                    state, stored = await self._database.run_read(_stored, wanted, row is None)
            except (StorageTrouble, TimeoutError):
                if row is None:
                    raise
                return row  # what was served last, while nobody can say whether it changed
            row = row or stored
            seen = self._see(wanted.view.id, state, *asked)
        if row is None or row.version != seen.version:
            return None
        self._keep(wanted, row)
        self._store_again(wanted)
        return row

    def _see(self, view_id: str, state: ViewState | None, commits: int, at: float) -> _Seen:
        """Remember a view's version as it was read at least as late as was asked."""
        seen = _Seen(state.version if state is not None else None, commits, at)
        if len(self._seen) > _CHOSEN:
            self._seen.clear()
        self._seen[view_id] = seen
        return seen

    def _keep(self, wanted: _Wanted, row: RenderedRow) -> None:
        """In memory, the ones used last; older pages live only here: anybody can ask for any."""
        kept = self._kept.get(wanted.key)
        if kept is None or kept.row is not row:
            self._kept[wanted.key] = _Kept(row, _document(wanted, row))
        self._kept.move_to_end(wanted.key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    async def _render(self, settings: Settings, wanted: _Wanted) -> RenderedRow | None:
        started = time.perf_counter()
        loaded = await self._database.run_read(_load, settings, wanted)
        if loaded is None and is_implied(wanted.view.id) and not wanted.page:
            # The first request for it: from now on it has a row, an id and a version.
            now = self._clock.now()
            await self._database.run_write(put_view, wanted.view, settings, now)
            loaded = await self._database.run_read(_load, settings, wanted)
        if loaded is None:
            return None
        state, page, older_row, fresh = loaded
        most = settings.service.max_document
        with traces.span("render", view=wanted.view.id, format=wanted.fmt):
            row = await asyncio.to_thread(_rows, wanted, page, state, older_row, most)
        metrics.RENDERS.labels(format=wanted.fmt).inc()
        spent = time.perf_counter() - started
        metrics.RENDER_SECONDS.labels(format=wanted.fmt).observe(spent)
        if not wanted.page:
            key, tags = (wanted.view.id, wanted.fmt), (row.etag, row.gzip_etag)
            await asyncio.to_thread(self._versions.add, key, tags, page)
        if state.config_hash != view_hash(wanted.view, settings):
            return row  # a changed configuration is about to be in force: not its document
        if fresh or not wanted.page:
            await self._store(wanted, row, fresh)
        self._keep(wanted, row)
        return row

    async def _store(self, wanted: _Wanted, row: RenderedRow, fresh: list[int]) -> None:
        """Store a rendering before it is sent, unless that takes long: nobody waits for a lock.

        What could not be stored is stored with a later request.
        """
        earlier = self._unstored.get(wanted.key)
        if earlier is not None:
            fresh = [*dict.fromkeys([*earlier[2], *fresh])]
        self._unstored[wanted.key] = (wanted, row, fresh)
        self._store_again(wanted)
        storing = self._storing.get(wanted.key)
        if storing is not None:
            await asyncio.wait({storing}, timeout=_WRITE_PATIENCE)

    def _store_again(self, wanted: _Wanted) -> None:
        if wanted.key in self._storing or wanted.key not in self._unstored:
            return
        task = asyncio.create_task(self._store_now(wanted.key))
        self._storing[wanted.key] = task
        task.add_done_callback(lambda _: self._storing.pop(wanted.key, None))

    async def _store_now(self, key: tuple[str, str, str]) -> None:
        held = self._unstored[key]
        with suppress(StorageTrouble):  # told by whoever polls
            await self._database.run_write(_keep_rendered, *held, self._clock.now())
            if self._unstored.get(key) is held:
                del self._unstored[key]


def selection(view: ViewSettings, settings: Settings) -> selections.Selection:
    """What a view selects by source; private items only where a token guards it (invariant 12)."""
    everything = not (view.tags or view.sources or view.exclude_tags or view.exclude_sources)
    followed = followed_sources(view, settings.sources)
    chosen = view_sources(view, settings.sources) + followed
    guarded = is_guarded(view, settings)
    private = {source.id for source in settings.sources if source.private}
    scopes = tuple(name for name in chosen if name in private) if guarded else ()
    oldest = view.followed_max_age
    return selections.Selection(
        None if everything else tuple(chosen),
        scopes,
        followed=view.followed,
        followed_max_age=int(oldest.total_seconds()) if oldest is not None else None,
        followed_only=tuple(followed),
    )


def is_guarded(view: ViewSettings, settings: Settings) -> bool:
    """Whether a view needs a token."""
    return view.token is not None or settings.service.token is not None


def shows_page_text(view: ViewSettings, settings: Settings) -> bool:
    """Whether a view carries text that was taken from pages rather than from feeds."""
    return settings.service.page_text == "everywhere" or is_guarded(view, settings)


def showing(
    view: ViewSettings,
    settings: Settings,
    changed_at: datetime,
    since: Mapping[str, datetime] = _NO_RULES,
) -> leads.Showing:
    """What a view shows: its selection, one entry a copy group or story, and who leads.

    Worked out once for a configuration: among 10,000 sources it costs more than the look-up.
    Relative times of its query count from its last change, `changed_at`: no clock decides.
    `since` is when its rules came into force (`configure.rule_times`).
    """
    # Who asks for a view otherwise does not have its sources chosen anew.
    usual = replace(view, query=None, rules=(), mode=ViewMode.UNIQUE)
    made = replace(_chosen.of(usual, settings, _showing), mode=view.mode)
    guarded, page_text = is_guarded(view, settings), shows_page_text(view, settings)
    if view.rules:
        rules = queries.rules(
            view, settings, changed_at, since, guarded=guarded, page_text=page_text
        )
        made = replace(made, rules=rules)
    if view.query is not None:
        query = queries.query(
            view.query, settings, changed_at, guarded=guarded, page_text=page_text
        )
        made = replace(made, selection=replace(made.selection, query=query))
    return made


def showing_now(
    connection: Connection, view: ViewSettings, settings: Settings
) -> leads.Showing | None:
    """The same as of its last change; None for a view that is not in the store yet."""
    state = rendered.view_state(connection, view.id)
    return None if state is None else _as_of(connection, view, settings, state)


def _as_of(
    connection: Connection, view: ViewSettings, settings: Settings, state: ViewState
) -> leads.Showing:
    since = rule_times(connection, view.id) if view.rules else _NO_RULES
    return showing(view, settings, state.changed_at, since)


class _Chosen:
    """What was worked out for the views of the configuration in force."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._made: dict[str, tuple[ViewSettings, leads.Showing]] = {}

    def of(
        self,
        view: ViewSettings,
        settings: Settings,
        make: Callable[[ViewSettings, Settings], leads.Showing],
    ) -> leads.Showing:
        if self._settings is not settings:
            self._settings, self._made = settings, {}
        made = self._made
        held = made.get(view.id)
        if held is None or held[0] != view:
            held = view, make(view, settings)
            if len(made) < _CHOSEN:
                made[view.id] = held
        return held[1]


_chosen = _Chosen()


def _showing(view: ViewSettings, settings: Settings) -> leads.Showing:
    standings = {
        source.id: leads.Standing(source.aggregator, source.preference, source.paywalled)
        for source in settings.sources
        if source.aggregator or source.preference or source.paywalled
    }
    return leads.Showing(view.id, selection(view, settings), view.mode, standings)


def place_token(place: selections.Place) -> str:
    """A place in a view as it stands in the URL of an older page."""
    micros = (place.sort_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return urlsafe_b64encode(f"{micros}.{place.number}".encode()).decode().rstrip("=")


def parse_place(token: str) -> selections.Place | None:
    """The place that a token names; None for anything else."""
    if len(token) > 64 or not token.isascii():
        return None
    try:
        text = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
        micros, number = (int(part) for part in text.split("."))
        place = selections.Place(
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros), number
        )
    except (BadBase64, ValueError, OverflowError):
        return None
    return place if 0 < number < 2**62 and place_token(place) == token else None


def _document(wanted: _Wanted, row: RenderedRow) -> Rendered:
    return Rendered(
        row.body,
        row.gzip,
        row.etag,
        row.gzip_etag,
        row.last_modified,
        FORMATS[wanted.fmt].content_type,
    )


def _stored(
    connection: Connection, wanted: _Wanted, with_row: bool
) -> tuple[ViewState | None, RenderedRow | None]:
    state = rendered.view_state(connection, wanted.view.id)
    return state, rendered.rendered(connection, *wanted.key) if with_row else None


def _keep_rendered(
    connection: Connection,
    wanted: _Wanted,
    row: RenderedRow,
    fresh: Sequence[int],
    now: datetime,
) -> None:
    """Before anybody gets the page: what it shows stays, and the current document is stored."""
    leads.freeze(connection, wanted.view.id, fresh)
    if not wanted.page:
        rendered.put_rendered(connection, *wanted.key, row, now)


def _load(
    connection: Connection, settings: Settings, wanted: _Wanted
) -> tuple[ViewState, FeedPage, RenderedRow | None, list[int]] | None:
    """The view's state and items in one snapshot: the version vouches for exactly these.

    Last the items that no reader of the view got before.
    """
    state = rendered.view_state(connection, wanted.view.id)
    if state is None:
        return None
    shown = _as_of(connection, wanted.view, settings, state)
    if wanted.page:
        start = parse_place(wanted.page)
        if start is None:
            return None
        places = leads.before(connection, shown, start, _PAGE)
    else:
        limit = min(max(wanted.view.limit, _PAGE), settings.service.max_entries)
        places = leads.newest(connection, shown, limit, state.changed_at - _WINDOW)
        places = places[: settings.service.max_entries]
    if wanted.page and not places:
        return None
    numbers = [place.number for place in places]
    items = leads.with_company(
        connection,
        served.served_items(connection, numbers, page_text=shows_page_text(wanted.view, settings)),
        shown.selection.private_scopes,
        shown,
    )
    more = bool(places) and bool(leads.before(connection, shown, places[-1], 1))
    old = rendered.rendered(connection, *wanted.key)
    page = _page(settings, wanted, state, places, items, more, old)
    if not wanted.page:
        since = state.changed_at - _TOLD
        page = replace(page, deleted=deleted.taken_back(connection, shown.selection, since))
    alone = wanted.view.mode is ViewMode.ARTICLES
    fresh = [] if alone else leads.unfrozen(connection, wanted.view.id, numbers)
    return state, page, old, fresh


def news_page(
    connection: Connection, settings: Settings, view: ViewSettings, numbers: Sequence[int]
) -> FeedPage | None:
    """A document of a view with these items alone, the given order kept.

    What the view does not show any more is left out. None for a view that is not in the store yet.
    """
    state = rendered.view_state(connection, view.id)
    if state is None:
        return None
    shown = _as_of(connection, view, settings, state)
    here = leads.inside(connection, shown, numbers)
    found = leads.with_company(
        connection,
        served.served_items(connection, here, page_text=shows_page_text(view, settings)),
        shown.selection.private_scopes,
        shown,
    )
    places = [selections.Place(found[n].sort_at, n) for n in here if n in found]
    return _page(settings, _Wanted(view, "", ""), state, places, found, more=False, old=None)


def _page(
    settings: Settings,
    wanted: _Wanted,
    state: ViewState,
    places: Sequence[selections.Place],
    items: Mapping[int, ServedItem],
    more: bool,
    old: RenderedRow | None,
) -> FeedPage:
    view = wanted.view
    named = quote(view.id, safe="/")
    base = f"{settings.service.public_url}/feeds/{named}"
    current = {fmt: f"{base}.{fmt}" for fmt in FORMATS}
    here = {
        fmt: f"{url}?page={wanted.page}" if wanted.page else url for fmt, url in current.items()
    }
    older: dict[str, str] = {}
    if more:
        token = place_token(places[-1])
        older = {fmt: f"{url}?page={token}" for fmt, url in current.items()}
    seen = [items[p.number].changed_at or items[p.number].updated for p in places]
    updated = max(seen, default=state.changed_at)
    if old is not None and old.updated is not None:
        updated = max(updated, old.updated)  # also after the item that changed last is gone
    return FeedPage(
        view_id=view.id,
        view_title=view.title,
        description=view.description,
        feed_id=state.feed_id,
        self_urls=here,
        home_url=_home(settings, view),
        about_url=f"{settings.service.public_url}/about",
        updated=updated,
        items=tuple(with_byline(items[place.number], view.byline) for place in places),
        older=older,
        newest=current,
        archive=bool(wanted.page),
        generator=settings.service.name,
        hub_url=None if wanted.page or is_implied(view.id) else hub_url(settings),
    )


def hub_url(settings: Settings) -> str | None:
    """The address of our hub; None while it is off."""
    return f"{settings.service.public_url}/hub" if settings.service.hub else None


def _home(settings: Settings, view: ViewSettings) -> str:
    """The page a person finds behind a merged feed."""
    base, named = settings.service.public_url, quote(view.id, safe="/")
    if not is_implied(view.id):
        return f"{base}/views/{named}"
    kind, _, name = named.partition("/")
    return f"{base}/sources/{name}" if kind == "source" else f"{base}/"


def _rows(
    wanted: _Wanted, page: FeedPage, state: ViewState, old: RenderedRow | None, most: int
) -> RenderedRow:
    fitted = fit(page, FORMATS[wanted.fmt].render, most)
    body = fitted.body
    if fitted.shortened:
        log.warning(
            "a merged feed is too large: its oldest items are summaries",
            view=wanted.view.id, format=wanted.fmt, items=fitted.shortened,
        )  # fmt: skip
    packed = gzip.compress(body, compresslevel=6, mtime=0)
    etag = _etag(body)
    changed = state.changed_at.replace(microsecond=0)
    if old is not None:
        changed = (
            old.last_modified if old.etag == etag else max(changed, old.last_modified + _SECOND)
        )
    return RenderedRow(state.version, body, packed, etag, _etag(packed), changed, page.updated)


def _etag(data: bytes) -> str:
    return f'"{blake2b(data, digest_size=16).hexdigest()}"'
