"""A publisher's related-news links, found by structure.

Five rules, each leaving its name on what it finds:

* `heading` — a known heading ("Related News") and the list that belongs to it: the smallest block
  that begins with the heading, or the link blocks right after it, up to the next heading;
* `topic`, `read_more` — headings that count only when they share the article's subject;
* `marker` — "READ ALSO: …" before or inside a link;
* `card` — a block inside the running text that consists of links to articles.

The labelling guide and its measurements are summed up in `docs/design/related.md`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from aggregator.articles.body_span import BodySpan, find_body, named_apart
from aggregator.articles.guard import prepared
from aggregator.articles.headings import (
    MAX_LABEL,
    Kind,
    Reading,
    normalised,
    read_heading,
    read_marker,
)
from aggregator.articles.links import is_title, leads_to_article, looks_listed, site_of, title_size
from aggregator.articles.page import BLOCKS, HEADINGS, Anchor, Page, absolute, page_key, read_page
from aggregator.articles.subject import share_subject, subject_words
from aggregator.model.article import RelatedLink
from aggregator.model.settings import RelatedOverride

MAX_RELATED = 60
_CLIMB = 6
_SECTIONS = frozenset({"section", "aside", "article", "main", "form", "body", "html"})
_APART = frozenset({"nav", "footer", "form", "button"})


@dataclass(slots=True)
class _Label:
    """A heading found on the page."""

    node: int  # the outermost element with just this text
    text: str
    reading: Reading


@dataclass(slots=True)
class _Found:
    anchor: Anchor
    text: str
    heading: str | None
    rule: str


@dataclass(slots=True)
class _Search:
    """The state of one extraction."""

    page: Page
    title_words: frozenset[str]
    topic_words: frozenset[str]  # of keywords and description
    own_keys: frozenset[str]
    body: BodySpan
    labels: list[_Label] = field(default_factory=list)
    label_at: dict[int, _Label] = field(default_factory=dict)
    found: dict[str, _Found] = field(default_factory=dict)
    apart: dict[int, bool] = field(default_factory=dict)


def related_links(
    html: bytes | str, url: str, overrides: RelatedOverride | None = None
) -> tuple[RelatedLink, ...]:
    """Related links of one article page, in page order.

    Args:
        html: the page as received; any bytes at all.
        url: where it was found; relative links resolve against it.
        overrides: extra headings, and CSS that adds or removes links.

    Returns:
        Links with absolute URLs, each URL once. Empty for a page without any, or an empty shell.
    """
    return related_of(read_page(prepared(html), url), overrides or RelatedOverride())


def related_of(
    page: Page, overrides: RelatedOverride, titles: Sequence[str] = ()
) -> tuple[RelatedLink, ...]:
    """The same for a page already read. `titles` name the subject; else the page's own do."""
    search = _Search(
        page,
        subject_words(" ".join(titles) if titles else _own_titles(page)),
        subject_words(_own_topics(page)),
        _own_keys(page),
        find_body(page),
    )
    search.topic_words |= _repeated_words(search)
    excluded = _covered(page, overrides.exclude)
    for node in page.positions(",".join(overrides.select)) if overrides.select else ():
        for anchor in _anchors(page, node, page.end[node]):
            _add(search, anchor, _text(search, anchor), None, "select")
    _label(search, frozenset(normalised(h) for h in overrides.headings))
    for label in search.labels:
        if label.reading.kind is not Kind.ELSEWHERE:
            _read_list(search, label)
    _read_markers(search)
    _read_cards(search)
    found = sorted(search.found.values(), key=lambda f: f.anchor.node)
    kept = [f for f in found if not any(a <= f.anchor.node < b for a, b in excluded)]
    return tuple(
        RelatedLink(f.anchor.url, f.text[:300], f.heading, f.rule, i, "nofollow" in f.anchor.rel)
        for i, f in enumerate(kept[:MAX_RELATED])
    )


def _own_titles(page: Page) -> str:
    parts = []
    for selector in ("title", "h1"):
        node = page.tree.css_first(selector)
        if node is not None:
            parts.append((node.text(deep=True) or "")[:300])
    return " ".join(parts)


def _own_topics(page: Page) -> str:
    parts = []
    for name in ("keywords", "news_keywords", "description"):
        node = page.tree.css_first(f"meta[name={name}]")
        if node is not None:
            parts.append((node.attributes.get("content") or "")[:500])
    return " ".join(parts)


