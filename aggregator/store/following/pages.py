"""The queue of article pages: what is to be read, when, by whom, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Subquery, and_, func, or_, select, true, update

from aggregator.model.http import Validators
from aggregator.model.states import PageState
from aggregator.store import schema as t
from aggregator.store.database import serialise
from aggregator.store.rows import batches
from aggregator.store.sources.claims import PATIENCE
from aggregator.store.sources.hosts import FEED_FRESH

WAITING = (PageState.QUEUED, PageState.AGAIN)
REREAD = "reread"  # the reason of a page that an operator wants read once more, however old


@dataclass(frozen=True, slots=True)
class NewPage:
    """A page to be read. `key` is the hash of its URL key; `item_id` the item whose page it is."""

    scope: str
    key: str
    url: str
    source_id: str
    host: str
    depth: int
    dated: datetime
    item_id: int | None = None
    parent_id: int | None = None
    title: str | None = None
    heading: str | None = None
    wanted_text: bool = False


@dataclass(frozen=True, slots=True)
class PageRow:
    """A page of the queue."""

    id: int
    scope: str
    key: str
    url: str
    source_id: str
    host: str
    item_id: int | None
    parent_id: int | None
    depth: int
    title: str | None
    heading: str | None
    wanted_text: bool
    state: PageState
    reason: str | None
    detail: str | None
    dated: datetime
    attempts: int
    visits: int
    validators: Validators


@dataclass(frozen=True, slots=True)
class OwnPage:
    """An item whose own page may be read."""

    item_id: int
    link: str
    title: str | None
    published: datetime | None
    first_seen: datetime
    html: str | None
    text: str | None


def own_pages(connection: Connection, numbers: Sequence[int]) -> list[OwnPage]:
    """These items with what decides about reading their pages; those without a link left out."""
    found = []
    i, x = t.item.c, t.item_text.c
    for some in batches(numbers):
        rows = connection.execute(
            select(i.id, i.link, i.title, i.published, i.first_seen, x.html, x.text)
            .join(t.item_text, x.item_id == i.id, isouter=True)
            .where(i.id.in_(some), i.link.is_not(None), i.purged_at.is_(None))
        )
        found += [OwnPage(*row) for row in rows]
    return found


def enqueue(connection: Connection, pages: Sequence[NewPage], now: datetime) -> None:
    """Queue pages; one whose address is in the queue, or was, is left as it is."""
    known = {(page.scope, page.key) for page in pages} & _known(connection, pages)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for page in pages:
        if (page.scope, page.key) in known:
            continue
        rows.setdefault(
            (page.scope, page.key),
            {
                "scope": page.scope, "key": page.key, "url": page.url,
                "source_id": page.source_id, "host": page.host, "item_id": page.item_id,
                "parent_id": page.parent_id, "depth": page.depth, "title": page.title,
                "heading": page.heading, "wanted_text": page.wanted_text, "state": PageState.QUEUED,
                "dated": page.dated, "next_at": now,
            },
        )  # fmt: skip
    if rows:
        connection.execute(t.page.insert(), list(rows.values()))


def _known(connection: Connection, pages: Sequence[NewPage]) -> set[tuple[str, str]]:
    p = t.page.c
    found: set[tuple[str, str]] = set()
    for some in batches(page.key for page in pages):
        rows = connection.execute(select(p.scope, p.key).where(p.key.in_(some)))
        found |= {(row.scope, row.key) for row in rows}
    return found


def page_of(connection: Connection, scope: str, key: str) -> PageRow | None:
    """The page with an address."""
    row = connection.execute(
        select(t.page).where(t.page.c.scope == scope, t.page.c.key == key)
    ).first()
    return None if row is None else _page(row)


def scope_now(connection: Connection, page: PageRow) -> str:
    """The scope a page is in now; it stays in it to the end of this transaction."""
    p = t.page.c
    query = select(p.scope).where(p.id == page.id).with_for_update(read=True)
    now = connection.scalar(query)
    return page.scope if now is None else now


def claim(
    connection: Connection,
    now: datetime,
    room: int,
    owner: str,
    lease: timedelta,
    host: str | None = None,
) -> list[PageRow]:
    """Take pages that are due, one a host: nearest to a feed first, then newest.

    No page of a host that is being read, that asked for quiet, or that has a feed due: feeds go
    before articles.
    """
    serialise(connection)
    p = t.page.c
    due = _due(now, host)
    numbers = list(
        connection.scalars(
            select(due.c.id)
            .where(due.c.turn == 1)
            .order_by(due.c.depth, due.c.dated.desc())
            .limit(room)
        )
    )
    if not numbers:
        return []
    connection.execute(
        update(t.page).where(p.id.in_(numbers)).values(lease_owner=owner, lease_until=now + lease)
    )
    return [_page(row) for row in connection.execute(select(t.page).where(p.id.in_(numbers)))]


def due_hosts(
    connection: Connection, now: datetime, limit: int, passed: Collection[str]
) -> list[str]:
    """Hosts of which a page may be read now, but for those passed over; nearest to a feed first."""
    due = _due(now, None)
    query = select(due.c.host).where(due.c.turn == 1, due.c.host.not_in(sorted(passed)))
    return list(connection.scalars(query.order_by(due.c.depth, due.c.dated.desc()).limit(limit)))


def waiting(connection: Connection, now: datetime, most: int) -> tuple[int, datetime | None]:
    """How many pages are due and not being read, at most `most`, and since when the first.

    They may wait for their host's turn.
    """
    p = t.page.c
    parts = [
        select(p.next_at)
        .where(
            p.state == state,
            p.next_at <= now,
            or_(p.lease_until.is_(None), p.lease_until <= now),
        )
        .order_by(p.next_at)
        .limit(most)
        .subquery()
        for state in WAITING
    ]
    found = [
        connection.execute(select(func.count(), func.min(part.c.next_at)).select_from(part)).one()
        for part in parts
    ]
    number = min(most, sum(count for count, _ in found))
    return number, min((since for _, since in found if since is not None), default=None)


def _due(now: datetime, host: str | None) -> Subquery:
    """Pages that may be read now, with the place of each among those of its host (`turn`)."""
    p, h, f = t.page.c, t.host.c, t.feed.c
    busy = select(p.host).where(p.state.in_(WAITING), p.lease_until > now)
    quiet = select(h.host).where(
        or_(h.blocked_until > now, h.next_at > now + PATIENCE, h.article_next_at > now + PATIENCE)
    )
    feeds = select(f.host).where(f.active, f.next_poll_at <= now, f.next_poll_at > now - FEED_FRESH)
    return (
        select(
            p.id,
            p.host,
            p.depth,
            p.dated,
            func.row_number()
            .over(partition_by=p.host, order_by=(p.depth, p.dated.desc(), p.id))
            .label("turn"),
        )
        .where(
            p.state.in_(WAITING),
            p.next_at <= now,
            or_(p.lease_until.is_(None), p.lease_until <= now),
            p.host.not_in(busy),
            p.host.not_in(quiet),
            p.host.not_in(feeds),
            p.host == host if host is not None else true(),
        )
        .subquery()
    )


def put_back(
    connection: Connection, page: PageRow, at: datetime, detail: str, *, failed: bool = False
) -> None:
    """Read a page later; with `failed` that counts as an attempt."""
    connection.execute(
        update(t.page)
        .where(t.page.c.id == page.id)
        .values(
            next_at=at, detail=detail[:500], lease_owner=None, lease_until=None,
            attempts=page.attempts + (1 if failed else 0),
        )
    )  # fmt: skip


def lower_depth(connection: Connection, page: PageRow, depth: int) -> None:
    """A waiting page was found nearer to a feed."""
    p = t.page.c
    connection.execute(update(t.page).where(p.id == page.id, p.depth > depth).values(depth=depth))


def move(connection: Connection, page: PageRow, url: str, host: str, now: datetime) -> None:
    """A page redirects: it is asked for at the other address next."""
    connection.execute(
        update(t.page)
        .where(t.page.c.id == page.id)
        .values(
            url=url, host=host, next_at=now, attempts=page.attempts + 1,
            lease_owner=None, lease_until=None, detail="redirected",
        )
    )  # fmt: skip


def finish(
    connection: Connection,
    page: PageRow,
    now: datetime,
    *,
    state: str,
    reason: str | None = None,
    detail: str | None = None,
    item_id: int | None = None,
    validators: Validators | None = None,
    again_at: datetime | None = None,
    fetched: bool = True,
) -> None:
    """Keep what came of a page; with `again_at` it is asked again then, by its validators."""
    kept = validators or Validators()
    values: dict[str, Any] = {
        "state": PageState.AGAIN if again_at else state,
        "reason": reason,
        "detail": detail[:500] if detail else None,
        "item_id": item_id if item_id is not None else page.item_id,
        "lease_owner": None,
        "lease_until": None,
        "etag": kept.etag,
        "last_modified": kept.last_modified,
        "validators_url": kept.url,
    }
    if fetched:
        values |= {"fetched_at": now, "visits": page.visits + 1}
    if again_at:
        values["next_at"] = again_at
    connection.execute(update(t.page).where(t.page.c.id == page.id).values(values))


def reread(connection: Connection, source_id: str, now: datetime) -> int:
    """Queue the pages of a source's items once more; returns how many."""
    p = t.page.c
    ours = or_(p.item_id.is_not(None), and_(p.depth == 0, p.state == PageState.REFUSED))
    done = connection.execute(
        update(t.page)
        .where(p.source_id == source_id, ours)
        .values(
            state=PageState.QUEUED, reason=REREAD, next_at=now, attempts=0, visits=0, etag=None,
            last_modified=None, validators_url=None, lease_owner=None, lease_until=None,
        )
    )  # fmt: skip
    return done.rowcount


def want_text(connection: Connection, wanted: dict[str, bool]) -> None:
    """Say of own pages, by key, whether their text is wanted."""
    for value in (True, False):
        for some in batches(key for key, one in wanted.items() if one is value):
            connection.execute(
                update(t.page)
                .where(t.page.c.key.in_(some), t.page.c.depth == 0)
                .values(wanted_text=value)
            )


def _page(row: Row[Any]) -> PageRow:
    return PageRow(
        id=row.id,
        scope=row.scope,
        key=row.key,
        url=row.url,
        source_id=row.source_id,
        host=row.host,
        item_id=row.item_id,
        parent_id=row.parent_id,
        depth=row.depth,
        title=row.title,
        heading=row.heading,
        wanted_text=row.wanted_text,
        state=PageState(row.state),
        reason=row.reason,
        detail=row.detail,
        dated=row.dated,
        attempts=row.attempts,
        visits=row.visits,
        validators=Validators(row.etag, row.last_modified, row.validators_url),
    )
