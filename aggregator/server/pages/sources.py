"""The list of all sources: narrowed, sorted and grouped, a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aggregator.model.meanings import HEALTH
from aggregator.model.pages import (
    URGENCY,
    SourceHealth,
    SourceOrder,
    SourceOverview,
    SourceQuery,
)
from aggregator.model.settings import Settings
from aggregator.server.access.auth import Access, access_of
from aggregator.server.backend import Backend
from aggregator.server.pages.layout import page
from aggregator.server.pages.login import unless_admitted
from aggregator.server.pages.spark import draw_polls

_PAGE = 50  # sources; they stay under 100 KB
_TAGS = 100  # offered
_LONGEST = 200  # characters of what is asked for
_ORDERS = {
    SourceOrder.TAG: "by tag",
    SourceOrder.TITLE: "by title",
    SourceOrder.URGENCY: "what is wrong first",
    SourceOrder.NEXT: "by next poll",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Sources under one heading; none where they are not grouped."""

    heading: str | None
    sources: tuple[SourceOverview, ...]


class Sources:
    """`/sources`, by `?tag=`, `?state=`, `?q=`, `?sort=` and `?after=`."""

    def __init__(self, backend: Backend, settings: Callable[[], Settings]) -> None:
        self.backend = backend
        self.settings = settings
        self._counted: tuple[Settings, dict[bool, Counter[str]]] | None = None

    def routes(self) -> list[Route]:
        """The route, GET and HEAD."""
        return [Route("/sources", self.sources, name="sources")]

    async def sources(self, request: Request) -> Response:
        """The sources asked for; private ones only for a service-wide token."""
        settings = self.settings()
        access = access_of(request, settings)
        if instead := unless_admitted(request, access):
            return instead
        asked = _asked(request)
        found = await self.backend.source_list(asked, private=access.trusted)
        tags = self._tags(settings, access)
        offered = [tag for tag, _ in tags.most_common(_TAGS)]
        if asked.tag and asked.tag not in offered:
            offered.append(asked.tag)
        return page(
            "sources.html",
            settings,
            access,
            groups=_groups(found.sources, asked),
            sparks={one.id: draw_polls(one.last_polls) for one in found.sources},
            counts={health: found.states.get(health, 0) for health in URGENCY},
            asked=asked,
            orders=_ORDERS,
            states={one: HEALTH[one] for one in URGENCY},
            tags={tag: tags[tag] for tag in sorted(offered, key=str.casefold)},
            narrowed=bool(asked.states or asked.tag or asked.text),
            everything=f"?sort={asked.order}",
            more=_address(replace(asked, after=found.after)) if found.after else None,
            newest=_address(replace(asked, after="")) if asked.after else None,
        )

    def _tags(self, settings: Settings, access: Access) -> Counter[str]:
        """How many sources have each tag, of those that may be seen."""
        if self._counted is None or self._counted[0] is not settings:
            self._counted = (settings, {})
        known = self._counted[1]
        if access.trusted not in known:
            known[access.trusted] = Counter(
                tag
                for source in settings.sources
                if access.trusted or not source.private
                for tag in source.tags
            )
        return known[access.trusted]


def _asked(request: Request) -> SourceQuery:
    """What the address asks for. Raises 404 for a state or an order that there is not."""
    given = {
        name: request.query_params.get(name, "").strip()[:_LONGEST]
        for name in ("after", "state", "tag", "q", "sort")
    }
    if given["state"] and given["state"] not in list(SourceHealth):
        raise HTTPException(404, "No source is ever in this state.")
    order = given["sort"] or SourceOrder.TAG
    if order not in _ORDERS:
        raise HTTPException(404, "Sources are not sorted by this.")
    return SourceQuery(
        after=given["after"],
        states=(SourceHealth(given["state"]),) if given["state"] else (),
        tag=given["tag"] or None,
        text=given["q"],
        order=SourceOrder(order),
        limit=_PAGE,
    )


def _address(asked: SourceQuery) -> str:
    """The query string of a page of sources."""
    said = {
        "sort": asked.order.value,
        "state": asked.states[0].value if asked.states else "",
        "tag": asked.tag or "",
        "q": asked.text,
        "after": asked.after,
    }
    return "?" + urlencode({name: value for name, value in said.items() if value})


def _groups(sources: tuple[SourceOverview, ...], asked: SourceQuery) -> list[Group]:
    if asked.order is not SourceOrder.TAG:
        return [Group(None, sources)] if sources else []
    by_tag = groupby(sources, key=lambda one: one.tags[0] if one.tags else None)
    return [Group(tag or "No tag", tuple(some)) for tag, some in by_tag]
