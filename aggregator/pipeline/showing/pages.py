"""What people see: the pages' data, read from the store. Nothing here holds a secret."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from aggregator.identity.changes import changes
from aggregator.model.copies import CopyThresholds
from aggregator.model.errors import StorageTrouble
from aggregator.model.item import ServedItem
from aggregator.model.meanings import PLANNED
from aggregator.model.pages import (
    DecisionLine,
    EntryLine,
    ItemPage,
    Overview,
    ReadyState,
    RevisionLine,
    SourceList,
    SourcePage,
    SourceQuery,
    StatusPage,
    StoryPage,
    ViewOverview,
    ViewPage,
    Wish,
)
from aggregator.model.settings import FullText, Settings, SourceSettings, ViewSettings
from aggregator.model.states import DecisionKind, Role
from aggregator.pipeline import policy
from aggregator.pipeline.budgets import outage
from aggregator.pipeline.configure import EVERYTHING
from aggregator.pipeline.polling.refresh import ask_now
from aggregator.pipeline.showing import (
    counting,
    decisions,
    explain,
    measuring,
    neighbours,
    sources,
    status,
    story,
    tokens,
)
from aggregator.pipeline.showing.asked import Asker
from aggregator.pipeline.showing.views import (
    Publisher,
    parse_place,
    place_token,
    showing,
    showing_now,
    shows_page_text,
)
from aggregator.publish.opml import render_opml
from aggregator.rules.select import find_view, is_implied, view_sources
from aggregator.store import transfer
from aggregator.store.database import Database
from aggregator.store.decisions import overrules
from aggregator.store.following import articles
from aggregator.store.items import items
from aggregator.store.sources import polls, standing, states, turns
from aggregator.store.views import leads, rendered, selections, served
from aggregator.store.views import tokens as stored_tokens
from aggregator.telemetry import metrics
from aggregator.telemetry.clock import Clock

log = structlog.get_logger("aggregator.pipeline")

_PROBLEM = "The changed configuration was refused and the old one stays: the log says why."
_UNWRITABLE = "Storage cannot be written: polling waits. “aggregator status” says why."
_WRONG_CLOCK = "The clock of this machine cannot be right: polling waits. The log says why."
_PAGE = 50
_PLACE = re.compile(r"^\S*:\d+:\d+: (?:[\w.-]+\[\d+\]: )?")
_HOSTS = {
    "same_site": "on the publisher's own site",
    "listed": "on the sites that are listed in the configuration",
    "any": "on any site",
}
_POLLS = 50
_CHART = timedelta(days=14)
_TICK_LATE = 30.0  # seconds


@dataclass(slots=True)
class Condition:
    """How the running process is doing, kept by whoever runs it."""

    role: Role = Role.RUN
    ticked: float | None = None  # `Clock.elapsed` when a look for due sources last went well
    problem: str | None = None  # why a changed configuration was refused
    storage: str | None = None  # why storage cannot be written
    clock: str | None = None  # why the clock cannot be right


class Pages:
    """The server's backend over the store."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        clock: Clock,
        settings: Callable[[], Settings],
        condition: Condition,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._condition = condition
        self.rendered = publisher.rendered
        self.rendered_already = publisher.ready
        asker = Asker(database, settings, policy.SEARCH)
        self.search_feed = asker.feed
        self.search_page = asker.page
        self.delta = publisher.delta

    async def overview(self, *, private: bool) -> Overview:
        """The views, and the sources that need a person first; private ones only when asked for."""
        overview = await self._database.run_read(
            _overview, self._settings(), self._condition.problem, private
        )
        return replace(overview, trouble=self._trouble())

    async def status_page(self, *, private: bool, operator: bool) -> StatusPage:
        """How the service does; what only its operator is told where that is who asks."""
        settings, problem = self._settings(), self._condition.problem
        shown = await self._database.run_read(
            status.status_page, self._database, settings, self._clock.now(),
            private=private, operator=operator,
        )  # fmt: skip
        return replace(shown, trouble=self._trouble(), problem=_refused(settings, problem))

    def _trouble(self) -> tuple[str, ...]:
        """Why nothing is polled."""
        known = ((_UNWRITABLE, self._condition.storage), (_WRONG_CLOCK, self._condition.clock))
        return tuple(said for said, holds in known if holds)

    async def opened_by(self, token: str) -> str | None:
        """The view that a token in the path of a feed opens."""
        return await self._database.run_read(stored_tokens.view_of, tokens.digest(token))

    async def view_page(self, view_id: str, before: str | None) -> ViewPage | None:
        """The latest items of a view, or those before a place."""
        settings = self._settings()
        view = find_view(settings, view_id)
        if view is None or (before and parse_place(before) is None):
            return None
        return await self._database.run_read(_view_page, settings, view, before)

    async def source_list(self, query: SourceQuery, *, private: bool) -> SourceList:
        """The sources asked for, in that order."""
        return await self._database.run_read(
            sources.listed, self._settings(), query, private=private
        )

    async def source_page(self, source_id: str) -> SourcePage | None:
        """One source with its recent polls and items."""
        settings = self._settings()
        source = next((one for one in settings.sources if one.id == source_id), None)
        if source is None:
            return None
        return await self._database.run_read(_source_page, settings, source, self._clock.now())

    async def item_page(self, number: int) -> ItemPage | None:
        """One item with everything decided about it."""
        if not 0 < number < 2**62:
            return None
        return await self._database.run_read(_item_page, self._settings(), number)

    async def story_page(self, number: int) -> StoryPage | None:
        """The event that an item is about, with all its tellings."""
        if not 0 < number < 2**62:
            return None
        return await self._database.run_read(story.story_page, self._settings(), number)

    async def split(self, number: int) -> str | None:
        """Take an item out of its copy group, for good."""
        return await self._overrule(decisions.split, number, self._settings().dedup.copies)

    async def merge(self, number: int, other: int) -> str | None:
        """Make two items copies of each other, for good."""
        return await self._overrule(decisions.merge, (number, other))

    async def poll_now(self, source_id: str) -> Wish | None:
        """Let a source be polled at the next tick, as far as its host allows."""
        settings = self._settings()
        source = next((one for one in settings.sources if one.id == source_id), None)
        if source is None:
            return None

        def ask(connection: Connection) -> Wish | None:
            transfer.check_usable(connection)
            return ask_now(connection, source, settings, self._clock.now())

        return await self._database.run_write(ask)

    async def _overrule(
        self, verb: Callable[..., str], what: object, *policy: CopyThresholds
    ) -> str | None:
        def decide(connection: Connection) -> str:
            transfer.check_usable(connection)
            return verb(connection, what, self._clock.now(), *policy)

        try:
            return await self._database.run_write(decide)
        except LookupError:
            return None

    async def opml(self, *, private: bool) -> bytes:
        """The sources as OPML, never with a secret."""
        settings = self._settings()
        shown = tuple(one for one in settings.sources if private or not one.private)
        known = await self._database.run_read(states.feed_states)
        return render_opml(
            shown,
            settings.service.name,
            titles={state.source_id: state.title for state in known if state.title},
            sites={state.source_id: state.link for state in known if state.link},
        )

    async def ready(self) -> ReadyState:
        """Whether the database can be read and written, the clock can be right, and polls run."""
        checks: list[tuple[str, bool, str]] = []
        reachable: tuple[tuple[str, bool, str], ...] = ()
        try:
            await transfer.probe(self._database, self._clock.now().isoformat())
            await self._database.run_read(rendered.any_view)
            reachable = await self._network()
            checks.append(("database", True, "answers"))
            if self._condition.role is Role.SERVE:  # nobody else here finds out
                self._condition.storage = None
        except StorageTrouble as error:
            self._condition.storage = str(error)
            checks.append(("database", False, "cannot be read or written"))
        except Exception:
            log.exception("the check of the database failed inside")
            checks.append(("database", False, "cannot be read or written"))
        if self._condition.clock:
            checks.append(("clock", False, "cannot be right"))
        if self._condition.role is Role.WORKER and self._condition.storage:
            checks.append(("queue", False, "work waits for the database"))
        if self._condition.role in (Role.RUN, Role.SCHEDULE):
            ticked = self._condition.ticked
            checks.append(_ticks(ticked is None or self._clock.elapsed() - ticked > _TICK_LATE))
        return ReadyState(all(fine for _, fine, _ in checks), (*checks, *reachable))

    async def _network(self) -> tuple[tuple[str, bool, str], ...]:
        """Whether our own network is there, as far as the database can tell."""
        since = await self._database.run_read(outage.since)
        said = f"down since {since:%Y-%m-%d %H:%M} UTC" if since else "no outage of ours is known"
        found = (("network", since is None, said),)
        if self._condition.role is not Role.SERVE:
            return found
        # Told, and no reason to send readers to another server: all are alike in it.
        last = await self._database.run_read(turns.last)
        late = last is None or self._clock.now() - last > timedelta(seconds=_TICK_LATE)
        return (*found, _ticks(late))

    async def metrics(self) -> tuple[bytes, str]:
        """Metrics in the Prometheus text format."""
        with suppress(StorageTrouble):  # the rest is still told
            await self._measure()
        return metrics.exposition(), "text/plain; version=0.0.4; charset=utf-8"

    async def _measure(self) -> None:
        await self._database.run_read(measuring.measure, self._clock.now())


