"""Which fingerprints of a text stand in the index of copies, and how they come into it."""

from __future__ import annotations

from sqlalchemy import Connection

from aggregator.model.copies import (
    CopyThresholds,
    PreparedText,
)
from aggregator.store.copies.index import Postings
from aggregator.store.database import serialise


def indexed(prepared: PreparedText, limits: CopyThresholds) -> tuple[int, ...]:
    """What of a text stands in the index: nothing of one that is too short to be a copy.

    The lower half of each fingerprint; the upper bits of a winnowed minimum are mostly zero.
    """
    if prepared.size < limits.min_shingles:
        return ()
    return tuple(dict.fromkeys(_signed(value) for value in prepared.fingerprints))


def _signed(value: int) -> int:
    low = value & 0xFFFF_FFFF
    return low - (1 << 32) if low >> 31 else low


def index_text(
    connection: Connection, number: int, prepared: PreparedText, limits: CopyThresholds
) -> None:
    """Make a stored text findable, where its fingerprints still say something."""
    serialise(connection)
    hashes = indexed(prepared, limits)
    postings = Postings.of(connection, hashes)
    for value in hashes:
        holders = postings.holders(value)
        if len(holders) <= limits.max_postings and number not in holders:
            postings.add(value, number)
    postings.write(connection)
