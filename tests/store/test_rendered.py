"""Stored documents: what of them is kept, and how much."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.views import rendered
from aggregator.store.views.rendered import RenderedRow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = b"<feed>" + b"news of the harbour " * 5000 + b"</feed>"


def document(number: int) -> RenderedRow:
    tag = f'"{number}"'
    return RenderedRow(7, BODY, gzip.compress(BODY, mtime=0), tag, f"{tag}g", NOON, NOON)


def test_stored_documents_take_a_bounded_share_and_the_latest_stay_whole(
    database: Database,
) -> None:
    with database.write() as connection:
        rendered.put_view(connection, "all", feed_id="tag:v", config_hash="h", sources=[], now=NOON)
        for number in range(30):
            at = NOON + timedelta(minutes=number)
            rendered.put_rendered(connection, "all", f"f{number}", "", document(number), at)
        assert rendered.strip_rendered(connection, 4) == 26
        assert rendered.strip_rendered(connection, 4) == 0
        r = t.rendered.c
        sizes = func.sum(func.length(r.body) + func.length(r.gzip))
        assert connection.scalar(select(sizes)) < len(BODY)
    with database.read() as connection:
        assert rendered.rendered(connection, "all", "f29", "") == document(29)
        old = rendered.rendered(connection, "all", "f3", "")
        assert old is not None
        assert old.version == rendered.STRIPPED
        assert (old.etag, old.last_modified, old.updated) == ('"3"', NOON, NOON)
