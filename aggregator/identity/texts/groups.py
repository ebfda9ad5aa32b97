"""Which copy group a new item joins, and which member of a group is shown for it.

Pure: candidates are handed in, the store carries the answer out inside the same transaction that
looked them up (so that two workers cannot both find nothing).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from aggregator.identity.texts.copies import ComparableText, comparable, compare
from aggregator.identity.texts.tokens import words
from aggregator.model.copies import (
    Assignment,
    Compared,
    CopyDecision,
    CopyThresholds,
    Member,
    TextOfItem,
)
from aggregator.model.states import Veto


def choose_group(
    new: TextOfItem,
    candidates: Sequence[TextOfItem],
    thresholds: CopyThresholds,
    *,
    prepared: Mapping[int, ComparableText] | None = None,
    kept_apart: Collection[int] = (),
    apart_groups: Collection[frozenset[int]] = (),
) -> Assignment:
    """Compare a new item with its candidates and say where it belongs.

    Args:
        new: The item to be placed.
        candidates: Stored items that share fingerprints with it, in any order.
        thresholds: The operator's.
        prepared: Texts already made comparable, by item id.
        kept_apart: Groups an operator split this item from: never joined again.
        apart_groups: Pairs of groups an operator split: never merged through this item.

    Returns:
        The group of the best candidate that is the same text, further groups that are, and every
        comparison made. The answer does not depend on the order of `candidates`.
    """
    limits = thresholds
    ready = prepared or {}
    text = ready.get(new.item_id) or comparable(new.text, new.boilerplate)
    nearest = sorted(candidates, key=lambda c: (-c.shared_fingerprints, c.item_id))
    compared: list[Compared] = []
    for candidate in nearest[: limits.max_candidates]:
        if candidate.item_id == new.item_id:
            continue
        other = ready.get(candidate.item_id) or comparable(candidate.text, candidate.boilerplate)
        decision = compare(
            text,
            other,
            limits,
            titles=(new.title, candidate.title),
            young=_is_young(new, candidate, limits),
        )
        if decision.same and new.source_id and candidate.source_id == new.source_id:
            decision = _within_source(decision, new, candidate, limits)
        overruled = candidate.group in kept_apart
        compared.append(Compared(candidate.item_id, candidate.group, decision, overruled))
    compared.sort(key=lambda c: (not c.decision.same, -c.decision.score, c.item_id))
    found = [c for c in compared if c.decision.same and not c.overruled]
    if not found:
        return Assignment(None, None, None, _why_alone(compared), compared=tuple(compared))
    best = found[0]
    also: list[int] = []
    for other_group in dict.fromkeys(c.group for c in found[1:]):
        together = (best.group, *also)
        if other_group not in together and not any(
            frozenset((other_group, group)) in apart_groups for group in together
        ):
            also.append(other_group)
    return Assignment(
        best.group,
        best.item_id,
        best.decision,
        best.decision.reason,
        also=tuple(also),
        compared=tuple(compared),
    )


def _within_source(
    decision: CopyDecision, new: TextOfItem, candidate: TextOfItem, limits: CopyThresholds
) -> CopyDecision:
    """The stricter rule for two items that ONE source publishes as two.

    It tells them apart itself, by id and address, and what its items share is mostly its own
    boilerplate, which for a young or small source is not known yet: only the same title over
    practically the same text, with the same figures, is one text sent again.
    """
    evidence = decision.evidence
    longer = max(evidence.shingles_a, evidence.shingles_b)
    resent = (
        words(new.title or "") == words(candidate.title or "")
        and evidence.shared >= limits.resent * longer
        and _figures_agree(decision, limits)
    )
    if resent:
        return decision
    reason = f"{decision.reason}, but one source publishes them as two items"
    return replace(
        decision,
        same=False,
        reason=reason,
        evidence=replace(evidence, vetoes=(*evidence.vetoes, Veto.SOURCE)),
    )


def _is_young(a: TextOfItem, b: TextOfItem, limits: CopyThresholds) -> bool:
    return min(a.source_items, b.source_items) < limits.young_source


def _why_alone(compared: Sequence[Compared]) -> str:
    if not compared:
        return "no other item shares a fingerprint"
    nearest = compared[0]
    if nearest.decision.same:
        return f"an operator keeps it apart from item {nearest.item_id}"
    return f"nearest is item {nearest.item_id}: {nearest.decision.reason}"


def choose_lead(members: Iterable[Member], *, private_allowed: bool = False) -> int | None:
    """The member of a copy group that is shown for it; None where none may be.

    Called with the members inside one view, after its rules, so that a group with any member in
    a view is always visible there. What was served once stays; then the source the operator
    prefers, originals before aggregators, readable before paywalled, the earliest.

    Args:
        members: Members inside the view.
        private_allowed: Whether items of private sources may be shown there.
    """
    allowed = [member for member in members if private_allowed or not member.private]
    if not allowed:
        return None
    return min(
        allowed,
        key=lambda m: (
            not m.served,
            -m.preference,
            m.aggregator,
            not m.readable,
            m.published,
            m.first_seen,
            m.item_id,
        ),
    ).item_id


def _figures_agree(decision: CopyDecision, limits: CopyThresholds) -> bool:
    evidence = decision.evidence
    shared = len(evidence.numbers_shared)
    fewer = shared + min(len(evidence.numbers_only_a), len(evidence.numbers_only_b))
    return not fewer or shared / fewer >= limits.numbers_agreement
