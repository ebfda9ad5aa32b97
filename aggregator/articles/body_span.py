"""Where the running text of a page is, for rules that depend on it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from aggregator.articles.page import Page
from aggregator.articles.size import title_size

_PARAGRAPH = 80  # letters outside links
_LEFT_OUT = frozenset({"footer", "nav", "figcaption", "form", "fieldset", "h1", "h2", "h3", "h4"})
_TITLES = frozenset({"h2", "h3", "h4", "h5"})
_NAMED_APART = re.compile(
    r"(?:[a-z0-9]+[-_]{1,2}){0,2}(?:ads?|advert\w*|adslot|sponsor\w*|promoted|outbrain|taboola|"
    r"newsletter\w*|comments?|kommentare?|share|sharing|social|breadcrumbs?|tags|taglist|keywords|"
    r"navbar|footer|subscribe|paywall|podcast|byline|cookies?|login|disclaimer|copyright)"
    r"(?:[-_]{1,2}(?:container|wrapper|wrap|list|box|block|widget|section|area|bar|item|items|slot|"
    r"links|inner|content|form|text|body))?"
)


@lru_cache(maxsize=8_192)
def named_apart(names: str) -> bool:
    """Whether an element's id or a class says: advertisement, comments, sharing, tags, footer."""
    return any(
        _NAMED_APART.fullmatch(token)
        for token in names.split()
        if not token.startswith(("tag-", "category-", "no-", "has-", "is-", "with-", "hide-"))
    )


@dataclass(slots=True)
class BodySpan:
    """The block that holds most of the prose, and where its paragraphs are."""

    root: int = -1
    first: int = -1
    last: int = -1
    paragraphs: list[int] = field(default_factory=list)
    spine: frozenset[int] = frozenset()  # the root and everything above it
    _end: list[int] = field(default_factory=list)

    @property
    def reach(self) -> int:
        """The end of the root."""
        return self._end[self.root] if self._end else -1

    def holds(self, node: int) -> bool:
        """Whether a node lies between the first and the last paragraph."""
        return self.first < node < self.last

    def paragraphs_in(self, node: int) -> bool:
        """Whether a subtree contains a paragraph of the body."""
        at = bisect_left(self.paragraphs, node)
        return at < len(self.paragraphs) and self.paragraphs[at] < self._end[node]


def find_body(page: Page) -> BodySpan:
    """The deepest block that holds more than half of the page's prose.

    Sites that break their text into several containers repeat the look of its paragraphs: those
    of the same tag, class and depth as most in that block belong to it wherever they stand.
    """
    prose = _paragraphs(page)
    if not prose:
        return BodySpan()
    weight: Counter[int] = Counter()
    for block, size in prose.items():
        weight[block] += size
        for up in page.ancestors(block):
            weight[up] += size
    total = sum(prose.values())
    root = 0
    while True:
        heavy = [c for c in page.children(root) if weight[c] * 2 > total]
        if not heavy or heavy[0] in prose:
            break
        root = heavy[0]
    inside = sorted(b for b in prose if root <= b < page.end[root]) or sorted(prose)
    looks: Counter[tuple[str, str, int]] = Counter()
    for block in inside:
        looks[_look(page, block)] += prose[block]
    look, said = looks.most_common(1)[0]
    main = inside
    if said * 2 > sum(looks.values()):
        main = [b for b in inside if _look(page, b) == look]
        if look[1].strip():
            main = sorted(b for b in prose if _look(page, b) == look)
            root = _common(page, root, main)
    paragraphs = sorted({*inside, *main})
    return BodySpan(
        root, main[0], main[-1], paragraphs, frozenset((root, *page.ancestors(root))), page.end
    )


def _paragraphs(page: Page) -> dict[int, int]:
    """Blocks with running text of their own, and how much."""
    own: Counter[int] = Counter()
    skip_until = 0
    for i, tag in enumerate(page.tag):
        if i < skip_until:
            continue
        apart = tag in ("footer", "nav", "form") or named_apart(page.names[i])
        if apart and page.size(i) * 2 < page.chars[-1]:  # a misnamed body stays
            skip_until = page.end[i]
            continue
        text = page.text[i]
        if text and page.in_link[i] < 0:
            own[page.block(i)] += title_size(text.strip())
    prose = {b: n for b, n in own.items() if n >= _PARAGRAPH and page.tag[b] not in _LEFT_OUT}
    places = sorted(prose)
    return {b: n for b, n in prose.items() if not _summary(page, b, n, places)}


def _summary(page: Page, block: int, size: int, places: list[int]) -> bool:
    """Whether a paragraph is the teaser text of a card: it shares it with a linked headline."""
    first = next((a for a in page.anchors_in(block) if a.text), None)
    if first is not None and page.chars[first.node] == page.chars[block]:
        return page.tag[block] == "li" and title_size(first.text) >= 20
    up = block
    for _ in range(3):
        up = page.parent[up]
        if up < 0 or title_size(page.string(up, 4 * size)) > 2 * size + 200:
            return False
        if bisect_left(places, page.end[up]) - bisect_left(places, up) > 1:
            return False  # several paragraphs: a text
        links = page.anchors_in(up)
        if 0 < len({a.key for a in links}) <= 3 and any(
            page.tag[i] in _TITLES for i in range(up, page.end[up])
        ):
            return any(not a.text for a in links) or any(
                page.tag[n] in _TITLES
                for a in links
                for n in (*page.ancestors(a.node)[:3], *range(a.node, page.end[a.node]))
            )
    return False


def _look(page: Page, node: int) -> tuple[str, str, int]:
    return page.tag[node], " ".join(page.names[node].split()[:1]), len(page.ancestors(node))


def _common(page: Page, root: int, nodes: list[int]) -> int:
    """The nearest ancestor-or-self of `root` that holds all nodes."""
    while root >= 0 and not all(root <= n < page.end[root] for n in (nodes[0], nodes[-1])):
        root = page.parent[root]
    return max(root, 0)
