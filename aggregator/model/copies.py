"""Copies and stories: the thresholds of the decision, and a decision with its evidence.

The policy these numbers belong to is described in `docs/design/copies.md` and `stories.md`.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aggregator.model.states import Veto


@dataclass(frozen=True, slots=True)
class CopyThresholds:
    """When two texts are one text. Shares are 0..1; measured defaults.

    Changing one changes what later items join, not what was decided, until items are grouped anew.
    """

    containment: float = 0.56  # share of the shorter text's shingles found in the longer one
    containment_young: float = 0.65  # the same while a source's boilerplate is not known yet
    containment_stated: float = 0.5  # the same where a page names the other's address as its own
    young_source: int = 50  # items of a source until then
    min_shingles: int = 12  # below: too short to say anything
    numeric_vocabulary: float = 0.10  # more figures than this: figures and dates must agree
    numbers_agreement: float = 0.60  # share of the figures of the side with fewer of them
    sure: float = 0.80  # from here on figures matter in short texts only
    short_text: int = 150  # words; below, figures matter at any score
    tabular: float = 0.25  # so many figures make a table: figures matter at any score and length
    window: timedelta = timedelta(days=14)  # how far back candidates are looked for
    max_postings: int = 50  # a fingerprint of more items than this says nothing
    max_candidates: int = 20  # compared in full, those with most shared fingerprints first
    one_sided: float = 0.12  # so much less is enough where hardly anything was replaced
    replaced: float = 0.25  # of the shorter text, in the place of other words: hardly anything
    numbers_replaced: float = 0.70  # as `numbers_agreement`, of any text with figures in conflict
    numbers_corrected: float = 0.65  # the same where almost nothing but a figure was replaced
    sure_numbers: float = 0.90  # the same in a table with conflicts in several places
    own_opening: int = 25  # words before the first shared ones, on both sides: two articles
    sure_opening: float = 0.70  # from here on they are one all the same
    excerpt: int = 4  # so many times longer is the text in which the other is a mere part
    boilerplate_groups: int = 3  # a paragraph in this many copy groups of a source is boilerplate
    correction_window: timedelta = timedelta(hours=6)  # same source, same title, old id gone
    resent: float = 0.9  # of the longer text, shared by two items of ONE source with one title


@dataclass(frozen=True, slots=True)
class StoryThresholds:
    """When two items are about one event. Looser than copies; nothing is ever hidden by it."""

    window: timedelta = timedelta(hours=72)  # between two items of one event
    similarity: float = 0.13  # cosine of the weighted terms of an item and its nearest, 0..1
    similarity_figures: float = 0.30  # the same between two texts full of differing figures
    names: float = 1.5  # how much more a name weighs than another word
    cohesion: float = 0.9  # of `similarity`: the least mean similarity to the story's members
    similarity_few: float = 0.18  # the same where no more than the least number of things is shared
    rare_shared: int = 2  # rare things (names, words) that must be shared, whatever the score
    surprise: float = 1.5  # how much rarer together than one item of all, as a logarithm
    rare: float = 0.01  # a term in at most this share of the items of other stories is rare
    max_terms: int = 80  # heaviest terms kept of an item
    opening: int = 120  # words of the text that are read, after the headline
    max_items: int = 200  # a story this large takes no more: it is a topic
    template: float = 0.15  # from this containment on, differing figures mean one template


@dataclass(frozen=True, slots=True)
class CopyEvidence:
    """What a decision about two texts rests on; the figures are those of `a` and `b` as given."""

    shingles_a: int = 0
    shingles_b: int = 0
    shared: int = 0
    threshold: float = 0.0
    words_a: int = 0
    words_b: int = 0
    numeric_share: float = 0.0  # of the more numeric side
    numbers_asked: bool = False  # whether the guard looked at the figures
    numbers_shared: tuple[str, ...] = ()  # the first twenty of each
    numbers_only_a: tuple[str, ...] = ()
    numbers_only_b: tuple[str, ...] = ()
    dates_a: tuple[str, ...] = ()  # `MM-DD`, of the opening, where the guard looked
    dates_b: tuple[str, ...] = ()
    replaced: float | None = None  # share of the shorter text with other words in its place
    vetoes: tuple[Veto, ...] = ()


@dataclass(frozen=True, slots=True)
class CopyDecision:
    """Whether two texts are the same text. `score` is the containment; `reason` is for people."""

    same: bool
    score: float
    reason: str
    evidence: CopyEvidence = field(default_factory=CopyEvidence)


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of words both texts have: character offsets, end exclusive."""

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    words: int


