"""One claimed source is polled, wherever: in the service's own process, or in a worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog

from aggregator.model.errors import StorageTrouble
from aggregator.model.item import FeedState, PollRecord
from aggregator.model.settings import Settings, SourceSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.poll import poll_source
from aggregator.pipeline.secrets import hide
from aggregator.store.sources import claims
from aggregator.telemetry import metrics

log = structlog.get_logger("aggregator.work")

_BACK_OFF = timedelta(minutes=5)  # after an error of ours


class Polls:
    """Polls claimed sources; leases that could not be given back are kept until they can."""

    def __init__(self, parts: Parts, trouble: Callable[[StorageTrouble], None]) -> None:
        """`trouble` is told when nothing can be stored."""
        self._parts = parts
        self._trouble = trouble
        self._left: list[claims.Claim] = []
        self._known: tuple[Settings, dict[str, SourceSettings]] | None = None

    async def poll(self, claim: claims.Claim, state: FeedState | None = None) -> None:
        """Poll a source that was claimed; one that is not configured here is given back."""
        source = self._source(claim.source_id)
        if source is None or not source.enabled:
            await self._parts.database.run_write(claims.release, claim)
            return
        with metrics.POLL_SECONDS.time():
            try:
                await poll_guarded(self._parts, source, claim, state)
            except StorageTrouble as error:
                self._left.append(claim)
                self._trouble(error)

    def _source(self, source_id: str) -> SourceSettings | None:
        settings = self._parts.settings
        if self._known is None or self._known[0] is not settings:
            self._known = settings, {source.id: source for source in settings.sources}
        return self._known[1].get(source_id)

    async def give_back(self) -> None:
        """Give back the leases of polls that could not be stored.

        Raises StorageTrouble as long as that cannot be done.
        """
        while self._left:
            claim = self._left.pop()  # others may be giving back at the same time
            try:
                await self._parts.database.run_write(claims.release, claim)
            except StorageTrouble:
                self._left.append(claim)
                raise


async def poll_guarded(
    parts: Parts, source: SourceSettings, claim: claims.Claim, state: FeedState | None = None
) -> PollRecord | None:
    """Poll a source; an error of ours is logged whole and the source tried again later.

    Raises StorageTrouble when nothing can be stored.
    """
    try:
        return await poll_source(parts, source, claim, state)
    except StorageTrouble:
        raise
    except Exception as error:
        log.exception("polling failed inside", source=source.id)
        later = parts.clock.now() + _BACK_OFF
        await parts.database.run_write(
            claims.postpone,
            claim,
            later,
            "internal-error",
            hide(f"an error of ours: {error}"[:500], source) or "",
        )
        return None
