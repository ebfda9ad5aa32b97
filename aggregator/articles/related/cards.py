"""Related links that no heading announces: markers, cards in the text, named blocks, statements."""

from __future__ import annotations

import re

from aggregator.articles.headings import Kind, is_neighbour, read_heading, read_marker
from aggregator.articles.page import BLOCKS, HEADINGS, Anchor, Page, absolute, page_key
from aggregator.articles.related.labels import rule_of
from aggregator.articles.related.listing import has_own_heading, links_between
from aggregator.articles.related.survey import MAX_RELATED, Survey
from aggregator.articles.size import title_size
from aggregator.model.states import LinkRule

_MARKER = 40  # letters: longer, and it is no marker
_NEAR = 40  # nodes: farther from its heading no list stands
_TITLE = 24  # letters, where no heading element says that it is a title
_MENUS = frozenset({"nav", "footer"})
_CROWD = 40  # links: more, and the block is a list of its own, no card


def read_markers(survey: Survey) -> None:
    """ "READ ALSO: title", with the marker in the link's own text or before it in its block."""
    page, body = survey.page, survey.body
    for anchor in page.anchors:
        said = anchor.text
        reading = read_marker(said)
        if reading is None and (before := _before(survey, anchor)):
            said = before + anchor.text
            reading = read_marker(said)
        if reading is None or not survey.counts(anchor) or survey.is_apart(anchor.node):
            continue
        if reading.kind is Kind.READ_MORE and not body.first < anchor.node < body.reach:
            continue
        survey.add(anchor, anchor.text, said[:40], LinkRule.MARKER)


def _before(survey: Survey, anchor: Anchor) -> str:
    """The few words in front of a link that ends its block."""
    page = survey.page
    block = page.block(anchor.node)
    size = page.chars[anchor.node] - page.chars[block]
    if not 0 < size <= _MARKER or page.chars[page.end[block]] > page.chars[page.end[anchor.node]]:
        return ""
    return page.string(block, size)[: size + 8].partition(anchor.text[:20] or "\0")[0]


def read_cards(survey: Survey) -> None:
    """Blocks of links inside the running text, and right below it."""
    page, body = survey.page, survey.body
    edge = page.end[body.last] if body.last >= 0 else 0
    menus = _in_menus(page)
    for anchor in page.anchors:
        if not body.first < anchor.node < body.reach or anchor.key in survey.found:
            continue
        if anchor.key in menus:
            continue
        if not survey.own.is_here(anchor.url) or not survey.counts(anchor):
            continue
        if not survey.own.resembles(anchor.url):
            continue
        block = _card(survey, anchor)
        if block is None:
            continue
        if not body.holds(anchor.node):
            if not _right_below(survey, block, edge):
                continue
            edge = max(edge, page.end[block])
        survey.add(anchor, survey.text(anchor), None, LinkRule.CARD)


def _in_menus(page: Page) -> frozenset[str]:
    """Where the page's menus and its footer lead: to sections, issues and offers, not to news."""
    return frozenset(
        a.key for a in page.anchors if any(page.tag[n] in _MENUS for n in page.ancestors(a.node))
    )


def _right_below(survey: Survey, block: int, edge: int) -> bool:
    """Whether a block follows the text or another card at once, with one link or on its subject."""
    page = survey.page
    if page.chars[block] > page.chars[edge]:
        return False
    links = {a.key: a for a in page.anchors_in(block)}
    if len(links) == 1:
        return True
    return len(links) <= 4 and 2 * survey.shares_subject(list(links.values())) > len(links)