def _repeated_words(search: _Search) -> frozenset[str]:
    """Subject words that the text itself uses in three of its paragraphs."""
    page = search.page
    counted: Counter[str] = Counter()
    for node in search.body.paragraphs[:60]:
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


def _covered(page: Page, selectors: Iterable[str]) -> list[tuple[int, int]]:
    return [(n, page.end[n]) for s in selectors for n in page.positions(s)]


# --- headings --------------------------------------------------------------------------------


def _label(search: _Search, extra: frozenset[str]) -> None:
    """Find the texts that are headings of lists, each at its outermost element."""
    page = search.page
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
            if reading is None:
                continue
            label = _Label(outer, said, reading)
            search.labels.append(label)
            for j in range(outer, page.end[outer]):
                search.label_at[j] = label
            break
    search.labels.sort(key=lambda label: label.node)


def _outermost(page: Page, node: int) -> int:
    """The highest element with the same text, that is neither a list item's block nor the root."""
    size = page.size(node)
    while True:
        up = page.parent[node]
        if up < 0 or page.size(up) != size or page.tag[up] in _SECTIONS:
            return node
        if any(
            True
            for a in _anchors(page, up, page.end[up])
            if not node <= a.node < page.end[node] and not a.node <= node < page.end[a.node]
        ):
            return node  # picture links beside it: a block of its own
        if any(c != node and page.tag[c] in BLOCKS for c in page.children(up)):
            return node  # an empty block beside it, for a list
        node = up


def _wanted(search: _Search, label: _Label) -> str | None:
    """The rule under which a label's list may count, or None."""
    reading = label.reading
    if reading.kind is Kind.RELATED:
        return "heading"
    if reading.kind is Kind.TOPICAL:
        tail = subject_words(_cased(label, reading))
        subject = search.title_words | search.topic_words
        return "topic" if tail and share_subject(tail, subject) else None
    return "read_more"


def _cased(label: _Label, reading: Reading) -> str:
    """The tail of a topical heading with its capitals, as subjects are told by them."""
    return label.text[-len(reading.tail) - 2 :] if reading.tail else ""


def _read_list(search: _Search, label: _Label) -> None:
    rule = _wanted(search, label)
    page = search.page
    if rule is None or _apart(search, label.node):
        return
    inside = page.in_link[label.node]
    if inside >= 0 and page.size(inside) > page.size(label.node) + 3:
        if rule == "heading" and page.chars[label.node] == page.chars[inside]:
            anchor = page.anchor_at[inside]  # a marker at the head of a card that is one link
            _add(search, anchor, _text(search, anchor), label.text, "marker")
        return
    if inside >= 0 and not _level(page, label.node) and leads_to_article(page.anchor_at[inside]):
        return  # a link that says "to the article"
    links = _controlled(search, label) or _panel(search, label)
    if not links and not _in_button(page, label.node):
        links = _list_of(search, label)
    if rule == "read_more" and label.text.rstrip().endswith((":", "：")):
        if search.body.holds(label.node) or label.node >= search.body.last:
            block = page.block(label.node)
            links = [a for a in links if block < a.node < page.end[block]] or links[:1]
            rule = "marker"
    if rule == "read_more":
        shared = [
            a for a in links if share_subject(subject_words(_text(search, a)), search.title_words)
        ]
        if len(links) < 1 or 2 * len(shared) < len(links):
            return
    for anchor in links:
        _add(search, anchor, _text(search, anchor), label.text, rule)


def _controlled(search: _Search, label: _Label) -> list[Anchor]:
    """The list that a tab shows: `href="#id"`, `aria-controls`, `data-target`."""
    page = search.page
    near = [label.node, *page.ancestors(label.node)[:2], *range(label.node, page.end[label.node])]
    for node in near:
        attributes = page.attributes.get(node, {})
        for name in ("aria-controls", "href", "data-target", "data-bs-target", "for"):
            value = (attributes.get(name) or "").strip()
            if name == "href" and not value.startswith("#"):
                continue
            target = value.lstrip("#")
            if re.fullmatch(r"[\w-]{2,60}", target):
                for position in page.positions(f'[id="{target}"]'):
                    links = _between(search, position, page.end[position], None)
                    if links:
                        return links
    return []


def _in_button(page: Page, node: int) -> bool:
    return any(page.tag[n] == "button" for n in (node, *page.ancestors(node)[:2])) or any(
        page.tag[n] == "button" for n in range(node, page.end[node])
    )