@dataclass(frozen=True, slots=True)
class PreparedText:
    """An item's own text made ready in a worker process: what the copy and story steps read.

    Flat, so that it crosses to another process in one piece and takes a tenth of the memory of its
    parts: sequences of words are UTF-8 parted by NUL, numbers eight bytes each in the order of this
    machine. `identity.copies` makes it (`prepare_text`) and reads it (`restore`).

    Attributes:
        words: Its words, boilerplate left out.
        shingles: Hashes of runs of four words, unsigned.
        numbers: The figures among the words, without repeats.
        names: The names of its opening.
        numeric_share: Which part of the vocabulary are figures, 0..1.
        indexed: Those of the shingles that are indexed, signed.
        counted: Hashes of the paragraphs to be counted for the source, signed.
    """

    words: bytes
    shingles: bytes
    numbers: bytes
    names: bytes
    numeric_share: float
    indexed: bytes = b""
    counted: bytes = b""

    @property
    def size(self) -> int:
        """How many shingles it has."""
        return len(self.shingles) // 8

    @property
    def fingerprints(self) -> tuple[int, ...]:
        """The shingles that are indexed."""
        return tuple(array("q", self.indexed))

    @property
    def countable(self) -> tuple[int, ...]:
        """The paragraphs to be counted for the source."""
        return tuple(array("q", self.counted))

    def __reduce__(self) -> tuple[type[PreparedText], tuple[bytes | float, ...]]:
        """A third of the time that pickling a dataclass takes."""
        flat = (self.words, self.shingles, self.numbers, self.names, self.numeric_share,
                self.indexed, self.counted)  # fmt: skip
        return PreparedText, flat


@dataclass(frozen=True, slots=True)
class TextOfItem:
    """An item as the copy step sees it: a new one to be placed, or a stored candidate.

    `group` is its copy group; an item without copies is a group of its own, under any number no
    other group has. `boilerplate` holds the paragraphs its source is known to repeat and
    `source_items` how many items of that source were read before.
    """

    item_id: int
    source_id: str
    text: str
    group: int = 0
    title: str | None = None
    boilerplate: frozenset[int] = frozenset()
    source_items: int = 0
    shared_fingerprints: int = 0  # of a candidate, with the new item


@dataclass(frozen=True, slots=True)
class Compared:
    """One candidate and what the comparison said."""

    item_id: int
    group: int
    decision: CopyDecision
    overruled: bool = False  # an operator keeps the two apart


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a new item goes.

    `group` is the group to join, None to stay alone; `with_item` is the member that decided it.
    `also` are further groups found to be the same text: the store merges them into `group`.
    `compared` lists every candidate looked at, best first, for `why`.
    """

    group: int | None
    with_item: int | None
    decision: CopyDecision | None
    reason: str
    also: tuple[int, ...] = ()
    compared: tuple[Compared, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """What matters of a member of a copy group when its lead is chosen."""

    item_id: int
    published: datetime  # the displayed date
    first_seen: datetime
    aggregator: bool = False
    preference: int = 0
    private: bool = False
    readable: bool = True  # False behind a paywall
    served: bool = False  # was the lead the last time this group was served
    words: int = 0


@dataclass(frozen=True, slots=True)
class StoryDecision:
    """Whether an item belongs to a story, and the terms that say so, heaviest first."""

    story: int | None
    with_item: int | None
    score: float
    reason: str
    shared: tuple[str, ...] = ()
