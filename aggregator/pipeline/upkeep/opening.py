"""Open to everybody what a source brought while it was private. Only a command does it: a source
that becomes public says what it will bring, nothing about what it brought before."""

from __future__ import annotations

from sqlalchemy import Connection

from aggregator.pipeline.parts import Parts
from aggregator.store import changed
from aggregator.store.sources import states


async def open_items(parts: Parts, source_id: str) -> int:
    """Make the items of a public source's private time public; returns how many."""

    def opened(connection: Connection) -> int:
        numbers = states.make_public(connection, source_id)
        changed.show_anew(connection, parts.clock.now(), items=numbers)
        return len(numbers)

    return await parts.database.run_write(opened)
