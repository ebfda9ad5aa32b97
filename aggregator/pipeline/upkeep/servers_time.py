"""What time servers say it is, asked where our own clock or what is stored must be wrong."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aggregator.fetch.freshness import time_told
from aggregator.model.settings import SourceSettings
from aggregator.pipeline import access, policy
from aggregator.pipeline.parts import Parts
from aggregator.store.sources import clock, states

_ASKED = 3  # servers, so that one whose own clock is wrong decides nothing
_LOOKED_AT = 50  # sources among which there are so many hosts


async def servers_ahead(parts: Parts) -> timedelta | None:
    """By how much servers of our sources are ahead of our clock; None when none of them says.

    Three hosts are asked for a feed each, as in a poll: conditionally, within their budgets, and
    what they send is not stored. Of what they say the middle counts, of two the less.
    """
    furthest = policy.furthest(parts.settings)
    await parts.database.run_write(clock.free, parts.clock.now(), furthest)
    chosen = await _hosts(parts)
    told = await asyncio.gather(*(_ahead(parts, source) for source in chosen))
    ahead = sorted(one for one in told if one is not None)
    return ahead[(len(ahead) - 1) // 2] if ahead else None


async def _hosts(parts: Parts) -> list[SourceSettings]:
    """A source of each host that is asked; those that answered before go first."""
    known = {source.id: source for source in parts.settings.sources if source.enabled}
    found = await parts.database.run_read(clock.told_before, _LOOKED_AT)
    chosen: dict[str, SourceSettings] = {}
    for name, host in found:
        if name in known:
            chosen.setdefault(host, known[name])
    return list(chosen.values())[:_ASKED]


async def _ahead(parts: Parts, source: SourceSettings) -> timedelta | None:
    state = await parts.database.run_read(states.feed_state, source.id)
    if state is None:
        return None
    result = await parts.fetcher.fetch(access.poll_request(source, state))
    told = time_told(result.headers)
    return None if told is None else told - parts.clock.now()