def _ticks(late: bool) -> tuple[str, bool, str]:
    return ("scheduler", not late, "has not ticked lately" if late else "ticks")


def _overview(
    connection: Connection, settings: Settings, problem: str | None, private: bool
) -> Overview:
    guarded = settings.service.token is not None  # else anybody reads this
    told = guarded or settings.service.is_local
    return Overview(
        views=tuple(_view_overview(connection, settings, view) for view in settings.views),
        sources=sources.urgent(connection, settings, private=private),
        states=standing.states(connection, private=private),
        hidden=0 if private else standing.hidden(connection),
        items=counting.of_all(connection, private=guarded),
        problem=_refused(settings, problem),
        undelivered=status.undelivered(connection, settings),
        warnings=_grouped(settings.warnings) if told else _counted(settings.warnings),
        outage_since=outage.since(connection),
    )


def _refused(settings: Settings, problem: str | None) -> str | None:
    """Why a changed configuration was refused: in full for who may know what stands in it."""
    told = settings.service.token is not None or settings.service.is_local
    return problem if told or problem is None else _PROBLEM


def _counted(warnings: Sequence[str]) -> tuple[str, ...]:
    """On a page that anybody reads, warnings name no source and no file."""
    if not warnings:
        return ()
    some = "a warning" if len(warnings) == 1 else f"{len(warnings)} warnings"
    return (f"The configuration has {some}: “aggregator check” lists them.",)


