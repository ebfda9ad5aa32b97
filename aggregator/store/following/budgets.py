"""How many pages of a host are read on a day."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from aggregator.store import schema as t
from aggregator.store.rows import upsert


def take_budget(connection: Connection, host: str, day: str, limit: int) -> bool:
    """Count one more related page of a host on a day; False, and not counted, at the limit."""
    upsert(connection, t.follow_budget, [{"host": host, "day": day, "pages": 0}], update=False)
    b = t.follow_budget.c
    done = connection.execute(
        update(t.follow_budget)
        .where(b.host == host, b.day == day, b.pages < limit)
        .values(pages=b.pages + 1)
    )
    return done.rowcount == 1


def most_read(connection: Connection, day: str, limit: int) -> list[tuple[str, int]]:
    """`(host, pages)` of the hosts of which most related pages were read on a day."""
    b = t.follow_budget.c
    query = select(b.host, b.pages).where(b.day == day).order_by(b.pages.desc(), b.host)
    return [(row.host, row.pages) for row in connection.execute(query.limit(limit))]


def drop_old_budgets(connection: Connection, before_day: str) -> None:
    """Forget the budgets of days gone by."""
    connection.execute(delete(t.follow_budget).where(t.follow_budget.c.day < before_day))
