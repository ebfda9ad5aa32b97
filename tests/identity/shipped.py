"""The deciders with the thresholds as shipped and no boilerplate known."""

from __future__ import annotations

from functools import partial
from typing import Any

from aggregator.identity import corrections
from aggregator.identity.texts import boilerplate as paragraphs_of
from aggregator.identity.texts import copies, groups
from aggregator.model.copies import CopyDecision, CopyThresholds, PreparedText, StoryThresholds

NOTHING: frozenset[int] = frozenset()
COPIES = CopyThresholds()
STORIES = StoryThresholds()


def comparable(text: str, boilerplate: frozenset[int] = NOTHING) -> copies.ComparableText:
    """`identity.copies.comparable`."""
    return copies.comparable(text, boilerplate)


def prepare_text(text: str, boilerplate: frozenset[int] = NOTHING) -> PreparedText:
    """`identity.copies.prepare_text`."""
    return copies.prepare_text(text, boilerplate)


def paragraphs(text: str, boilerplate: frozenset[int] = NOTHING) -> list[paragraphs_of.Paragraph]:
    """`identity.boilerplate.paragraphs`."""
    return list(paragraphs_of.paragraphs(text, boilerplate))


def compare(
    a: copies.ComparableText,
    b: copies.ComparableText,
    limits: CopyThresholds = COPIES,
    **how: Any,
) -> CopyDecision:
    """`identity.copies.compare`."""
    return copies.compare(a, b, limits, **how)


def same_text(title_a: str, text_a: str, title_b: str, text_b: str) -> bool:
    """Whether two items are copies, their sources unknown."""
    return compare(comparable(text_a), comparable(text_b), titles=(title_a, title_b)).same


choose_group = partial(groups.choose_group, thresholds=COPIES)
unlisted = partial(corrections.unlisted, thresholds=COPIES)
judge_correction = partial(corrections.judge_correction, thresholds=COPIES)
repeated_paragraphs = partial(paragraphs_of.repeated_paragraphs, thresholds=COPIES)
