"""The headings of lists on a page, and what they are worth."""

from __future__ import annotations

from aggregator.articles.headings import MAX_LABEL, Kind, Reading, normalised, read_heading
from aggregator.articles.page import BLOCKS, HEADINGS, Page
from aggregator.articles.related.links import site_of
from aggregator.articles.related.survey import Label, Survey
from aggregator.articles.subject import share_subject, subject_words
from aggregator.model.states import LinkRule

_LONG = 300  # characters of a heading that repeats the page's title
_TITLE = 20  # the same: a shorter title may stand anywhere
_SECTIONS = frozenset({"section", "aside", "article", "main", "form", "body", "html"})


def find_labels(survey: Survey, extra: frozenset[str]) -> None:
    """Find the texts that are headings of lists, each at its outermost element."""
    page = survey.page
    seen: set[int] = set()
    for i, text in enumerate(page.text):
        if not text or len(text) > MAX_LABEL:
            continue
        block = page.block(i)
        for node in (i, block) if page.size(block) <= MAX_LABEL else (i,):
            outer = _outermost(page, node)
            if outer in seen:
                continue
            seen.add(outer)
            said = page.string(outer, MAX_LABEL + 20)
            reading = (
                Reading(Kind.RELATED) if normalised(said) in extra and extra else read_heading(said)
            )
            if reading is None or (reading.by_pattern and not _stands_alone(survey, outer, i)):
                continue
            label = Label(outer, said, reading)
            survey.labels.append(label)
            for j in range(outer, page.end[outer]):
                survey.label_at[j] = label
            break
    for label in _repeating_title(survey) if survey.titles else ():
        survey.labels.append(label)
        for j in range(label.node, page.end[label.node]):
            survey.label_at[j] = label
    survey.labels.sort(key=lambda label: label.node)


def _repeating_title(survey: Survey) -> list[Label]:
    """Headings that repeat the page's own title, read without it ("Related to: TITLE")."""
    page = survey.page
    titles = [t for t in map(normalised, survey.titles) if len(t) >= _TITLE]
    found = []
    for i, tag in enumerate(page.tag):
        if (
            tag not in HEADINGS
            or page.size(i) > _LONG
            or page.in_link[i] >= 0
            or i in survey.label_at
        ):
            continue
        said = normalised(page.string(i, _LONG))
        title = next((t for t in titles if t in said and len(t) < len(said)), None)
        if title is None:
            continue
        before, _, after = said.partition(title)
        reading = read_heading(before) or read_heading(after)
        if reading is not None:
            found.append(Label(_outermost(page, i), page.string(i, _LONG), reading))
    return found


def _stands_alone(survey: Survey, node: int, text: int) -> bool:
    """Whether a text begins its block, and is neither an article's title nor an entry of a menu."""
    page = survey.page
    if page.chars[node] != page.chars[page.block(node)]:
        return False
    inside = page.in_link[text]
    if inside < 0 or page.size(inside) > page.size(node) + 3:  # a marker at the head of a card
        return True
    if any(page.tag[n] == "li" for n in page.ancestors(inside)[:3]):
        return False
    return not survey.counts(page.anchor_at[inside])


def _outermost(page: Page, node: int) -> int:
    """The highest element with the same text, that is neither a list item's block nor the root."""
    size = page.size(node)
    while True:
        up = page.parent[node]
        if up < 0 or page.size(up) != size or page.tag[up] in _SECTIONS:
            return node
        beside = [
            a
            for a in page.anchors_in(up)[:20]
            if not node <= a.node < page.end[node] and not a.node <= node < page.end[a.node]
        ]
        if beside:
            return node  # picture links: a block of its own
        if any(c != node and page.tag[c] in BLOCKS for c in page.children(up)):
            return node  # an empty block beside it, for a list
        node = up


def rule_of(survey: Survey, label: Label) -> LinkRule | None:
    """The rule under which a label's list may count, or None."""
    reading = label.reading
    if reading.kind is Kind.RELATED:
        return LinkRule.HEADING
    if reading.kind is Kind.TOPICAL:
        site = site_of(survey.page.url)
        if site and reading.tail.partition(".")[0] == site:
            return None  # "More on Example.com": the publisher, whatever the titles share with it
        tail = subject_words(_cased(label, reading))
        subject = survey.title_words | survey.topic_words
        return LinkRule.TOPIC if tail and share_subject(tail, subject) else None
    return LinkRule.READ_MORE


def _cased(label: Label, reading: Reading) -> str:
    """The tail of a topical heading with its capitals, as subjects are told by them."""
    return label.text[-len(reading.tail) - 2 :] if reading.tail else ""


def level_of(page: Page, node: int) -> int:
    """1 to 6 for a label in or directly under a heading element, else 0."""
    inside = range(node, min(page.end[node], node + 40))
    for i in (*inside, *page.ancestors(node)[:1]):
        if page.tag[i] in HEADINGS:
            return int(page.tag[i][1])
    return 0
