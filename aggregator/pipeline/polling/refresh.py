"""One pass over sources at a person's word: conditional, polite, beside a running service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from aggregator.model.item import PollRecord
from aggregator.model.meanings import PLANNED
from aggregator.model.settings import SourceSettings
from aggregator.model.states import PollWord
from aggregator.pipeline import policy
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.planning import host_floors
from aggregator.pipeline.polling.poll import poll_source
from aggregator.schedule.policy import refresh_allowed
from aggregator.schedule.state import PolicyState
from aggregator.store.sources import claims, hosts, states
from aggregator.urls.origin import host_key


async def refresh(
    parts: Parts,
    chosen: Sequence[SourceSettings],
    *,
    only_due: bool = False,
    done: Callable[[], object] = lambda: None,
) -> list[PollRecord]:
    """Poll each source once; the records come in the order of `chosen`.

    A person's poll skips the plan and every soft floor; hard floors and the smallest time between
    two polls of one source hold, and then the record says `skipped` with the reason.
    """
    gate = asyncio.Semaphore(parts.settings.polling.concurrency)

    async def one(source: SourceSettings) -> PollRecord | None:
        async with gate:
            record = await _refresh_one(parts, source, only_due=only_due)
        done()
        return record

    records = await asyncio.gather(*(one(source) for source in chosen))
    return [record for record in records if record is not None]


async def _refresh_one(
    parts: Parts, source: SourceSettings, *, only_due: bool
) -> PollRecord | None:
    now = parts.clock.now()
    state = await parts.database.run_read(states.feed_state, source.id)
    if state is None:
        return None
    if only_due and (state.next_poll_at is None or state.next_poll_at > now):
        return None
    host = host_key(state.effective_url or source.url)
    block = await parts.database.run_read(hosts.blocked, host, now)
    if not only_due:
        floor = refresh_allowed(
            PolicyState.from_json(state.policy),
            parts.settings.polling.min_refresh,
            now,
            host_floors(block),
        )
        if floor is not None:
            until = floor.until.isoformat(timespec="seconds")
            return _skipped(source, now, f"not before {until}: {PLANNED[floor.name]}")
    claim = await parts.database.run_write(
        claims.claim_one, source.id, now, parts.owner, policy.lease(parts.settings)
    )
    if claim is None:
        return _skipped(source, now, "being polled by another process now")
    return await poll_source(parts, source, claim)


def _skipped(source: SourceSettings, now: datetime, why: str) -> PollRecord:
    return PollRecord(
        source_id=source.id,
        at=now,
        status=None,
        outcome=PollWord.SKIPPED,
        reason=why,
        reason_detail=why,
    )
