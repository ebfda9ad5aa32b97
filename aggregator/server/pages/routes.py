"""Pages for people: sources and items with their state and the reasons for it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aggregator.model.item import ServedItem
from aggregator.model.pages import URGENCY, SourceHealth, SourceOverview
from aggregator.model.settings import Settings
from aggregator.rules.select import find_view
from aggregator.server.access.auth import Access, access_of
from aggregator.server.access.visible import visible_part, visible_story
from aggregator.server.backend import Backend
from aggregator.server.pages.chart import draw_days
from aggregator.server.pages.graph import draw
from aggregator.server.pages.layout import page
from aggregator.server.pages.login import ask_for_token, unless_admitted, without_token
from aggregator.server.pages.overrule import form_proof
from aggregator.server.pages.pictures import Pictures
from aggregator.server.pages.river import River
from aggregator.server.pages.status import runs
from aggregator.server.pages.timeline import draw_times

_LARGEST_NUMBER = 2**63 - 1
_ALL_AT_ONCE = 25  # sources: with more of them the start page lists those that need a person
_CALM = frozenset({SourceHealth.OK, SourceHealth.WAITING, SourceHealth.DISABLED})


class PageRoutes:
    """The start page, and the page of each source, item and story."""

    def __init__(
        self,
        backend: Backend,
        settings: Callable[[], Settings],
        river: River,
        pictures: Pictures,
    ) -> None:
        self.backend = backend
        self._pictures = pictures
        self.settings = settings
        self._river = river

    def routes(self) -> list[Route]:
        """The routes, GET and HEAD each."""
        return [
            Route("/", self.start, name="start"),
            Route("/about", self.about, name="about"),
            Route("/sources/{source}", self.source, name="source"),
            Route("/items/{number:int}", self.item, name="item"),
            Route("/stories/{number:int}", self.story, name="story"),
        ]

    async def start(self, request: Request) -> Response:
        """All views and sources; private sources only for a service-wide token."""
        settings = self.settings()
        access = access_of(request, settings)
        if instead := unless_admitted(request, access):
            return instead
        overview = await self.backend.overview(private=access.trusted)
        readable = {v.id for v in settings.views if access.may_read(v)}
        listed = [
            one
            for one in overview.sources
            if sum(overview.states.values()) <= _ALL_AT_ONCE or one.health not in _CALM
        ]
        return page(
            "start.html",
            settings,
            access,
            overview=overview,
            views=overview.views,
            readable=readable,
            guarded={v.id for v in settings.views if v.token is not None},
            sources=sorted(listed, key=_by_urgency),
            hidden=overview.hidden,
            unmet=overview.undelivered if runs(access) else (),
            counts={health: overview.states.get(health, 0) for health in URGENCY},
        )

    async def about(self, request: Request) -> Response:
        """What our feeds contain; the JSON Feed extension names this page."""
        settings = self.settings()
        return page("about.html", settings, access_of(request, settings))

    async def source(self, request: Request) -> Response:
        """One source: state, recent polls, what its related links led to, latest items."""
        settings = self.settings()
        access = access_of(request, settings)
        shown = await self.backend.source_page(request.path_params["source"])
        if shown is None:
            return _missing(request, access, "No source has this address.")
        if not access.may_see(private=shown.source.private, views=shown.views):
            return ask_for_token(request, settings)
        if tidy := without_token(request, access):
            return tidy
        chart = draw_days(shown.days)
        river = find_view(settings, f"source/{shown.source.id}")
        return page(
            "source.html",
            settings,
            access,
            shown=shown,
            source=shown.source,
            chart=chart,
            titles={view.id: view.title for view in settings.views},
            pictured=self._pictures.in_list,
            form_proof=form_proof(access, shown.source.id),
            readable=river is not None and access.may_read(river),
        )

    async def item(self, request: Request) -> Response:
        """One item with its related links, copies, revisions and the decisions about it."""
        settings = self.settings()
        access = access_of(request, settings)
        number = request.path_params["number"]
        shown = await self.backend.item_page(number) if number <= _LARGEST_NUMBER else None
        if shown is None:
            return _missing(request, access, "No item has this number.")
        if not access.may_see(private=shown.private, views=shown.views):
            return ask_for_token(request, settings)
        if tidy := without_token(request, access):
            return tidy
        shown = visible_part(shown, access)
        item = shown.item
        return page(
            "item.html",
            settings,
            access,
            shown=shown,
            item=item,
            beside=await self._river.beside(request, access, number),
            form_proof=form_proof(access, number),
            lead_image=self._pictures.on_page(_lead(item)),
            shown_html=self._pictures.in_text(item.html),
            shown_summary=self._pictures.in_text(item.summary),
            lead_alt=next((p.alt for p in item.pictures if p.url == item.image), None),
            picture=draw(shown.graph) if shown.graph else None,
        )

    async def story(self, request: Request) -> Response:
        """The event that an item is about: its tellings by time, and where copies differ."""
        settings = self.settings()
        access = access_of(request, settings)
        number = request.path_params["number"]
        shown = await self.backend.story_page(number) if number <= _LARGEST_NUMBER else None
        if shown is None:
            return _missing(request, access, "No item has this number.")
        every = {one.number for published in shown.texts for one in published}
        seen = visible_story(shown, access)
        left = {one.number for published in seen.texts for one in published} if seen else set()
        if seen is None or (number in every and number not in left):
            return ask_for_token(request, settings)
        if tidy := without_token(request, access):
            return tidy
        published = [one for group in seen.texts for one in group]
        # What most outlets call it; of those, the first.
        heading = max(seen.texts, key=len)[0].title
        return page(
            "story.html",
            settings,
            access,
            shown=seen,
            heading=heading,
            outlets=len({one.source_id for one in published}),
            timeline=draw_times(published),
        )


def _lead(item: ServedItem) -> str | None:
    """The picture of an item that its text does not show anyway."""
    return item.image if item.image and item.image not in (item.html or "") else None


def _by_urgency(source: SourceOverview) -> tuple[int, str, str]:
    return URGENCY.index(source.health), source.title.casefold(), source.id


def _missing(request: Request, access: Access, message: str) -> Response:
    """404; but 401 for whoever may not know what there is."""
    if not access.unlimited:
        return ask_for_token(request, access.settings)
    raise HTTPException(404, message)
