"""Where the running text of a page is, for rules that depend on it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from aggregator.articles.page import Page
from aggregator.articles.size import title_size

_PARAGRAPH = 80  # letters outside links
_ENOUGH = 400  # the same: a text that stands by itself
_SHORT = 20  # the same, where a long paragraph stands before
_LEFT_OUT = frozenset({"footer", "nav", "figcaption", "form", "fieldset", "h1", "h2", "h3", "h4"})
_TITLES = frozenset({"h2", "h3", "h4", "h5"})
_APART = frozenset({"nav", "footer", "form"})
_FOREIGN = r"comments?|kommentare?|newsletter\w*|navbar|footer|cookies?|login|disclaimer|copyright"
_BEGINNING = r"(?:[a-z0-9]+[-_]{1,2}){0,2}"
_ENDING = (
    r"(?:[-_]{1,2}(?:container|wrapper|wrap|list|box|block|widget|section|area|bar|item|items|slot|"
    r"links|inner|content|form|text|body))?"
)
_NAMED_FOREIGN = re.compile(f"{_BEGINNING}(?:{_FOREIGN}){_ENDING}")
_NAMED_APART = re.compile(
    f"{_BEGINNING}(?:{_FOREIGN}|ads?|advert\\w*|adslot|sponsor\\w*|outbrain|taboola|share|"
    "sharing|social|breadcrumbs?|tags|taglist|keywords|subscribe|paywall|podcast|byline)"
    f"{_ENDING}"
)


@lru_cache(maxsize=8_192)
def named_apart(names: str) -> bool:
    """Whether an element's id or a class says: advertisement, comments, sharing, tags, footer."""
    return any(_NAMED_APART.fullmatch(token) for token in _said(names))


@lru_cache(maxsize=8_192)
def named_foreign(names: str) -> bool:
    """Whether an id or a class says: comments, newsletter, cookies, login, footer."""
    return any(_NAMED_FOREIGN.fullmatch(token) for token in _said(names))


def _said(names: str) -> list[str]:
    """The tokens that say what a block is; states and a post's own tags say nothing of it."""
    states = ("tag-", "category-", "no-", "has-", "is-", "with-", "hide-")
    return [token for token in names.split() if not token.startswith(states)]


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
    last = _last_sibling(page, main[-1])
    spine = frozenset((root, *page.ancestors(root)))
    return BodySpan(root, main[0], last, paragraphs, spine, page.end)


def _last_sibling(page: Page, paragraph: int) -> int:
    """The last of the short paragraphs that follow a long one, past advertisements and pictures."""
    last = paragraph
    up = page.parent[paragraph]
    if page.tag[paragraph] != "p" or up < 0:
        return last
    i = page.end[paragraph]
    while i < page.end[up]:
        if page.tag[i] == "p":
            if page.size(i) - page.link_size(i) >= _SHORT:
                last = i
        elif page.size(i) and page.tag[i] != "figure" and not named_apart(page.names[i]):
            break
        i = page.end[i]
    return last


def _paragraphs(page: Page) -> dict[int, int]:
    """Blocks with running text of their own, and how much.

    Blocks that stand apart are left out, but whatever holds most of the page's prose is never
    apart: a form around the whole page, a paywall's wrapper, a post whose class says promoted.
    """
    own: Counter[int] = Counter()  # letters outside links, at their block
    for i, text in enumerate(page.text):
        if text and page.in_link[i] < 0:
            own[page.block(i)] += title_size(text.strip())
    said = {b: n for b, n in own.items() if n >= _PARAGRAPH and page.tag[b] not in _LEFT_OUT}
    sizes = [0] * len(page.tag)
    for block, size in said.items():
        sizes[block] = size
    sums = list(accumulate(sizes, initial=0))

    def prose_in(node: int) -> int:
        return sums[page.end[node]] - sums[node]

    foreign = _outermost(page, prose_in, lambda i: _is_foreign(page, i))
    total = sums[-1] - sum(prose_in(i) for i in foreign)
    further = _further_articles(page, prose_in)
    left_out = _outermost(
        page,
        prose_in,
        lambda i: (
            i in further
            or (
                (page.tag[i] in _APART or named_apart(page.names[i]))
                and (2 * prose_in(i) <= total or _is_foreign(page, i))
                and 2 * page.size(i) < page.chars[-1]
            )
        ),
    )
    for i in left_out:
        for block in range(i, page.end[i]):
            said.pop(block, None)
    places = sorted(said)
    return {b: n for b, n in said.items() if not _summary(page, b, n, places)}


def _further_articles(page: Page, prose_in: Callable[[int], int]) -> set[int]:
    """Articles with a title of their own that follow one with a title and a text."""
    heads = [i for i, tag in enumerate(page.tag) if tag == "h1"]
    if len(heads) < 2:
        return set()
    articles = (i for i, tag in enumerate(page.tag) if tag == "article")
    titled = [i for i in articles if bisect_left(heads, page.end[i]) > bisect_left(heads, i)]
    first = next((i for i in titled if prose_in(i) >= _ENOUGH), None)
    return set() if first is None else {i for i in titled if i >= page.end[first]}


def _outermost(
    page: Page, prose_in: Callable[[int], int], holds: Callable[[int], bool]
) -> list[int]:
    """Elements with prose for which a condition holds, without those inside another such one."""
    found = []
    i = 0
    while i < len(page.tag):
        if not prose_in(i):
            i = page.end[i]
        elif holds(i):
            found.append(i)
            i = page.end[i]
        else:
            i += 1
    return found


def _is_foreign(page: Page, node: int) -> bool:
    """Whether a block's text is certainly not the article's, however long it is."""
    return page.tag[node] in ("footer", "nav") or bool(
        page.names[node] and named_foreign(page.names[node])
    )


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