def _grouped(warnings: Sequence[str]) -> tuple[str, ...]:
    """Warnings for the start page: each kind once, at its first place, with how often it holds."""
    first: dict[str, str] = {}
    counts = Counter(_PLACE.sub("", warning) for warning in warnings)
    for warning in warnings:
        first.setdefault(_PLACE.sub("", warning), warning)
    return tuple(
        whole if counts[text] == 1 else f"{whole} (and {counts[text] - 1} more like it)"
        for text, whole in first.items()
    )


def _view_overview(connection: Connection, settings: Settings, view: ViewSettings) -> ViewOverview:
    state = rendered.view_state(connection, view.id)
    return ViewOverview(
        id=view.id,
        title=view.title,
        description=view.description,
        items=counting.of_view(connection, view, settings),
        updated=state.changed_at if state else None,
    )


def _view_page(
    connection: Connection, settings: Settings, view: ViewSettings, before: str | None
) -> ViewPage | None:
    chosen = showing_now(connection, view, settings)
    unasked = rendered.view_state(connection, EVERYTHING.id) if is_implied(view.id) else None
    if chosen is None and unasked is not None:  # nobody has asked for its feed yet
        chosen = showing(view, settings, unasked.changed_at)
    if chosen is None:
        return None
    start = parse_place(before) if before else None
    places = (
        leads.newest(connection, chosen, _PAGE + 1)
        if start is None
        else leads.before(connection, chosen, start, _PAGE + 1)
    )
    shown = places[:_PAGE]
    numbers = [place.number for place in shown]
    found = leads.with_company(
        connection,
        served.served_items(connection, numbers, page_text=shows_page_text(view, settings)),
        chosen.selection.private_scopes,
        chosen,
    )
    about = _view_overview(connection, settings, view)
    if about.updated is None and unasked is not None:
        number = leads.some(connection, chosen)
        about = replace(about, items=number, updated=unasked.changed_at)
    return ViewPage(
        view=about,
        items=tuple(found[place.number] for place in shown),
        older=place_token(shown[-1]) if len(places) > _PAGE else None,
        first=start is None,
    )


def _source_page(
    connection: Connection, settings: Settings, source: SourceSettings, now: datetime
) -> SourcePage:
    state = states.feed_state(connection, source.id)
    scopes = (source.id,) if source.private else ()
    places = selections.newest(connection, selections.Selection((source.id,), scopes), _PAGE)
    found = served.served_items(connection, [place.number for place in places])
    count = counting.of_source(connection, source.id)
    why = explain.reasons(connection, settings, source, now, 0)
    brief = polls.polls_in_brief(connection, source.id, now - _CHART)
    return SourcePage(
        floors=tuple(
            (one.until, PLANNED[one.name]) for one in (why.plan.floors if why and why.plan else ())
        ),
        days=tuple(explain.activity(brief, now)),
        source=sources.overview(source, state, count),
        polls=tuple(polls.polls_of(connection, source.id, _POLLS)),
        items=tuple(found[place.number] for place in places),
        related=neighbours.link_counts(connection, source.id),
        views=_showing(settings, [source.id]),
        notes=(why.notes if why else ())
        + _following_notes(settings, source)
        + _privacy_notes(connection, source),
    )


def _privacy_notes(connection: Connection, source: SourceSettings) -> tuple[str, ...]:
    kept = 0 if source.private else states.kept_private(connection, source.id)
    if not kept:
        return ()
    return (
        f"This source was private: {kept} items of that time stay private until "
        f"“aggregator open {source.id}” shows them to everybody.",
    )