def _panel(search: _Search, label: _Label) -> list[Anchor]:
    """The list under a tab strip that stands where the label stands in the strip."""
    page = search.page
    item = label.node
    for _ in range(3):
        strip = page.parent[item]
        if strip < 0:
            return []
        items = [c for c in page.children(strip) if 0 < page.size(c) <= MAX_LABEL]
        known = [c for c in items if any(i in search.label_at for i in range(c, page.end[c]))]
        if len(items) >= 2 and len(known) >= 2 and item in items:
            alike = all(page.tag[c] == page.tag[item] for c in items)
            if not alike or len(items) != len([c for c in page.children(strip) if page.size(c)]):
                return []
            place = items.index(item)
            up = page.parent[strip]
            panels = [
                c
                for c in page.children(up)
                if c >= page.end[strip] and _anchors(page, c, page.end[c])
            ]
            if len(panels) >= 2 and place < len(panels) and page.tag[panels[place]] in BLOCKS:
                return _between(search, panels[place], page.end[panels[place]], None)
            return []
        item = strip
    return []


def _list_of(search: _Search, label: _Label) -> list[Anchor]:
    """The links that belong to a heading."""
    page = search.page
    node = label.node
    for _ in range(_CLIMB):
        up = page.parent[node]
        if up < 0 or page.tag[up] in ("body", "html"):
            break
        start, stop = page.end[node], page.end[up]
        first = page.chars[up] == page.chars[label.node]
        if first and up not in search.body.spine:
            links = _between(search, start, stop, label)
            if links:
                return links
            if _shell(page, start, stop) or page.tag[up] in _SECTIONS or _has_peer(page, up):
                return []
        else:
            links = _flow(search, start, stop, label)
            if links:
                return links
            if page.chars[stop] != page.chars[start] or _shell(page, start, stop):
                return []  # something else follows: the heading has no list
        node = up
    if node >= 0 and page.parent[node] >= 0:
        return _flow(search, page.end[node], page.end[page.parent[node]], label)
    return []


def _has_peer(page: Page, node: int) -> bool:
    """Whether the next sibling is built like this block: the next widget of a column."""
    after = page.end[node]
    up = page.parent[node]
    classes = page.names[node].split()
    return (
        up >= 0
        and bool(classes)
        and after < page.end[up]
        and page.tag[after] == page.tag[node]
        and page.names[after].split()[:1] == classes[:1]
        and page.end[node] - node > 4
    )


def _shell(page: Page, start: int, stop: int) -> bool:
    """An empty list, or an empty block with a name: a script would have filled it."""
    return any(
        page.size(i) == 0
        and (
            page.tag[i] in ("ul", "ol", "table")
            or (page.tag[i] in ("div", "section") and page.attributes.get(i, {}).get("id"))
        )
        for i in range(start, stop)
    )


def _between(search: _Search, start: int, stop: int, label: _Label | None) -> list[Anchor]:
    """Article links from `start` to the next heading, the blocks that stand apart left out."""
    page = search.page
    links: dict[str, Anchor] = {}
    i = start
    while i < stop:
        if label is not None and _boundary(search, i, stop, label):
            break
        if page.text[i] == "" and _stands_apart(page, i):
            i = page.end[i]
            continue
        anchor = page.anchor_at.get(i)
        if anchor is not None and _countable(search, anchor):
            known = links.get(anchor.key)
            if known is None:
                links[anchor.key] = anchor
        i += 1
    return list(links.values())


def _flow(search: _Search, start: int, stop: int, label: _Label) -> list[Anchor]:
    """Article links of the link-dominant siblings right after a heading."""
    page = search.page
    links: list[Anchor] = []
    i = start
    while i < stop:
        following = page.end[i]
        if _boundary(search, i, stop, label) or page.tag[i] in ("nav", "footer", "form"):
            break
        inside = _between(search, i, following, label)
        if inside:
            if page.link_size(i) * 5 < page.size(i) * 2 and _prose(page, i):
                break
            links += inside
            if any(_boundary(search, j, following, label) for j in range(i + 1, following)):
                break
        elif page.size(i) > 40 and (links or page.tag[i] != "figure"):
            break
        elif page.size(i) > 0 and links and page.tag[i] != "-text" and page.tag[i] in BLOCKS:
            break
        i = following
    return links


