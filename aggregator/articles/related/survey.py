"""The state of one search for related links: what the page is about and what was found.

Everything here is remembered per link or per block, so that a page of ten thousand links in one
paragraph costs no more than a page of ten thousand paragraphs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from aggregator.articles.body_span import BodySpan, find_body, named_apart
from aggregator.articles.headings import Reading, is_neighbour
from aggregator.articles.page import HEADINGS, Anchor, Page, absolute, page_key
from aggregator.articles.related.links import Own, is_title, own_address
from aggregator.articles.size import title_size
from aggregator.articles.structured import Structured, read_structured, strings
from aggregator.articles.subject import share_subject, subject_words
from aggregator.model.states import LinkRule

MAX_RELATED = 60
_MANY = 3  # places that one text leads to: it is no title of one of them
_NEAR = 30  # links: more around a picture, and it is no card
_APART = frozenset({"nav", "footer", "form", "button"})


@dataclass(slots=True)
class Label:
    """A heading of a list, found on the page."""

    node: int  # the outermost element with just this text
    text: str
    reading: Reading


@dataclass(slots=True)
class Found:
    """A related link and why."""

    anchor: Anchor
    text: str
    heading: str | None
    rule: LinkRule


@dataclass(slots=True)
class Survey:
    """One page under search."""

    page: Page
    titles: tuple[str, ...]
    title_words: frozenset[str]
    topic_words: frozenset[str]  # of keywords, description, and repeated in the text
    own: Own
    own_keys: frozenset[str]
    body: BodySpan
    labels_of_many: frozenset[str]  # what several links say that lead to several places
    stated: Sequence[str] = ()  # URLs of schema.org `relatedLink`
    labels: list[Label] = field(default_factory=list)
    label_at: dict[int, Label] = field(default_factory=dict)
    found: dict[str, Found] = field(default_factory=dict)
    _texts: dict[int, str] = field(default_factory=dict)
    _leads: dict[int, bool] = field(default_factory=dict)
    _counts: dict[int, bool] = field(default_factory=dict)
    _said: dict[int, int] = field(default_factory=dict)

    def add(self, anchor: Anchor, text: str, heading: str | None, rule: LinkRule) -> None:
        """Note a link; the first rule that finds a URL names it."""
        if anchor.key not in self.own_keys and anchor.key not in self.found:
            self.found[anchor.key] = Found(anchor, text, heading, rule)

    def text(self, anchor: Anchor) -> str:
        """What a link says; for a picture, what the card around it says."""
        if anchor.text:
            return anchor.text
        if anchor.node not in self._texts:
            self._texts[anchor.node] = _card_text(self, anchor)
        return self._texts[anchor.node]

    def leads(self, anchor: Anchor) -> bool:
        """Whether the address of a link may be an article's."""
        known = self._leads.get(anchor.node)
        if known is None:
            known = self._leads[anchor.node] = self.own.leads_to_article(anchor)
        return known

    def counts(self, anchor: Anchor) -> bool:
        """Whether a link in a related block counts: an article, with a headline, not in prose."""
        known = self._counts.get(anchor.node)
        if known is None:
            known = self._counts[anchor.node] = self._is_countable(anchor)
        return known

    def _is_countable(self, anchor: Anchor) -> bool:
        page = self.page
        if anchor.key in self.own_keys or not self.leads(anchor):
            return False
        text = self.text(anchor)
        if anchor.text in self.labels_of_many:
            return False
        if not is_title(text) or is_neighbour(text) or self.own.looks_listed(anchor.url, text):
            return False
        block = page.block(anchor.node)
        if page.tag[block] not in ("p", "figcaption", "blockquote"):
            return True
        if block not in self._said:
            self._said[block] = sum(
                len(page.text[i].strip())
                for i in range(block, page.end[block])
                if page.text[i] and page.in_link[i] < 0 and i not in self.label_at
            )
        return self._said[block] <= max(60, page.link_size(block))

    def shares_subject(self, anchors: Sequence[Anchor]) -> int:
        """How many of these links share a word of their title with the article's."""
        return sum(share_subject(subject_words(self.text(a)), self.title_words) for a in anchors)

    def stands_apart(self, node: int) -> bool:
        """Whether a block is navigation, a form, or named as advertisement, comments, sharing.

        What holds paragraphs of the text never is.
        """
        page = self.page
        if page.tag[node] not in _APART and not named_apart(page.names[node]):
            return False
        return node not in self.body.spine and not self.body.paragraphs_in(node)

    def is_apart(self, node: int) -> bool:
        """Whether a node is inside navigation or the page's footer (an article has its own)."""
        page = self.page
        above = [n for n in page.ancestors(node) if n not in self.body.spine]
        tags = [page.tag[n] for n in above]
        if "nav" in tags and not 0 <= self.body.last < node:
            return True  # below the text a nav may hold the related list
        if any(_is_menu(page.names[n]) for n in above):
            return True
        return "footer" in tags and not {"main", "article"} & set(tags[tags.index("footer") :])


