"""Copies as people see and overrule them: the decisions about an item, split and merge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from aggregator.identity.texts.copies import comparable, compare, percents, shared_passages
from aggregator.identity.texts.terms import spelled
from aggregator.model.copies import CopyDecision, CopyThresholds
from aggregator.model.errors import OperatorError
from aggregator.model.meanings import meaning
from aggregator.model.pages import DecisionLine, TextSide
from aggregator.model.states import DecisionKind, Veto
from aggregator.pipeline.showing import neighbours
from aggregator.store import changed
from aggregator.store.copies.boilerplate import known_boilerplate
from aggregator.store.copies.texts import StoredText, find_item, stored_texts
from aggregator.store.decisions import overrules, updates
from aggregator.store.items import items
from aggregator.store.views import served

_SHOWN_CHARACTERS = 3000  # of each side of a comparison
_MERGED = (DecisionKind.COPY, DecisionKind.STATED, DecisionKind.MERGE)
# Of groups, not of two texts.
_INTERNAL = (DecisionKind.JOINED, DecisionKind.PARTED, DecisionKind.REGROUPED)
_ORDER = (
    (DecisionKind.MERGE,),
    (DecisionKind.COPY, DecisionKind.STATED),
    (DecisionKind.CORRECTION,),
    (DecisionKind.STORY,),
    (DecisionKind.APART,),
    (DecisionKind.SPLIT,),
)
_NAMED = 5  # words that a sentence names
_COMPARED = 12  # members of a group that are laid side by side


class NoSuchItem(OperatorError):
    """There is no item of that number, id or address."""


def number_of(connection: Connection, written: str) -> int:
    """The item a person means: its number, its public id, or its address.

    Raises:
        NoSuchItem: none is meant.
    """
    number = find_item(connection, written)
    if number is None:
        raise NoSuchItem(
            f"there is no item {written!r}; give its number (it stands in its page's "
            "address), its id in a feed, or its link"
        )
    return number


def split(connection: Connection, number: int, now: datetime, limits: CopyThresholds) -> str:
    """Take an item out of its copy group, or its update out of it, for good; says what was done."""
    return _done(connection, overrules.split_item(connection, number, now, limits), now)


def merge(connection: Connection, numbers: Sequence[int], now: datetime) -> str:
    """Make items copies of each other for good; says what was done."""
    return _done(connection, overrules.merge_items(connection, numbers, now), now)


def _done(connection: Connection, overruled: overrules.Overruled, now: datetime) -> str:
    changed.show_anew(connection, now, grown=overruled.grown)
    return overruled.words


def decisions(
    connection: Connection, number: int, limits: CopyThresholds
) -> tuple[DecisionLine, ...]:
    """Why an item is, or is not, one with others: copies first, then what was kept apart.

    What both texts have is marked in both, as they are now; the figures are those of the decision.
    """
    every = overrules.decisions_of(connection, number)
    parted = {_other(d, number): d.reason for d in every if d.kind is DecisionKind.PARTED}
    logged = [d for d in every if d.kind not in _INTERNAL]
    members = [n for n in overrules.members_of(connection, number) if n != number]
    others = {_other(d, number) for d in logged} - {None} | set(members[:_COMPARED])
    texts = stored_texts(connection, [number, *(n for n in others if n is not None)])
    if number not in texts:
        return ()
    lines = [_correction(d) for d in updates.updates_of(connection, number)]
    lines += [
        _line(texts, number, d, members, parted) for d in logged if _other(d, number) in texts
    ]
    told = {line.other_number for line in lines if line.kind in _MERGED}
    for member in members[:_COMPARED]:
        if member not in told and member in texts:
            lines.append(_through(connection, texts[number], texts[member], limits))
    order = {kind: place for place, kinds in enumerate(_ORDER) for kind in kinds}
    kept = [
        line
        for line in lines
        if line.kind != DecisionKind.APART or line.other_number not in members
    ]
    return tuple(sorted(kept, key=lambda line: order[line.kind]))


@dataclass(frozen=True, slots=True)
class ItemReasons:
    """Everything decided about one item: `entries` are `(source, why)`, `members` its copies."""

    text: StoredText
    entries: tuple[tuple[str, str], ...]
    members: tuple[int, ...]
    decisions: tuple[DecisionLine, ...]
    notes: tuple[str, ...] = ()


def reasons(connection: Connection, written: str, limits: CopyThresholds) -> ItemReasons:
    """What was decided about the item a person means.

    Raises:
        NoSuchItem: none is meant, or its text is no longer kept.
    """
    number = number_of(connection, written)
    text = stored_texts(connection, [number]).get(number)
    if text is None:
        raise NoSuchItem(f"the text of item {number} is no longer kept")
    entries = tuple((one.source_id, one.why or "") for one in items.entries_of(connection, number))
    members = tuple(n for n in overrules.members_of(connection, number) if n != number)
    return ItemReasons(
        text, entries, members, decisions(connection, number, limits), _notes(connection, number)
    )


def _notes(connection: Connection, number: int) -> tuple[str, ...]:
    item = served.served_items(connection, [number])[number]
    said = [neighbours.provenance(connection, number), neighbours.withdrawal(item)]
    if item.paywalled:
        said.append("Its page says that it cannot be read for free: a readable copy leads.")
    return tuple(one for one in said if one)


def _other(decision: overrules.Decision, number: int) -> int | None:
    return decision.other_id if decision.item_id == number else decision.item_id


def _line(
    texts: Mapping[int, StoredText],
    number: int,
    decision: overrules.Decision,
    members: Sequence[int],
    parted: Mapping[int | None, str],
) -> DecisionLine:
    other = _other(decision, number)
    theirs = texts[other or 0]
    kind = decision.kind
    why = decision.reason
    if kind in (DecisionKind.COPY, DecisionKind.STATED) and theirs.number not in members:
        if other in parted:
            kind = DecisionKind.APART
            why = f"{parted[other]} now; under other thresholds they were one"
        else:
            kind = DecisionKind.SPLIT
            why = f"{why}; they were one until an operator split them"
    side_by_side = kind in (*_MERGED, DecisionKind.APART)
    shared = _shared_words(decision, texts[number], theirs) if kind is DecisionKind.STORY else ()
    return DecisionLine(
        kind=kind,
        why=_sentence(kind, decision, why, shared),
        at=decision.at,
        other_title=f"{theirs.source_title}: {theirs.title or ''}".rstrip(": "),
        other_number=theirs.number,
        evidence=tuple(_evidence(decision, shared, first=decision.item_id == number)),
        private=bool(theirs.scope),
        sides=_sides(texts[number], theirs) if side_by_side else (),
    )


def _correction(update: updates.Update) -> DecisionLine:
    """What was taken as an update of the item though it came under an id of its own."""
    return DecisionLine(
        kind=DecisionKind.CORRECTION,
        why=f"An update, not a second item: {update.reason}.",
        at=update.at,
        evidence=tuple(_measurements(update.evidence, update.score, first=True)),
    )


def _through(
    connection: Connection, mine: StoredText, theirs: StoredText, limits: CopyThresholds
) -> DecisionLine:
    """A member of the group that was never compared with this one directly."""
    a, b = (
        comparable(one.text, known_boilerplate(connection, one.source_id, limits))
        for one in (mine, theirs)
    )
    decision = compare(a, b, limits, titles=(mine.title, theirs.title))
    return DecisionLine(
        kind=DecisionKind.COPY,
        why="Both are the same text as a third member of the group. "
        f"Between the two: {decision.reason}.",
        other_title=f"{theirs.source_title}: {theirs.title or ''}".rstrip(": "),
        other_number=theirs.number,
        evidence=tuple(evidence_lines(decision)),
        private=bool(theirs.scope),
        sides=_sides(mine, theirs),
    )


def _shared_words(
    decision: overrules.Decision, mine: StoredText, theirs: StoredText
) -> tuple[str, ...]:
    """The words by which two items were found to be about one event, as the items write them."""
    stems = decision.evidence.get("terms", ())
    texts = (f"{one.title or ''} {one.text[:_SHOWN_CHARACTERS]}" for one in (mine, theirs))
    return spelled(stems, *texts)


def _sentence(
    kind: DecisionKind, decision: overrules.Decision, why: str, shared: Sequence[str]
) -> str:
    """The decision as a person says it."""
    share = f"{decision.score:.0%}" if decision.score is not None else ""
    if kind is DecisionKind.COPY:
        return f"The same text: {share} of the shorter one stands word for word in the other."
    if kind is DecisionKind.STATED:
        return f"The page of one names the other's address as its own, and {why}."
    if kind is DecisionKind.APART:
        return f"Kept apart: {why}."
    if kind is DecisionKind.STORY and shared:
        words = ", ".join(shared[:_NAMED])
        return f"Probably the same event, told in other words: both speak of {words}."
    if kind is DecisionKind.STORY:
        return f"Probably the same event, told in other words: {why}."
    return f"{why[:1].upper()}{why[1:]}."


def _evidence(
    decision: overrules.Decision, shared: Sequence[str], *, first: bool
) -> Iterator[tuple[str, str]]:
    if decision.kind is DecisionKind.STORY:
        yield "Words both use", ", ".join(shared)
        if decision.score is not None:
            yield "Likeness", f"{decision.score:.2f} of 1"
    elif "shared" in decision.evidence:
        yield from _measurements(decision.evidence, decision.score or 0.0, first=first)


def evidence_lines(decision: CopyDecision) -> Iterator[tuple[str, str]]:
    """A decision's measurements as `(label, value)`, for people."""
    yield from _measurements(asdict(decision.evidence), decision.score, first=True)


