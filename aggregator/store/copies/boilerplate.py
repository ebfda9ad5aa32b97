"""In how many copy groups of a source each paragraph was seen: what recurs is boilerplate."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, delete, select

from aggregator.identity.texts.boilerplate import repeated_paragraphs
from aggregator.model.copies import CopyThresholds
from aggregator.store import schema as t
from aggregator.store.rows import insert_into

# Made once: making a statement takes longer than running it.
_REPEATED = select(t.paragraph.c.hash, t.paragraph.c.groups).where(
    t.paragraph.c.source_id == bindparam("source"), t.paragraph.c.groups >= bindparam("least")
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def known_boilerplate(
    connection: Connection, source_id: str, thresholds: CopyThresholds
) -> frozenset[int]:
    """The paragraphs that a source is known to repeat."""
    values = {"source": source_id, "least": thresholds.boilerplate_groups}
    rows = connection.execute(_REPEATED, values)
    return repeated_paragraphs({row.hash: row.groups for row in rows}, thresholds)


def add_counts(connection: Connection, source_id: str, counts: Counter[int], now: datetime) -> None:
    """Count paragraphs of a source once more each."""
    if not counts:
        return
    day = (now - _EPOCH).days
    statement = insert_into(connection, t.paragraph)
    statement = statement.on_conflict_do_update(
        index_elements=["source_id", "hash"],
        set_={
            "groups": t.paragraph.c.groups + statement.excluded.groups,
            "seen_day": statement.excluded.seen_day,
        },
    )
    rows = [
        {"source_id": source_id, "hash": name, "groups": count, "seen_day": day}
        for name, count in sorted(counts.items())
    ]
    connection.execute(statement, rows)


def drop_old_counts(connection: Connection, now: datetime, boilerplate_groups: int) -> None:
    """Forget paragraphs not seen for 30 days, those that are boilerplate after a year."""
    p, day = t.paragraph.c, (now - _EPOCH).days
    connection.execute(
        delete(t.paragraph).where(
            ((p.seen_day < day - 30) & (p.groups < boilerplate_groups)) | (p.seen_day < day - 365)
        )
    )
