"""Which item stands for its copy group or its story in a view, and what is listed beside it.

A lead is chosen among the members inside the view, so that no group ever disappears from it; once
readers got an item it stays, or the same story would come to them twice under two ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from aggregator.identity.texts.groups import choose_lead
from aggregator.model.copies import Member
from aggregator.model.item import CopyRef, RelatedRef, ServedItem
from aggregator.model.pages import MoreThan
from aggregator.model.settings import ViewMode
from aggregator.store import schema as t
from aggregator.store import tally
from aggregator.store.copies.stories import shown_at
from aggregator.store.rows import batches, upsert
from aggregator.store.search.verdicts import Rules, altered, hidden
from aggregator.store.views import selections
from aggregator.store.views.selections import Place, Selection

_COVERAGE = 30  # tellings of a story listed beside its lead
COVERAGE_HEADING = "Other coverage"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a source's items are worth as leads: preference, originals and readable ones first."""

    aggregator: bool = False
    preference: int = 0
    paywalled: bool = False


@dataclass(frozen=True, slots=True)
class Showing:
    """A view as far as it decides which items are shown: selection, mode, standing by source."""

    view_id: str
    selection: Selection
    mode: ViewMode = ViewMode.UNIQUE
    standings: Mapping[str, Standing] = field(default_factory=dict)
    rules: Rules | None = None


def newest(
    connection: Connection, showing: Showing, limit: int, since: datetime | None = None
) -> list[Place]:
    """The newest places of a view: at least `limit` where there are, and all from `since` on."""
    places = selections.newest(connection, showing.selection, limit, since)
    if showing.mode is ViewMode.ARTICLES and not _hides(showing):
        return places
    shown = _leads(connection, showing, places)
    if len(places) >= limit:
        shown += _more(connection, showing, places[-1], limit - len(shown))
    return shown


def before(connection: Connection, showing: Showing, place: Place, limit: int) -> list[Place]:
    """The places of a view after (older than) a place, newest first."""
    if showing.mode is ViewMode.ARTICLES and not _hides(showing):
        return selections.before(connection, showing.selection, place, limit)
    return _more(connection, showing, place, limit)


def count(connection: Connection, showing: Showing) -> int:
    """How many entries a view holds."""
    if _hides(showing):
        return len(_keys(connection, showing, None)[0])
    if showing.mode is ViewMode.ARTICLES:
        return selections.count(connection, showing.selection)
    key = _key(showing.mode)
    query = select(func.count(func.distinct(key))).where(*_inside(showing.selection))
    return connection.scalar(query) or 0


def some(connection: Connection, showing: Showing) -> int:
    """The same, counted no further than a request may count.

    Where so many entries were looked at, the number found among them is a bound.
    """
    most = 2 * tally.MOST
    keys, looked_at = _keys(connection, showing, most)
    number = len(keys)
    if number > tally.MOST:
        return MoreThan(tally.MOST)
    return MoreThan(number) if looked_at == most else number


def _keys(connection: Connection, showing: Showing, most: int | None) -> tuple[set[int], int]:
    """The groups, stories or items that are shown, of `most` entries; how many were looked at."""
    rows = selections.held(connection, showing.selection, most)
    gone = hidden(connection, showing.rules, [row.id for row in rows])
    column = {ViewMode.ARTICLES: "id", ViewMode.STORIES: "story_id"}.get(showing.mode, "group_id")
    return {getattr(row, column) for row in rows if row.id not in gone}, len(rows)


def inside(connection: Connection, showing: Showing, numbers: Sequence[int]) -> list[int]:
    """Those of these items that the view may show now, in the given order."""
    i = t.item.c
    found: set[int] = set()
    for some in batches(numbers):
        query = select(i.id).where(i.id.in_(some), *_inside(showing.selection))
        found.update(connection.scalars(query))
    found -= hidden(connection, showing.rules, sorted(found))
    return [number for number in numbers if number in found]


def _hides(showing: Showing) -> bool:
    return showing.rules is not None and showing.rules.hide