def _measurements(
    found: Mapping[str, Any], score: float, *, first: bool
) -> Iterator[tuple[str, str]]:
    """`first` says that the item the page is about was the first of the two compared."""
    a, b = ("a", "b") if first else ("b", "a")
    fewer = min(found["shingles_a"], found["shingles_b"])
    share, least = percents(score, found["threshold"])
    yield "Shared", f"{share}, from {least} on two texts are one"
    yield "Runs of four words in both", f"{found['shared']} of {fewer}"
    yield "Words of its own", f"{found[f'words_{a}']} here, {found[f'words_{b}']} there"
    if found["numbers_asked"]:
        yield "Figures in both", _listed(found["numbers_shared"])
        yield "Figures only here", _listed(found[f"numbers_only_{a}"])
        yield "Figures only there", _listed(found[f"numbers_only_{b}"])
        if found["dates_a"] or found["dates_b"]:
            days = f"{_listed(found[f'dates_{a}'])} here, {_listed(found[f'dates_{b}'])} there"
            yield "Days named", days
    if (other := found.get("replaced")) is not None:  # not in decisions of earlier versions
        yield "Other words in the same place", f"{other:.0%} of the shorter text"
    if found["vetoes"]:
        yield "Against it", ", ".join(meaning(veto, Veto) for veto in found["vetoes"])


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values[:10]) or "none"


def _sides(mine: StoredText, theirs: StoredText) -> tuple[TextSide, ...]:
    """Both texts, cut into runs that the other has too and runs that it has not."""
    a, b = mine.text[:_SHOWN_CHARACTERS], theirs.text[:_SHOWN_CHARACTERS]
    passages = shared_passages(a, b)
    if not passages:
        return ()
    ours = [(p.a_start, p.a_end) for p in passages]
    others = [(p.b_start, p.b_end) for p in passages]
    return (
        TextSide(mine.source_title, mine.title, mine.number, mine.link, marked(a, ours)),
        TextSide(theirs.source_title, theirs.title, theirs.number, theirs.link, marked(b, others)),
    )


def marked(text: str, spans: Sequence[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    """A text in runs, each with whether it lies in one of the spans (which may overlap)."""
    runs: list[tuple[str, bool]] = []
    here = 0
    for begin, end in sorted(spans):
        start = max(begin, here)
        if end <= start:
            continue
        if start > here:
            runs.append((text[here:start], False))
        runs.append((text[start:end], True))
        here = end
    if here < len(text):
        runs.append((text[here:], False))
    return tuple(runs)