def _prose(page: Page, node: int) -> bool:
    """Whether a block holds a paragraph of running text."""
    for i in range(node, page.end[node]):
        if page.tag[i] in ("p", "div", "td", "-text") and not page.in_link[i] >= 0:
            own = page.size(i) - page.link_size(i)
            if own > 160 and page.tag[i] in ("p", "-text"):
                block = page.block(i)
                if any(
                    page.chars[a.node] == page.chars[block] and title_size(a.text) >= 14
                    for a in _anchors(page, block, page.end[block])[:1]
                ):
                    continue  # a headline with its summary
                return True
    return False


def _boundary(search: _Search, node: int, stop: int, label: _Label) -> bool:
    """Whether a new part of the page begins at `node`."""
    page = search.page
    tag = page.tag[node]
    if tag == "h1" and page.in_link[node] < 0 and not _holds_article(search, node):
        return True
    other = search.label_at.get(node)
    if other is not None and other.node == node and other is not label and page.in_link[node] < 0:
        if other.reading.kind is Kind.READ_MORE:
            return tag in HEADINGS
        return _like_heading(page, other, label)
    if tag in HEADINGS and page.in_link[node] < 0 and page.size(node):
        level = _level(page, label.node)
        if level and int(tag[1]) < level:
            return not _holds_article(search, node)
        if level and int(tag[1]) > level and _in_card(page, node):
            return False
        return not _card_title(search, node, stop)
    return False


def _like_heading(page: Page, other: _Label, label: _Label) -> bool:
    """Whether a known phrase stands as a heading, not as a kicker inside a card."""
    for node in range(other.node, page.end[other.node]):
        if page.tag[node] in HEADINGS:
            return True
    if other.reading.kind is Kind.RELATED:
        return True
    if any(
        re.search(r"tit(?:l|[\s_-]|$)|head|caption|label|(?:^|[\s_-])h[dt\d](?:[\s_-]|$)", page.names[n])
        for n in range(other.node, page.end[other.node])
    ):
        return len(page.string(other.node)) > 3 and not _in_card(page, other.node)
    return page.tag[other.node] == page.tag[label.node] and len(page.ancestors(other.node)) <= len(
        page.ancestors(label.node)
    )


def _in_card(page: Page, node: int) -> bool:
    return any(page.tag[n] in ("li", "article") for n in page.ancestors(node)[:4])


def _level(page: Page, node: int) -> int:
    for i in (*range(node, page.end[node]), *page.ancestors(node)[:1]):
        if page.tag[i] in HEADINGS:
            return int(page.tag[i][1])
    return 0


def _holds_article(search: _Search, node: int) -> bool:
    page = search.page
    return any(_countable(search, a) for a in _anchors(page, node, page.end[node]))


def _card_title(search: _Search, node: int, stop: int) -> bool:
    """A heading that is a card's title: it holds a link, or shares a small block with one."""
    page = search.page
    if _holds_article(search, node):
        return True
    up = node
    for _ in range(4):
        up = page.parent[up]
        if up < 0 or page.end[up] > stop:
            return False
        keys = {a.key for a in _anchors(page, up, page.end[up]) if leads_to_article(a)}
        if keys:
            return len(keys) == 1 and page.size(up) < 600
    return False


# --- links -----------------------------------------------------------------------------------


def _anchors(page: Page, start: int, stop: int) -> list[Anchor]:
    first = bisect_left(page.anchors, start, key=lambda a: a.node)
    return page.anchors[first : bisect_left(page.anchors, stop, key=lambda a: a.node)]


def _text(search: _Search, anchor: Anchor) -> str:
    """What a link says; for a picture, what the card around it says."""
    if anchor.text:
        return anchor.text
    page = search.page
    best = anchor.text
    up = page.parent[anchor.node]
    for _ in range(4):
        if up < 0:
            break
        keys = {
            a.key
            for a in _anchors(page, up, page.end[up])
            if leads_to_article(a) and not looks_listed(a.url, a.text, page.url)
        }
        if len(keys) > 2 or page.size(up) > 900:
            break
        same = [a.text for a in _anchors(page, up, page.end[up]) if a.key == anchor.key]
        longest = max(same, key=len, default="")
        if title_size(longest) >= 14:
            return longest
        for i in range(up, page.end[up]):
            if page.tag[i] in HEADINGS and page.size(i):
                return page.string(i, 300)
        if len(keys) == 1 and page.size(up) > title_size(best):
            best = page.string(up, 300)
        up = page.parent[up]
    return best