def _card(survey: Survey, anchor: Anchor) -> int | None:
    """The block of its own that a link in the body stands in, or None for a link in prose."""
    page, body = survey.page, survey.body
    top = anchor.node
    while page.parent[top] != body.root:
        up = page.parent[top]
        if up < 0 or up in body.spine or body.paragraphs_in(up):
            break
        top = up
    if page.tag[top] not in BLOCKS or body.paragraphs_in(top):
        return None
    if any(survey.stands_apart(n) for n in (top, *page.ancestors(anchor.node))):
        return None
    pictured = any(
        page.tag[n] in ("figure", "figcaption") for n in page.ancestors(anchor.node) if n >= top
    )
    if pictured and any(page.tag[i] == "figcaption" for i in range(top, page.end[top])):
        return None  # a picture's own link
    block = page.block(anchor.node)
    beside = page.size(block) - page.link_size(block)
    if page.tag[block] in ("p", "li") and beside > max(20, page.link_size(block) // 4):
        return None
    links = page.anchors_in(top)
    if len(links) > _CROWD:
        return None
    articles = {a.key for a in links if survey.counts(a)}
    others = {a.key for a in links} - articles
    if len(articles) > 6 or len(others) > len(articles) + 2:
        return None
    for i in range(top, page.end[top]):
        label = survey.label_at.get(i)
        if label is None or page.in_link[i] >= 0 or rule_of(survey, label) is LinkRule.HEADING:
            continue
        if label.reading.kind is not Kind.READ_MORE or len(articles) > 1:
            return None  # "Read more" is also what a card of one article begins or ends with
    if page.size(top) > 500 * len(articles):
        return None
    headed = any(page.tag[i] in HEADINGS and page.size(i) for i in range(top, page.end[top]))
    if title_size(survey.text(anchor)) < _TITLE and not headed:
        return None
    if not page.size(anchor.node) and not headed and not _said(page, anchor, links):
        return None  # a picture alone
    if is_neighbour(_before(survey, anchor) + anchor.text):
        return None
    if not page.size(top) or _PROMOTED.search(page.string(top)):
        return None
    if len(articles) > 1 and _heading_of(survey, top):
        titles = list({a.key: a for a in links if survey.counts(a)}.values())
        if 2 * survey.shares_subject(titles) <= len(titles):
            return None
    return top


def _said(page: Page, anchor: Anchor, links: list[Anchor]) -> bool:
    """Whether another link to the same place says something."""
    return any(page.size(a.node) for a in links if a.key == anchor.key)


_PROMOTED = re.compile(r"newsletter|podcast", re.I)


def _heading_of(survey: Survey, top: int) -> bool:
    """Whether a list has a heading of its own: words before its first item, or right before it."""
    page = survey.page
    if has_own_heading(survey, top):
        return True
    before = top - 1  # the text before it, and the block beside it that holds that text
    while before > max(page.parent[top], top - _NEAR) and not page.text[before]:
        before -= 1
    while page.parent[before] > page.parent[top]:
        before = page.parent[before]
    return page.tag[before] in HEADINGS


_NAMED_RELATED = re.compile(
    r"(?:^|[\s_-])(?:related(?!-?(?:topic|tag|keyword|search|product|author|term|job|event))|"
    r"relate|relacionad[oa]s?|correlat[ie]|verwandt\w*|readalso|read-also|also-read|seealso|"
    r"see-also|more-on|moreon|lireaussi|lire-aussi|leggianche|leggi-anche|xgxw|xiangguan|relnews|"
    r"kanren)"
)


def read_named(survey: Survey) -> None:
    """Lists whose block is only named related (a class, an id, an `aria-label`).

    Names lie (`latestlist related`), so at least half of the titles must share the subject.
    """
    page = survey.page
    skip_until = 0
    for i, names in enumerate(page.names):
        if i < skip_until:
            continue
        attributes = page.attributes.get(i)
        if attributes is None or page.tag[i] in ("body", "html", "a", "link", "meta"):
            continue
        spoken = read_heading(attributes.get("aria-label") or "")
        told = spoken is not None and spoken.kind is Kind.RELATED
        if not told and not _NAMED_RELATED.search(names):
            continue
        if i in survey.body.spine or survey.body.paragraphs_in(i) or survey.is_apart(i):
            continue
        skip_until = page.end[i]
        if any(
            survey.label_at[j].reading.kind is Kind.ELSEWHERE and page.in_link[j] < 0
            for j in range(i, page.end[i])
            if j in survey.label_at
        ):
            continue
        links = links_between(survey, i, page.end[i], None)
        if told or (links and 2 * survey.shares_subject(links) >= len(links)):
            for anchor in links:
                survey.add(anchor, survey.text(anchor), None, LinkRule.NAMED)


def read_stated(survey: Survey) -> None:
    """`<link rel=related>` and schema.org `relatedLink`, which carry no text of their own."""
    page = survey.page
    stated = [
        (node.attributes.get("href") or "", node.attributes.get("title") or "", LinkRule.LINK_REL)
        for node in page.tree.css('link[rel~="related"]')[:MAX_RELATED]
    ]
    stated += [(url, "", LinkRule.JSON_LD) for url in survey.stated]
    for href, text, rule in stated[:MAX_RELATED]:
        url = absolute(page.url, href)
        if url is None:
            continue
        anchor = Anchor(len(page.tag), url, page_key(url), text, frozenset())
        if survey.leads(anchor):
            seen = next((a for a in page.anchors if a.key == anchor.key and a.text), None)
            survey.add(anchor, text or (seen.text if seen else ""), None, rule)
