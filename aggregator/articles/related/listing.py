"""Which links belong to a heading.

The list is the smallest block that begins with the heading, or the link blocks right after it,
up to the next heading; or the panel of a tab strip in which the heading is a tab.
"""

from __future__ import annotations

import re

from aggregator.articles.body_span import named_apart
from aggregator.articles.headings import MAX_LABEL, Kind
from aggregator.articles.page import BLOCKS, HEADINGS, Anchor, Page
from aggregator.articles.related.labels import level_of
from aggregator.articles.related.survey import MAX_RELATED, Label, Survey
from aggregator.articles.size import title_size

_CLIMB = 6
_CARD = 700  # letters: more, and it is no card
_REACH = 6_000  # nodes: no list is longer
_SECTIONS = frozenset({"section", "aside", "article", "main", "form", "body", "html"})
_LISTS = frozenset({"ul", "ol", "dl", "table"})
_HEADLIKE = re.compile(r"tit(?:l|[\s_-]|$)|head|caption|label|(?:^|[\s_-])h[dt\d](?:[\s_-]|$)")


def links_of(survey: Survey, label: Label) -> list[Anchor]:
    """The links that a heading announces, however they are arranged."""
    links = _controlled(survey, label) or _panel(survey, label)
    if not links and not _in_button(survey.page, label.node):
        links = _under(survey, label)
    return links


def _controlled(survey: Survey, label: Label) -> list[Anchor]:
    """The list that a tab shows: `href="#id"`, `aria-controls`, `data-target`."""
    page = survey.page
    near = [label.node, *page.ancestors(label.node)[:2], *_inside(page, label.node)]
    for node in near:
        attributes = page.attributes.get(node, {})
        for name in ("aria-controls", "href", "data-target", "data-bs-target", "for"):
            value = (attributes.get(name) or "").strip()
            if name == "href" and not value.startswith("#"):
                continue
            target = value.lstrip("#")
            if re.fullmatch(r"[\w-]{2,60}", target):
                for position in page.positions(f'[id="{target}"]'):
                    links = links_between(survey, position, page.end[position], None)
                    if links:
                        return links
    return []


def _in_button(page: Page, node: int) -> bool:
    return any(page.tag[n] == "button" for n in (node, *page.ancestors(node)[:2])) or any(
        page.tag[n] == "button" for n in _inside(page, node)
    )


def _inside(page: Page, node: int) -> range:
    """A label's own nodes (few: its text is short)."""
    return range(node, min(page.end[node], node + 40))


def _panel(survey: Survey, label: Label) -> list[Anchor]:
    """The list under a tab strip that stands where the label stands in the strip."""
    page = survey.page
    item = label.node
    for _ in range(3):
        strip = page.parent[item]
        if strip < 0:
            return []
        items = [c for c in page.children(strip) if 0 < page.size(c) <= MAX_LABEL]
        known = [c for c in items if any(i in survey.label_at for i in range(c, page.end[c]))]
        if len(items) >= 2 and len(known) >= 2 and item in items:
            alike = all(page.tag[c] == page.tag[item] for c in items)
            if not alike or len(items) != len([c for c in page.children(strip) if page.size(c)]):
                return []
            place = items.index(item)
            up = page.parent[strip]
            panels = [c for c in page.children(up) if c >= page.end[strip] and page.anchors_in(c)]
            within = page.children(panels[0]) if panels else []
            if len(within) == len(items) and all(page.tag[c] in BLOCKS for c in within):
                panels = within  # all of them in one block
            if len(panels) >= 2 and place < len(panels) and page.tag[panels[place]] in BLOCKS:
                return links_between(survey, panels[place], page.end[panels[place]], None)
            return []
        item = strip
    return []


