"""Is a new entry an earlier item of its source, corrected and sent again under another id?

Some publishers take an article out of their feed and put the corrected one in under a new id and
a new address. What tells that from a bulletin that comes out again and again under one headline is
that a document which lists both tells them apart itself, that a bulletin has other figures, and
that its headline was there before. Pure; the policy is rule 9 of `docs/design/copies.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.identity.agreement import titles_agree
from aggregator.identity.texts.copies import ComparableText, compare, days_differ, percents
from aggregator.identity.texts.tokens import words
from aggregator.model.copies import CopyDecision, CopyThresholds
from aggregator.model.item import Earlier, EntryIntent, KnownEntry
from aggregator.model.states import EntryKind, Mark, Veto

_SAYS_SOMETHING = 6  # words of a teaser
_OLDER_LISTED = 3  # a pinned entry or two do not show that nothing fell off a document's end


def headline(title: str | None) -> str:
    """A title as it is compared: its words alone; empty where it has none."""
    return " ".join(words(title or ""))


def unlisted(
    intents: Sequence[EntryIntent],
    namesakes: Mapping[str, Collection[Earlier]],
    neighbours: Mapping[str, Earlier],
    thresholds: CopyThresholds,
) -> dict[int, Earlier]:
    """The earlier entry that each new one may be, by its place in `intents`.

    Args:
        intents: Of one whole document, with the prepared texts of the new ones.
        namesakes: By headline, the source's entries of the last days that bear it.
        neighbours: By URL key, the source's entry at that address.
        thresholds: The operator's.

    Returns:
        The entry at the same address, else the one with the same headline. Nothing for an entry
        whose headline stands twice in the document or was borne by two items already (it recurs),
        whose earlier state is still listed, or whose text is too short to say anything.
    """
    limits = thresholds
    listed = {intent.known.item_id for intent in intents if intent.known is not None}
    counts = Counter(headline(intent.entry.title) for intent in intents)
    found: dict[int, Earlier] = {}
    claimed: set[int] = set()
    for place, intent in enumerate(intents):
        if intent.kind != EntryKind.NEW or intent.prepared is None:
            continue
        title = headline(intent.entry.title)
        bearing = list(namesakes.get(title, ())) if title and counts[title] == 1 else []
        earlier = bearing[0] if len(bearing) == 1 else None
        if intent.url_key_is_identity:
            earlier = neighbours.get(intent.url_key or "", earlier)
        if earlier is None or earlier.text is None:
            continue
        if earlier.known.item_id in listed or earlier.known.item_id in claimed:
            continue
        if intent.prepared.size >= limits.min_shingles:
            claimed.add(earlier.known.item_id)
            found[place] = earlier
    return found


def of_same_date(
    intents: Sequence[EntryIntent],
    dated: Mapping[datetime, Collection[Earlier]],
    taken: Collection[int],
) -> list[tuple[int, Earlier]]:
    """New entries with what the document no longer lists and bore their very date, by place.

    Headline, address and id may all have been edited together. `taken` are the places of entries
    that have a headline or an address in common with an earlier one.
    """
    listed = {intent.known.item_id for intent in intents if intent.known is not None}
    return [
        (place, earlier)
        for place, intent in enumerate(intents)
        if intent.kind is EntryKind.NEW and place not in taken and intent.entry.published
        for earlier in dated.get(intent.entry.published, ())
        if earlier.text is not None and earlier.known.item_id not in listed
    ]


def is_restated(intent: EntryIntent, earlier: Earlier) -> bool:
    """Whether an entry of the same date says the same in too few words to compare.

    Either side has the words of the other, or neither has any, and then the headlines agree.
    """
    new = words(intent.body.text if intent.body else "")
    old = words(earlier.text or "")
    if new != old:
        return False
    enough = len(new) >= _SAYS_SOMETHING
    return enough or titles_agree(intent.entry.title, earlier.known.title)


EDITION = 0.5  # a text of which less is shared is another edition, not an edited one


def is_edition(
    intent: EntryIntent, earlier: Earlier, new: ComparableText, old: ComparableText
) -> bool:
    """Whether a renamed entry is a new edition at a fixed address, and no edited state.

    The daily bulletin: another id, a later date, and a text that shares less than half.
    """
    if intent.guid is None or earlier.known.guid is None or intent.guid == earlier.known.guid:
        return False
    return is_another(intent, earlier, new, old)


def is_another(
    intent: EntryIntent, earlier: Earlier, new: ComparableText, old: ComparableText
) -> bool:
    """Whether an entry is later than an earlier one, and shares less than half of its text."""
    published = intent.entry.published
    if published is None or published <= earlier.at or not new.shingles or not old.shingles:
        return False
    ones, others = set(new.shingles), set(old.shingles)
    return len(ones & others) < EDITION * min(len(ones), len(others))


def judge_correction(
    new: ComparableText,
    earlier: ComparableText,
    *,
    apart: timedelta,
    taken_out: bool,
    mark: Mark = Mark.HEADLINE,
    thresholds: CopyThresholds,
) -> CopyDecision:
    """Whether a new text is a corrected state of an earlier one with its headline or address.

    Args:
        new: The text of the new entry.
        earlier: The text of the entry that is not listed any more.
        apart: Time between the two.
        taken_out: The document still lists older entries: the earlier one did not merely fall off
            its end.
        mark: What they have in common. At one address time and headlines do not matter; of one
            date alone, they must be copies too.
        thresholds: The operator's.

    Returns:
        The decision; its score is a share of the shorter text within `correction_window` and at one
        address, otherwise of the longer one.
    """
    limits = thresholds
    decision = compare(new, earlier, limits)
    evidence = decision.evidence
    soon = mark is not Mark.HEADLINE or abs(apart) <= limits.correction_window
    side, needed = ("shorter", limits.sure) if soon else ("longer", limits.resent)
    fewer, more = sorted((evidence.shingles_a, evidence.shingles_b))
    score = evidence.shared / max(1, fewer if soon else more)
    vetoes = []
    if fewer < limits.min_shingles:
        vetoes.append(Veto.SHORT)
    if not _figures_agree(new, earlier, limits):
        vetoes.append(Veto.NUMBERS)
    if days_differ(new, earlier):
        vetoes.append(Veto.DATES)
    if not soon and not taken_out:
        vetoes.append(Veto.SOURCE)
    if mark is Mark.DATE and not decision.same:
        vetoes.append(Veto.DATE)
    same = score >= needed and not vetoes
    share = f"{percents(score, needed)[0]} of the {side} text is in the other"
    reason = (
        f"its publisher sent it again under another id, with the same {mark}; the earlier id is "
        f"gone, {share}, and no figure speaks against it"
        if same
        else f"{share}; an earlier item of its source has the {mark}"
    )
    return CopyDecision(
        same,
        score,
        reason,
        replace(
            evidence,
            threshold=needed,
            numbers_asked=True,
            dates_a=tuple(sorted(new.opening_dates)),
            dates_b=tuple(sorted(earlier.opening_dates)),
            vetoes=tuple(vetoes),
        ),
    )


def was_taken_out(intents: Sequence[EntryIntent], earlier: Earlier) -> bool:
    """Whether a document still lists entries that are older than one it no longer has.

    Entries are stored oldest first, so a lower number is an older entry.
    """
    numbers = {intent.known.entry_id for intent in intents if intent.known is not None}
    return sum(1 for number in numbers if number < earlier.known.entry_id) >= _OLDER_LISTED


def same_address(intent: EntryIntent, earlier: Earlier) -> bool:
    """Whether a new entry stands at the address of an earlier one."""
    return intent.url_key_is_identity and intent.url_key == earlier.known.url_key


def time_apart(intent: EntryIntent, earlier: Earlier, now: datetime) -> timedelta:
    """Between two entries as their source dates them, or as they were seen where it does not."""
    return min(intent.entry.published or now, now) - earlier.at


def corrected(
    intent: EntryIntent, earlier: Earlier, decision: CopyDecision | None = None
) -> EntryIntent:
    """The intent of a new entry that turned out to be a state of an earlier one.

    Without a decision it is one of the same date that says the same.
    """
    known = earlier.known
    return replace(
        intent,
        kind=EntryKind.RENAMED,
        known=known,
        archived=False,
        why=decision.reason
        if decision
        else "the same words and the same date, and the earlier id is gone",
        body=None if _is_shown(intent, known) else intent.body,
        decision=decision,
    )


def _is_shown(intent: EntryIntent, known: KnownEntry) -> bool:
    return (known.content_hash, known.shown) == (intent.content_hash, intent.shown)


def _figures_agree(a: ComparableText, b: ComparableText, limits: CopyThresholds) -> bool:
    """Four figures of five: a template has more of its own than an article has to correct."""
    fewer = min(len(a.numbers), len(b.numbers))
    return not fewer or len(a.numbers & b.numbers) / fewer >= limits.sure
