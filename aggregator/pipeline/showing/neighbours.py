"""What a person sees of an item's related news: what became of each link, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from aggregator.model.item import ServedItem
from aggregator.model.meanings import LINKED, meaning, sentence
from aggregator.model.pages import DecisionLine, GraphNode, Neighbourhood, RelatedLine
from aggregator.model.states import EdgeState, LinkRule, Refused, Withdrawn
from aggregator.pipeline.showing import phrases
from aggregator.store.following import articles, links
from aggregator.store.following.links import LinkRow
from aggregator.store.items import items, words

_DRAWN = 24  # items around one; the picture itself shows fewer


def related_lines(connection: Connection, number: int, scope: str) -> tuple[RelatedLine, ...]:
    """The related links of an item, with the reason of each."""
    rows = links.links_of(connection, [number]).get(number, [])
    return tuple(_line(row, scope) for row in rows)


def _line(row: LinkRow, scope: str) -> RelatedLine:
    visible = row.target_id is not None and row.target_scope in ("", scope)
    return RelatedLine(
        url=row.url,
        title=(row.target_title if visible else None) or row.text,
        state=meaning(row.state, EdgeState),
        heading=row.heading,
        position=row.position,
        reason=_why(row),
        item_number=row.target_id if visible else None,
    )


def _why(row: LinkRow) -> str:
    """In words: why a link was refused, else how it was found."""
    if row.state is EdgeState.REFUSED:
        return phrases.refusal(row.reason, row.detail)
    if row.state is EdgeState.KNOWN:
        return "No request was needed for it."
    return sentence(f"found {meaning(row.rule, LinkRule)}")


def provenance(connection: Connection, number: int) -> str | None:
    """How a followed item was found, or why the page of another was not read; else None."""
    article = articles.article(connection, number)
    if article is None or article.parent_id is None:
        refusal = articles.page_refusal(connection, number)
        if refusal is None:
            return None
        return f"Its own page was not read. {phrases.refusal(*refusal)}"
    told = items.titles(connection, [number, article.parent_id])
    title, scope = told.get(article.parent_id, ("", ""))
    if scope not in ("", told[number][1]):
        return "Found as related news of an item of a private source."
    under = f" under “{article.heading}”" if article.heading else ""
    return (
        f"Found as related news of “{title or article.parent_id}”{under}, on its publisher's page."
    )


def withdrawal(item: ServedItem) -> str | None:
    """Why an item counts as withdrawn; None where it does not."""
    if not item.withdrawn:
        return None
    said = "Its publisher has withdrawn this item"
    found = meaning(item.withdrawn_reason, Withdrawn)
    return f"{said}: {found}." if found else f"{said}."


def neighbourhood(
    connection: Connection,
    number: int,
    item: ServedItem,
    scope: str,
    copies: Sequence[int] = (),
) -> Neighbourhood | None:
    """Items that related links lead to and come from, and `copies`; None when there are none."""
    found: dict[int, tuple[str, str]] = {}
    for row in links.links_of(connection, [number]).get(number, []):
        if row.target_id is not None and row.target_title is not None:
            found[row.target_id] = (row.target_title, row.target_scope or "")
    for other, title, its_scope in links.pointing_at(connection, number, _DRAWN):
        found.setdefault(other, (title, its_scope))
    same = items.titles(connection, [one for one in copies if one != number])
    found |= same
    around = [one for one in found if one != number and found[one][1] in ("", scope)][:_DRAWN]
    if not around:
        return None
    nodes = [GraphNode("self", item.title, "self", number, private=bool(scope))]
    for one in around:
        title, its_scope = found[one]
        kind = "copy" if one in same else "related"
        nodes.append(GraphNode(str(one), title, kind, one, private=bool(its_scope)))
    names = {number: "self", **{one: str(one) for one in around}}
    edges = [
        (names[a], names[b], "related")
        for a, b in links.edges_among(connection, list(names))
        if a != b
    ]
    edges += [("self", str(one), "copy") for one in around if one in same]
    return Neighbourhood(tuple(nodes), _once(edges))


def _once(edges: Sequence[tuple[str, str, str]]) -> tuple[tuple[str, str, str], ...]:
    """Two items that name each other are joined by one line."""
    seen: dict[frozenset[str], tuple[str, str, str]] = {}
    for edge in edges:
        seen.setdefault(frozenset(edge[:2]), edge)
    return tuple(seen.values())


def telling_pages(
    connection: Connection, number: int, decisions: Sequence[DecisionLine]
) -> tuple[DecisionLine, ...]:
    """Decisions about an item, those marked that quote a text taken from a page."""
    others = [line.other_number for line in decisions if line.other_number is not None]
    taken = words.from_pages(connection, [number, *others])
    return tuple(
        replace(line, from_page=not taken.isdisjoint({number, line.other_number}))
        for line in decisions
    )


def link_counts(connection: Connection, source_id: str) -> dict[str, int]:
    """How many related links were found in a source's articles, by what became of them."""
    counted = links.counts(connection, source_id)
    total = sum(counted.values())
    if not total:
        return {}
    shown = {"found": total}
    for state in (EdgeState.FOLLOWED, EdgeState.KNOWN, EdgeState.QUEUED):
        number = sum(n for (name, _), n in counted.items() if name == state)
        if number:
            shown[LINKED[state]] = number
    refused = {reason: n for (name, reason), n in counted.items() if name == EdgeState.REFUSED}
    for reason, number in sorted(refused.items(), key=lambda pair: (-pair[1], str(pair[0]))):
        shown[f"not followed: {meaning(reason or Refused.FAILED, Refused)}"] = number
    return shown