def _under(survey: Survey, label: Label) -> list[Anchor]:
    """The links that belong to a heading."""
    page = survey.page
    node = label.node
    gap = False  # whether an empty block stands behind the heading
    for _ in range(_CLIMB):
        up = page.parent[node]
        if up < 0 or page.tag[up] in ("body", "html"):
            break
        start, stop = page.end[node], page.end[up]
        first = page.chars[up] == page.chars[label.node]
        if first and up not in survey.body.spine:
            links = links_between(survey, start, stop, label)
            if links:
                return links
            ends = page.tag[up] in _SECTIONS and start < stop  # not one for the heading alone
            if ends or _shell(page, start, stop) or _has_peer(page, up):
                return []
            gap |= page.tag[up] in _SECTIONS or _is_empty(page, start, stop)
        else:
            links = _flow(survey, start, stop, label, gap)
            if links:
                return links
            if page.chars[stop] != page.chars[start] or _shell(page, start, stop):
                return []  # something else follows: the heading has no list
        node = up
    if node >= 0 and page.parent[node] >= 0:
        return _flow(survey, page.end[node], page.end[page.parent[node]], label, gap)
    return []


def _is_empty(page: Page, start: int, stop: int) -> bool:
    """Whether blocks without any text stand between two positions."""
    return page.chars[start] == page.chars[stop] and any(
        page.tag[i] in BLOCKS and not named_apart(page.names[i])
        for i in range(start, min(stop, start + _REACH))
    )


def has_own_heading(survey: Survey, top: int) -> bool:
    """Whether words stand in a block before the first of its items."""
    page = survey.page
    links = [a for a in page.anchors_in(top)[:MAX_RELATED] if survey.counts(a)]
    if not links:
        return False
    second = next((a for a in links if a.key != links[0].key), links[-1])
    item = links[0].node
    while item > top and not page.parent[item] <= second.node < page.end[page.parent[item]]:
        item = page.parent[item]
    return page.chars[item] > page.chars[top]


def _has_peer(page: Page, node: int) -> bool:
    """Whether the next sibling is built like this block: the next widget of a column."""
    after = page.end[node]
    up = page.parent[node]
    classes = _classes(page, node)
    return (
        up >= 0
        and bool(classes)
        and after < page.end[up]
        and page.tag[after] == page.tag[node]
        and _classes(page, after) == classes
        and page.end[node] - node > 4
    )


def _classes(page: Page, node: int) -> frozenset[str]:
    """The classes of an element, those that only number it left out."""
    said = (page.attributes.get(node, {}).get("class") or "").split()
    return frozenset(c for c in said if not c[-1].isdigit())


def _shell(page: Page, start: int, stop: int) -> bool:
    """An empty list, or an empty block with a name: a script would have filled it."""
    return any(
        page.size(i) == 0
        and (
            page.tag[i] in _LISTS
            or (page.tag[i] in ("div", "section") and page.attributes.get(i, {}).get("id"))
        )
        for i in range(start, min(stop, start + _REACH))
    )


def links_between(survey: Survey, start: int, stop: int, label: Label | None) -> list[Anchor]:
    """Article links from `start` to the next heading, the blocks that stand apart left out."""
    page = survey.page
    links: dict[str, Anchor] = {}
    i = start
    stop = min(stop, start + _REACH)
    while i < stop and len(links) < MAX_RELATED:
        if label is not None and _boundary(survey, i, stop, label):
            break
        if page.text[i] == "" and survey.stands_apart(i):
            i = page.end[i]
            continue
        anchor = page.anchor_at.get(i)
        if anchor is not None and survey.counts(anchor):
            known = links.get(anchor.key)
            if known is None:
                links[anchor.key] = anchor
        i += 1
    return list(links.values())


def _flow(survey: Survey, start: int, stop: int, label: Label, gap: bool) -> list[Anchor]:
    """Article links of the link-dominant siblings right after a heading.

    Behind a gap, what has words of its own before its links is another list.
    """
    page = survey.page
    links: list[Anchor] = []
    i = start
    while i < min(stop, start + _REACH) and len(links) < MAX_RELATED:
        following = page.end[i]
        if _boundary(survey, i, stop, label) or page.tag[i] in ("nav", "footer", "form"):
            break
        inside = links_between(survey, i, following, label)
        gap |= not page.size(i) and _is_empty(page, i, following)
        if inside:
            if gap and not links and has_own_heading(survey, i):
                break
            if page.link_size(i) * 5 < page.size(i) * 2 and _prose(survey, i):
                break
            links += inside
            inner = range(i + 1, min(following, i + _REACH))
            if any(_boundary(survey, j, following, label) for j in inner):
                break
        elif not links and page.tag[i] in _LISTS:
            break  # an empty list is this heading's
        elif page.size(i) > (0 if links and page.tag[i] in BLOCKS else 40) and (
            links or page.tag[i] != "figure"
        ):
            break  # something else; a date between two links is let pass
        i = following
    return links