def _countable(search: _Search, anchor: Anchor) -> bool:
    """Whether a link inside a related block counts: an article with a headline, not in prose."""
    page = search.page
    if anchor.key in search.own_keys or not leads_to_article(anchor):
        return False
    text = _text(search, anchor)
    if not is_title(text) or looks_listed(anchor.url, text, page.url):
        return False
    block = page.block(anchor.node)
    if page.tag[block] in ("p", "li", "dd", "td", "blockquote", "div", "figcaption"):
        label = search.label_at
        said = sum(
            len(page.text[i].strip())
            for i in range(block, page.end[block])
            if page.text[i] and page.in_link[i] < 0 and i not in label
        )
        if page.tag[block] in ("p", "figcaption", "blockquote") and said > max(
            60, page.link_size(block)
        ):
            return False
    return True


def _add(search: _Search, anchor: Anchor, text: str, heading: str | None, rule: str) -> None:
    if anchor.key in search.own_keys:
        return
    known = search.found.get(anchor.key)
    if known is None:
        search.found[anchor.key] = _Found(anchor, text, heading, rule)


def _stands_apart(page: Page, node: int) -> bool:
    return page.tag[node] in _APART or named_apart(page.names[node])


def _apart(search: _Search, node: int) -> bool:
    """Whether a node is inside navigation or the page's footer (an article may have its own)."""
    tags = [search.page.tag[n] for n in search.page.ancestors(node)]
    if "nav" in tags:
        return True
    return "footer" in tags and not {"main", "article"} & set(tags[tags.index("footer") :])


# --- markers and cards -----------------------------------------------------------------------


def _read_markers(search: _Search) -> None:
    """ "READ ALSO: title", with the marker in the link's own text."""
    page = search.page
    for anchor in page.anchors:
        reading = read_marker(anchor.text)
        if reading is None or not _countable(search, anchor) or _apart(search, anchor.node):
            continue
        if reading.kind is Kind.READ_MORE and not search.body.holds(anchor.node):
            continue
        _add(search, anchor, anchor.text, anchor.text[:40], "marker")


def _read_cards(search: _Search) -> None:
    """Blocks of links inside the running text."""
    page, body = search.page, search.body
    site = site_of(page.url)
    for anchor in page.anchors:
        if not body.first < anchor.node < body.reach or anchor.key in search.found:
            continue
        if site_of(anchor.url) != site or not _countable(search, anchor):
            continue
        block = _card(search, anchor)
        if block is None:
            continue
        if not body.holds(anchor.node) and not _right_below(search, block):
            continue
        _add(search, anchor, _text(search, anchor), None, "card")


def _right_below(search: _Search, block: int) -> bool:
    """Whether a block follows the last paragraph at once, with one link or on its subject."""
    page = search.page
    if page.chars[block] != page.chars[page.end[search.body.last]]:
        return False
    links = {a.key: a for a in _anchors(page, block, page.end[block])}
    if len(links) == 1:
        return True
    words = [subject_words(_text(search, a)) for a in links.values()]
    shared = sum(share_subject(w, search.title_words) for w in words)
    return len(links) <= 4 and 2 * shared > len(links)


def _card(search: _Search, anchor: Anchor) -> int | None:
    """The block of its own that a link in the body stands in, or None for a link in prose."""
    page, body = search.page, search.body
    top = anchor.node
    while page.parent[top] != body.root:
        up = page.parent[top]
        if up < 0 or up in body.spine or body.paragraphs_in(up):
            break
        top = up
    if page.tag[top] not in BLOCKS or body.paragraphs_in(top):
        return None
    if any(_stands_apart(page, n) for n in (top, *page.ancestors(anchor.node))):
        return None
    if any(
        page.tag[n] in ("figure", "figcaption") for n in page.ancestors(anchor.node) if n >= top
    ):
        if any(page.tag[i] == "figcaption" for i in range(top, page.end[top])):
            return None  # a picture's own link
    block = page.block(anchor.node)
    beside = page.size(block) - page.link_size(block)
    if page.tag[block] in ("p", "li") and beside > max(20, page.link_size(block) // 4):
        return None
    articles = {a.key for a in _anchors(page, top, page.end[top]) if _countable(search, a)}
    others = {a.key for a in _anchors(page, top, page.end[top])} - articles
    if len(articles) > 6 or len(others) > len(articles) + 2:
        return None
    for i in range(top, page.end[top]):
        label = search.label_at.get(i)
        if label is not None and page.in_link[i] < 0 and _wanted(search, label) != "heading":
            return None
    if page.size(top) > 500 * len(articles) or title_size(_text(search, anchor)) < 24:
        return None
    return top