def unfrozen(connection: Connection, view_id: str, numbers: Sequence[int]) -> list[int]:
    """Which of these items readers of the view never got before."""
    known = _served(connection, view_id, numbers)
    return [number for number in numbers if number not in known]


def freeze(connection: Connection, view_id: str, numbers: Sequence[int]) -> None:
    """Remember that readers of the view get these items."""
    rows = [{"view_id": view_id, "item_id": number} for number in sorted(numbers)]
    upsert(connection, t.served_lead, rows, update=False)


def _more(connection: Connection, showing: Showing, place: Place, limit: int) -> list[Place]:
    shown: list[Place] = []
    while len(shown) < limit:
        places = selections.before(connection, showing.selection, place, max(limit, 20))
        if not places:
            break
        shown += _leads(connection, showing, places)
        place = places[-1]
    return shown[: max(limit, 0)]


def _key(mode: ViewMode) -> Any:
    return t.item.c.story_id if mode is ViewMode.STORIES else t.item.c.group_id


def _inside(selection: Selection) -> list[Any]:
    """What makes an item one of a view's."""
    conditions: list[Any] = [selections.in_scope(selection), t.item.c.purged_at.is_(None)]
    if selection.sources is not None:
        conditions.append(selections.has_source(selection.sources))
    return conditions


def _leads(connection: Connection, showing: Showing, places: Sequence[Place]) -> list[Place]:
    """Those of the places whose item stands for its group in the view."""
    if showing.mode is ViewMode.ARTICLES:
        gone = hidden(connection, showing.rules, [place.number for place in places])
        return [place for place in places if place.number not in gone]
    members = _members(connection, showing, [place.number for place in places])
    leads = {_lead(group) for group in members.values()}
    return [place for place in places if place.number in leads]


def _members(
    connection: Connection, showing: Showing, numbers: Sequence[int]
) -> dict[int, list[Member]]:
    """By group, the members inside the view of the groups that these items are in.

    What a new source brought below its newest items lies in the archive, where nobody who reads
    daily looks: it stands for a group only if readers got it, or if nothing else is there.
    """
    i, key = t.item.c, _key(showing.mode)
    archived: set[int] = set()
    found: defaultdict[int, list[Member]] = defaultdict(list)
    for some in batches(numbers):
        groups = select(key).where(i.id.in_(some))
        keys = sorted(set(connection.scalars(groups)) - found.keys())
        rows = connection.execute(
            select(
                i.id, i.source_id, i.scope, i.published, i.first_seen, i.sort_at,
                t.article.c.paywalled, key.label("key"),
            )
            .join(t.article, t.article.c.item_id == i.id, isouter=True)
            .where(key.in_(keys), *_inside(showing.selection))
        ).all()  # fmt: skip
        gone = hidden(connection, showing.rules, [row.id for row in rows])
        inside = [row for row in rows if row.id not in gone]
        served = _served(connection, showing.view_id, [row.id for row in inside])
        archived.update(row.id for row in inside if row.sort_at < row.first_seen)
        for row in inside:
            standing = showing.standings.get(row.source_id, Standing())
            found[row.key].append(
                Member(
                    item_id=row.id,
                    published=shown_at(row),
                    first_seen=row.first_seen,
                    aggregator=standing.aggregator,
                    preference=standing.preference,
                    private=bool(row.scope),
                    readable=not (standing.paywalled or row.paywalled),
                    served=row.id in served,
                )
            )
    for group, members in found.items():
        found[group] = [m for m in members if m.served or m.item_id not in archived] or members
    return found


def _lead(members: Sequence[Member]) -> int | None:
    """What was served; else a public member before any private one; then the policy of copies."""
    served = [member for member in members if member.served]
    public = [member for member in members if not member.private]
    return choose_lead(served or public or members, private_allowed=True)


def _served(connection: Connection, view_id: str, numbers: Sequence[int]) -> set[int]:
    found: set[int] = set()
    s = t.served_lead.c
    for some in batches(numbers):
        found.update(
            connection.scalars(select(s.item_id).where(s.view_id == view_id, s.item_id.in_(some)))
        )
    return found


