"""How the service does, as a page: what is wrong first, then charts of the last two days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aggregator.model.pages import URGENCY, OperatorPart, SourceHealth
from aggregator.model.settings import Settings
from aggregator.server.access.auth import Access, access_of
from aggregator.server.backend import Backend
from aggregator.server.pages.bars import draw_bars, hours_down
from aggregator.server.pages.layout import page
from aggregator.server.pages.login import unless_admitted

_LOW_DISK = 1_000_000_000  # bytes: less is free than a busy day may take


class Status:
    """`/status`, guarded as the start page is."""

    def __init__(self, backend: Backend, settings: Callable[[], Settings]) -> None:
        self.backend = backend
        self.settings = settings

    def routes(self) -> list[Route]:
        """The route, GET and HEAD."""
        return [Route("/status", self.status, name="status")]

    async def status(self, request: Request) -> Response:
        """What is wrong, and what was done; of private sources for a service-wide token alone."""
        settings = self.settings()
        access = access_of(request, settings)
        if instead := unless_admitted(request, access):
            return instead
        shown = await self.backend.status_page(private=access.trusted, operator=runs(access))
        hours = shown.hours
        down = hours_down(hours, shown.outages)
        own = shown.operator
        wrong = shown.states.get(SourceHealth.FAILING, 0) + shown.states.get(SourceHealth.GONE, 0)
        return page(
            "status.html",
            settings,
            access,
            shown=shown,
            own=own,
            counts={health: shown.states.get(health, 0) for health in URGENCY},
            failing=shown.states.get(SourceHealth.FAILING, 0),
            gone=shown.states.get(SourceHealth.GONE, 0),
            low_disk=_low_disk(own),
            fine=not (
                shown.trouble or shown.problem or shown.outage_since or wrong or shown.overdue
                or _low_disk(own) or (own and (own.undelivered or own.held))
            ),
            polls=draw_bars([(hour.polls - hour.failed, hour.failed) for hour in hours], down),
            news=draw_bars([(hour.prompt, hour.new_items - hour.prompt) for hour in hours]),
            sizes=draw_bars([(size, 0) for _, size in own.sizes]) if own else None,
            days=[date.fromisoformat(day) for day, _ in own.sizes] if own else [],
            outage=any(down),
        )  # fmt: skip


def runs(access: Access) -> bool:
    """Whether whoever asks runs the service: has its token, or sits at its machine."""
    return access.trusted or (access.admitted and access.settings.service.is_local)


def _low_disk(own: OperatorPart | None) -> bool:
    if own is None or own.free is None:
        return False
    return own.free < max(_LOW_DISK, (own.size or 0) // 4)
