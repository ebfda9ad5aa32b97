"""One pass over sources at a person's word: conditional, polite, beside a running service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from aggregator.model.item import FeedState, PollRecord
from aggregator.model.meanings import PLANNED
from aggregator.model.pages import Wish
from aggregator.model.poll import PlanReason
from aggregator.model.settings import Settings, SourceSettings
from aggregator.model.states import PollWord
from aggregator.pipeline import policy
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.planning import floors_of
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
    taken = await parts.database.run_together(
        _take, parts.settings, parts.owner, source, now, only_due=only_due
    )
    if taken is None or isinstance(taken, PollRecord):
        return taken
    claim, state = taken
    return await poll_source(parts, source, claim, state)


def _take(
    connection: Connection,
    settings: Settings,
    owner: str,
    source: SourceSettings,
    now: datetime,
    *,
    only_due: bool,
) -> tuple[claims.Claim, FeedState] | PollRecord | None:
    """The lease of a source with the state of its feed, or why it is not polled."""
    state = states.feed_state(connection, source.id)
    if state is None:
        return None
    if only_due and (state.next_poll_at is None or state.next_poll_at > now):
        return None
    if not only_due:
        block = hosts.blocked(connection, host_key(state.effective_url or source.url), now)
        floor = refresh_allowed(
            PolicyState.from_json(state.policy),
            settings.polling.min_refresh,
            now,
            floors_of(block),
        )
        if floor is not None:
            until = floor.until.isoformat(timespec="seconds")
            return _skipped(source, now, f"not before {until}: {PLANNED[floor.name]}")
    claim = claims.claim_one(connection, source.id, now, owner, policy.lease(settings))
    if claim is None:
        return _skipped(source, now, "being polled by another process now")
    return claim, state


def _skipped(source: SourceSettings, now: datetime, why: str) -> PollRecord:
    return PollRecord(
        source_id=source.id,
        at=now,
        status=None,
        outcome=PollWord.SKIPPED,
        reason=why,
        reason_detail=why,
    )


def ask_now(
    connection: Connection, source: SourceSettings, settings: Settings, now: datetime
) -> Wish | None:
    """Let the running service poll a source at its next tick, at a person's word.

    As in `refresh`, the plan and soft floors are skipped; what the host demands and the smallest
    time between two polls hold.

    Returns:
        What was decided; None for a source that was never applied or is not enabled.
    """
    state = states.feed_state(connection, source.id)
    if state is None or not source.enabled:
        return None
    block = hosts.blocked(connection, host_key(state.effective_url or source.url), now)
    floor = refresh_allowed(
        PolicyState.from_json(state.policy), settings.polling.min_refresh, now, floors_of(block)
    )
    if floor is not None:
        return Wish(f"It waits: {PLANNED[floor.name]}.", floor.until)
    claims.make_due(connection, source.id, now, PlanReason.ASKED)
    return Wish("It is polled within seconds.", now)
