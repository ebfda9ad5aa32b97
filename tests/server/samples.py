"""A backend with sample data: everything the routes can show, without a database."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from aggregator.model.feed import Enclosure
from aggregator.model.http import Timing
from aggregator.model.item import CopyRef, FeedPage, PollRecord, RelatedRef, ServedItem, SourceRef
from aggregator.model.pages import (
    Asked,
    DecisionLine,
    Delta,
    EntryLine,
    GraphNode,
    HealthLine,
    HeldHost,
    HourOfWork,
    ItemPage,
    Neighbourhood,
    OperatorPart,
    Overview,
    PollMark,
    Publication,
    ReadyState,
    RelatedLine,
    Rendered,
    RevisionLine,
    SearchPage,
    SourceHealth,
    SourceList,
    SourceOverview,
    SourcePage,
    SourceQuery,
    StatusPage,
    StoryPage,
    Undelivered,
    ViewOverview,
    ViewPage,
    Wish,
)
from aggregator.model.settings import Secret, ServiceSettings, Settings, ViewSettings
from aggregator.model.states import DecisionKind, PushKind, PushState
from aggregator.publish.formats import FORMATS

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CHANGED = NOON + timedelta(minutes=3)
PRIVATE_ITEM = 90


PARKED = Undelivered(
    PushKind.WEBHOOK, "desk", "The desk", "hooks.example", PushState.PARKED, 16,
    "the server answered 500", CHANGED,
)  # fmt: skip


def settings_of(
    *,
    token: str | None = None,
    admin: str | None = None,
    desk_token: str | None = None,
    base_url: str = "http://news.example",
) -> Settings:
    """Two views: `all`, and `desk` which may have a token of its own."""
    return Settings(
        service=ServiceSettings(
            name="Harbour Desk",
            base_url=base_url,
            token=Secret(token) if token else None,
            admin_token=Secret(admin) if admin else None,
        ),
        views=(
            ViewSettings(id="all", title="Everything"),
            ViewSettings(
                id="desk",
                title="The desk",
                description="Transport and weather, for the morning meeting",
                token=Secret(desk_token) if desk_token else None,
            ),
        ),
    )


_TITLES = (
    ("Ferry service to the outer islands resumes after the storm", "en", "Harbour Post"),
    ("Hafenverwaltung stellt Pläne für neuen Kai vor", "de", "Küstenblatt"),
    ("渡轮服务在风暴后恢复，首班船清晨启航", "zh", "港口日报"),
    ("عودة العبارات إلى العمل بعد العاصفة", "ar", "صحيفة الميناء"),
    ("Council votes on a bridge that nobody asked for", "en", "Harbour Post"),
    ("Tide tables for March", "en", "Met Office of the Bay"),
)


def served(number: int, **changes: object) -> ServedItem:
    """One of a handful of items in several scripts."""
    title, language, source = _TITLES[(number - 1) % len(_TITLES)]
    seen = NOON - timedelta(minutes=37 * number)
    made = ServedItem(
        number=number,
        public_id=f"https://harbour.example/2026/{number}",
        title=title,
        link=f"https://harbour.example/2026/{number}",
        html="<p>The first ferry left at six in the morning with forty passengers on board, two "
        "hours before the harbour office had promised. <b>Nobody complained.</b></p>"
        "<p>The storm had closed the line for three days. Supplies on the outer islands were "
        "running low, the island council said.</p>",
        summary=None,
        text="The first ferry left at six in the morning with forty passengers on board, two "
        "hours before the harbour office had promised. Nobody complained.",
        author="Ada Boatwright" if number % 2 else None,
        published=seen,
        updated=seen,
        first_seen=seen,
        sort_at=seen,
        source=SourceRef("harbour", source, "https://harbour.example/", "tag:h", None, seen),
        language=language,
        categories=("Transport", "Sea"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def full(number: int = 1) -> ServedItem:
    """An item with copies, files, comments and a revision."""
    return served(
        number,
        updated=CHANGED,
        revision=1,
        copies=(
            CopyRef("https://gull.example/x", "Gull Daily", "Ferries run again", NOON),
            CopyRef("https://wire.example/y", "Coast Wire", None, None),
        ),
        related=(RelatedRef("https://harbour.example/2026/0", "Storm stops all ferries"),),
        enclosures=(Enclosure("https://harbour.example/a.mp3", "audio/mpeg", 4_200_000),),
        comments="https://harbour.example/2026/1/comments",
    )


def sources() -> tuple[SourceOverview, ...]:
    """One source in each state, and a private one."""

    def one(id_: str, title: str, health: SourceHealth, **more: object) -> SourceOverview:
        made = SourceOverview(
            id=id_,
            title=title,
            health=health,
            link=f"https://{id_}.example/",
            feed_url=f"https://{id_}.example/feed",
            tags=("transport",),
            items=1204,
            last_polled_at=NOON,
            last_success_at=NOON,
            next_poll_at=NOON + timedelta(minutes=47),
            next_reason="rate",
            rhythm=9.2,
        )
        return replace(made, **more)  # type: ignore[arg-type]

    return (
        one("harbour", "Harbour Post", SourceHealth.OK, tags=("transport", "sea", "local")),
        one("kueste", "Küstenblatt", SourceHealth.OK),
        one("wire", "Coast Wire", SourceHealth.WAITING, last_polled_at=None, items=0, tags=()),
        one(
            "bay",
            "Met Office of the Bay",
            SourceHealth.FAILING,
            failures=4,
            status=503,
            error="the server answered 503 and asked to come back after 30 minutes",
            outcome="http",
            next_reason="error_backoff",
        ),
        one("old", "The Old Chronicle", SourceHealth.GONE, status=410, next_poll_at=None),
        one("off", "Switched off", SourceHealth.DISABLED, next_poll_at=None),
        one("letters", "Members' Letters", SourceHealth.OK, private=True, feed_url=None),
    )


def _marks(source: SourceOverview) -> Iterator[PollMark]:
    if source.last_polled_at is not None:
        for back in range(30, 0, -1):
            failed = source.failures >= back
            yield PollMark(NOON - timedelta(hours=back), failed, 0 if failed else back % 4)


def told(number: int, source: str, **more: object) -> Publication:
    """One item of a story."""
    made = Publication(
        number, source, "Harbour Post", "Ferries run again", "https://harbour.example/1",
        NOON - timedelta(hours=3), "en", views=("all",), teaser="The first ferry left at six.",
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def rendered_of(fmt: str, items: tuple[ServedItem, ...], page: str | None) -> Rendered:
    """A document rendered by the real renderers."""
    base = "http://news.example/feeds/all"
    query = f"?page={page}" if page else ""
    document = FORMATS[fmt].render(
        FeedPage(
            view_id="all",
            view_title="Everything",
            description=None,
            feed_id="tag:news.example,2026:view:all",
            self_urls={f: f"{base}.{f}{query}" for f in FORMATS},
            home_url="http://news.example/views/all",
            updated=CHANGED,
            items=items,
            archive=page is not None,
        )
    )
    packed = gzip.compress(document, mtime=0)
    return Rendered(
        body=document,
        gzip=packed,
        etag=f'"{hashlib.sha256(document).hexdigest()[:32]}"',
        gzip_etag=f'"{hashlib.sha256(packed).hexdigest()[:32]}"',
        last_modified=CHANGED,
        content_type=FORMATS[fmt].content_type,
    )


@dataclass
class SampleBackend:
    """The protocol of `server.backend` over the samples; `broken` makes it raise."""

    broken: bool = False
    is_ready: bool = True
    problem: str | None = None
    overruled: list[tuple[str | int, ...]] = field(default_factory=list)
    items: tuple[ServedItem, ...] = field(
        default_factory=lambda: (full(1), *(served(n) for n in range(2, 13)))
    )

    memory: dict[tuple[str, str], Rendered] = field(default_factory=dict)  # as if in memory
    asked: list[str] = field(default_factory=list)  # documents that were not taken from there

    def in_memory(self) -> SampleBackend:
        """The same with the current documents in memory."""
        every = ((view, fmt) for view in ("all", "desk") for fmt in FORMATS)
        memory = {(view, fmt): rendered_of(fmt, self.items, None) for view, fmt in every}
        return replace(self, memory=memory)

    def _check(self) -> None:
        if self.broken:
            raise RuntimeError("the database is away: secret detail")

    async def rendered(self, view_id: str, fmt: str, page: str | None) -> Rendered | None:
        self._check()
        self.asked.append(f"{view_id}.{fmt}")
        if view_id not in ("all", "desk") or page not in (None, "old"):
            return None
        return rendered_of(fmt, self.items, page)

    def rendered_already(self, view_id: str, fmt: str) -> Rendered | None:
        return self.memory.get((view_id, fmt))

    async def search_feed(self, asked: Asked, fmt: str, page: str | None) -> Rendered | None:
        return await self.rendered("all", fmt, page)

    async def search_page(self, asked: Asked, before: str | None) -> SearchPage | None:
        shown = await self.view_page("all", before)
        return SearchPage(shown.items, shown.older, shown.first) if shown else None

    async def overview(self, *, private: bool) -> Overview:
        self._check()
        seen = [one for one in sources() if private or not one.private]
        return Overview(
            views=(
                ViewOverview("all", "Everything", None, 1204, CHANGED),
                ViewOverview("desk", "The desk", "Transport and weather", 87, CHANGED),
            ),
            sources=tuple(seen),
            states=Counter(one.health for one in seen),
            hidden=len(sources()) - len(seen),
            items=12040,
            problem=self.problem,
            undelivered=(PARKED,),
        )

    async def status_page(self, *, private: bool, operator: bool) -> StatusPage:
        seen = [one for one in sources() if private or not one.private]
        return StatusPage(
            now=NOON,
            problem=self.problem,
            states=Counter(one.health for one in seen),
            overdue=3,
            items=12040,
            hours=tuple(
                HourOfWork(NOON - timedelta(hours=back), 90 + back, back % 7, back % 5, back % 3)
                for back in range(47, -1, -1)
            ),
            counted_at=NOON,
            outages=((NOON - timedelta(hours=7), NOON - timedelta(hours=5)),),
            events=(
                HealthLine(NOON, "it cannot be read any more", False, "bay", "Met Office", "503"),
                HealthLine(NOON, "our own network is there again", True),
            ),
            operator=OperatorPart(
                undelivered=(PARKED,),
                held=(HeldHost("bay.example", CHANGED, "the server asked to come back then"),),
                per_hour=118.4, cap=500, slowdown=1.5, in_flight=3, most_in_flight=20,
                size=734_003_200, free=41_000_000_000,
                sizes=tuple((f"2026-02-{day:02}", 20_000_000 * day) for day in range(1, 29)),
                pages=(("harbour.example", 37),),
            )
            if operator
            else None,
        )  # fmt: skip

    async def delta(self, view_id: str, fmt: str, tags: Collection[str]) -> Delta | None:
        whole = rendered_of(fmt, self.items, None)
        if '"an-old-version"' not in tags:
            return None
        new = rendered_of(fmt, self.items[:1], None).body
        return Delta(new, whole.etag, whole.gzip_etag, whole.last_modified)

    async def opened_by(self, token: str) -> str | None:
        return {"path-token-of-the-desk": "desk"}.get(token)

    async def view_page(self, view_id: str, before: str | None) -> ViewPage | None:
        if before not in (None, "a b"):
            return None
        return ViewPage(
            ViewOverview(view_id, "Everything", "All sources, merged", 1204, CHANGED),
            self.items,
            older=None if before else "a b",
            first=before is None,
        )

    async def source_list(self, query: SourceQuery, *, private: bool) -> SourceList:
        seen = [one for one in sources() if private or not one.private]
        shown = [
            replace(one, last_polls=tuple(_marks(one)))
            for one in sorted(seen, key=lambda one: one.id)
            if one.id > query.after
            and (not query.states or one.health in query.states)
            and (query.tag is None or query.tag in one.tags)
            and query.text.lower() in one.title.lower()
        ]
        last = shown[3].id if len(shown) > 4 else None
        return SourceList(tuple(shown[:4]), Counter(one.health for one in seen), last)

    async def source_page(self, source_id: str) -> SourcePage | None:
        found = next((s for s in sources() if s.id == source_id), None)
        if found is None:
            return None
        failed = found.health is SourceHealth.FAILING
        polls = tuple(
            PollRecord(
                source_id,
                NOON - timedelta(hours=n),
                503 if failed else 304 if n % 2 else 200,
                "http_503" if failed else "not_modified" if n % 2 else "new",
                found.error,
                wire_bytes=0 if n % 2 else 48_213,
                timing=Timing(),
                new_items=0 if n % 2 or failed else 3,
                next_at=NOON + timedelta(hours=1 - n),
                reason="rate",
            )
            for n in range(6)
        )
        return SourcePage(
            found,
            polls,
            self.items[:3],
            related={"found": 120, "followed": 31, "known": 44, "refused: robots": 3},
            views=("desk",) if found.private else ("all", "desk"),
            notes=("Ids of this source changed on 2026-02-11; 240 items were recognised by link.",),
        )

    async def poll_now(self, source_id: str) -> Wish | None:
        found = next((s for s in sources() if s.id == source_id), None)
        if found is None or found.health is SourceHealth.DISABLED:
            return None
        self.overruled.append(("poll", source_id))
        return Wish("It is polled within seconds.", NOON)

    async def split(self, number: int) -> str | None:
        return self._overrule("split", number)

    async def merge(self, number: int, other: int) -> str | None:
        return self._overrule("merge", number, other)

    def _overrule(self, *what: str | int) -> str | None:
        if not all(any(i.number == n for i in self.items) for n in what[1:]):
            return None
        self.overruled.append(what)
        return "done"

    async def item_page(self, number: int) -> ItemPage | None:
        if number == PRIVATE_ITEM:
            return ItemPage(served(number, title="A members' letter"), True, ("desk",))
        item = next((i for i in self.items if i.number == number), None)
        if item is None:
            return None
        return ItemPage(
            item,
            views=("all",),
            provenance="Found under “Related News” of “Storm stops all ferries”, one link deep.",
            entries=(
                EntryLine("harbour", "Harbour Post", item.link, "guid:1", NOON, CHANGED),
                EntryLine("letters", "Members' Letters", None, "guid:9", NOON, NOON, private=True),
            ),
            related=(
                RelatedLine(
                    "https://harbour.example/2026/2",
                    "Storm stops all ferries",
                    "followed",
                    "Related News",
                    1,
                    None,
                    2,
                ),
                RelatedLine(
                    "https://other.example/x",
                    "A view from the mainland",
                    "refused",
                    "Related News",
                    2,
                    "another site, and the policy is same_site",
                ),
            ),
            revisions=(
                RevisionLine(
                    1,
                    NOON,
                    "Ferry service to resume",
                    (("=", "The first ferry left at"), ("-", "seven"), ("+", "six"), ("=", ".")),
                ),
            ),
            has_copies=True,
            decisions=(
                DecisionLine(
                    DecisionKind.COPY,
                    "The texts share 94 % of their passages and all numbers agree",
                    NOON,
                    "Ferries run again",
                    2,
                    (("Containment", "0.94"), ("Numbers", "6 of 6")),
                    ("The first ferry left at six in the morning with forty passengers",),
                ),
                DecisionLine(
                    DecisionKind.APART, "secret reason", other_title="A letter", private=True
                ),
            ),
            graph=Neighbourhood(
                (
                    GraphNode("me", item.title, "self", item.number),
                    GraphNode("a", "Storm stops all ferries", "related", 2),
                    GraphNode("b", "Ferries run again", "copy", 3),
                    GraphNode("c", "Council votes on a bridge that nobody asked for", "related", 5),
                    GraphNode("p", "A private neighbour", "related", PRIVATE_ITEM, private=True),
                ),
                (
                    ("me", "a", "related"),
                    ("me", "b", "copy"),
                    ("a", "c", "related"),
                    ("me", "p", "related"),
                ),
            ),
        )

    async def story_page(self, number: int) -> StoryPage | None:
        if number == PRIVATE_ITEM:
            return StoryPage(number, ((told(number, "letters", private=True, views=("desk",)),),))
        if not any(item.number == number for item in self.items):
            return None
        copy = told(
            3, "gull", source_title="Gull Daily", at=NOON, compared_to=1,
            changes=(("=", "Ferries run "), ("-", "at six"), ("+", "at seven"), ("=", " …")),
        )  # fmt: skip
        letter = told(PRIVATE_ITEM, "letters", private=True, views=("desk",), at=CHANGED)
        return StoryPage(
            number,
            (
                (told(1, "harbour", updates=(CHANGED,)), copy),
                (told(4, "arab", title="عودة العبارات إلى العمل", language="ar", at=CHANGED),),
                (letter,),
            ),
        )

    async def opml(self, *, private: bool) -> bytes:
        shown = [s.id for s in sources() if private or not s.private]
        return f"<opml version='2.0'><!-- {' '.join(shown)} --></opml>".encode()

    async def ready(self) -> ReadyState:
        return ReadyState(self.is_ready, (("database", self.is_ready, "answers"),))

    async def metrics(self) -> tuple[bytes, str]:
        return b"aggregator_up 1\n", "text/plain; version=0.0.4; charset=utf-8"