_MENU = re.compile(r"(?:^|[\s_-])(?:mega)?menu(?:[\s_-]|$)")


@lru_cache(maxsize=8_192)
def _is_menu(names: str) -> bool:
    return bool(_MENU.search(names))


def survey_of(
    page: Page,
    titles: Sequence[str] = (),
    body: BodySpan | None = None,
    said: Structured | None = None,
) -> Survey:
    """A fresh survey. What the caller has read of the page already need not be read again."""
    said = read_structured(page) if said is None else said
    survey = Survey(
        page,
        titles := tuple(titles) or _own_titles(page),
        subject_words(" ".join(titles)),
        subject_words(_own_topics(said)),
        own_address(page.url),
        _own_keys(page),
        find_body(page) if body is None else body,
        _said_of_many(page),
        strings(said.article.get("relatedLink"), "url", MAX_RELATED),
    )
    survey.topic_words |= _repeated_words(survey)
    return survey


def _card_text(survey: Survey, anchor: Anchor) -> str:
    page = survey.page
    best = ""
    up = page.parent[anchor.node]
    for _ in range(4):
        if up < 0 or page.size(up) > 900:
            break
        near = page.anchors_in(up)
        if len(near) > _NEAR:
            break
        keys = {
            a.key for a in near if survey.leads(a) and not survey.own.looks_listed(a.url, a.text)
        }
        if len(keys) > 2:
            break
        longest = max((a.text for a in near if a.key == anchor.key), key=len, default="")
        if title_size(longest) >= 14:
            return longest
        for i in range(up, page.end[up]):
            if page.tag[i] in HEADINGS and page.size(i):
                return page.string(i, 300)
        if len(keys) == 1 and page.size(up) > title_size(best):
            best = page.string(up, 300)
        up = page.parent[up]
    return best


def _own_titles(page: Page) -> tuple[str, ...]:
    found = (page.tree.css_first(selector) for selector in ("title", "h1"))
    return tuple((node.text(deep=True) or "")[:300] for node in found if node is not None)


def _said_of_many(page: Page) -> frozenset[str]:
    """Texts of links that are no titles, since they stand at links to three places or more."""
    places: dict[str, set[str]] = {}
    for anchor in page.anchors:
        if anchor.text:
            places.setdefault(anchor.text, set()).add(anchor.key)
    return frozenset(text for text, keys in places.items() if len(keys) >= _MANY)


def _own_topics(said: Structured) -> str:
    names = ("keywords", "news_keywords", "description")
    return " ".join((said.first(name) or "")[:500] for name in names)


def _repeated_words(survey: Survey) -> frozenset[str]:
    """Subject words that the text itself uses in three of its paragraphs."""
    page = survey.page
    counted: Counter[str] = Counter()
    for node in survey.body.paragraphs[:60]:
        counted.update(subject_words(page.string(node, 600)))
    return frozenset(word for word, times in counted.items() if times >= 3)


def _own_keys(page: Page) -> frozenset[str]:
    keys = {page_key(page.url)}
    for selector, attribute in (
        ("link[rel=canonical]", "href"),
        ("meta[property='og:url']", "content"),
        ("link[rel=amphtml]", "href"),
    ):
        node = page.tree.css_first(selector)
        target = absolute(page.url, node.attributes.get(attribute) or "") if node else None
        if target:
            keys.add(page_key(target))
    return frozenset(keys)