def _following_notes(settings: Settings, source: SourceSettings) -> tuple[str, ...]:
    if not source.follow.enabled and source.full_text is FullText.NEVER:
        return ()
    if settings.service.contact is None:
        return (
            "No page is read and no related link followed: service.contact is not set. Publishers "
            "must be able to reach whoever reads their pages; set it to a web or mail address.",
        )
    policy = source.follow
    if not policy.enabled:
        which = "whose text the feed cuts short" if source.full_text is not FullText.ALWAYS else ""
        return (f"The pages of its items {which}".rstrip() + " are read for their whole text.",)
    return (
        f"Related links are followed {_HOSTS[policy.hosts]}: at most {policy.links_per_article} of "
        f"an article, {_links(policy.depth)} from the feed, and "
        f"{policy.pages_per_host_and_day} pages of a host and day.",
    )


def _links(count: int) -> str:
    return "one link" if count == 1 else f"up to {count} links"


def _title(connection: Connection, settings: Settings, source_id: str) -> str:
    """What a person calls a source: its title, else what its feed calls itself, else its id."""
    configured = next((one.title for one in settings.sources if one.id == source_id), None)
    if configured:
        return configured
    state = states.feed_state(connection, source_id)
    return (state.title if state else None) or source_id


def _item_page(connection: Connection, settings: Settings, number: int) -> ItemPage | None:
    item = served.served_items(connection, [number]).get(number)
    scope = items.scope_of(connection, number)
    if item is None or scope is None:
        return None
    private = {one.id for one in settings.sources if one.private}
    entries = items.entries_of(connection, number)
    visible = [one for one in entries if not scope or one.source_id == scope]
    names = {one.source_id for one in visible}
    titles = {name: _title(connection, settings, name) for name in names}
    full = served.served_items(connection, [number], page_text=True)[number]
    beside = leads.with_company(connection, {number: item}, (scope,) if scope else ())[number]
    item, full = beside, replace(full, copies=beside.copies)
    article = articles.article(connection, number)
    decided = decisions.decisions(connection, number, settings.dedup.copies)
    return ItemPage(
        item=item,
        private=bool(scope),
        views=_showing(settings, [one.source_id for one in entries]),
        entries=tuple(
            EntryLine(
                source_id=one.source_id,
                source_title=titles.get(one.source_id, one.source_id),
                link=one.link,
                key=one.guid or one.key,
                first_seen=one.first_seen,
                last_seen=one.last_seen,
                private=one.source_id in private,
            )
            for one in visible
        ),
        related=neighbours.related_lines(connection, number, scope),
        coverage=leads.coverage(connection, number, (scope,) if scope else ()),
        provenance=neighbours.provenance(connection, number),
        withdrawal=neighbours.withdrawal(item),
        image_caption=article.caption if article else None,
        image_credit=article.credit if article else None,
        outlet=_outlet(article, item.source.title),
        editor=article.editor if article else None,
        graph=neighbours.neighbourhood(
            connection, number, item, scope, overrules.members_of(connection, number)
        ),
        full=full if full != item else None,
        revisions=_revisions(items.revisions_of(connection, number), full),
        has_copies=len(overrules.members_of(connection, number)) > 1,
        decisions=neighbours.telling_pages(connection, number, (*decided, *_same(visible, titles))),
    )


def _outlet(article: articles.ArticleRow | None, source: str) -> str | None:
    """Whom the page names as its source or publisher, where it is not the feed's title again."""
    named = (article.source_line or article.publisher) if article else None
    return named if named and named.casefold() != source.casefold() else None


def _same(entries: Sequence[items.EntryRow], titles: Mapping[str, str]) -> tuple[DecisionLine, ...]:
    """Why one item has entries of several sources."""
    return tuple(
        DecisionLine(
            kind=DecisionKind.SAME,
            why="Another source has it at the same address, with a text that agrees.",
            at=one.first_seen,
            other_title=f"{titles.get(one.source_id, one.source_id)}: {one.title or ''}".rstrip(
                ": "
            ),
        )
        for one in entries[1:]
    )


def _revisions(rows: Sequence[items.RevisionRow], item: ServedItem) -> tuple[RevisionLine, ...]:
    """Each earlier state with what the next one changed in headline and text, by words."""
    states = [(row.title, row.text) for row in rows] + [(item.title, item.text)]
    texts = [f"{title or ''}\n{text or ''}" for title, text in states]
    return tuple(
        RevisionLine(row.number, row.at, row.title or "", changes(texts[i], texts[i + 1]))
        for i, row in enumerate(rows)
    )


def _showing(settings: Settings, source_ids: Sequence[str]) -> tuple[str, ...]:
    wanted = set(source_ids)
    return tuple(
        view.id
        for view in settings.views
        if wanted.intersection(view_sources(view, settings.sources))
    )