def _prose(survey: Survey, node: int) -> bool:
    """Whether a block holds a paragraph of running text (a headline's summary is none)."""
    page = survey.page
    for i in range(node, min(page.end[node], node + _REACH)):
        if page.tag[i] not in ("p", "-text") or page.in_link[i] >= 0:
            continue
        if page.size(i) - page.link_size(i) > 160:
            block = page.block(i)
            first = next(iter(page.anchors_in(block)), None)
            headline = first is not None and page.chars[first.node] == page.chars[block]
            if first is None or not headline or title_size(first.text) < 14:
                return not _summary(survey, block)
    return False


def _summary(survey: Survey, block: int) -> bool:
    """Whether a text without links stands below the one headline of a card."""
    page = survey.page
    up = block
    for _ in range(3):
        up = page.parent[up]
        if up < 0 or survey.body.paragraphs_in(up):
            return False
        links = {a.key: a for a in page.anchors_in(up)[:MAX_RELATED] if survey.counts(a)}
        if links:
            return len(links) == 1 and page.size(up) < _CARD
    return False


def _boundary(survey: Survey, node: int, stop: int, label: Label) -> bool:
    """Whether a new part of the page begins at `node`."""
    page = survey.page
    tag = page.tag[node]
    if tag == "h1" and page.in_link[node] < 0 and not _holds_article(survey, node):
        return True
    other = survey.label_at.get(node)
    if other is not None and other.node == node and other is not label and page.in_link[node] < 0:
        if other.reading.kind is Kind.READ_MORE:
            return tag in HEADINGS
        return _like_heading(page, other, label)
    if _built_alike(page, node, label.node) and not _card_title(survey, node, stop):
        return True
    if tag in HEADINGS and page.in_link[node] < 0 and page.size(node):
        level = level_of(page, label.node)
        if level and int(tag[1]) < level:
            return not _card_title(survey, node, stop)
        if level and int(tag[1]) > level and _in_card(page, node):
            return False
        if level and int(tag[1]) > level and page.chars[node] == page.chars[page.end[label.node]]:
            return False  # "Related", and right under it "Stories"
        return not _card_title(survey, node, stop)
    return False


def _built_alike(page: Page, node: int, label: int) -> bool:
    """Whether a short text stands in an element of the same tag and classes as a heading."""
    return (
        page.tag[node] == page.tag[label]
        and page.names[node] == page.names[label] != " "
        and bool(page.names[node])
        and 0 < page.size(node) <= MAX_LABEL
        and page.in_link[node] < 0
        and not node <= label < page.end[node]
    )


def _like_heading(page: Page, other: Label, label: Label) -> bool:
    """Whether a known phrase stands as a heading, not as a kicker inside a card."""
    if any(page.tag[n] in HEADINGS for n in _inside(page, other.node)):
        return True
    if other.reading.kind is Kind.RELATED or _built_alike(page, other.node, label.node):
        return True
    if any(_HEADLIKE.search(page.names[n]) for n in _inside(page, other.node)):
        return len(page.string(other.node)) > 3 and not _in_card(page, other.node)
    return page.tag[other.node] == page.tag[label.node] and len(page.ancestors(other.node)) <= len(
        page.ancestors(label.node)
    )


def _in_card(page: Page, node: int) -> bool:
    return any(page.tag[n] in ("li", "article") for n in page.ancestors(node)[:4])


def _holds_article(survey: Survey, node: int) -> bool:
    page = survey.page
    return any(survey.counts(a) for a in page.anchors_in(node)[:MAX_RELATED])


def _card_title(survey: Survey, node: int, stop: int) -> bool:
    """A heading that is a card's title: it holds a link, or shares a small block with one."""
    page = survey.page
    if _holds_article(survey, node):
        return True
    up = node
    for _ in range(4):
        up = page.parent[up]
        if up < 0 or page.end[up] > stop:
            return False
        keys = {a.key for a in page.anchors_in(up)[:MAX_RELATED] if survey.counts(a)}
        if keys:
            return len(keys) == 1 and page.size(up) < 600
    return False
