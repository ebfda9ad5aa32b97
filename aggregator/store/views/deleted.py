"""Items of a view that were taken back: by their publisher, or by a person who had them forgotten.

What retention forgets or a rule hides is not among them: nobody took that back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from aggregator.model.item import DeletedItem
from aggregator.store import schema as t
from aggregator.store.views import selections
from aggregator.store.views.selections import Selection

_MOST = 500  # told in one document


def taken_back(
    connection: Connection, selection: Selection, since: datetime
) -> tuple[DeletedItem, ...]:
    """Items of a selection that were taken back since a time, the latest first."""
    i = t.item.c
    inside: list[Any] = [selections.in_scope(selection)]
    if selection.sources is not None:
        inside.append(selections.has_source(selection.sources))
    found: list[Row[str, datetime]] = []
    for at, why in (
        (i.withdrawn_at, i.purged_at.is_(None)),  # by its publisher
        (i.purged_at, i.forgotten),
    ):
        query = select(i.public_id, at.label("at")).where(at >= since, why, *inside)
        found += connection.execute(query.order_by(at.desc(), i.id.desc()).limit(_MOST)).all()
    found.sort(key=lambda row: (row.at, row.public_id), reverse=True)
    return tuple(DeletedItem(row.public_id, row.at) for row in found[:_MOST])