def with_company(
    connection: Connection,
    items: Mapping[int, ServedItem],
    scopes: Collection[str] = (),
    showing: Showing | None = None,
) -> dict[int, ServedItem]:
    """The items with their copies named, and in a view of stories with the other coverage.

    Args:
        connection: Of the transaction that read the items.
        items: By number.
        scopes: Private scopes whose items may be named besides public ones.
        showing: The view they are shown in, for coverage inside it.
    """
    copies = _copies(connection, list(items), scopes)
    made = {n: replace(item, copies=copies.get(n, ())) for n, item in items.items()}
    if showing is not None and showing.mode is ViewMode.STORIES:
        found = _coverage(connection, list(items), _inside(showing.selection))
        told = [one.number for related in found.values() for one in related if one.number]
        gone = hidden(connection, showing.rules, told)
        for number, related in found.items():
            item, seen = made[number], [one for one in related if one.number not in gone]
            made[number] = replace(item, related=(*item.related, *seen))
    return altered(connection, showing.rules if showing else None, made)


def _copies(
    connection: Connection, numbers: Sequence[int], scopes: Collection[str]
) -> dict[int, tuple[CopyRef, ...]]:
    """One copy of each other source, the earliest."""
    i, mine = t.item.c, t.item.alias("mine")
    found: defaultdict[int, dict[str, CopyRef]] = defaultdict(dict)
    for some in batches(numbers):
        rows = connection.execute(
            select(
                mine.c.id.label("number"), i.id, i.source_id, i.source_ref, i.title, i.link,
                i.published, i.first_seen,
            )
            .join(mine, mine.c.group_id == i.group_id)
            .where(
                mine.c.id.in_(some),
                i.id != mine.c.id,
                i.source_id != mine.c.source_id,
                i.scope.in_(["", *scopes]),
                i.purged_at.is_(None),
            )
        ).all()  # fmt: skip
        for row in _by_date(rows):
            copy = CopyRef(
                url=row.link,
                source_title=row.source_ref.get("title") or row.source_id,
                title=row.title,
                published=shown_at(row),
            )
            found[row.number].setdefault(row.source_id, copy)
    return {number: tuple(by_source.values()) for number, by_source in found.items()}


def coverage(
    connection: Connection, number: int, scopes: Collection[str] = ()
) -> tuple[RelatedRef, ...]:
    """The other tellings of an item's story: public ones, and those of these scopes."""
    i = t.item.c
    seen = [i.scope.in_(["", *scopes]), i.purged_at.is_(None)]
    return _coverage(connection, [number], seen).get(number, ())


def _coverage(
    connection: Connection, numbers: Sequence[int], conditions: Sequence[Any]
) -> dict[int, tuple[RelatedRef, ...]]:
    """The other tellings of each story for which the conditions hold, one of each text."""
    i, mine = t.item.c, t.item.alias("mine")
    found: defaultdict[int, dict[int, RelatedRef]] = defaultdict(dict)
    for some in batches(numbers):
        rows = connection.execute(
            select(
                mine.c.id.label("number"), i.id, i.public_id, i.source_id, i.source_ref, i.title,
                i.link, i.published, i.first_seen, i.group_id,
            )
            .join(mine, mine.c.story_id == i.story_id)
            .where(
                mine.c.id.in_(some),
                i.group_id != mine.c.group_id,
                *conditions,
            )
        ).all()  # fmt: skip
        for row in _by_date(rows):
            others = found[row.number]
            if row.link and len(others) < _COVERAGE:
                source = row.source_ref.get("title") or row.source_id
                title = f"{source}: {row.title}" if row.title else source
                others.setdefault(
                    row.group_id,
                    RelatedRef(row.link, title, COVERAGE_HEADING, "story", row.public_id, row.id),
                )
    return {number: tuple(others.values()) for number, others in found.items()}


def _by_date(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: (shown_at(row), row.id))
