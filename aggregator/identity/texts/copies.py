"""Is this the same text? Containment of shingles, with a guard for figures and dates.

Outlets trim, wrap and re-title a wire story, so the measure is how much of the shorter text stands
in the longer one; titles are not looked at. Reports made from a template share most of their words
too: what tells them apart are their figures and the date they are about.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from aggregator.identity.texts.alignment import Alignment, align, common_runs
from aggregator.identity.texts.boilerplate import (
    MAX_COUNTED,
    Fate,
    Paragraph,
    countable,
    paragraphs,
)
from aggregator.identity.texts.days import days_named
from aggregator.identity.texts.fingerprints import shingles, winnow
from aggregator.identity.texts.names import names
from aggregator.identity.texts.places import (
    figures_against,
    figures_exchanged,
    names_against,
    only_exchanged,
    single_names_against,
    subjects_against,
    titles_against,
    versions_against,
)
from aggregator.identity.texts.tokens import has_unspaced, is_unspaced, word_spans, words
from aggregator.model.copies import (
    CopyDecision,
    CopyEvidence,
    CopyThresholds,
    Passage,
    PreparedText,
)
from aggregator.model.meanings import AGAINST
from aggregator.model.states import Veto

Titles = tuple[str | None, str | None]
NO_TITLES: Titles = (None, None)

_TEASER_SHINGLES = 8  # a sentence of eleven words
_FEW_NUMBERS = 3  # figures below which their differing says nothing
_CORRECTION = 0.08  # of the shorter text replaced: below, a figure may have been corrected
_MIDDLE = 0.28  # of a short text, in one place of both: each tells something of its own there
_FEW_WORDS = 0.1  # of a short text replaced: below, too
_OTHER_ROWS = 3  # places of a table with other figures: another edition of it
_BRIEF_OPENING = 15  # words of its own: an outlet's line, and not another beginning
_LATE = 0.25  # of the longer text: what begins later is no opening of it
_NAMED = 150  # words of the opening whose names count
_NOUNS = 0.25  # of the words with capitals: a language that gives them to every noun
_OWN_END = 0.86  # of all the words a copy may have of its own: at one end, they are an article
_OPENING = 60  # words in which a report says which day it is about
_SHOWN = 20  # figures listed in the evidence
_GROUPING = re.compile(r"[.,](?=\d{3}(?!\d))")
_MAX_WORDS = 20_000  # of one text; the rest does not change the answer


@dataclass(frozen=True, slots=True)
class ComparableText:
    """A text made ready to be compared and indexed, boilerplate left out."""

    words: tuple[str, ...]
    shingles: tuple[int, ...]
    numbers: frozenset[str]
    numeric_share: float
    paragraphs: tuple[Paragraph, ...]
    names: frozenset[str] = frozenset()  # of the opening, by their capitals

    @property
    def opening_dates(self) -> frozenset[str]:
        """Days named in the opening, as `MM-DD`: what a report is about."""
        return frozenset(days_named(self.words[:_OPENING]))

    @property
    def dates(self) -> frozenset[str]:
        """Days named anywhere."""
        return frozenset(days_named(self.words))

    @property
    def fingerprints(self) -> tuple[int, ...]:
        """What is indexed: signed 64-bit numbers, about one for eleven words."""
        return winnow(self.shingles)

    @property
    def countable(self) -> tuple[int, ...]:
        """Paragraph hashes to be counted for the source."""
        return countable(self.paragraphs)


def comparable(text: str, boilerplate: frozenset[int]) -> ComparableText:
    """Make an item's plain text ready.

    Args:
        text: Plain text, paragraphs on lines of their own; no title.
        boilerplate: Hashes of the paragraphs its source repeats (`repeated_paragraphs`).
    """
    found = tuple(paragraphs(text, boilerplate))
    own: list[str] = []
    for paragraph in found:
        if paragraph.fate is Fate.KEPT:
            own += paragraph.words
    tokens = tuple(own[:_MAX_WORDS])
    vocabulary = set(tokens)
    numbers = frozenset(_GROUPING.sub("", word) for word in vocabulary if word[0].isdecimal())
    grams = sum(map(is_unspaced, vocabulary)) if has_unspaced(text) else 0
    # Two overlapping grams stand for about one word of a script with spaces.
    weight = len(vocabulary) - grams / 2
    return ComparableText(
        words=tokens,
        shingles=shingles(tokens),
        numbers=numbers,
        numeric_share=len(numbers) / weight if weight else 0.0,
        paragraphs=found,
        names=names("\n".join(text[p.start : p.end] for p in found if p.fate is Fate.KEPT), _NAMED),
    )


def prepare_text(text: str, boilerplate: frozenset[int]) -> PreparedText:
    """`comparable` as flat data for another process, with what is indexed and counted."""
    return pack(comparable(text, boilerplate))


def pack(ready: ComparableText) -> PreparedText:
    """A comparable text as flat data."""
    return PreparedText(
        words=_joined(ready.words),
        shingles=array("Q", ready.shingles).tobytes(),
        numbers=_joined(sorted(ready.numbers)),
        names=_joined(sorted(ready.names)),
        numeric_share=ready.numeric_share,
        indexed=array("q", ready.fingerprints).tobytes(),
        counted=array("q", ready.countable).tobytes(),
    )


def restore(prepared: PreparedText) -> ComparableText:
    """The comparable text behind prepared data; its paragraphs are not kept."""
    return ComparableText(
        tuple(_parted(prepared.words)),
        tuple(array("Q", prepared.shingles)),
        frozenset(_parted(prepared.numbers)),
        prepared.numeric_share,
        (),
        frozenset(_parted(prepared.names)),
    )


def is_unaffected(prepared: PreparedText, paragraphs: frozenset[int]) -> bool:
    """Whether a text stays as it is where these paragraphs begin or cease to be boilerplate.

    True only where that is certain.
    """
    if not paragraphs:
        return True
    counted = prepared.countable
    return len(counted) < MAX_COUNTED and paragraphs.isdisjoint(counted)


def _joined(words: Iterable[str]) -> bytes:
    # No word holds a NUL, while some a space: a ligature of Arabic is folded into four words.
    return "\0".join(words).encode("utf-8", "surrogatepass")


def _parted(joined: bytes) -> list[str]:
    return joined.decode("utf-8", "surrogatepass").split("\0") if joined else []


def compare(
    a: ComparableText,
    b: ComparableText,
    thresholds: CopyThresholds,
    *,
    titles: Titles = NO_TITLES,
    young: bool = False,
) -> CopyDecision:
    """Decide whether two texts are one text.

    Args:
        a: One text.
        b: The other; the decision is the same both ways round.
        thresholds: The operator's.
        titles: Their headlines. They make nothing one text; where each says what the other does
            not, and the same stands against each other in the texts, these are two.
        young: One of the sources is too new for its boilerplate to be known.

    Returns:
        The decision with its score (containment, 0..1), a reason and the evidence.
    """
    limits = thresholds
    ones, others = set(a.shingles), set(b.shingles)
    shared = len(ones & others)
    shorter = min(len(ones), len(others))
    score = shared / shorter if shorter else 0.0
    needed = max(limits.containment, limits.containment_young if young else 0.0)
    vetoes: tuple[Veto, ...] = ()
    asked, same = False, False
    beside: Alignment | None = None
    if shorter < limits.min_shingles:
        vetoes = (Veto.SHORT,)
        reason = f"too short to tell: {shorter} shingles, {limits.min_shingles} are needed"
    elif score < needed - limits.one_sided:
        reason = _too_little(score, needed)
    else:
        beside = align(a.words, a.shingles, b.words, b.shingles)
        asked = _asks_for_numbers(a, b, score, limits)
        vetoes = _vetoes(a, b, limits) if asked else ()
        vetoes = tuple(dict.fromkeys((*vetoes, *_speaks_against(a, b, score, beside, limits))))
        if not vetoes and _told_apart(a, b, beside, titles, limits):
            vetoes = (Veto.TITLES,)
        enough = score >= needed or _is_one_sided(a, b, beside, limits)
        same = enough and not vetoes
        reason = _reason(score, vetoes) if enough else _too_little(score, needed)
        if score < needed and same:
            reason += ", and the rest was cut or added rather than replaced"
    evidence = CopyEvidence(
        shingles_a=len(ones),
        shingles_b=len(others),
        shared=shared,
        threshold=needed,
        words_a=len(a.words),
        words_b=len(b.words),
        numeric_share=max(a.numeric_share, b.numeric_share),
        numbers_asked=asked or Veto.NUMBERS in vetoes,
        numbers_shared=_first(a.numbers & b.numbers),
        numbers_only_a=_first(a.numbers - b.numbers),
        numbers_only_b=_first(b.numbers - a.numbers),
        dates_a=tuple(sorted(a.opening_dates)) if asked else (),
        dates_b=tuple(sorted(b.opening_dates)) if asked else (),
        replaced=beside.replaced if beside else None,
        vetoes=vetoes,
    )
    return CopyDecision(same, score, reason, evidence)


def compare_stated(
    a: ComparableText, b: ComparableText, thresholds: CopyThresholds
) -> CopyDecision:
    """Decide whether two texts are one where the page of one names the other's address.

    Less of the text has to agree then, and a teaser is enough; figures and dates count as ever.
    """
    limits = thresholds
    stated = replace(
        limits,
        containment=min(limits.containment, limits.containment_stated),
        min_shingles=min(limits.min_shingles, _TEASER_SHINGLES),
        one_sided=0.0,
        own_opening=_MAX_WORDS,
        excerpt=_MAX_WORDS,
    )
    return compare(a, b, stated)


def percents(score: float, needed: float) -> tuple[str, str]:
    """A share and its threshold as people read them: with as many digits as tell them apart."""
    digits = 0
    while score != needed and digits < 3 and f"{score:.{digits}%}" == f"{needed:.{digits}%}":
        digits += 1
    return f"{score:.{digits}%}", f"{needed:.{digits}%}"


def _asks_for_numbers(
    a: ComparableText, b: ComparableText, score: float, limits: CopyThresholds
) -> bool:
    """Whether figures and dates have to agree for these two."""
    share = max(a.numeric_share, b.numeric_share)
    if share <= limits.numeric_vocabulary:
        return False
    short = min(len(a.words), len(b.words)) < limits.short_text
    return short or score < limits.sure or share > limits.tabular


def figures_or_dates_differ(a: ComparableText, b: ComparableText, limits: CopyThresholds) -> bool:
    """Whether two texts with many figures disagree about them, or about the day they report."""
    if max(a.numeric_share, b.numeric_share) <= limits.numeric_vocabulary:
        return False
    return bool(_vetoes(a, b, limits))


def days_differ(a: ComparableText, b: ComparableText) -> bool:
    """Whether the openings of two texts name days that contradict each other."""
    days_a, days_b = a.opening_dates, b.opening_dates
    return bool(days_a and days_b and not days_a & b.dates and not days_b & a.dates)


def _vetoes(a: ComparableText, b: ComparableText, limits: CopyThresholds) -> tuple[Veto, ...]:
    found = []
    fewer = min(len(a.numbers), len(b.numbers))
    if fewer and len(a.numbers & b.numbers) / fewer < limits.numbers_agreement:
        found.append(Veto.NUMBERS)
    if days_differ(a, b):
        found.append(Veto.DATES)
    return tuple(found)


def _speaks_against(
    a: ComparableText, b: ComparableText, score: float, beside: Alignment, limits: CopyThresholds
) -> Iterator[Veto]:
    """What the places speak against in which two texts that share much differ."""
    fewer = min(len(a.numbers), len(b.numbers))
    agreeing = len(a.numbers & b.numbers) / fewer if fewer else 1.0
    corrected = beside.replaced < _CORRECTION
    needed = limits.numbers_corrected if corrected else limits.numbers_replaced
    table = max(a.numeric_share, b.numeric_share) > limits.tabular
    if (fewer >= _FEW_NUMBERS and beside.conflicts and agreeing < needed) or (
        table and beside.conflicts >= _OTHER_ROWS and agreeing < limits.sure_numbers
    ):
        yield Veto.NUMBERS
    if beside.opening >= limits.own_opening and score < limits.sure_opening:
        yield Veto.OPENING
    fewer_words = min(len(a.words), len(b.words))
    own_end = _OWN_END * (1 - limits.containment) * fewer_words
    if beside.ending >= own_end and score < limits.sure_opening:
        yield Veto.ENDING
    if fewer_words < limits.short_text:
        nouns = _names_nouns(a) or _names_nouns(b)
        both = frozenset(a.words).intersection(b.words)
        exchanged = single_names_against(beside.places, a.names | b.names)
        if exchanged > 1 or names_against(beside.places, a.names | b.names, both, nouns=nouns):
            yield Veto.NAMES
        counted = figures_against(beside.places, both)
        if versions_against(beside.places, beside.front) or (
            counted and (exchanged or beside.replaced >= _FEW_WORDS)
        ):
            yield Veto.NUMBERS
        if max((min(len(p.a), len(p.b)) for p in beside.places), default=0) > _MIDDLE * fewer_words:
            yield Veto.MIDDLE
    if _brief(a, b, limits):
        if figures_exchanged(beside.everywhere) > 1:
            yield Veto.NUMBERS
        nouns_of_both = a.names | b.names if _names_nouns(a) or _names_nouns(b) else frozenset()
        as_long = len(a.words) == len(b.words) and not beside.ending
        if as_long and only_exchanged(beside.everywhere, nouns_of_both):
            yield Veto.NAMES
    shorter, longer = sorted((len(a.words), len(b.words)))
    if beside.begins > _LATE and longer >= limits.excerpt * shorter:
        yield Veto.EXCERPT


def _told_apart(
    a: ComparableText, b: ComparableText, beside: Alignment, titles: Titles, limits: CopyThresholds
) -> bool:
    """Whether the headlines name what stands against each other in one place of short texts."""
    one, other = (tuple(words(title or "")) for title in titles)
    if not one or not other or not _brief(a, b, limits):
        return False
    places = beside.places if beside.front is None else (beside.front, *beside.places)
    both = frozenset(a.words).intersection(b.words)
    sides = ((one, other), (other, one))  # the shorter text is the first of the places
    return any(
        titles_against(places, told, a.names | b.names, both) or subjects_against(places, told)
        for told in sides
    )


def _brief(a: ComparableText, b: ComparableText, limits: CopyThresholds) -> bool:
    """Whether one is short, where two runs of characters stand for about a word."""
    fewer = min(sum(0.5 if is_unspaced(word) else 1 for word in text.words) for text in (a, b))
    return fewer < limits.short_text


def _names_nouns(text: ComparableText) -> bool:
    opening = set(text.words[:_NAMED])
    return len(text.names & opening) > _NOUNS * len(opening)


def _is_one_sided(
    a: ComparableText, b: ComparableText, beside: Alignment, limits: CopyThresholds
) -> bool:
    """Whether two texts differ by what one of them cut or added: hardly anything was replaced."""
    fewer = min(len(a.numbers), len(b.numbers))
    agreeing = len(a.numbers & b.numbers) / fewer if fewer else 1.0
    return (
        beside.replaced <= limits.replaced
        and not beside.conflicts
        and beside.opening < _BRIEF_OPENING
        and beside.crossed < limits.own_opening
        and (fewer < _FEW_NUMBERS or agreeing >= limits.numbers_replaced)
    )


def _too_little(score: float, needed: float) -> str:
    found, least = percents(score, needed)
    return f"{found} of the shorter text is in the other; {least} is needed"


def _reason(score: float, vetoes: tuple[Veto, ...]) -> str:
    share = f"{score:.0%} of the shorter text is in the other"
    if not vetoes:
        return share
    return f"{share}, but {' and '.join(AGAINST[veto] for veto in vetoes)}"


def _first(numbers: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(numbers, key=lambda number: (-len(number), number))[:_SHOWN])


def shared_passages(
    text_a: str,
    text_b: str,
    boilerplate_a: frozenset[int] = frozenset(),
    boilerplate_b: frozenset[int] = frozenset(),
    *,
    limit: int = 200,
) -> tuple[Passage, ...]:
    """The runs of at least four words both texts have, for highlighting, in the order of `text_a`.

    Offsets are characters of the texts given; boilerplate is not part of any passage.
    """
    words_a, spans_a = _placed(text_a, boilerplate_a)
    words_b, spans_b = _placed(text_b, boilerplate_b)
    found: list[Passage] = []
    for run in islice(common_runs(shingles(words_a), shingles(words_b)), limit):
        last_a, last_b = run.a + run.words - 1, run.b + run.words - 1
        found.append(
            Passage(
                spans_a[run.a][0], spans_a[last_a][1], spans_b[run.b][0], spans_b[last_b][1],
                run.words,
            )
        )  # fmt: skip
    return _apart(found)


def _apart(found: list[Passage]) -> tuple[Passage, ...]:
    """Passages that overlap in `a` by the words two shingles share: the later one gives way."""
    kept: list[Passage] = []
    for passage in found:
        if not kept or passage.a_start >= kept[-1].a_end:
            kept.append(passage)
        elif passage.words > kept[-1].words:
            kept[-1] = passage
    return tuple(kept)


def _placed(text: str, boilerplate: frozenset[int]) -> tuple[list[str], list[tuple[int, int]]]:
    """The kept words of a text with their places in it."""
    tokens: list[str] = []
    spans: list[tuple[int, int]] = []
    for paragraph in paragraphs(text, boilerplate):
        if paragraph.fate is Fate.KEPT:
            tokens.extend(paragraph.words)
            places = word_spans(text[paragraph.start : paragraph.end])
            spans.extend((paragraph.start + start, paragraph.start + end) for start, end in places)
    return tokens[:_MAX_WORDS], spans[:_MAX_WORDS]
